"""What a return writes into the model registry, and that it fails no return."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from contracts.release import parse_release
from operate import registry
from operate.registry import record_return
from tests.program.harness import address, manifest

ONE, TWO = (parse_release(json.dumps(manifest(number))) for number in (1, 2))
PACKAGES = {ONE.id: "arn:aws:sagemaker:eu-west-1:111111111111:model-package/glidepath/1",
            TWO.id: "arn:aws:sagemaker:eu-west-1:111111111111:model-package/glidepath/2"}  # fmt: skip
PROJECT: Any = SimpleNamespace(names=SimpleNamespace(production="prod"))


class World:
    """A registry, and a history in which the first release has served, and the second as well if `served` says so."""

    def __init__(self, served: bool = True, refuses: str = "", gone: bool = False) -> None:
        self.updates: list[dict[str, Any]] = []
        self._served, self._refuses, self._gone = served, refuses, gone

    def of(self, stack: str, service: str) -> Any:
        """Clients."""
        assert (stack, service) == ("delivery", "sagemaker")
        return self

    def describe_model_package(self, ModelPackageName: str) -> dict[str, Any]:  # noqa: N803
        """SageMaker's."""
        return {"ModelPackageArn": ModelPackageName, "CustomerMetadataProperties": {"run": "r"}}

    def update_model_package(self, **request: Any) -> None:
        """SageMaker's."""
        if request["ModelPackageArn"] == self._refuses:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "UpdateModelPackage")
        self.updates.append(request)

    def history(self, *_: Any) -> Any:
        """In place of History."""
        model = json.loads(json.dumps(manifest(2)))
        model["model"]["package"] = PACKAGES[TWO.id]
        two = SimpleNamespace(release=parse_release(json.dumps(model)))
        records = [SimpleNamespace(release=ONE.id, manifest=address(1))]
        records += [SimpleNamespace(release=TWO.id, manifest=address(2))] if self._served else []
        return SimpleNamespace(
            served=lambda: records,
            manifest=lambda at: None if self._gone or at != address(2) else two,
            manifests=lambda: {} if self._gone else {TWO.id: two},
        )


def returned(monkeypatch: pytest.MonkeyPatch, world: World, stack: str = "prod", reason: str = "") -> list[str]:
    monkeypatch.setattr(registry, "History", world.history)
    monkeypatch.setattr("getpass.getuser", lambda: "ann")
    said: list[str] = []
    clients: Any = world
    record_return(clients, PROJECT, stack, TWO.id, ONE, reason, said.append)
    return said


@pytest.mark.parametrize("served", [True, False])
def test_what_was_left_is_rejected_and_what_serves_again_approved(
    monkeypatch: pytest.MonkeyPatch, served: bool
) -> None:
    world = World(served)
    assert returned(monkeypatch, world, reason="wrong fares") == []
    words = f"returned from {TWO.id} to {ONE.id} by ann: wrong fares"
    assert [
        (update["ModelPackageArn"], update["ModelApprovalStatus"], update["ApprovalDescription"])
        for update in world.updates
    ] == [(PACKAGES[TWO.id], "Rejected", words), (PACKAGES[ONE.id], "Approved", words)]
    assert world.updates[0]["CustomerMetadataProperties"]["run"] == "r"


def test_another_environment_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    assert returned(monkeypatch, world, stack="dev") == []
    assert world.updates == []


def test_what_is_refused_is_a_warning_and_the_other_one_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(refuses=PACKAGES[TWO.id])
    (line,) = returned(monkeypatch, world)
    assert line.startswith(f"warning: the model registry does not say Rejected of release {TWO.id}, set it by hand: ")
    assert "AccessDeniedException" in line
    assert [update["ModelApprovalStatus"] for update in world.updates] == ["Approved"]


def test_a_manifest_that_is_gone_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(gone=True)
    assert returned(monkeypatch, world) == [
        f"warning: the model registry keeps the status of release {TWO.id}: its manifest cannot be read"
    ]
    assert [update["ModelApprovalStatus"] for update in world.updates] == ["Approved"]
