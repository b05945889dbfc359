"""Structured log lines on standard output.

Written by hand: the libraries for it cost a quarter of a second at every cold start.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping


def log(level: str, message: str, **fields: object) -> None:
    """One JSON line: level, message and whatever helps to understand it."""
    _write({"level": level, "message": message, **fields})


def _write(document: Mapping[str, object]) -> None:
    # One write per line: a line torn in two is no log record.
    sys.stdout.write(json.dumps(document, default=str) + "\n")
    sys.stdout.flush()
