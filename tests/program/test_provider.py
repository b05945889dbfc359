"""What the program declares passes the checks that pulumi-aws makes before it calls AWS."""

from typing import Any

import pytest

from contracts.names import Names
from rehearsal.provider import rules
from rehearsal.provider.lifecycle import Lifecycle, Naming
from rehearsal.provider.session import Session
from rehearsal.provider.values import SIGNATURE, UNKNOWN, Secret
from tests.program.harness import Run, Store, address, run


def _plain(value: Any) -> Any:
    """A value as the engine sends it; what is no plain value is unknown."""
    if isinstance(value, dict) and SIGNATURE in value:
        return Secret(_plain(value["value"]))
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, (str, int, float, bool)) else UNKNOWN


@pytest.fixture
def lifecycle(monkeypatch: pytest.MonkeyPatch) -> Lifecycle:
    """The rehearsal's provider; no request is made."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    return Lifecycle(Session({"region": "eu-west-1", "accessKey": "AKIA123456789012", "secretKey": "s"}))


def _held(ran: Run, lifecycle: Lifecycle) -> int:
    """How many rules the run's resources were held against. Raises Failures where one is broken."""
    held = 0
    for resource in (found for found in ran.resources if found.type.startswith("aws:") and "/get" not in found.type):
        urn = f"urn:pulumi:stack::glidepath::{resource.type}::{resource.name}"
        lifecycle.check(resource.type, urn, {}, _plain(resource.inputs), Naming(resource.name))
        held += len(rules.find(resource.type).tests)
    return held


def test_the_provider_takes_what_the_program_declares(ran: Run, lifecycle: Lifecycle) -> None:
    assert _held(ran, lifecycle) > 100


LONGEST: dict[str, Any] = {
    "name": "n" * 19,  # with this environment in eu-west-1, the capture bucket's name has 63 characters
    "environments": ["abcdefghijkl", "prod"],
    "accounts": {"delivery": "1" * 12, "abcdefghijkl": "2" * 12, "prod": "3" * 12},
}


def test_the_longest_names_fit(lifecycle: Lifecycle) -> None:
    store = Store(key=Names(LONGEST["name"], "eu-west-1", LONGEST["accounts"]).signing_key)
    store.put(1)
    store.put(2)
    variant = {"name": "v" * (63 - 8 - len(f"{LONGEST['name']}-prod-")), "manifest": address(2)}
    assert _held(run("delivery", **LONGEST), lifecycle) > 100
    for beside in ({"shadow": variant | {"weight": 0.5}}, {"variants": [variant]}):
        assert _held(run("prod", store, release=address(1), **LONGEST, **beside), lifecycle) > 100
