"""Plain text for a terminal or a log."""

from collections.abc import Iterator

from preview.exempted import sentence
from preview.model import Change, Report
from preview.quote import flat
from preview.render.words import cost_line, delta, money, verdict

_OPS = {"delete": "-", "replace": "±", "create": "+", "update": "~"}


def text(report: Report) -> str:
    """The report as plain text: what must be seen first, then all the rest."""
    return "\n".join(_lines(report)).replace("**", "") + "\n"


def _lines(report: Report) -> Iterator[str]:
    yield from _head(report)
    if report.capabilities:
        yield "\nRights"
        yield from (f"  {flat(each.text)}" for each in report.capabilities)
    if report.violations:
        yield "\nPolicies"
        for each in report.violations:
            state = "new" if each.new else "there before"
            first, *rest = each.message.split("\n")
            yield f"  {each.level}, {state}: {flat(each.resource)}: {flat(first)}"
            if each.level == "mandatory" or each.new:
                yield from (f"    {flat(more)}".rstrip() for more in rest)
    if report.exempted:
        yield "\nExempted from policies"
        yield from (f"  {'new: ' if each.new else ''}{flat(sentence(each))}" for each in report.exempted)
    if report.own:
        yield "\nResources"
    for change in report.own:
        yield f"  {_OPS[change.op]} {_named(change)}"
        yield from (f"      forced by {flat(cause)}" for cause in change.forced)
        yield from (f"      {flat(difference)}" for difference in change.differences)
    if report.waiting:
        yield f"\nWaiting in {flat(report.base)} already"
        yield from (f"  {_OPS[change.op]} {_named(change)}" for change in report.waiting)
    yield from (
        ("\nTaken back by this change", *(f"  {flat(each)}" for each in report.taken_back)) if report.taken_back else ()
    )
    yield from ("\nOutputs", *(f"  {flat(each)}" for each in report.outputs)) if report.outputs else ()
    yield from _cost(report)


def _head(report: Report) -> Iterator[str]:
    yield from (f"! {flat(line.text)}" for line in report.first)
    yield flat(verdict(report))
    if report.shift:
        yield f"Shift: {flat(report.shift)}."


def _named(change: Change) -> str:
    return flat(f"{change.kind} {change.name}")


def _cost(report: Report) -> Iterator[str]:
    yield f"\nCost: {cost_line(report)}"
    for each in report.cost.services:
        yield f"  {each.service:<22} {money(each.before):>12} {money(each.after):>12} {delta(each.delta):>12}"
    yield from (f"  {flat(text)}" for text in report.cost.missing)
    yield f"  list prices for {report.cost.region} of {report.cost.dated}; assumptions: --format markdown or json"
