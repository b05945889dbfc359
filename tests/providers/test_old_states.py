"""Providers as older states name them. A whole stack that was deployed by an older program is another test's."""

import base64
import pickle

import pytest
from pulumi import dynamic
from pulumi.dynamic.dynamic import serialize_provider

from providers.model_packages import PackagesProvider
from providers.traffic_shift.provider import TrafficShiftProvider
from tests.providers.traffic_shift.fake_codedeploy import Aws

# `__provider` of both resources, taken from a state made before the providers had a folder of their own.
_SHIFT = "gASVOAAAAAAAAACMGGNvbXBvbmVudHMudHJhZmZpY19zaGlmdJSMFFRyYWZmaWNTaGlmdFByb3ZpZGVylJOUKYGULg=="
_PACKAGES = "gASVLwAAAAAAAACME2NvbXBvbmVudHMucmVnaXN0cnmUjBBQYWNrYWdlc1Byb3ZpZGVylJOUKYGULg=="
OLD: dict[str, type[dynamic.ResourceProvider]] = {
    _SHIFT: TrafficShiftProvider,
    _PACKAGES: PackagesProvider,
}


@pytest.mark.parametrize(("text", "kind"), OLD.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_an_old_state_finds_its_provider(text: str, kind: type[dynamic.ResourceProvider]) -> None:
    assert type(pickle.loads(base64.b64decode(text))) is kind


def test_the_old_state_s_provider_is_not_what_a_new_one_names() -> None:
    assert [serialize_provider(kind()) for kind in OLD.values()] != list(OLD)


def test_another_provider_alone_moves_no_traffic(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine compares `__provider` as well; the provider must not take its own change for a change of the shift."""
    monkeypatch.setattr(TrafficShiftProvider, "_client", lambda *_: Aws(version="7"))
    old, new = (base64.b64encode(text).decode() for text in (b"old", b"new"))
    inputs = {"function": "f", "alias": "live", "version": "7", "release": "r"}
    found = TrafficShiftProvider().diff("f:live", {**inputs, "__provider": old}, {**inputs, "__provider": new})
    assert not found.changes
    assert not found.replaces
    found = PackagesProvider().diff("g", {"group": "g", "__provider": old}, {"group": "g", "__provider": new})
    assert not found.changes
