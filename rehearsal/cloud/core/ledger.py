"""Who called what: counts per principal and IAM action, the statements that allowed it, and what was denied."""

import json
import threading
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_SENTENCES = 50
"""Refusals kept of each principal, word by word."""


class Ledger:
    """Calls are counted under the role's ARN for a session, under the principal's ARN otherwise."""

    def __init__(self) -> None:
        self._allowed: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._denied: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._grants: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._refusals: defaultdict[str, dict[str, None]] = defaultdict(dict)
        self._lock = threading.Lock()

    def record(self, principal: str, action: str, *, denied: bool = False, grants: Iterable[str] = ()) -> None:
        """`grants` name the statements that allowed the action, as `<policy>/<statement>`."""
        with self._lock:
            (self._denied if denied else self._allowed)[principal][action] += 1
            for grant in grants:
                self._grants[principal][f"{grant} {action}"] += 1

    def refuse(self, principal: str, action: str, sentence: str) -> None:
        """Record a call that policies did not allow, with the words of the refusal."""
        self.record(principal, action, denied=True)
        with self._lock:
            if len(self._refusals[principal]) < _SENTENCES:
                self._refusals[principal][sentence] = None

    def snapshot(self) -> dict[str, Any]:
        """`{principal arn: {"calls": {action: n}, "denied": {…}, "grants": {grant: n}, "refusals": [sentence]}}`.

        A grant reads `<policy>/<statement> <action>`.
        """
        with self._lock:
            names = sorted({*self._allowed, *self._denied})
            return {
                name: {
                    "calls": _sorted(self._allowed.get(name)),
                    "denied": _sorted(self._denied.get(name)),
                    "grants": _sorted(self._grants.get(name)),
                    "refusals": list(self._refusals.get(name, ())),
                }
                for name in names
            }

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.snapshot(), indent=1) + "\n")


def _sorted(counts: Counter[str] | None) -> dict[str, int]:
    return dict(sorted((counts or {}).items()))
