"""From steps to changes: what happens to each resource, why, and how bad that is."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from preview.kinds import Stakes, is_component, kind, stakes
from preview.model import Change, Danger
from preview.names import NEW, Names
from preview.plan import STACK, Plan, Resource, Step
from preview.quote import code
from preview.values import LATER, NOTHING, Difference, differences, told

_DOCUMENTS = {
    "aws:iam/role:Role": ("assumeRolePolicy", "inlinePolicies", "managedPolicyArns"),
    "aws:iam/rolePolicy:RolePolicy": ("policy",),
    "aws:iam/policy:Policy": ("policy",),
    "aws:iam/userPolicy:UserPolicy": ("policy",),
    "aws:iam/groupPolicy:GroupPolicy": ("policy",),
    "aws:kms/key:Key": ("policy",),
    "aws:kms/keyPolicy:KeyPolicy": ("policy",),
    "aws:s3/bucketPolicy:BucketPolicy": ("policy",),
    "aws:sns/topicPolicy:TopicPolicy": ("policy",),
    "aws:sqs/queuePolicy:QueuePolicy": ("policy",),
    "aws:secretsmanager/secretPolicy:SecretPolicy": ("policy",),
}
"""Policies are reported as rights in words, never as text."""
_OPS = {"create": "create", "delete": "delete", "update": "update", "replace": "replace", "import": "create"}
POLICY = "its policy changes: see the rights"
_MOST_CAUSES = 4
_LONGEST_CAUSE = 100


def is_document(type: str, prop: str) -> bool:
    """Whether a property is a policy document, which is reported elsewhere."""
    return prop in _DOCUMENTS.get(type, ())


@dataclass(frozen=True)
class Differ:
    """Compares the two sides of steps, with readable names, and traces why something is replaced."""

    plan: Plan
    names: Names
    _memo: dict[str, list[Difference]] = field(default_factory=dict, repr=False)

    @cached_property
    def steps(self) -> dict[str, Step]:
        """Changing steps by URN."""
        return {step.urn: step for step in self.plan.changes}

    def leaves(self, step: Step) -> list[Difference]:
        """What differs between the inputs of the two sides, without policy documents and invented names."""
        found = self._memo.get(step.urn)
        if found is None:
            found = self._memo[step.urn] = self._leaves(step)
        return found

    def _leaves(self, step: Step) -> list[Difference]:
        old, new = (self._inputs(step, side) for side in (step.old, step.new))
        invented = (step.new.inputs.get("__defaults") or ()) if step.new else ()
        found = [each for each in differences(old, new) if not (each.path in invented and _renamed(each))]
        reported = {each.path for each in found}
        hidden = [path for path in step.diff if step.op in ("update", "replace") and path not in reported]
        return found + [Difference(path, "", "", secret=True) for path in sorted(hidden) if _secret(path, step)]

    def _inputs(self, step: Step, side: Resource | None) -> dict[str, Any]:
        inputs = side.inputs if side else {}
        return {key: self.names.of(value) for key, value in inputs.items() if not is_document(step.type, key)}

    def causes(self, step: Step, seen: frozenset[str] = frozenset()) -> list[str]:
        """The changes at the root of a replacement: those that follow from nothing else."""
        found: list[str] = []
        leaves = self.leaves(step)
        for prop in step.replace or sorted({_top(leaf.path) for leaf in leaves}):
            own = [leaf for leaf in leaves if _top(leaf.path) == prop]
            found += [_cause(leaf) for leaf in own if not follows(leaf)]
            if any(follows(leaf) for leaf in own) or not own:
                found += self._upstream(step, prop, seen | {step.urn})
        return list(dict.fromkeys(found))

    def _upstream(self, step: Step, prop: str, seen: frozenset[str]) -> Iterator[str]:
        side = step.new or step.old
        sources = side.sources.get(prop, ()) if side else ()
        for urn in sorted(sources):
            source = self.steps.get(urn)
            if source is None or urn in seen:
                continue
            if source.op == "create":
                yield f"{kind(source.type)} {code(source.name)} is new"
                continue
            yield from (
                f"{cause} of {kind(source.type)} {code(source.name)}" if " of " not in cause else cause
                for cause in self.causes(source, seen)
            )


def _cause(leaf: Difference) -> str:
    """A leaf as a reason: with its values where these are short."""
    return str(leaf) if leaf.secret or len(leaf.old) + len(leaf.new) <= _LONGEST_CAUSE else code(leaf.path)


def follows(leaf: Difference) -> bool:
    """Whether a leaf differs only because another resource is recreated."""
    return not leaf.secret and (NEW in leaf.new or leaf.new == LATER)


def changes(head: Plan, base: Plan | None, names: Names) -> list[Change]:
    """What the head would do, sorted with the worst first. Steps that the base has as well are `waiting`."""
    differ = Differ(head, names)
    waiting = _same_steps(head, base, names) if base else frozenset()
    found = [
        replace(_change(step, differ), waiting=step.urn in waiting)
        for step in head.changes
        if step.op in _OPS and step.type != STACK and not is_component(step.type)
    ]
    return sorted(found, key=lambda each: (each.waiting, each.danger, each.kind, each.name, each.op, each.urn))


def taken_back(head: Plan, base: Plan | None) -> list[str]:
    """What the base would do to resources that the head leaves as they are."""
    if base is None:
        return []
    ours = {step.urn for step in head.changes}
    steps = [step for step in base.changes if step.urn not in ours and not is_component(step.type)]
    return sorted(f"{kind(step.type)} {code(step.name)} is not {_DONE[step.op]}" for step in steps if step.op in _DONE)


_DONE = {"create": "created", "delete": "deleted", "update": "changed", "replace": "replaced", "import": "imported"}


def _change(step: Step, differ: Differ) -> Change:
    what = stakes(step.type)
    leaves = differ.leaves(step)
    danger = _danger(step, what, leaves)
    forced = tuple(differ.causes(step)[:_MOST_CAUSES]) if step.op == "replace" else ()
    details = [str(leaf) for leaf in leaves] if step.op in ("update", "replace") else []
    if step.op in ("update", "replace") and _document_changed(step):
        details.append(POLICY)
    if step.op == "create":
        details = [
            f"{code(leaf.path)}: {told(leaf.new)}" for leaf in leaves if leaf.new != NOTHING and leaf.path != "tags"
        ]
    headline = _headline(step, what, forced)
    return Change(
        _OPS[step.op], step.type, kind(step.type), step.name, step.urn, danger, headline, forced, tuple(details)
    )


def _danger(step: Step, what: Stakes, leaves: Sequence[Difference]) -> Danger:
    if step.op in ("create", "import"):
        return Danger.CHANGE
    if step.op == "delete":
        return Danger.GONE if step.old and step.old.retained else what.deleted
    only_follows = bool(leaves) and all(follows(leaf) for leaf in leaves)
    danger = what.replaced if step.op == "replace" else what.changed
    if only_follows and danger >= Danger.WATCHING:
        return Danger.FOLLOWS
    return Danger.CHANGE if only_tags(step) else danger


def _headline(step: Step, what: Stakes, forced: Sequence[str]) -> str:
    """The sentence of a change that a reviewer must see; empty where the list of changes says it."""
    name = f"{kind(step.type)} {code(step.name)}"
    side = step.old or step.new
    if step.op == "delete":
        loss = f": {what.loss}" if what.loss else ""
        if side and side.retained:
            return f"{name} leaves the stack, but stays in the account (`retainOnDelete`)"
        return f"{name} is **deleted**{loss}"
    if step.op == "replace":
        why = f", forced by {'; '.join(forced)}" if forced else ""
        loss = f": {what.loss}" if what.lost_by_replacement else ""
        return f"{name} is **replaced**{loss}{why}"
    return ""


def _same_steps(head: Plan, base: Plan, names: Names) -> frozenset[str]:
    """URNs that both plans treat alike."""
    theirs = {step.urn: step for step in base.changes}
    return frozenset(step.urn for step in head.changes if step.urn in theirs and _alike(step, theirs[step.urn], names))


def _alike(left: Step, right: Step, names: Names) -> bool:
    if left.op != right.op:
        return False
    sides = [names.of(dict(step.new.inputs)) if step.new and step.op != "delete" else None for step in (left, right)]
    return sides[0] == sides[1] or not differences(sides[0], sides[1])


def _renamed(leaf: Difference) -> bool:
    """An invented name gives way to another one: that says nothing."""
    return leaf.new.startswith(NEW) and leaf.old == leaf.new.replace(NEW, "‹")


def _secret(path: str, step: Step) -> bool:
    """Whether a path differs that reads the same on both sides, since a secret stands there."""
    values = [_at(side.inputs if side else {}, path) for side in (step.old, step.new)]
    return bool(values[0] == values[1] == "[secret]")


def _at(value: Any, path: str) -> Any:
    for part in path.replace("[", ".").replace("]", "").split("."):
        if isinstance(value, Mapping):
            value = value.get(part)
        elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
        if value == "[secret]":
            return value
    return value


def _document_changed(step: Step) -> bool:
    old, new = (side.inputs if side else {} for side in (step.old, step.new))
    return any(is_document(step.type, key) and old.get(key) != new.get(key) for key in {*old, *new})


def only_tags(step: Step) -> bool:
    """Whether nothing but tags changes."""
    return step.op == "update" and bool(step.diff) and all(_top(path) in ("tags", "tagsAll") for path in step.diff)


def _top(path: str) -> str:
    return path.replace("/", ".").partition(".")[0].partition("[")[0]


def names_in(changes: Iterable[Change]) -> list[str]:
    """`kind name`, for a list in one line."""
    return sorted({f"{change.kind} {code(change.name)}" for change in changes})
