"""features.sql in both engines, and the Glue job around it.

What runs in DuckDB here is the SQL itself; that Glue's Spark gives the same is proven where pyspark is installed.
"""

from __future__ import annotations

import csv
import hashlib
import importlib
import importlib.util
import json
import os
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts import cells, float32
from contracts.dataset import parse_dataset
from operate.checks.features import draw
from scenarios.trips import write_trips
from tests.functions import samples

SECRET = "5ec4e7"
PARTS = ("train", "validation", "test")
HEADER = ["pickup", "dropoff", "passengers", "distance", "total"]
COLUMNS = parse_dataset(samples.DATASET_TEXT).columns
GOOD = ["2019-03-23 20:21:09", "2019-03-23 20:27:24", "1", "1.6", "12.95"]
ODD = [
    ["2019-03-23 23:59:00", "2019-03-24 00:01:30", "1.0", "1e0", " 7.5 "],
    ["2019-02-28T23:59:00", "2019-03-01T00:30:00", "2", ".5", "199.99"],
    ["2019-03-31 01:30:00", "2019-03-31 03:10:00", "3", "120.9", "0.01"],
    ["2019-03-23 20:21", "2019-03-23 20:27", "1", "1.6", "12.95"],
    ["2019-03-23T20:21:09Z", "2019-03-23 20:27:24+00:00", *GOOD[2:]], [" 2019-03-23 20:21:09 ", *GOOD[1:]],
    # Read by one engine alone, or otherwise.
    ["2019-03-23 20:21:09+02:00", *GOOD[1:]], ["20190323T202109", *GOOD[1:]], ["2019-03-23 20:21:09,5", *GOOD[1:]],
    [*GOOD[:4], "1_2"], [*GOOD[:4], "12d"], [*GOOD[:4], "\uff11\uff12"],
    [*GOOD[:2], "1e0", *GOOD[3:]], [*GOOD[:4], "0x1F"],
    ["nonsense", *GOOD[1:]], [*GOOD[:2], "", *GOOD[3:]], [*GOOD[:4], "nan"], [*GOOD[:4], "inf"],
    [*GOOD[:2], "nan", *GOOD[3:]], [*GOOD[:2], "inf", *GOOD[3:]], [*GOOD[:3], "NaN", GOOD[4]],
]  # fmt: skip


def features(rows: list[list[str]], secret: str = SECRET) -> list[tuple[Any, ...]]:
    """What DuckDB makes of raw rows, with the lots that the job gives them; without these in the end."""
    with duckdb.connect() as connection, pytest.MonkeyPatch.context() as patch:
        connection.execute(f"CREATE TABLE raw ({', '.join(f'{name} VARCHAR' for name in HEADER)})")
        marks = ", ".join(["(?, ?, ?, ?, ?)"] * len(rows))
        connection.execute(f"INSERT INTO raw VALUES {marks}", [cell for row in rows for cell in row])
        keep_secret(connection, secret)
        view_input(connection, load_job(patch))
        return [row[:-1] for row in connection.execute(samples.FEATURES_SQL).fetchall()]


def view_input(connection: duckdb.DuckDBPyConnection, job: ModuleType) -> None:
    """`input` as the job makes it of `raw` and `lots`."""
    connection.execute(f"CREATE VIEW drawn AS {job.with_lots(HEADER)}")
    connection.execute(f"CREATE VIEW input AS {job.readable(COLUMNS)}")


def keep_secret(connection: duckdb.DuckDBPyConnection, secret: str) -> None:
    """The row that the job draws lots by."""
    connection.execute("CREATE TABLE lots (secret VARCHAR)")
    connection.execute("INSERT INTO lots VALUES (?)", [secret])


def changed(**values: str) -> list[str]:
    return [values.get(name, value) for name, value in zip(HEADER, GOOD, strict=True)]


def test_the_columns_are_those_of_the_schema() -> None:
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE input ({', '.join(f'{name} VARCHAR' for name in [*HEADER, 'draw'])})")
        found = [item[0] for item in connection.execute(samples.FEATURES_SQL).description or ()]
    dataset = json.loads(samples.DATASET_TEXT)
    assert found == [dataset["target"], *dataset["features"], "split", "draw"]


def test_computes_minutes_over_midnight() -> None:
    ((total, minutes, passengers, distance, split),) = features([ODD[0]])
    assert (total, minutes, passengers, distance) == (7.5, 2.5, 1.0, 1.0)
    assert split in PARTS


@pytest.mark.parametrize(
    "row",
    [
        changed(total="0"), changed(total="200"), changed(total="-5"), changed(total="x"), changed(total="nan"),
        changed(distance="0"), changed(distance="121"), changed(distance=""), changed(distance="inf"),
        changed(passengers="0"), changed(passengers="NaN"), changed(passengers="inf"),
        changed(dropoff=GOOD[0]), changed(dropoff="2019-03-23 20:21:08"), changed(dropoff="2019-03-23 22:21:09"),
        changed(pickup="yesterday"),
    ],
)  # fmt: skip
def test_filters(row: list[str]) -> None:
    assert features([row]) == []
    assert len(features([row, GOOD])) == 1


@pytest.mark.parametrize(
    "row", [changed(total="199.99"), changed(distance="120.99"), changed(dropoff="2019-03-23 22:21:08")]
)
def test_keeps_what_is_just_inside(row: list[str]) -> None:
    assert len(features([row])) == 1


def test_a_trip_falls_into_one_part_wherever_it_occurs(tmp_path: Path) -> None:
    write_trips(tmp_path / "trips.csv", 1500)
    with (tmp_path / "trips.csv").open() as file:
        rows = [[row[name] for name in HEADER] for row in csv.DictReader(file)]
    first, again = features(rows), features(rows[::-1] + rows)
    parts: dict[Any, set[str]] = {}
    for *values, split in first + again:
        parts.setdefault(tuple(values), set()).add(split)
    assert all(len(found) == 1 for found in parts.values())
    shares = [sum(row[-1] == part for row in first) / len(first) for part in PARTS]
    assert shares == pytest.approx([0.8, 0.1, 0.1], abs=0.03)


def newest(sql: str) -> str:
    """The SQL with the split of docs/verdict.md that tests on the newest rows."""
    page = (Path(__file__).parents[2] / "docs" / "verdict.md").read_text()
    rule = page.split("```sql\n")[1].split("```")[0].strip()
    moment = "        TRY_CAST(input.pickup AS TIMESTAMP) AS moment,\n        input.draw,\n"
    kept = sql.replace("        input.draw,\n", moment).replace("        draw,\n", "        moment,\n        draw,\n")
    head, _, tail = kept.rpartition("    CASE\n")
    return f"{head}    {rule}{tail[tail.index('END AS split') + len('END AS split') :]}"


def test_the_newest_rows_can_be_what_is_tested(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    write_trips(tmp_path / "trips.csv", 3000)
    with (tmp_path / "trips.csv").open() as file:
        rows = [[row[name] for name in HEADER] for row in csv.DictReader(file)]
    rows.append(["2099-01-01 10:00:00", "2099-01-01 10:10:00", "1", "2", "-1"])  # the filters drop it
    made = newest(samples.FEATURES_SQL)
    found = tried(rows, f"SELECT q.split, input.pickup FROM ({made}\n) q JOIN input USING (draw)", monkeypatch)
    times: dict[Any, list[str]] = {}
    for split, pickup in found:
        times.setdefault(split, []).append(pickup)
    assert set(times) == {"train", "validation", "test", None}
    assert min(times["test"]) > max(times["train"])
    assert 0.3 < len(times["test"]) / (len(times["test"]) + len(times[None])) < 0.7


def tried(rows: list[list[str]], sql: str, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What a query gives over raw rows and their lots."""
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE raw ({', '.join(f'{name} VARCHAR' for name in HEADER)})")
        marks = ", ".join(["(?, ?, ?, ?, ?)"] * len(rows))
        connection.execute(f"INSERT INTO raw VALUES {marks}", [cell for row in rows for cell in row])
        keep_secret(connection, SECRET)
        view_input(connection, load_job(monkeypatch))
        return connection.execute(sql).fetchall()


def test_whoever_uploads_does_not_choose_what_is_tested(tmp_path: Path) -> None:
    """With another secret about as many rows are tested, and others: chance alone leaves one in ten the same."""
    write_trips(tmp_path / "trips.csv", 1500)
    with (tmp_path / "trips.csv").open() as file:
        rows = [[row[name] for name in HEADER] for row in csv.DictReader(file)]
    ours, theirs = ({row[:-1] for row in features(rows, secret) if row[-1] == "test"} for secret in ("ours", "theirs"))
    assert min(len(ours), len(theirs)) > 100
    assert len(ours & theirs) < 0.2 * len(ours)


def test_an_empty_cell_is_a_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same texts in other columns are another row."""
    job = load_job(monkeypatch)
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE raw AS SELECT * FROM (VALUES ('x', NULL), (NULL, 'x'), ('x', NULL)) r(a, b)")
        keep_secret(connection, "s")
        lots = [row[-1] for row in connection.execute(job.with_lots(["a", "b"])).fetchall()]
    assert lots[0] == lots[2] != lots[1]
    assert {len(lot) for lot in lots} == {32}


def test_the_check_draws_the_lots_of_the_job(monkeypatch: pytest.MonkeyPatch) -> None:
    """`./glidepath check` has the job's own SQL, and another secret."""
    job, dataset = load_job(monkeypatch), parse_dataset(samples.DATASET_TEXT)
    with duckdb.connect() as connection:
        columns = ", ".join(f"{name} VARCHAR" for name in dataset.columns)
        connection.execute(f"CREATE TABLE raw ({columns})")
        marks = ", ".join("?" * len(dataset.columns))
        connection.execute(f"INSERT INTO raw VALUES ({marks})", [None, *GOOD[1:]])
        keep_secret(connection, SECRET)
        view_input(connection, job)
        ours = connection.execute("SELECT * FROM input").fetchall()
        draw(connection, dataset, SECRET)
        assert connection.execute("SELECT * FROM input").fetchall() == ours


def test_other_columns_are_other_lots(monkeypatch: pytest.MonkeyPatch) -> None:
    job = load_job(monkeypatch)
    salts = [
        job.salt(*given)
        for given in ((SECRET, HEADER), (SECRET, [*HEADER, "tip"]), (SECRET, HEADER[::-1]), ("x", HEADER))
    ]
    assert len(set(salts)) == 4
    assert job.salt(SECRET, HEADER) == salts[0]


def test_the_secret_is_a_code_of_the_key_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    job = load_job(monkeypatch)
    asked: list[dict[str, Any]] = []

    class Kms:
        def generate_mac(self, **given: Any) -> dict[str, bytes]:
            asked.append(given)
            return {"Mac": bytes(range(32))}

    monkeypatch.setattr(job.boto3, "client", lambda service: Kms())
    assert job.secret("arn:key") == bytes(range(32)).hex()
    assert asked == [{"KeyId": "arn:key", "Message": b"glidepath split", "MacAlgorithm": "HMAC_SHA_256"}]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(st.text(max_size=20), min_size=5, max_size=5), min_size=1, max_size=5))
def test_any_text_is_dropped_not_fatal(rows: list[list[str]]) -> None:
    clean = [[cell.encode("utf-8", "ignore").decode().replace("\0", "") for cell in row] for row in rows]
    assert len(features([*clean, GOOD])) >= 1


# The job ------------------------------------------------------------------------------------------------------------


def load_job(monkeypatch: pytest.MonkeyPatch, session: Any = None) -> ModuleType:
    """The job's module, with Glue's own library (and, without a session, Spark) as a stand-in."""
    utils = ModuleType("awsglue.utils")
    utils.getResolvedOptions = lambda argv, names: {  # type: ignore[attr-defined]
        name: argv[argv.index(f"--{name}") + 1] for name in names
    }
    monkeypatch.setitem(sys.modules, "awsglue", ModuleType("awsglue"))
    monkeypatch.setitem(sys.modules, "awsglue.utils", utils)
    if session is None:
        sql = ModuleType("pyspark.sql")
        sql.SparkSession = None  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "pyspark", ModuleType("pyspark"))
        monkeypatch.setitem(sys.modules, "pyspark.sql", sql)
    monkeypatch.delitem(sys.modules, "functions.jobs.features.features_job", raising=False)
    return importlib.import_module("functions.jobs.features.features_job")


def test_the_job_names_the_parts_that_are_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    job = load_job(monkeypatch)
    args = {"RUN": "run-1", "INPUT": "s3://a/data.csv", "SQL": "s3://a/features.sql"}
    job.check({"train": 8, "validation": 1, "test": 1}, args)
    with pytest.raises(job.FeatureError, match=r"run run-1: no row of s3://a/data.csv is left for validation, test "):
        job.check({"train": 8, "validation": 0, "test": 0}, args)


def test_the_job_reads_its_sql_from_s3(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    job = load_job(monkeypatch)
    s3.put_object(Bucket="artifacts", Key="code/features.sql", Body="-- ü".encode())
    assert job.read_text("s3://artifacts/code/features.sql") == "-- ü"


@pytest.mark.skipif(
    importlib.util.find_spec("pyspark") is None,
    reason="pyspark (400 MB, and Java) is not installed: pip install pyspark",
)
def test_spark_and_duckdb_make_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pyspark.sql import SparkSession

    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    write_trips(tmp_path / "trips.csv", 1500)
    with (tmp_path / "trips.csv").open() as file:
        rows = [[row[name] for name in HEADER] for row in csv.DictReader(file)] + ODD
    with (tmp_path / "input.csv").open("w", newline="") as file:
        csv.writer(file).writerows([HEADER, *rows])
    builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
    session = builder.config("spark.sql.session.timeZone", "UTC").getOrCreate()
    try:
        job = load_job(monkeypatch, session)
        objects = {"s3://x/y": samples.FEATURES_SQL, "s3://x/z": samples.DATASET_TEXT, "s3://x/former": FORMER_SQL}
        monkeypatch.setattr(job, "read_text", objects.__getitem__)
        monkeypatch.setattr(job, "secret", lambda key: SECRET)
        arguments = {
            "RUN": "run-1", "INPUT": str(tmp_path / "input.csv"), "OUTPUT": str(tmp_path / "out"), "SQL": "s3://x/y",
            "DATASET": "s3://x/z", "SPLIT_KEY": "key", "CHAMPION": json.dumps(former(job)),
        }  # fmt: skip
        written: dict[str, Any] = {}
        monkeypatch.setattr(job, "write_json", lambda document, uri: written.update({Path(uri).name: document}))
        job.main(["job", *[item for name, value in arguments.items() for item in (f"--{name}", value)]])
    finally:
        session.stop()
    expected = features(rows)
    for part in PARTS:
        assert read(tmp_path / "out" / part) == sorted(row[:-1] for row in expected if row[-1] == part)
    baseline = read(tmp_path / "out" / "baseline", header=["total", *samples.FEATURES])
    assert baseline == sorted(row[:-1] for row in expected if row[-1] == "train")
    assert written["paired.json"] == {"how": "pairs"}
    assert read(tmp_path / "out" / "champion" / "rows") == pairs(rows, job)


FORMER_SQL = samples.FEATURES_SQL.replace("    distance,\n    CASE", "    distance * 2 AS way,\n    CASE").replace(
    "'e667'", "'f333'"
)


def former(job: ModuleType) -> dict[str, Any]:
    """A champion that was trained with half of the test rows, and on twice the distance."""
    rule = hashlib.sha256(FORMER_SQL.encode()).hexdigest()
    salt = job.salt(SECRET, HEADER)
    return {"sql": "s3://x/former", "rule": rule, "salt": salt, "features": ["way"]}


def pairs(rows: list[list[str]], job: ModuleType) -> list[tuple[float, ...]]:
    """What DuckDB makes of the same rows and the same SQL."""
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE raw ({', '.join(f'{name} VARCHAR' for name in HEADER)})")
        marks = ", ".join(["(?, ?, ?, ?, ?)"] * len(rows))
        connection.execute(f"INSERT INTO raw VALUES {marks}", [cell or None for row in rows for cell in row])
        keep_secret(connection, SECRET)
        view_input(connection, job)
        for name, sql in (("made", samples.FEATURES_SQL), ("former", FORMER_SQL)):
            connection.execute(f"CREATE TABLE {name} AS {sql}")
        both = job.paired("total", samples.FEATURES, ["way"])
        query = f"SELECT own_0, own_1, own_2, own_3, their_1 FROM ({both}) WHERE part = 'test'"
        return sorted(connection.execute(query).fetchall())


CELL = st.one_of(
    st.from_regex(cells.PATTERNS["number"], fullmatch=True),
    st.from_regex(cells.PATTERNS["timestamp"], fullmatch=True),
    st.text("0123456789.+-eE _,:TZWd'\uff11\t\u00a0", min_size=1, max_size=25),
    st.sampled_from([
        "2019-02-30", "2020-02-29", "2019-02-29 10:00", "2019-03-23 24:00:00", "2019-03-23 20:21:60", "0999-01-01",
        "2019-03-23T20:21:09.123456Z", "2019-03-23 20:21:09.1234567", "1e39", "-1e39", "3.4028234663852886e38", "1e400",
        "1e-400", "Infinity", "nan", "1d", "1f", "1_000", "1,000", ".", "5.", ".5", "007", "1.0", "1.5", "- 1", "",
    ]),
)  # fmt: skip
TYPED = {"number": "DOUBLE", "integer": "DOUBLE", "timestamp": "TIMESTAMP"}


def read_cells(texts: list[str], job: ModuleType, execute: Callable[[str], list[Any]]) -> dict[str, list[Any]]:
    """What an engine makes of `drawn`, whose columns are the types and hold the same texts: values by type."""
    casts = ", ".join(f"CAST({kind} AS {as_}) AS {kind}" for kind, as_ in TYPED.items())
    rows = execute(f"SELECT draw, {casts} FROM ({job.readable(dict(zip(TYPED, TYPED, strict=True)))}) ORDER BY draw")
    assert [int(row[0]) for row in rows] == [*range(len(texts))]
    return {kind: [row[number] for row in rows] for number, kind in enumerate(TYPED, 1)}


def expected_cells(texts: list[str]) -> dict[str, list[Any]]:
    """By Python alone."""
    found: dict[str, list[Any]] = {kind: [] for kind in TYPED}
    for kind, values in found.items():
        for text in texts:
            value: Any = None
            if cells.fits(kind, text):
                parsed = datetime.fromisoformat(text) if kind == "timestamp" else float(text)
                value = parsed.replace(tzinfo=None) if isinstance(parsed, datetime) else parsed
            values.append(value)
    return found


@given(st.lists(CELL, min_size=1, max_size=40))
def test_the_job_reads_the_cells_that_validation_takes_and_no_others(texts: list[str]) -> None:
    with duckdb.connect() as connection, pytest.MonkeyPatch.context() as patch:
        connection.execute("CREATE TABLE drawn (number VARCHAR, integer VARCHAR, timestamp VARCHAR, draw INTEGER)")
        rows = [[text or None] * 3 + [place] for place, text in enumerate(texts)]
        connection.executemany("INSERT INTO drawn VALUES (?, ?, ?, ?)", rows)
        found = read_cells(texts, load_job(patch), lambda sql: connection.execute(sql).fetchall())
    assert found == expected_cells(texts)


def test_the_job_has_the_patterns_of_the_validation(monkeypatch: pytest.MonkeyPatch) -> None:
    job = load_job(monkeypatch)
    assert job.CELLS == cells.PATTERNS
    assert job.LARGEST == float32.LARGEST


@pytest.mark.skipif(importlib.util.find_spec("pyspark") is None, reason="pyspark (400 MB, and Java) is not installed")
def test_spark_reads_the_cells_that_validation_takes_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    from pyspark.sql import SparkSession

    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    texts: list[str] = []

    @settings(max_examples=200, database=None, derandomize=True)
    @given(st.lists(CELL, min_size=1, max_size=40))
    def collect(more: list[str]) -> None:
        texts.extend(more)

    collect()
    assert len(texts) > 500
    builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
    session = builder.config("spark.sql.session.timeZone", "UTC").getOrCreate()
    try:
        rows = [(text or None, text or None, text or None, place) for place, text in enumerate(texts)]
        frame = session.createDataFrame(rows, "number string, integer string, timestamp string, draw int")
        frame.createOrReplaceTempView("drawn")
        found = read_cells(texts, load_job(monkeypatch, session), lambda sql: session.sql(sql).collect())
    finally:
        session.stop()
    wanted = expected_cells(texts)
    for kind in TYPED:
        different = [pair for pair in zip(texts, wanted[kind], found[kind], strict=True) if pair[1] != pair[2]]
        assert different == [], kind


def test_rows_are_paired_by_their_lots(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    write_trips(tmp_path / "trips.csv", 1500)
    with (tmp_path / "trips.csv").open() as file:
        rows = [[row[name] for name in HEADER] for row in csv.DictReader(file)]
    found = pairs(rows, load_job(monkeypatch))
    tested = [row[:-1] for row in features(rows) if row[-1] == "test"]
    assert 30 < len(found) < len(tested)
    for *own, way in found:
        assert tuple(own) in tested
        assert way == 2 * own[3]
    assert pairs([*rows, *rows], load_job(monkeypatch)) == found


def read(folder: Path, header: list[str] | None = None) -> list[tuple[float, ...]]:
    (name,) = [name for name in os.listdir(folder) if name.endswith(".csv")]
    with (folder / name).open() as file:
        rows = list(csv.reader(file))
    if header:
        assert rows.pop(0) == header
    return sorted(tuple(map(float, row)) for row in rows)
