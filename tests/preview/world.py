"""Small plans for tests, without the engine."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from preview.plan import SCHEMA, Resource

ROLE = "aws:iam/role:Role"
POLICY = "aws:iam/rolePolicy:RolePolicy"
MANAGED = "aws:iam/policy:Policy"
STACK = "pulumi:pulumi:Stack"


def urn(type: str, name: str) -> str:
    """The URN of a resource right below the stack."""
    return f"urn:pulumi:prod::glidepath::{STACK}${type}::{name}"


def state(type: str, inputs: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A side of a step."""
    return {"type": type, "custom": type.count("/") > 0, "inputs": dict(inputs), **more}


def step(op: str, type: str, name: str, old: Any = None, new: Any = None, **more: Any) -> dict[str, Any]:
    """A step of a document; `old` and `new` are inputs or whole states."""
    sides = [each if each is None or "inputs" in each else state(type, each) for each in (old, new)]
    found: dict[str, Any] = {
        "op": op,
        "urn": urn(type, name),
        "replace": [],
        "diff": {},
        "old": sides[0],
        "new": sides[1],
    }
    return found | more


def document(*steps: Mapping[str, Any], region: str = "eu-west-1", **more: Any) -> dict[str, Any]:
    """A steps document."""
    found = {"schema": SCHEMA, "stack": "prod", "region": region, "outputs": {"old": {}, "new": {}}, "findings": []}
    return {**found, "steps": list(steps), **more}


def resources(*given: tuple[str, str, Mapping[str, Any]]) -> dict[str, Resource]:
    """Resources of one side: type, logical name, inputs (with `arn`, an output)."""
    made = []
    for kind, name, inputs in given:
        kept = {key: value for key, value in inputs.items() if key != "arn"}
        made.append(Resource(urn(kind, name), kind, "", kept, {"arn": inputs.get("arn", "")}))
    return {one.urn: one for one in made}


def allow(actions: str | Sequence[str], on: str | Sequence[str] = "*", **more: Any) -> dict[str, Any]:
    """A statement."""
    return {"Effect": "Allow", "Action": actions, "Resource": on, **more}


def deny(actions: str | Sequence[str], on: str | Sequence[str] = "*", **more: Any) -> dict[str, Any]:
    """A denial."""
    return {**allow(actions, on, **more), "Effect": "Deny"}


def policy(*statements: Mapping[str, Any]) -> str:
    """A document as text."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def role(*statements: Mapping[str, Any], trust: str | None = None, **more: Any) -> dict[str, Resource]:
    """A role `predict` with one inline policy, and what else is given as inputs of the role."""
    trusting = {"assumeRolePolicy": trust} if trust else {}
    return resources(
        (ROLE, "predict", {"name": "prod-predict", **trusting, **more}),
        (POLICY, "work", {"name": "work", "role": "prod-predict", "policy": policy(*statements)}),
    )
