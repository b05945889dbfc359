"""What cloudsplaining says of the same documents. Runs in an environment of its own, apart from the project.

    python bench/yardstick.py documents.json > findings.json

In: {name: document}. Out: {name: [category, …]}, in the words of the benchmark.
"""

import contextlib
import json
import sys
from pathlib import Path
from typing import Any

from cloudsplaining.scan.policy_document import PolicyDocument  # type: ignore[import-not-found]
from cloudsplaining.shared.exclusions import DEFAULT_EXCLUSIONS  # type: ignore[import-not-found]


def categories(document: dict[str, Any]) -> list[str]:
    """The categories that a document falls in."""
    read = PolicyDocument(document, exclusions=DEFAULT_EXCLUSIONS)
    verdicts = {
        "service-wide": read.service_wildcard,
        "inverted": read.contains_statement_using_not_action,
        "changes-on-all": read.infrastructure_modification,
        "reads-data-on-all": read.allows_data_exfiltration_actions,
        "escalation": read.allows_privilege_escalation,
    }
    return [category for category, holds in verdicts.items() if holds]


def main(path: str) -> None:
    """Judge all documents."""
    documents = json.loads(Path(path).read_text(encoding="utf-8"))
    with contextlib.redirect_stdout(sys.stderr):  # it prints notes
        found = {name: categories(document) for name, document in documents.items()}
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
