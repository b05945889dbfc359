"""Markdown for a comment on a pull request: short on the surface, long parts folded, under 60 kB."""

from collections.abc import Callable, Iterable, Sequence

from preview.exempted import sentence
from preview.model import Change, Danger, Exempted, Report, Violation
from preview.quote import code, line
from preview.render.words import cost_line, delta, money, verdict

LIMIT = 60_000
"""Bytes that a comment may have; GitHub takes 65,536 characters."""
_OPS = (("delete", "Deleted"), ("replace", "Replaced"), ("create", "Created"), ("update", "Changed"))
_LENGTHS = (400, 100, 40, 15, 5)


def markdown(report: Report) -> str:
    """The report as Markdown. Where it would be too long, lists are cut, and say by how much."""
    text = ""
    for most in _LENGTHS:
        text = _render(report, most)
        if len(text.encode()) < LIMIT:
            return text
    return text.encode()[: LIMIT - 100].decode(errors="ignore") + "\n\n… (cut: `--format json` has all)\n"


def _render(report: Report, most: int) -> str:
    parts = [f"## Preview of {code(report.stack)}\n", *_listed(each.text for each in report.first[:most])]
    if report.first:
        parts.append("")
    parts.append(line(verdict(report)) + "\n")
    if report.shift:
        parts.append(line(f"Shift: {report.shift}.") + "\n")
    shown = [each for each in report.own if each.danger is not Danger.FOLLOWS]
    sections: list[tuple[str, list[str], bool]] = [
        ("Rights", _listed(each.text for each in report.capabilities), True),
        *_violations(report.violations),
        ("Exempted from policies", _listed(_exempted(each) for each in report.exempted), True),
        *((title, _changes([each for each in shown if each.op == op]), False) for op, title in _OPS),
        ("Follows from the above", _changes([each for each in report.own if each.danger is Danger.FOLLOWS]), False),
        (f"Waiting in {code(report.base)} already", _changes(report.waiting), False),
        ("Taken back by this change", _listed(report.taken_back), False),
        ("Outputs", _listed(report.outputs), True),
    ]
    for title, lines, is_open in sections:
        if lines:
            parts.append(_section(title, lines, most, is_open))
    parts.append(_cost(report, most))
    return "\n".join(parts).rstrip() + "\n"


def _section(title: str, lines: Sequence[str], most: int, is_open: bool) -> str:
    count = sum(not text.startswith("  ") for text in lines)
    return _folded(f"{title} ({count})", _cut(lines, most), is_open and count <= 8)


def _folded(title: str, lines: Iterable[str], is_open: bool) -> str:
    # A summary is HTML: Markdown's back-quotes mean nothing there.
    plain = line(title).replace("`", "")
    return (
        f"<details{' open' if is_open else ''}>\n<summary>{plain}</summary>\n\n" + "\n".join(lines) + "\n\n</details>\n"
    )


def _cut(lines: Sequence[str], most: int) -> list[str]:
    if len(lines) <= most:
        return list(lines)
    return [*lines[:most], f"- … and {len(lines) - most} lines more (`--format json` has all)"]


def _changes(changes: Sequence[Change]) -> list[str]:
    lines = []
    for change in changes:
        lines += _listed([f"{change.kind} {code(change.name)}"])
        lines += _listed([f"forced by {cause}" for cause in change.forced], "  - ")
        lines += _listed(change.differences[:20], "  - ")
        if len(change.differences) > 20:
            lines.append(f"  - … and {len(change.differences) - 20} more")
    return lines


def _violations(violations: Sequence[Violation]) -> list[tuple[str, list[str], bool]]:
    groups: tuple[tuple[str, Callable[[Violation], bool]], ...] = (
        ("Policy violations, new", lambda each: each.level == "mandatory" and each.new),
        ("Policy violations, there before", lambda each: each.level == "mandatory" and not each.new),
        ("Advice of policies, new", lambda each: each.level != "mandatory" and each.new),
        ("Advice of policies, there before", lambda each: each.level != "mandatory" and not each.new),
    )
    found = []
    for title, wanted in groups:
        lines = [text for each in violations if wanted(each) for text in _violation(each)]
        found.append((title, lines, title == groups[0][0]))
    return found


def _violation(violation: Violation) -> list[str]:
    """What is found; why and how to fix it only where somebody must act now."""
    first, *rest = violation.message.splitlines()
    more = [text for text in rest if text.strip()] if violation.level == "mandatory" or violation.new else []
    return [*_listed([f"{violation.resource}: {first}"]), *_listed(more, "  - ")]


def _exempted(found: Exempted) -> str:
    return f"{'**new**: ' if found.new else ''}{sentence(found)}"


def _listed(texts: Iterable[str], mark: str = "- ") -> list[str]:
    return [f"{mark}{line(text)}" for text in texts]


def _cost(report: Report, most: int) -> str:
    cost = report.cost
    rows = [
        f"| {each.service} | {money(each.before)} | {money(each.after)} | {delta(each.delta)} |"
        for each in cost.services
    ]
    table = ["| service | before | after | a month |", "|---|---:|---:|---:|", *rows]
    table.append(f"| **total** | **{money(cost.before)}** | **{money(cost.after)}** | **{delta(cost.delta)}** |")
    items = _listed(
        f"{each.service}: {item}" for each in cost.services if abs(each.delta) >= 0.005 for item in each.items
    )
    lines = [
        *table,
        "",
        *_listed(cost.missing),
        f"- list prices for {cost.region} of {cost.dated}, in US dollars: {'; '.join(cost.sources) or 'none used'}",
        *_listed(f"assumed: {text}" for text in cost.assumptions),
        *_cut(items, most),
    ]
    return _folded(f"Cost: {cost_line(report)}", lines, is_open=False)
