"""How long the analyzer takes for an hour of a million records, beside what DuckDB takes to read the same files.

Wall-clock time in turns, the best of each, since whatever else the machine does only adds; and processor time, which
other programs disturb less. Memory is the proportional share of all of the analyzer's processes, sampled.
"""

import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

RECORDS, FILES, TURNS = 1_000_000, 60, 3
_ROOT = Path(__file__).resolve().parents[1]
_READ = """
import duckdb, sys
print(duckdb.sql(f"SELECT count(*), sum(length(captureData.endpointInput.data)) FROM read_json('{sys.argv[1]}/*.jsonl', format='newline_delimited')").fetchall()[0])
"""  # noqa: E501
_ANALYZE = """
import sys
from functions.jobs.monitor.capture import read
from functions.jobs.monitor.constraints import constraints
from functions.jobs.monitor.statistics import statistics
from functions.jobs.monitor.violations import distances, violations
table = read(sys.argv[1], 4).table
found = statistics(["total", "duration_minutes", "passengers", "distance"], table)
print(table.rows, len(violations(constraints(found), found, table, distances(found, found, constraints(found)))))
"""


def measure() -> Iterator[str]:
    """Make the hour, take turns, give the ratio."""
    with tempfile.TemporaryDirectory(prefix="hour-") as folder:
        make(Path(folder))
        taken: dict[str, list[tuple[float, float, float]]] = {"duckdb": [], "analyzer": []}
        for _ in range(TURNS):
            taken["duckdb"].append(_timed(_READ, folder))
            taken["analyzer"].append(_timed(_ANALYZE, folder))
    best = {name: tuple(min(column) for column in zip(*turns, strict=True)) for name, turns in taken.items()}
    for name, (wall, processor, memory) in best.items():
        yield (f"{name}: {wall:.1f} s, {processor:.1f} s of processor time, {memory:.0f} MiB")
    wall, processor = (best["analyzer"][index] / best["duckdb"][index] for index in (0, 1))
    yield (f"analyzer / duckdb: {wall:.2f} in time, {processor:.2f} in processor time (at most 3, in 500 MiB)")


def make(folder: Path, records: int = RECORDS) -> None:
    """An hour of captured requests, as the endpoint writes them."""
    chance = random.Random(1)  # noqa: S311
    for number in range(FILES):
        lines = (_line(chance) for _ in range(records // FILES))
        (folder / f"{number:02d}.jsonl").write_text("".join(lines), encoding="utf-8")


def _line(chance: random.Random) -> str:
    values = [round(chance.gauss(12.5, 5), 6), float(chance.randint(1, 6)), round(chance.gauss(2.1, 1), 4)]
    sides = {
        "endpointInput": {"observedContentType": "text/csv", "mode": "INPUT", "data": ",".join(map(repr, values))},
        "endpointOutput": {
            "observedContentType": "text/csv; charset=utf-8", "mode": "OUTPUT", "data": f"{chance.gauss(15, 4):.6f}\n",
        },
    }  # fmt: skip
    metadata = {
        "eventId": str(uuid.UUID(int=chance.getrandbits(128))), "inferenceTime": "2026-11-21T03:00:00Z",
        "inferenceId": str(uuid.UUID(int=chance.getrandbits(128))),
    }  # fmt: skip
    data = {side: {**content, "encoding": "CSV"} for side, content in sides.items()}
    return json.dumps({"captureData": data, "eventMetadata": metadata, "eventVersion": "0"}) + "\n"


def _timed(code: str, folder: str) -> tuple[float, float, float]:
    """Seconds, processor seconds and the largest memory in MiB of a program and its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-c", code, folder], stdout=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": str(_ROOT)}
    )
    peak = _Peak(process.pid)
    if process.wait():
        raise SystemExit("the measured program failed")
    wall = time.monotonic() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, used, peak.stop()


class _Peak:
    """Samples the memory of a process and its children, each page counted once (Linux)."""

    def __init__(self, pid: int) -> None:
        self._pid, self._most, self._stopped = pid, 0, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> float:
        self._stopped.set()
        self._thread.join()
        return self._most / 1024

    def _watch(self) -> None:
        while not self._stopped.wait(0.2):
            self._most = max(self._most, sum(map(_share, [self._pid, *_children(self._pid)])))


def _children(pid: int) -> list[int]:
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _share(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
