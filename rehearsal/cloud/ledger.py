"""Who called what: counts per principal and IAM action, with what was denied."""

import json
import threading
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any


class Ledger:
    """Calls are counted under the role's ARN for a session, under the principal's ARN otherwise."""

    def __init__(self) -> None:
        self._allowed: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._denied: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._lock = threading.Lock()

    def record(self, principal: str, action: str, *, denied: bool = False) -> None:
        with self._lock:
            (self._denied if denied else self._allowed)[principal][action] += 1

    def snapshot(self) -> dict[str, Any]:
        """`{principal arn: {"calls": {action: n}, "denied": {action: n}}}`."""
        with self._lock:
            names = sorted({*self._allowed, *self._denied})
            return {
                name: {"calls": _sorted(self._allowed.get(name)), "denied": _sorted(self._denied.get(name))}
                for name in names
            }

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.snapshot(), indent=1) + "\n")


def _sorted(counts: Counter[str] | None) -> dict[str, int]:
    return dict(sorted((counts or {}).items()))
