"""A plan of the engine: what it says it would do, read from its documents into plain values.

A *steps document* is what `document()` makes of one run of `pulumi preview --json --show-sames --event-log`:

    {"schema": 1, "stack": "prod", "region": "eu-west-1",
     "steps": [{"op": "same|create|update|delete|replace|…", "urn": "…", "replace": ["property"],
                "diff": {"path": "kind"},
                "old": {"type", "id", "inputs", "outputs", …} | null, "new": the same | null}],
     "outputs": {"old": {…}, "new": {…}},
     "findings": [{"policy", "level", "urn", "message"}],
     "exemptions": [{"rule", "resource", "where", "reason", "until"}],   # of the policy pack, where there are any
     "sealed": {"urn": {"input": …}}}   # hashes of secrets, where they were asked for (preview/seal.py)

Steps are sorted by URN, as the engine's own order differs from run to run. Secrets stand as `[secret]`: the engine
hides them before it writes anything.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

SCHEMA = 1
STACK = "pulumi:pulumi:Stack"
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""What the engine writes for a value that is known only after the update."""
QUIET = ("same", "read", "refresh", "read-discard", "discard-replaced")
_KEPT = ("type", "id", "inputs", "outputs", "parent", "custom", "protect", "retainOnDelete", "propertyDependencies")
_PARTS = ("create-replacement", "delete-replaced")
"""Halves of a replacement, which the engine also reports as a whole."""

Document = dict[str, Any]


@dataclass(frozen=True)
class Resource:
    """A resource before or after the update. `id` is empty where it does not exist yet."""

    urn: str
    type: str
    id: str
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any] = field(default_factory=dict)
    custom: bool = True
    protect: bool = False
    retained: bool = False
    parent: str = ""
    sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Property → URNs that its value comes from."""

    @property
    def name(self) -> str:
        """Logical name."""
        return self.urn.rpartition("::")[2]

    @cached_property
    def known(self) -> dict[str, Any]:
        """Inputs over outputs: what is set, and what AWS has answered."""
        return {**self.outputs, **self.inputs}


@dataclass(frozen=True)
class Step:
    """One step. `replace` are the properties that force a replacement, `diff` every path that differs."""

    op: str
    urn: str
    old: Resource | None
    new: Resource | None
    replace: tuple[str, ...] = ()
    diff: Mapping[str, str] = field(default_factory=dict)

    @property
    def type(self) -> str:
        """Type, like `aws:iam/role:Role`."""
        return self.urn.split("::")[2].split("$")[-1]

    @property
    def name(self) -> str:
        """Logical name."""
        return self.urn.rpartition("::")[2]

    @property
    def quiet(self) -> bool:
        """Whether it changes nothing."""
        return self.op in QUIET


@dataclass(frozen=True)
class Finding:
    """What a policy found. `message` may have several lines; its first one names the rule in brackets."""

    policy: str
    level: str
    urn: str
    message: str

    @property
    def mandatory(self) -> bool:
        """Whether it stops the update."""
        return self.level == "mandatory"


@dataclass(frozen=True)
class Exemption:
    """A finding that the policy pack was told to accept until a day. `where` is empty for all places."""

    rule: str
    resource: str
    where: str
    reason: str
    until: str

    def __str__(self) -> str:
        """As the pack calls it (policies/rules/exemptions.py)."""
        return f"{self.rule} of {self.resource}" + (f" ({self.where})" if self.where else "")


@dataclass(frozen=True)
class Plan:
    """All that the engine would do to a stack."""

    stack: str
    region: str
    steps: tuple[Step, ...]
    outputs_before: Mapping[str, Any]
    outputs_after: Mapping[str, Any]
    findings: tuple[Finding, ...]
    exemptions: tuple[Exemption, ...] = ()

    @cached_property
    def changes(self) -> tuple[Step, ...]:
        """The steps that change something."""
        return tuple(step for step in self.steps if not step.quiet)

    @cached_property
    def before(self) -> dict[str, Resource]:
        """What is there now, by URN."""
        return {step.urn: step.old for step in self.steps if step.old is not None}

    @cached_property
    def after(self) -> dict[str, Resource]:
        """What will be there, by URN."""
        gone = ("delete", "discard")
        return {step.urn: step.new for step in self.steps if step.new is not None and step.op not in gone}


def document(preview: Mapping[str, Any], events: Iterable[Mapping[str, Any]] = (), stack: str = "") -> Document:
    """A steps document from `pulumi preview --json` and the lines of its event log."""
    steps = [_trimmed(step) for step in preview.get("steps") or () if step["op"] not in _PARTS]
    listed = list(events)
    config = preview.get("config") or {}
    return {
        "schema": SCHEMA,
        "stack": stack or next((step["urn"].split("::")[0].split(":")[2] for step in steps), ""),
        "region": config.get("aws:region", ""),
        "steps": sorted(steps, key=lambda step: (step["urn"], step["op"])),
        "outputs": _outputs(steps, listed),
        "findings": _findings(listed),
    }


def read(source: Mapping[str, Any]) -> Plan:
    """A plan from a steps document. Raises ValueError for one of another schema."""
    if source.get("schema") != SCHEMA:
        raise ValueError(f"this is not a steps document of schema {SCHEMA}: its schema is {source.get('schema')!r}")
    return Plan(
        source["stack"],
        source["region"],
        tuple(_step(step) for step in source["steps"]),
        source["outputs"]["old"],
        source["outputs"]["new"],
        tuple(Finding(**finding) for finding in source["findings"]),
        tuple(Exemption(**exemption) for exemption in source.get("exemptions", ())),
    )


def empty(like: Plan) -> Plan:
    """A plan for a stack that holds nothing and gets nothing."""
    return Plan(like.stack, like.region, (), {}, {}, ())


def unknown(value: Any) -> bool:
    """Whether a value, or a part of it, is not known before the update."""
    if isinstance(value, str):
        return UNKNOWN in value
    if isinstance(value, Mapping):
        return any(unknown(each) for each in value.values())
    return isinstance(value, list) and any(unknown(each) for each in value)


def _trimmed(step: Mapping[str, Any]) -> Document:
    diff = {path: each["kind"] for path, each in (step.get("detailedDiff") or {}).items()}
    return {
        "op": step["op"],
        "urn": step["urn"],
        "replace": sorted(step.get("replaceReasons") or ()),
        "diff": diff,
        "old": _state(step.get("oldState")),
        "new": _state(step.get("newState")),
    }


def _state(state: Mapping[str, Any] | None) -> Document | None:
    """What is kept of a state. The engine lists dependencies in another order in every run."""
    if state is None:
        return None
    kept = {key: state[key] for key in _KEPT if key in state}
    kept["propertyDependencies"] = {
        name: sorted(urns) for name, urns in (state.get("propertyDependencies") or {}).items() if urns
    }
    return kept


def _outputs(steps: Iterable[Document], events: Iterable[Mapping[str, Any]]) -> Document:
    """The stack's outputs: the state has the old ones, the new ones come at the end of the run."""
    root = next((step for step in steps if step["urn"].split("::")[2] == STACK), None)
    old = ((root or {}).get("old") or {}).get("outputs") or {}
    new = {} if root is None or root["op"] == "delete" else old
    for event in events:
        metadata = (event.get("resOutputsEvent") or {}).get("metadata") or {}
        if metadata.get("type") == STACK and metadata.get("op") != "delete":
            new = ((metadata.get("new") or {}).get("outputs")) or {}
    return {"old": old, "new": new}


def _findings(events: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    found = [event["policyEvent"] for event in events if "policyEvent" in event]
    listed = {
        (
            each.get("policyName", ""),
            each.get("enforcementLevel", ""),
            each.get("resourceUrn", ""),
            _message(each.get("message", "")),
        )
        for each in found
    }
    return [{"policy": p, "level": level, "urn": urn, "message": text} for p, level, urn, text in sorted(listed)]


def _message(text: str) -> str:
    """A policy's message, without the title of its family where the message names its rule itself."""
    title, _, rest = text.strip().partition("\n")
    return rest if rest.startswith("[") and not title.startswith("[") else text.strip()


def _step(step: Mapping[str, Any]) -> Step:
    return Step(
        step["op"],
        step["urn"],
        _resource(step["urn"], step["old"]),
        _resource(step["urn"], _completed(step)),
        tuple(step["replace"]),
        step["diff"],
    )


def _completed(step: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The new side of a resource that stays: what the preview does not repeat, it has from the old one."""
    old, new = step["old"], step["new"]
    if not old or not new or step["op"] not in ("same", "update"):
        return new  # type: ignore[no-any-return]
    outputs = {**(old.get("outputs") or {}), **(new.get("outputs") or {})}
    return {**new, "id": new.get("id") or old.get("id", ""), "outputs": outputs}


def _resource(urn: str, state: Mapping[str, Any] | None) -> Resource | None:
    if state is None:
        return None
    return Resource(
        urn,
        state["type"],
        state.get("id", ""),
        state.get("inputs") or {},
        state.get("outputs") or {},
        state.get("custom", False),
        state.get("protect", False),
        state.get("retainOnDelete", False),
        state.get("parent", ""),
        {name: tuple(urns or ()) for name, urns in (state.get("propertyDependencies") or {}).items()},
    )


def parse_events(text: str) -> list[Document]:
    """The events of an event log that this package reads; a last line cut short is left out."""
    found = []
    for line in text.splitlines():
        if '"policyEvent"' not in line and f'"type":"{STACK}"' not in line and '"diagnosticEvent"' not in line:
            continue
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found
