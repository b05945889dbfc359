"""What a killed engine had begun to make and must make again, but AWS would refuse to make twice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore import xform_name
from botocore.exceptions import ClientError

from contracts.errors import UserError
from operate.clients import Clients
from operate.project import read_project


@dataclass(frozen=True)
class Once:
    """A type of which AWS makes no second one of the same name, and how one is removed.

    `given` are members of the removal's request → the inputs that they are taken from, the one that names it first.
    `absent` is AWS's word for there being none: the engine was killed before its call arrived.
    """

    what: str
    service: str
    operation: str
    given: Mapping[str, str]
    absent: str


# Of all that a release makes anew, these alone have names that the program gives: whatever else is made a second time
# gets a name of its own, or is put over the first one. They are replaced while the former ones are still in the state
# under the same URN, so that they cannot be imported either. A target that is there takes no tags when it is registered
# again (github.com/terraform-aws-modules/terraform-aws-rds-aurora/pull/420).
_ONCE = {
    "aws:codedeploy/deploymentConfig:DeploymentConfig": Once(
        "deployment configuration",
        "codedeploy",
        "delete_deployment_config",
        {"deploymentConfigName": "deploymentConfigName"},
        "DeploymentConfigDoesNotExistException",
    ),
    "aws:appautoscaling/target:Target": Once(
        "scalable target",
        "application-autoscaling",
        "deregister_scalable_target",
        {
            "ResourceId": "resourceId",
            "ServiceNamespace": "serviceNamespace",
            "ScalableDimension": "scalableDimension",
        },
        "ObjectNotFoundException",
    ),
}

_COMMANDS = {"codedeploy": "deploy"}
"""Service → its command of the AWS CLI, where that is called otherwise."""


def found(creations: Sequence[Mapping[str, Any]]) -> list[tuple[Once, dict[str, str]]]:
    """What of it was being created, with the request that removes it; without what was not known yet."""
    pairs = [(_ONCE[each["type"]], each.get("inputs") or {}) for each in creations if each.get("type") in _ONCE]
    return [
        (once, {member: str(inputs[name]) for member, name in once.given.items()})
        for once, inputs in pairs
        if all(inputs.get(name) for name in once.given.values())
    ]


def remove(stack: str, root: Path, creations: Sequence[Mapping[str, Any]]) -> None:
    """Remove it; only for who knows that no engine is at work. Raises UserError where AWS refuses."""
    begun = found(creations)
    if not begun:
        return
    clients = Clients(read_project(root))
    for once, request in begun:
        name = next(iter(request.values()))
        try:
            getattr(clients.of(stack, once.service), once.operation)(**request)
        except ClientError as error:
            if error.response["Error"]["Code"] == once.absent:
                continue
            words = [word for member, value in request.items() for word in (f"--{xform_name(member, '-')}", value)]
            command = " ".join(
                ["aws", _COMMANDS.get(once.service, once.service), once.operation.replace("_", "-"), *words]
            )
            raise UserError(
                f"a killed update of {stack} made {once.what} {name}, which cannot be removed: {error}",
                f"remove it ({command}), then run this again",
            ) from None
        print(f"{once.what} {name}, which a killed update had begun to make, is removed", flush=True)
