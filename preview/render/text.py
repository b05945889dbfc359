"""Plain text for a terminal or a log."""

from collections.abc import Iterator

from preview.model import Report
from preview.render.words import cost_line, delta, money, verdict

_OPS = {"delete": "-", "replace": "±", "create": "+", "update": "~"}


def text(report: Report) -> str:
    """The report as plain text: what must be seen first, then all the rest."""
    return "\n".join(_lines(report)).replace("**", "") + "\n"


def _lines(report: Report) -> Iterator[str]:
    for line in report.first:
        yield f"! {line.text}"
    yield verdict(report)
    if report.capabilities:
        yield "\nRights"
        yield from (f"  {each.text}" for each in report.capabilities)
    if report.violations:
        yield "\nPolicies"
        for each in report.violations:
            state = "new" if each.new else "there before"
            first, _, rest = each.message.partition("\n")
            more = rest.replace("\n", "\n    ") if each.level == "mandatory" or each.new else ""
            yield f"  {each.level}, {state}: {each.resource}: {first}" + (f"\n    {more}" if more else "")
    if report.own:
        yield "\nResources"
    for change in report.own:
        yield f"  {_OPS[change.op]} {change.kind} {change.name}"
        yield from (f"      forced by {cause}" for cause in change.forced)
        yield from (f"      {difference}" for difference in change.differences)
    if report.waiting:
        yield f"\nWaiting in {report.base} already"
        yield from (f"  {_OPS[change.op]} {change.kind} {change.name}" for change in report.waiting)
    yield from (
        ("\nTaken back by this change", *(f"  {each}" for each in report.taken_back)) if report.taken_back else ()
    )
    yield from ("\nOutputs", *(f"  {each}" for each in report.outputs)) if report.outputs else ()
    yield from _cost(report)


def _cost(report: Report) -> Iterator[str]:
    yield f"\nCost: {cost_line(report)}"
    for each in report.cost.services:
        yield f"  {each.service:<22} {money(each.before):>12} {money(each.after):>12} {delta(each.delta):>12}"
    yield from (f"  {text}" for text in report.cost.missing)
    yield f"  list prices for {report.cost.region} of {report.cost.dated}; assumptions: --format markdown or json"
