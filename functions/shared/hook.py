"""What both traffic hooks share: the deployment they belong to, and the report that CodeDeploy waits for."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contracts.appspec import ALL_AT_ONCE, is_return
from functions.shared.log import log
from functions.shared.store import ChangedError


class HookError(Exception):
    """The release must not take traffic; the message says why, for a person."""


class AskedError(Exception):
    """A person was asked, who reports to CodeDeploy instead of the hook; the message is the question."""


@dataclass(frozen=True)
class Deployment:
    """One CodeDeploy deployment: its id, when it was created, and the function version it shifts to.

    `current` is the version that it shifts from, `returning` whether it goes back to a former release, `stepwise`
    whether traffic moves in more than one step.
    """

    id: str
    created: datetime
    version: str
    current: str = ""
    returning: bool = False
    stepwise: bool = False


def report(codedeploy: Any, event: Mapping[str, str], check: Callable[[str], str]) -> dict[str, str]:
    """Run `check` with the deployment's id and report the result to CodeDeploy, whatever happens in it.

    `event` is CodeDeploy's: `DeploymentId` and `LifecycleEventHookExecutionId`. Returns status and reason.
    """
    deployment_id = event["DeploymentId"]
    try:
        status, reason = "Succeeded", check(deployment_id)
        log("INFO", reason, deployment=deployment_id)
    except AskedError as error:
        log("INFO", str(error), deployment=deployment_id)
        return {"status": "InProgress", "reason": str(error)}
    except (HookError, ChangedError) as error:
        status, reason = "Failed", str(error)
        log("ERROR", reason, deployment=deployment_id)
    except Exception as error:  # noqa: BLE001  # anything unforeseen must end the deployment now, not after an hour
        status, reason = "Failed", f"{type(error).__name__}: {error}"
        log("ERROR", reason, deployment=deployment_id, trace=traceback.format_exc())
    codedeploy.put_lifecycle_event_hook_execution_status(
        deploymentId=deployment_id,
        lifecycleEventHookExecutionId=event["LifecycleEventHookExecutionId"],
        status=status,
    )
    return {"status": status, "reason": reason}


def read_deployment(codedeploy: Any, deployment_id: str, function_name: str) -> Deployment:
    """The deployment and the version that its AppSpec shifts `function_name` to. Raises HookError."""
    info = codedeploy.get_deployment(deploymentId=deployment_id)["deploymentInfo"]
    revision = info.get("revision") or {}
    content = (revision.get("string") or revision.get("appSpecContent") or {}).get("content")
    if not content:
        raise HookError(f"Deployment {deployment_id} carries no AppSpec text.")
    target, current = versions(content, function_name)
    returning = is_return(info.get("description") or "", current, target)
    stepwise = info["deploymentConfigName"] != ALL_AT_ONCE
    return Deployment(deployment_id, info["createTime"], target, current, returning, stepwise)


def versions(app_spec: str, function_name: str) -> tuple[str, str]:
    """`TargetVersion` and `CurrentVersion` of the function in an AppSpec (JSON). Raises HookError.

    https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-resources.html
    """
    try:
        resources = json.loads(app_spec)["Resources"]
        found = [
            (str(resource["Properties"]["TargetVersion"]), str(resource["Properties"]["CurrentVersion"]))
            for entry in resources
            for resource in entry.values()
            if resource["Properties"]["Name"] == function_name
        ]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise HookError(f"The deployment's AppSpec is not usable ({type(error).__name__}: {error}).") from error
    if len(found) != 1:
        raise HookError(f"The deployment's AppSpec names {function_name} {len(found)} times, not once.")
    return found[0]
