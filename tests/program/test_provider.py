"""What the program declares passes the checks that pulumi-aws makes before it calls AWS."""

from typing import Any

import pytest

from rehearsal.provider import rules
from rehearsal.provider.lifecycle import Lifecycle, Naming
from rehearsal.provider.session import Session
from rehearsal.provider.values import SIGNATURE, UNKNOWN, Secret
from tests.program.harness import Run


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


def test_the_provider_takes_what_the_program_declares(ran: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the rehearsal's provider has them; no request is made."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    lifecycle = Lifecycle(Session({"region": "eu-west-1", "accessKey": "AKIA123456789012", "secretKey": "s"}))
    held = 0
    for resource in (found for found in ran.resources if found.type.startswith("aws:") and "/get" not in found.type):
        urn = f"urn:pulumi:stack::glidepath::{resource.type}::{resource.name}"
        lifecycle.check(resource.type, urn, {}, _plain(resource.inputs), Naming(resource.name))
        held += len(rules.find(resource.type).tests)
    assert held > 100
