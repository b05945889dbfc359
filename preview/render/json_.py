"""JSON for other programs: everything, nothing cut."""

import json
from dataclasses import asdict
from typing import Any

from preview.model import Danger, Report


def as_json(report: Report) -> str:
    """The report as JSON, with `schema` 1, `exitCode` and the sums that properties give."""
    document: dict[str, Any] = {"schema": 1, "exitCode": report.exit_code, **asdict(report)}
    for ranked in (*document["changes"], *document["capabilities"], *document["first"]):
        ranked["danger"] = Danger(ranked["danger"]).name.lower()
    document["cost"] |= {name: round(getattr(report.cost, name), 2) for name in ("before", "after", "delta")}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
