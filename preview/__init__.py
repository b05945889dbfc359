"""What a change would do to a stack, for those who decide on it.

    document(preview, events) -> steps document      what one run of the engine says, trimmed (preview/plan.py)
    report(head, base=None)   -> Report              from steps documents
    markdown(report), text(report), as_json(report)  the report in full
    summary(report)                                  one paragraph of at most 900 characters, for a mail

All of it is pure; `operate.previews` runs the engine.
"""

from preview.build import report
from preview.model import Report
from preview.plan import document
from preview.render.json_ import as_json
from preview.render.markdown import markdown
from preview.render.summary import summary
from preview.render.text import text

__all__ = ["Report", "as_json", "document", "markdown", "report", "summary", "text"]
