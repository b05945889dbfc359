"""What a killed engine had begun to make and must make again, but AWS would refuse to make twice."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from contracts.errors import UserError
from operate.clients import Clients
from operate.project import read_project

# Of all that a release makes anew, this alone has a name that the program gives: whatever else is made a second time
# gets a name of its own, or is put over the first one. It is replaced while the former one is still in the state under
# the same URN, so that it cannot be imported either.
_CONFIG = "aws:codedeploy/deploymentConfig:DeploymentConfig"
# What there is none of has gone already: the engine was killed before its call arrived.
_ABSENT = "DeploymentConfigDoesNotExistException"


def names(creations: Sequence[Mapping[str, Any]]) -> list[str]:
    """Names of the deployment configurations among what was being created."""
    inputs = [each.get("inputs") or {} for each in creations if each.get("type") == _CONFIG]
    return [str(given["deploymentConfigName"]) for given in inputs if given.get("deploymentConfigName")]


def remove(stack: str, root: Path, creations: Sequence[Mapping[str, Any]]) -> None:
    """Remove it; only for who knows that no engine is at work. Raises UserError where AWS refuses."""
    found = names(creations)
    if not found:
        return
    codedeploy = Clients(read_project(root)).of(stack, "codedeploy")
    for name in found:
        try:
            codedeploy.delete_deployment_config(deploymentConfigName=name)
        except ClientError as error:
            if error.response["Error"]["Code"] == _ABSENT:
                continue
            raise UserError(
                f"a killed update of {stack} made deployment configuration {name}, which cannot be removed: {error}",
                f"remove it (aws deploy delete-deployment-config --deployment-config-name {name}), then run this again",
            ) from None
        print(f"deployment configuration {name}, which a killed update had begun to make, is removed", flush=True)
