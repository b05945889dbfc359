"""How the rules fare against documents and resources written to get past them, by family.

    python -m tests.policies.adversary [FILE …]

Without a file it judges the corpora of this folder. A file is a JSON list of objects with `family`, `resource type`,
`props`, `expect` and, if they like, `id`, `note` and `sure`.
"""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.policies.corpus import adversary, detours, settings
from tests.policies.corpus.verdicts import ADVICE, FINE, VIOLATION, verdict
from tests.policies.harness import judge, made

_RANK = {FINE: 0, ADVICE: 1, VIOLATION: 2}
BESIDE = ("[tracing]", "[service-trust]", "[key-rotation]")
"""Advice that stands beside what a case is about, more than the corpora's own."""


@dataclass(frozen=True)
class Case:
    """One case, and the verdict that it should get."""

    family: str
    name: str
    type: str
    props: Mapping[str, Any]
    expected: str
    sure: str = "high"
    stack: str = "prod"

    def verdict(self) -> str:
        """The verdict that the rules come to."""
        violations, advice = judge(made(self.type, self.props, self.stack))
        return verdict(violations, [text for text in advice if not text.startswith(BESIDE)])


def committed() -> list[Case]:
    """The cases of this folder's corpora."""
    found = (*adversary.cases(), *detours.cases(), *settings.cases())
    return [Case(family, kind, type_, props, expected) for family, kind, type_, props, expected in found]


def read(path: Path) -> Iterator[Case]:
    """The cases of a file."""
    for each in json.loads(path.read_text(encoding="utf-8")):
        name = f"{each.get('id', '')} {each.get('note', '')}".strip()
        yield Case(
            each["family"], name, each["resource type"], each["props"], each["expect"],
            each.get("sure", "high"), each.get("stack", "prod"),
        )  # fmt: skip


def score(cases: Iterable[Case]) -> dict[str, list[int]]:
    """Family → cases, as expected, false negatives, false positives; the total last."""
    found: dict[str, list[int]] = {}
    total = [0, 0, 0, 0]
    for case in cases:
        off = _RANK[case.verdict()] - _RANK[case.expected]
        column = 1 if off == 0 else 2 if off < 0 else 3
        for counts in (found.setdefault(case.family, [0, 0, 0, 0]), total):
            counts[0] += 1
            counts[column] += 1
    return {**dict(sorted(found.items())), "total": total}


def main(files: list[str]) -> int:
    """Print the score, and what is not as expected; 1 where something sure is not."""
    cases = [case for name in files for case in read(Path(name))] if files else committed()
    for title, some in (("all", cases), ("sure", [case for case in cases if case.sure == "high"])):
        print(f"{title:20} cases  as expected  false negative  false positive")
        for family, (number, right, missed, wrong) in score(some).items():
            print(f"  {family:18} {number:5} {right:12} {missed:15} {wrong:15}")
    off = [case for case in cases if case.verdict() != case.expected]
    for case in off:
        print(f"{case.family}: {case.name}: {case.verdict()}, {case.expected} expected ({case.sure})")
    return 1 if any(case.sure == "high" for case in off) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
