"""What every format says in the same words."""

from preview.model import Report
from preview.quote import code


def verdict(report: Report) -> str:
    """One line on the whole."""
    against = f"compared with {code(report.base)}" if report.base else "compared with what is there now"
    if report.destroy:
        return f"Destroying {code(report.stack)} deletes {len(report.changes)} resources."
    if report.exit_code == 0:
        return f"Nothing changes in {code(report.stack)}, {against}."
    counts = [f"{count} {word}" for word, count in _counts(report).items() if count]
    refused = ", and a policy refuses it" if report.refused else ""
    what = ", ".join(counts) or "no resource changes"
    return f"{code(report.stack)}: {what}, {against}{refused}."


def _counts(report: Report) -> dict[str, int]:
    words = {"replace": "replaced", "delete": "deleted", "create": "created", "update": "changed"}
    return {word: sum(change.op == op for change in report.own) for op, word in words.items()}


def money(dollars: float) -> str:
    """`$93.44`."""
    return f"-${-dollars:,.2f}" if dollars < -0.005 else f"${abs(dollars):,.2f}"


def delta(dollars: float) -> str:
    """`+$93.44`, `-$5.00`, `±$0.00`."""
    if abs(dollars) < 0.005:
        return "±$0.00"
    return f"+{money(dollars)}" if dollars > 0 else money(dollars)


def cost_line(report: Report) -> str:
    """The bill in one line."""
    cost = report.cost
    unpriced = f"; {len(cost.missing)} without a known price" if cost.missing else ""
    return f"{delta(cost.delta)} a month: {money(cost.before)} → {money(cost.after)}{unpriced}"
