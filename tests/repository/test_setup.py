"""Setting up: once, however many commands begin in a fresh clone at the same moment."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PYTHON = """#!/bin/sh
if [ "$1" = -c ]; then exec "{python}" "$@"; fi
echo "$*" >> "{log}"
sleep 0.5
if [ "$2" = venv ]; then mkdir -p "$3/bin"; cp "$0" "$3/bin/python"; fi
"""


def test_two_commands_at_once_set_up_once(tmp_path: Path) -> None:
    for file in [ROOT / "Makefile", ROOT / "constraints.txt", *ROOT.glob("requirements*.txt")]:
        shutil.copy(file, tmp_path)
    log, python = tmp_path / "log", tmp_path / "python"
    python.write_text(PYTHON.format(python=sys.executable, log=log))
    python.chmod(0o755)
    command = ["make", "--no-print-directory", f"PYTHON={python}", ".venv/.ready"]
    both = [subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert sorted(len(process.communicate(timeout=60)[0].splitlines()) for process in both) == [0, 1]
    assert [process.returncode for process in both] == [0, 0]
    assert [line.split()[1] for line in log.read_text().splitlines()] == ["venv", "pip"]
    assert subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True).stdout.count("\n") <= 1
