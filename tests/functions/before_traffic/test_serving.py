"""Which release serves, by its version."""

from __future__ import annotations

from typing import Any

import pytest

from functions.before_traffic.serving import Serving, read_serving

VARIABLES = {"RELEASE_ID": "r", "ENDPOINT_NAME": "e", "FEATURES": '["a", "b"]', "PREDICTION_EDGES": "[1, 2.5]"}


class Versions:
    """A Lambda client with one version."""

    def __init__(self, environment: dict[str, Any] | None) -> None:
        self._environment = environment

    def get_function_configuration(self, **request: str) -> dict[str, Any]:
        """The real client's method."""
        assert request == {"FunctionName": "predict", "Qualifier": "7"}
        return {"Environment": {"Variables": self._environment}} if self._environment is not None else {}


def test_reads_what_the_version_was_published_with() -> None:
    assert read_serving(Versions(VARIABLES), "predict", "7") == Serving("r", "e", ("a", "b"), (1.0, 2.5))
    older = {name: value for name, value in VARIABLES.items() if name != "PREDICTION_EDGES"}
    assert read_serving(Versions(older), "predict", "7") == Serving("r", "e", ("a", "b"), ())


def test_reads_which_classes_it_tells_apart() -> None:
    found = read_serving(Versions({**VARIABLES, "CLASSES": '["x", "y", "z"]'}), "predict", "7")
    assert found is not None
    assert found.classes == ("x", "y", "z")


@pytest.mark.parametrize("changes", [None, {}, {**VARIABLES, "FEATURES": "a"}, {**VARIABLES, "FEATURES": "1"}])
def test_a_version_of_somebody_elses_is_none(changes: dict[str, Any] | None) -> None:
    assert read_serving(Versions(changes), "predict", "7") is None
