"""The probe: what it takes for good, for bad, and for none of its business."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from contracts.monitoring import PROBES
from functions.probe.ask import Probe, ProbeError
from functions.shared.api import Answer, CallError
from functions.shared.golden import parse_golden
from tests.functions import samples

GOLDEN = parse_golden(json.dumps(samples.golden()))
RELEASE = "20261121-1a2b3c4d"
REQUEST = "0000000{}-1111-2222-3333-444444444444"


class Api:
    """Answers as a release whose model adds up; `status`, `off` and `release` make it a worse one."""

    def __init__(self, status: int = 200, off: float = 0.0, release: str = RELEASE, gone: bool = False) -> None:
        self.status, self.off, self.release, self.gone = status, off, release, gone
        self.asked: list[tuple[dict[str, Any], Mapping[str, str]]] = []

    def post(self, body: bytes, headers: Mapping[str, str], signed: bool = True) -> Answer:
        """The client's method."""
        assert signed
        document = json.loads(body)
        self.asked.append((document, headers))
        if self.gone:
            raise CallError("https://api/predict does not answer: no route")
        total = sum(document["instances"][0].values()) + self.off
        text = json.dumps({"predictions": [total], "release": self.release}) if self.status == 200 else "no"
        return Answer(self.status, {}, text, 12.0)


def run(api: Api, alias: dict[str, Any] | None = None, number: int = 0, key: str = "") -> str:
    probe = Probe(api, GOLDEN, RELEASE, key)
    return probe.run({"FunctionVersion": "3"} if alias is None else alias, REQUEST.format(number))


def test_asks_with_one_golden_record_after_the_other_and_says_that_it_is_no_caller() -> None:
    api = Api()
    for number in range(3):
        assert run(api, number=number) == f"Release {RELEASE} answered a golden record as evaluated, in 12 ms."
    assert [document["instances"] for document, _ in api.asked] == [[record.features] for record in GOLDEN.records]
    assert all(headers["x-glidepath-inference-id"].startswith(PROBES) for _, headers in api.asked)
    assert len(api.asked[0][1]["x-glidepath-inference-id"]) <= 64
    assert "x-api-key" not in api.asked[0][1]


def test_shows_the_key_that_callers_need() -> None:
    api = Api()
    run(api, key="k")
    assert api.asked[0][1]["x-api-key"] == "k"


@pytest.mark.parametrize(
    ("api", "words"),
    [
        (Api(502), "production answers 502: no"),
        (Api(400), "production answers 400"),
        (Api(off=5.0), "otherwise than the evaluated model: predicted"),
        (Api(gone=True), "does not answer: no route"),
    ],
)
def test_a_bad_answer_is_raised(api: Api, words: str) -> None:
    with pytest.raises(ProbeError, match=words):
        run(api)


def test_a_shift_is_left_to_its_own_alarms() -> None:
    api = Api(502)
    assert "being shifted" in run(api, {"RoutingConfig": {"AdditionalVersionWeights": {"4": 0.1}}})
    assert api.asked == []


def test_no_weights_are_no_shift() -> None:
    assert "as evaluated" in run(Api(), {"RoutingConfig": {"AdditionalVersionWeights": {}}})


def test_a_release_that_took_over_a_moment_ago_is_not_compared_with_anothers_records() -> None:
    assert run(Api(off=5.0, release="another")) == "Release another answered, whose golden records these are not."
