"""What a killed engine had begun to make: removed where AWS would refuse to make it twice."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from contracts.errors import UserError
from operate import half_made

CONFIG = {
    "type": "aws:codedeploy/deploymentConfig:DeploymentConfig",
    "inputs": {"deploymentConfigName": "glidepath-prod-linear-50-percent-1-minutes"},
}
TARGET = {
    "type": "aws:appautoscaling/target:Target",
    "inputs": {
        "serviceNamespace": "sagemaker",
        "resourceId": "endpoint/glidepath-prod-1a2b3c4/variant/live",
        "scalableDimension": "sagemaker:variant:DesiredInstanceCount",
        "minCapacity": 1,
    },
}


class Scaling:
    def __init__(self, refusal: str = "") -> None:
        self.refusal, self.gone = refusal, list[dict[str, str]]()

    def deregister_scalable_target(self, **where: str) -> None:
        if self.refusal:
            raise ClientError({"Error": {"Code": self.refusal, "Message": "no"}}, "DeregisterScalableTarget")
        self.gone.append(where)


class CodeDeploy:
    def __init__(self, refusal: str = "") -> None:
        self.refusal, self.deleted = refusal, [""]

    def delete_deployment_config(self, deploymentConfigName: str) -> None:  # noqa: N803
        if self.refusal:
            raise ClientError({"Error": {"Code": self.refusal, "Message": "no"}}, "DeleteDeploymentConfig")
        self.deleted.append(deploymentConfigName)


def remove(monkeypatch: pytest.MonkeyPatch, codedeploy: CodeDeploy, *creations: dict[str, Any]) -> list[str]:
    _remove(monkeypatch, codedeploy, *creations)
    return codedeploy.deleted[1:]


def _remove(monkeypatch: pytest.MonkeyPatch, client: Any, *creations: dict[str, Any]) -> None:
    monkeypatch.setattr(half_made, "read_project", lambda root: None)
    monkeypatch.setattr(half_made, "Clients", lambda project: SimpleNamespace(of=lambda *_: client))
    half_made.remove("prod", Path(), creations)


def test_only_what_cannot_be_made_twice_is_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    model = {"type": "aws:sagemaker/model:Model", "inputs": {"name": "glidepath-prod-0000001"}}
    unknown = {"type": CONFIG["type"], "inputs": {}}
    assert remove(monkeypatch, CodeDeploy(), CONFIG, model, unknown) == ["glidepath-prod-linear-50-percent-1-minutes"]


def test_what_is_not_there_needs_no_removal(monkeypatch: pytest.MonkeyPatch) -> None:
    assert remove(monkeypatch, CodeDeploy("DeploymentConfigDoesNotExistException"), CONFIG) == []


def test_a_refusal_names_what_a_person_must_remove(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="glidepath-prod-linear-50-percent-1-minutes, which cannot be removed"):
        remove(monkeypatch, CodeDeploy("DeploymentConfigInUseException"), CONFIG)


def test_a_scalable_target_is_registered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    scaling = Scaling()
    _remove(monkeypatch, scaling, TARGET, {**TARGET, "inputs": {"serviceNamespace": "sagemaker"}})
    assert scaling.gone == [
        {
            "ResourceId": "endpoint/glidepath-prod-1a2b3c4/variant/live",
            "ServiceNamespace": "sagemaker",
            "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
        }
    ]
    _remove(monkeypatch, Scaling("ObjectNotFoundException"), TARGET)
    with pytest.raises(UserError, match="scalable target endpoint/glidepath-prod-1a2b3c4") as error:
        _remove(monkeypatch, Scaling("AccessDeniedException"), TARGET)
    assert "aws application-autoscaling deregister-scalable-target --resource-id endpoint/" in error.value.fix
