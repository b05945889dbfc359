"""CodeDeploy's revision for a Lambda function, and how its traffic moves."""

import json
from collections.abc import Mapping
from typing import Any

from contracts.names import LIVE

ALL_AT_ONCE = "CodeDeployDefault.LambdaAllAtOnce"
"""AWS's own deployment configuration that moves all traffic in one step."""


TAKEN_BACK = "Taken back in its bake: "
"""Begins the reason of a return that the judge makes; its sentence follows."""
ACTIVE = ("Created", "Queued", "InProgress", "Baking", "Ready")
"""Statuses of a deployment that has not ended."""


def app_spec(
    function: str, alias: str, current: str, target: str, before: str | None = None, after: str | None = None
) -> str:
    """AppSpec as JSON text: `alias` of `function` goes from version `current` to `target`, between the hooks."""
    hooks = [{"BeforeAllowTraffic": before}] if before else []
    hooks += [{"AfterAllowTraffic": after}] if after else []
    # Left out where there is none: the member is optional, and nobody says that it may be empty.
    hooked = {"Hooks": hooks} if hooks else {}
    return json.dumps(
        {
            "version": 0.0,
            "Resources": [
                {
                    LIVE: {
                        "Type": "AWS::Lambda::Function",
                        "Properties": {
                            "Name": function,
                            "Alias": alias,
                            "CurrentVersion": current,
                            "TargetVersion": target,
                        },
                    }
                }
            ],
            **hooked,
        }
    )


def description(release: str, current: str, target: str, returning: str = "") -> str:
    """A deployment's description, in the 256 characters of ours; `returning` is why traffic goes back, if it does."""
    moves = f"Release {release}: {_moves(current, target)}"
    return (f"{moves}. {returning}" if returning else moves)[:256]


def taking_back(
    application: str, group: str, function: str, release: str, current: str, target: str, why: str
) -> dict[str, Any]:
    """CodeDeploy's CreateDeployment for a return from a bake: all at once, without hooks, whatever alarms say.

    The alarms watch the version that traffic is taken from; the one that it goes to answered a moment ago. `release` is
    that of `target`.
    """
    content = app_spec(function, LIVE, current, target)
    return {
        "applicationName": application,
        "deploymentGroupName": group,
        "deploymentConfigName": ALL_AT_ONCE,
        "description": description(release, current, target, f"{TAKEN_BACK}{why}"),
        "revision": {"revisionType": "AppSpecContent", "appSpecContent": {"content": content}},
        "overrideAlarmConfiguration": {"enabled": False, "alarms": []},
    }


def is_return(text: str, current: str, target: str) -> bool:
    """Whether `description` wrote so of a return to a former release."""
    return f": {_moves(current, target)}. " in text


def _moves(current: str, target: str) -> str:
    return f"version {current} to {target}"


def traffic_routing(kind: str, percentage: int, minutes: int) -> dict[str, Any]:
    """A deployment configuration's routing, as pulumi-aws takes it. `kind`: canary or linear."""
    if kind == "canary":
        return {"type": "TimeBasedCanary", "time_based_canary": {"percentage": percentage, "interval": minutes}}
    return {"type": "TimeBasedLinear", "time_based_linear": {"percentage": percentage, "interval": minutes}}


def target_version(revision: Mapping[str, Any]) -> str:
    """The version that a deployment's AppSpec shifts to; empty where that cannot be read."""
    content = (revision.get("appSpecContent") or revision.get("string") or {}).get("content") or "{}"
    try:
        resources = json.loads(content)["Resources"]
        (version,) = [entry["Properties"]["TargetVersion"] for resource in resources for entry in resource.values()]
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""
    return str(version)
