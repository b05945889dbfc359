"""What a stack's state says of its resources, and of what an update was at, from `pulumi stack export`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from operate import engine


@dataclass(frozen=True)
class State:
    """A stack's state, as `pulumi stack export` gives it: its resources, and by kind what an update was at."""

    resources: tuple[dict[str, Any], ...] = ()
    operations: tuple[tuple[str, dict[str, Any]], ...] = ()


def read_state(export: str) -> State:
    """What was exported; a stack that was never brought up has nothing."""
    deployment = json.loads(export).get("deployment") or {}
    operations = deployment.get("pending_operations") or ()
    return State(
        tuple(deployment.get("resources") or ()), tuple((entry["type"], entry["resource"]) for entry in operations)
    )


def state_of(stack: str, root: Path, environ: Mapping[str, str] | None = None) -> State | None:
    """A stack's state; None where the engine cannot read it, which its next command reports in its own words."""
    done = engine.run(["stack", "export", "--stack", stack], root, environ)
    return read_state(done.stdout) if done.returncode == 0 else None


def pending(state: State) -> list[str]:
    """URNs of the resources that a killed update was changing."""
    return [each["urn"] for kind, each in state.operations if kind != "creating"]


def creations(state: State) -> list[dict[str, Any]]:
    """The resources that a killed update was creating, as it wanted them."""
    return [each for kind, each in state.operations if kind == "creating"]


def stack_entry(state: State) -> str:
    """URN of the stack's own entry, of which there is nothing to refresh; empty where there is none yet."""
    return next((each["urn"] for each in state.resources if each.get("type") == "pulumi:pulumi:Stack"), "")


def failed(state: State) -> list[str]:
    """URNs of the resources at which an update failed when they were there already."""
    return [each["urn"] for each in state.resources if each.get("initErrors") and not each.get("delete")]
