"""Which files make the analyzer, for whoever packs it and for the function that carries it along."""

from __future__ import annotations

from pathlib import Path

_FILES = (
    "functions/__init__.py",
    "functions/jobs/__init__.py",
    "contracts/__init__.py",
    "contracts/monitoring.py",
)
_FOLDER = "functions/jobs/monitor"


def files(root: Path) -> list[str]:
    """Paths relative to the checkout, or to where a function was unpacked."""
    own = sorted(path.relative_to(root).as_posix() for path in (root / _FOLDER).glob("*.py"))
    return [*_FILES, *own]
