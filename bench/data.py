"""Reading, checking and featurising CSV, beside DuckDB that only reads and writes the same rows, and beside pandas.

In turns, each in a process of its own, the best of each: wall-clock time and peak memory. ROWS="100000 1000000" picks
sizes (10 million too unless given); pandas does the same checks up to a million. On AWS the job runs in Spark, which
this does not measure.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.measure import Result

ROOT = Path(__file__).resolve().parents[1]
TURNS = 2
MOST_PANDAS = 1_000_000
AIM, MEMORY, AIM_PANDAS = 1.6, 700, 0.35
_MAKE = """
import duckdb, sys
start = "TIMESTAMP '2019-03-01' + INTERVAL 1 MINUTE * (i % 40000"
duckdb.sql(f'''COPY (SELECT strftime({start}), '%Y-%m-%d %H:%M:%S') AS pickup,
strftime({start} + 3 + i % 17), '%Y-%m-%d %H:%M:%S') AS dropoff,
CASE WHEN i % 1000 = 0 THEN 'n/a' ELSE CAST(1 + i % 5 AS VARCHAR) END AS passengers,
round(0.1 + random() * 20, 2) AS distance, round(2.5 + random() * 50, 2) AS total FROM range({sys.argv[2]}) t(i))
TO '{sys.argv[1]}' (HEADER)''')
"""
_NO_RULE = """
import duckdb, sys
duckdb.sql("SET memory_limit='600MB'")
duckdb.sql(f"COPY (SELECT * FROM read_csv('{sys.argv[1]}', all_varchar = true)) TO '{sys.argv[1]}.out' (HEADER)")
"""
_OURS = """
import sys
from pathlib import Path
from contracts.dataset import parse_dataset
from functions.jobs.features import features_job
from operate.dataset import look
folder = Path(features_job.__file__).parent
dataset = parse_dataset((folder / "dataset.json").read_text())
with look(Path(sys.argv[1]), dataset) as looked:
    assert not looked.problem and looked.rows["quarantined"] == int(sys.argv[2]) // 1000, looked.problem
    sql = (folder / "features.sql").read_text().replace('"', "")
    looked.session.connection.execute(f"COPY ({sql}) TO '{sys.argv[1]}.out' (HEADER)")
"""
_PANDAS = """
import sys
import pandas as pd
rows = pd.read_csv(sys.argv[1], dtype=str, keep_default_na=False)
number = r" *[+-]?(?:[0-9]+(?:[.][0-9]*)?|[.][0-9]+)(?:[eE][+-]?[0-9]{1,3})? *"
moment = r"[1-9][0-9]{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])[ T](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
good = pd.Series(True, index=rows.index)
for name in ("passengers", "distance", "total"):
    good &= rows[name].str.fullmatch(number)
    rows[name] = pd.to_numeric(rows[name], errors="coerce")
for name in ("pickup", "dropoff"):
    good &= rows[name].str.fullmatch(moment)
    rows[name] = pd.to_datetime(rows[name], errors="coerce")
rows[~good].to_csv(sys.argv[1] + ".aside")
kept = rows[good].copy()
kept["draw"] = pd.util.hash_pandas_object(kept, index=False)
kept["duration_minutes"] = (kept["dropoff"] - kept["pickup"]).dt.total_seconds() / 60
kept[["total", "duration_minutes", "passengers", "distance", "draw"]].to_csv(sys.argv[1] + ".out", index=False)
"""
_PEAK = "\nimport resource\nprint(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)\n"


def measure() -> Iterator[Result]:
    """Make files of each size, take turns, give the ratios."""
    sizes = [int(size) for size in os.environ.get("ROWS", "100000 1000000 10000000").split()]
    before: tuple[int, float] | None = None
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="data-") as folder:
            file = Path(folder) / "data.csv"
            _run(_MAKE, file, size)
            programs = {"no rule": _NO_RULE, "ours": _OURS} | ({"pandas": _PANDAS} if size <= MOST_PANDAS else {})
            taken: dict[str, list[tuple[float, int]]] = {name: [] for name in programs}
            for _ in range(TURNS):
                for name, program in programs.items():
                    taken[name].append(_run(program, file, size))
        seconds = {name: min(time for time, _ in turns) for name, turns in taken.items()}
        peak = {name: min(memory for _, memory in turns) for name, turns in taken.items()}
        rate = f"{size / seconds['ours'] / 1000:,.0f} thousand rows/s; {peak['ours']} MiB (aim {MEMORY})"
        yield Result(f"{size:,} rows / DuckDB with no rule", seconds["ours"] / seconds["no rule"], "×", rate, AIM)
        if "pandas" in seconds:
            ratio = seconds["ours"] / seconds["pandas"]
            yield Result(f"{size:,} rows / pandas", ratio, "×", f"pandas {peak['pandas']} MiB", AIM_PANDAS)
        if before:
            growth = seconds["ours"] / before[1] / (size / before[0])
            yield Result(f"{size:,} rows / {before[0]:,} rows, a row", growth, "×", "1: linear", 1.15)
        before = size, seconds["ours"]


def _run(program: str, file: Path, size: int) -> tuple[float, int]:
    """Seconds of processes that import nothing are the same for all; peak memory in MiB."""
    command = [
        sys.executable,
        "-c",
        "import time\n__began = time.perf_counter()\n" + program + _TOLD,
        str(file),
        str(size),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    seconds, memory = done.stdout.split()[-2:]
    return float(seconds), int(memory)


_TOLD = "\nprint(time.perf_counter() - __began)" + _PEAK
