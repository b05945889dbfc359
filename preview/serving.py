"""What happens to those who are served: endpoint, alias, capture."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from contracts.features import VARIABLE as INPUTS
from contracts.former import VARIABLE, changed
from preview.kinds import kind
from preview.model import Change, Danger, Line
from preview.names import Names
from preview.plan import Plan, Resource, Step
from preview.quote import code

ENDPOINT = "aws:sagemaker/endpoint:Endpoint"
CONFIGURATION = "aws:sagemaker/endpointConfiguration:EndpointConfiguration"
SHIFT = "pulumi-python:dynamic/glidepath:TrafficShift"
FUNCTION = "aws:lambda/function:Function"
RELEASE = "aws:ssm/parameter:Parameter"


@dataclass(frozen=True)
class Spoken:
    """A line, and the resources that need no line of their own after it."""

    line: Line
    urns: frozenset[str]


def serving(plan: Plan, own: Sequence[Change], names: Names) -> list[Spoken]:
    """Lines about capture and about what serves, where this head changes it."""
    ours = {change.urn for change in own}
    steps = [step for step in plan.changes if step.urn in ours]
    return [*_capture(steps), *_endpoints(steps, own), *_schemas(steps), *_shifts(steps)]


def _capture(steps: Sequence[Step]) -> Iterator[Spoken]:
    """Capture that is turned off or lessened. What else happens to the endpoint is reported separately."""
    for step in steps:
        if step.type != CONFIGURATION or step.old is None or step.new is None or step.op == "delete":
            continue
        before, after = _share(step.old), _share(step.new)
        where = f"of the serving endpoint {code(step.name)}"
        if after == 0 < before:
            yield Spoken(Line(Danger.LOST, f"capture of requests and answers {where} is **turned off**"), frozenset())
        elif after < before:
            text = f"capture {where} falls from {before:g} % to {after:g} % of the requests"
            yield Spoken(Line(Danger.SERVING, text), frozenset())
        gone = sorted(_modes(step.old) - _modes(step.new)) if after else []
        if gone:
            text = f"capture {where} no longer holds {' and '.join(mode.lower() for mode in gone)}"
            yield Spoken(Line(Danger.SERVING, text), frozenset())


def _share(resource: Resource) -> float:
    capture = resource.inputs.get("dataCaptureConfig") or {}
    if capture.get("enableCapture") in (False, None, "false"):
        return 0
    value = capture.get("initialSamplingPercentage")
    return float(value) if isinstance(value, int | float) else 100


def _modes(resource: Resource) -> set[str]:
    capture = resource.inputs.get("dataCaptureConfig") or {}
    return {str(option.get("captureMode")) for option in capture.get("captureOptions") or ()}


def _endpoints(steps: Sequence[Step], own: Sequence[Change]) -> Iterator[Spoken]:
    """A replaced endpoint and its configuration are one event."""
    by_urn = {change.urn: change for change in own}
    configurations = [step for step in steps if step.type == CONFIGURATION and step.op == "replace"]
    for step in steps:
        if step.type != ENDPOINT or step.op != "replace":
            continue
        why = by_urn[step.urn].forced
        forced = f", forced by {'; '.join(why)}" if why else ""
        text = (
            f"the serving endpoint {code(step.name)} is **replaced**{forced}: a new one is made, and the old one goes"
            " once traffic has left it"
        )
        yield Spoken(Line(Danger.SERVING, text), frozenset([step.urn, *(each.urn for each in configurations)]))


def _schemas(steps: Sequence[Step]) -> Iterator[Spoken]:
    """Another request schema: callers must send other features once traffic has moved."""
    for step in steps:
        old, new = _features(step.old), _features(step.new)
        otherwise = _variables(step.old).get(INPUTS, "") != _variables(step.new).get(INPUTS, "")
        if step.type != FUNCTION or not old or not new or (old == new and not otherwise):
            continue
        what = changed(old, new, _listed)
        if not what and old == new:
            what = "takes other values for the same features (null, or categories)"
        what = what or f"has its features in another order ({_listed(new)}), which CSV callers follow"
        callers = (
            "are answered by the old endpoint until it goes, after the shift, and are refused (400) from then on"
            if _variables(step.new).get(VARIABLE)
            else "are refused (400) by the share of traffic that has moved to it"
        )
        text = f"the request schema **changes**: the new release {what}; requests of the old schema {callers}"
        if len(old) == len(new):
            text += ". CSV names no features: such callers must change **with** the shift, since their rows suit both"
        yield Spoken(Line(Danger.SERVING, text), frozenset())


def _features(resource: Resource | None) -> list[str]:
    try:
        found = json.loads(_variables(resource).get("FEATURES") or "[]")
    except (ValueError, TypeError):
        return []  # not known yet
    return [str(name) for name in found] if isinstance(found, list) else []


def _variables(resource: Resource | None) -> dict[str, Any]:
    """What the function is told; empty where that is not known yet."""
    environment = (resource.inputs if resource else {}).get("environment")
    variables = environment.get("variables") if isinstance(environment, dict) else None
    return variables if isinstance(variables, dict) else {}


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(code, names))


def _shifts(steps: Sequence[Step]) -> Iterator[Spoken]:
    for step in steps:
        if step.type != SHIFT or step.op not in ("update", "replace", "create"):
            continue
        old = str((step.old.inputs if step.old else {}).get("release") or "")
        new = str((step.new.inputs if step.new else {}).get("release") or "")
        if step.op == "create":
            text = f"{kind(SHIFT)} {code(step.name)}: release {code(new)} begins to serve"
        elif old != new:
            text = f"{kind(SHIFT)} {code(step.name)}: callers go from release {code(old)} to release {code(new)}"
        elif _version(step.old) == _version(step.new):
            text = (
                f"{kind(SHIFT)} {code(step.name)}: the alias is **not where the last shift left it** (moved by hand?):"
                f" all callers go back to release {code(new)}"
            )
        else:
            text = f"{kind(SHIFT)} {code(step.name)}: callers go to a new version of the same release {code(new)}"
        yield Spoken(Line(Danger.SERVING, text), frozenset([step.urn]))


def _version(resource: Resource | None) -> str:
    return str((resource.inputs if resource else {}).get("version") or "")
