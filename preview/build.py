"""From plans to a report."""

from collections.abc import Mapping, Sequence
from typing import Any

from preview.changes import POLICY, changes, names_in, only_tags, taken_back
from preview.cost.estimate import estimate
from preview.exempted import exempted, sentence
from preview.iam.words import capabilities
from preview.kinds import kind, rank
from preview.model import Capability, Change, Danger, Exempted, Line, Report, Violation
from preview.names import NEW, Names, names_of
from preview.plan import Finding, Plan, read
from preview.quote import code
from preview.rename import renames
from preview.serving import SHIFT, serving
from preview.values import LATER, differences

_MOST_FIRST = 12
_MOST_NAMED = 4


def report(
    head: Mapping[str, Any],
    base: Mapping[str, Any] | None = None,
    base_name: str = "",
    destroy: bool = False,
    shift: str = "",
) -> Report:
    """A report from the steps document of the head, and of the base where the head is compared with one.

    Without a base the head is compared with what is there now. `base_name` is how the base is called in the text.
    `shift` is what a shift can see; it is left out where none has been yet: there is no release to shift from.
    Raises ValueError for documents of another schema.
    """
    plan, other = read(head), read(base) if base is not None else None
    names = names_of(*(each for each in (other, plan) if each is not None))
    before = other.after if other is not None else plan.before
    reported = capabilities(before, plan.after, names)
    listed = changes(plan, other, names)
    violations = _violations(plan, other)
    cost = estimate(before, plan.after, plan.region)
    accepted = exempted(plan, other)
    first = _first(plan, names, listed, reported, violations, accepted)
    outputs = _outputs(plan, other, names)
    return Report(
        plan.stack,
        base_name if other is not None else "",
        destroy,
        tuple(listed),
        tuple(reported),
        tuple(violations),
        cost,
        tuple(outputs),
        tuple(first),
        tuple(taken_back(plan, other)),
        tuple(accepted),
        shift if not destroy and any(each.type == SHIFT for each in plan.before.values()) else "",
    )


def _first(
    plan: Plan,
    names: Names,
    listed: Sequence[Change],
    reported: Sequence[Capability],
    violations: Sequence[Violation],
    accepted: Sequence[Exempted],
) -> list[Line]:
    """What a reviewer must see before anything else."""
    own = [change for change in listed if not change.waiting]
    renamed = renames(plan)
    moved = {urn for line in renamed for urn in line.urns}
    lines = [*renamed, *serving(plan, [change for change in own if change.urn not in moved], names)]
    spoken = {urn for line in lines for urn in line.urns}
    found = [line.line for line in lines]
    found += [
        Line(each.danger, each.headline, rank(each.type))
        for each in own
        if each.headline and each.urn not in spoken and each.danger < Danger.CHANGE
    ]
    found += [Line(each.danger, each.text) for each in reported if each.danger <= Danger.FEWER]
    found += [
        Line(Danger.VIOLATION, f"policy: {each.message.splitlines()[0]} ({each.resource})")
        for each in violations
        if each.new and each.level == "mandatory"
    ]
    found += [Line(Danger.VIOLATION, f"exempted from policies: {sentence(each)}") for each in accepted if each.new]
    watched = [each for each in own if each.danger is Danger.WATCHING and not each.headline]
    found += [
        Line(each.danger, f"{each.kind} {code(each.name)} changes: {'; '.join(each.differences[:3])}")
        for each in watched
    ]
    rest = [each for each in own if each.danger is Danger.CHANGE and each.urn not in spoken]
    spelled = [each for each in rest if each.differences == (POLICY,)]
    rest = [each for each in rest if each not in spelled]
    if rest:
        found.append(Line(Danger.CHANGE, _summary(rest)))
    if spelled and not reported:
        found.append(Line(Danger.CHANGE, f"{_named(spelled)} is rewritten; no permission changes"))
    worst = sorted(dict.fromkeys(found), key=lambda line: line.order)
    more = len(worst) - _MOST_FIRST
    return worst if more <= 1 else [*worst[:_MOST_FIRST], Line(Danger.FOLLOWS, f"and {more} more, below")]


def _summary(rest: Sequence[Change]) -> str:
    """Harmless changes in one sentence: with what differs where that is the same for all."""
    parts = []
    for word, ops in (("created", ("create",)), ("replaced", ("replace",)), ("changed", ("update",))):
        some = [each for each in rest if each.op in ops]
        if some:
            parts.append(f"{_named(some)} {word}{_alike(some) if word == 'changed' else ''}")
    return " and ".join(parts)


def _alike(some: Sequence[Change]) -> str:
    same = set(some[0].differences).intersection(*(each.differences for each in some[1:]))
    shown = sorted(each for each in same if NEW not in each and LATER not in each)[:3]
    return f" ({'; '.join(shown)})" if shown else ""


def _named(some: Sequence[Change]) -> str:
    named = names_in(some)
    return ", ".join(named) if len(named) <= _MOST_NAMED else f"{len(some)} resources"


def _violations(plan: Plan, base: Plan | None) -> list[Violation]:
    """Findings, those first that stop the update. Without a base, new is what is found in something that changes."""
    if base is not None:
        theirs = {_said(each) for each in base.findings}
        old = {each for each in plan.findings if _said(each) in theirs}
    else:
        changing = {step.urn for step in plan.changes if not only_tags(step)}
        old = {each for each in plan.findings if each.urn in plan.after and each.urn not in changing}
    found = [
        Violation(each.policy, each.level, _resource(each.urn), each.message, each not in old) for each in plan.findings
    ]
    return sorted(found, key=lambda each: (each.level != "mandatory", not each.new, each.message, each.resource))


def _said(finding: Finding) -> tuple[str, str, str]:
    return finding.policy, finding.urn, finding.message


def _resource(urn: str) -> str:
    if "::" not in urn:
        return "the stack"
    return f"{kind(urn.split('::')[2].split('$')[-1])} {code(urn.rpartition('::')[2])}"


def _outputs(plan: Plan, base: Plan | None, names: Names) -> list[str]:
    """The stack's outputs that change, as `name: old → new`."""
    before = base.outputs_after if base is not None else plan.outputs_before
    return [str(each) for each in differences(names.of(dict(before)), names.of(dict(plan.outputs_after)))]
