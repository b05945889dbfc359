"""One paragraph for an approval mail."""

from preview.exempted import count
from preview.model import Report
from preview.quote import mail
from preview.render.words import cost_line, verdict

LIMIT = 900
"""Characters that an approval's text may have, with room for what stands around it (AWS takes 1,000)."""


def summary(report: Report) -> str:
    """The verdict, what is exempted, what the shift can see, the cost, and as many of the first lines as fit.

    Without Markdown.
    """
    exempted = f"{count(report.exempted)}. " if report.exempted else ""
    shift = f"Shift: {report.shift}. " if report.shift else ""
    head = f"{verdict(report)} {exempted}{shift}Cost: {cost_line(report)}."
    room = LIMIT - len(head)
    kept: list[str] = []
    for number, line in enumerate(report.first):
        rest = len(report.first) - number - 1
        sentence = f" {line.text[:1].upper()}{line.text[1:]}."
        more = f" {rest} more in the preview." if rest else ""
        if sum(map(len, kept)) + len(sentence) + len(more) > room:
            kept.append(f" {rest + 1} more in the preview.")
            break
        kept.append(sentence)
    return mail("".join([head, *kept]))[:LIMIT]
