"""Where a tour's seconds go: its stages and, inside them, who used the processors."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bench.measure import Result
from bench.processes import Sampler
from contracts.errors import UserError

ROOT = Path(__file__).resolve().parent.parent
_STAGE = re.compile(r"^ *[0-9.]+ s  (\w+): (InProgress|Succeeded|Failed)\b")
_OTHER = "before, between and after the stages"


class _Phase:
    """The stage that the tour's own lines say is under way, and how long each took."""

    def __init__(self) -> None:
        self.now = _OTHER
        self.seconds: dict[str, float] = {}
        self._since = time.monotonic()

    def read(self, line: str) -> None:
        """One line of the tour."""
        found = _STAGE.match(line)
        if found:
            self.change(found[1] if found[2] == "InProgress" else _OTHER)

    def change(self, phase: str) -> None:
        """Another phase begins."""
        moment = time.monotonic()
        self.seconds[self.now] = self.seconds.get(self.now, 0.0) + moment - self._since
        self.now, self._since = phase, moment


def measure() -> Iterator[Result]:
    """Runs `./glidepath rehearse --yes`; raises UserError where it fails."""
    phase = _Phase()
    started = time.monotonic()
    with Sampler(str(ROOT), lambda: phase.now) as sampler:
        code = _tour(phase)
    total = time.monotonic() - started
    if code:
        raise UserError("the rehearsal failed, so its stages cannot be measured")
    phase.change(_OTHER)
    cores = os.cpu_count() or 1
    for name, seconds in sorted(phase.seconds.items(), key=lambda item: -item[1]):
        used = {kind: spent / seconds / cores for (where, kind), spent in sampler.seconds.items() if where == name}
        most = sorted(used.items(), key=lambda item: -item[1])
        shares = ", ".join(f"{kind} {share:.0%}" for kind, share in most if share >= 0.01)
        waiting = max(0.0, 1 - sum(used.values()))
        yield Result(name, seconds / total, "×", f"of the tour; of {cores} cores: {shares}, waiting {waiting:.0%}")


def _tour(phase: _Phase) -> int:
    command = ["./glidepath", "rehearse", "--yes"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            sys.stderr.write(line)
            phase.read(line)
    return process.returncode
