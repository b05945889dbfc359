"""Processor time of what works in a rehearsal, by what it is. Linux alone tells this of all processes."""

import contextlib
import os
import threading
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Self

_TICKS = os.sysconf("SC_CLK_TCK")
_EVERY_SECONDS = 0.1
# The first that is found in a process's name and command line says what it is. What is started warm has the server's
# command line and its own name, of which Linux keeps the last fifteen letters (rehearsal/warm/server.py).
KINDS = (
    ("age-python-exec", "program"),
    ("pulumi.policy", "policy pack"),
    ("earsal.provider", "provider"),
    ("pulumi.dynamic", "provider"),
    ("host.py", "engine"),
    ("bin/pulumi", "engine"),
    ("pulumi ", "engine"),
    ("warm/server.py", "warm starts"),
    ("lambda_/worker.py", "functions"),
    ("lambda_/nursery.py", "functions"),
    ("rehearsal.cloud --port", "gateway"),
    ("rehearsal.cloud.containers", "jobs"),
    ("cloud/glue-", "jobs"),
    ("/opt/ml/", "jobs"),
    ("cli rehearse", "client"),
    ("__main__.py rehearse", "client"),
)


def kind_of(name: str, command: str) -> str:
    """What a process is: one of `KINDS`, else one that a build has started."""
    return next((kind for part, kind in KINDS if part in name or part in command), "builds")


class Sampler:
    """Adds up processor seconds by (phase, kind) of what descends from a process, until the block ends.

    What lives for less than a tenth of a second may be missed.
    """

    def __init__(self, root: str, phase: Callable[[], str]) -> None:
        """`root` is in the command line or the folder of all that counts; `phase` names what goes on now."""
        self._root, self._phase = root, phase
        self._known: dict[tuple[str, str], float] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.seconds: defaultdict[tuple[str, str], float] = defaultdict(float)

    def __enter__(self) -> Self:
        self._look()
        self.seconds.clear()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(_EVERY_SECONDS):
            self._look()

    def _look(self) -> None:
        phase = self._phase()
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError, ValueError):
                self._count(folder, phase)

    def _count(self, folder: Path, phase: str) -> None:
        stat = (folder / "stat").read_text(encoding="utf-8", errors="replace")
        name, rest = stat[stat.index("(") + 1 : stat.rindex(")")], stat[stat.rindex(")") + 2 :].split()
        key = (folder.name, rest[19])
        seconds = (int(rest[11]) + int(rest[12])) / _TICKS
        more = seconds - self._known.get(key, 0.0)
        if not more:
            return
        command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        if self._root not in command and self._root not in os.readlink(folder / "cwd"):
            return
        self._known[key] = seconds
        self.seconds[phase, kind_of(name, command)] += more
