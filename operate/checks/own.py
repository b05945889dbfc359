"""The project's own tests, where it has some."""

import subprocess
import sys
from pathlib import Path

from operate.checks.finding import Finding, Result

FOLDER = "tests/project"
_NO_TESTS = 5
"""pytest's code where it found none."""


def check(root: Path) -> Result:
    """Runs pytest on the folder. All that it prints is shown only where it fails."""
    if not any((root / FOLDER).rglob("test_*.py")):
        return Result("tests", f"none in {FOLDER}")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", FOLDER], cwd=root, capture_output=True, text=True, check=False
    )
    said = (done.stdout + done.stderr).strip()
    last = said.splitlines()[-1] if said else "it said nothing"
    if done.returncode in (0, _NO_TESTS):
        return Result("tests", f"{FOLDER}: {last}")
    return Result("tests", FOLDER, (Finding(FOLDER, f"{last}\n{said}"),))
