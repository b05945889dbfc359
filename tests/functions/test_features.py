"""features.sql over rows that were read and checked, and the Glue job around it.

What runs in DuckDB here is the SQL itself; that Glue's Spark gives the same is proven where pyspark is installed.
"""

from __future__ import annotations

import csv
import hashlib
import importlib
import importlib.util
import json
import os
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.dataset import parse_dataset
from operate.dataset import look
from scenarios.trips import write_trips
from tests.functions import samples
from tests.functions.reading import HEADER, SECRET, as_csv, document

PARTS = ("train", "validation", "test")
GOOD = ["2019-03-23 20:21:09", "2019-03-23 20:27:24", "1", "1.6", "12.95"]
ODD = [
    ["2019-03-23 23:59:00", "2019-03-24 00:01:30", "1.0", "1e0", " 7.5 "],
    ["2019-02-28T23:59:00", "2019-03-01T00:30:00", "2", ".5", "199.99"],
    ["2019-03-31 01:30:00", "2019-03-31 03:10:00", "3", "120.9", "0.01"],
    ["2019-03-23 20:21", "2019-03-23 20:27", "1", "1.6", "12.95"],
    ["2019-03-23T20:21:09Z", "2019-03-23 20:27:24+00:00", *GOOD[2:]],
    ["2019-03-23 20:21:09+02:00", "2019-03-23 20:27:24+02:00", *GOOD[2:]],
    ["nonsense", *GOOD[1:]], [*GOOD[:2], "", *GOOD[3:]], [*GOOD[:4], "nan"], [*GOOD[:4], "1_2"],
]  # fmt: skip


def tried(folder: Path, rows: list[list[str]], sql: str, secret: str = SECRET) -> list[tuple[Any, ...]]:
    """What a query gives over raw rows and their lots."""
    file = folder / "tried.csv"
    file.write_bytes(as_csv(rows))
    with look(file, parse_dataset(document(maxBadShare=0.99)), secret) as looked:
        return looked.session.sql(sql).collect()


@pytest.fixture
def features(tmp_path: Path) -> Any:
    """What DuckDB makes of raw rows; without the lots in the end."""

    def made(rows: list[list[str]], secret: str = SECRET) -> list[tuple[Any, ...]]:
        return [row[:-1] for row in tried(tmp_path, rows, samples.FEATURES_SQL, secret)]

    return made


def changed(**values: str) -> list[str]:
    return [values.get(name, value) for name, value in zip(HEADER, GOOD, strict=True)]


def test_the_columns_are_those_of_the_schema(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(as_csv([GOOD]))
    with look(file, parse_dataset(document()), SECRET) as looked:
        found = [item[0] for item in looked.session.connection.execute(samples.FEATURES_SQL).description or ()]
    dataset = json.loads(samples.DATASET_TEXT)
    assert found == [dataset["target"], *dataset["features"], "split", "draw"]


def test_computes_minutes_over_midnight(features: Any) -> None:
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
def test_filters(features: Any, row: list[str]) -> None:
    assert features([row]) == []
    assert len(features([row, GOOD])) == 1


@pytest.mark.parametrize(
    "row", [changed(total="199.99"), changed(distance="120.99"), changed(dropoff="2019-03-23 22:21:08")]
)
def test_keeps_what_is_just_inside(features: Any, row: list[str]) -> None:
    assert len(features([row])) == 1


def test_a_trip_falls_into_one_part_wherever_it_occurs(features: Any, tmp_path: Path) -> None:
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


def test_the_newest_rows_can_be_what_is_tested(tmp_path: Path) -> None:
    write_trips(tmp_path / "trips.csv", 3000)
    with (tmp_path / "trips.csv").open() as file:
        rows = [[row[name] for name in HEADER] for row in csv.DictReader(file)]
    rows.append(["2099-01-01 10:00:00", "2099-01-01 10:10:00", "1", "2", "-1"])  # the filters drop it
    made = newest(samples.FEATURES_SQL)
    found = tried(tmp_path, rows, f"SELECT q.split, input.pickup FROM ({made}\n) q JOIN input USING (draw)")
    times: dict[Any, list[Any]] = {}
    for split, pickup in found:
        times.setdefault(split, []).append(pickup)
    assert set(times) == {"train", "validation", "test", None}
    assert min(times["test"]) > max(times["train"])
    assert 0.3 < len(times["test"]) / (len(times["test"]) + len(times[None])) < 0.7


def test_whoever_uploads_does_not_choose_what_is_tested(features: Any, tmp_path: Path) -> None:
    """With another secret about as many rows are tested, and others: chance alone leaves one in ten the same."""
    write_trips(tmp_path / "trips.csv", 1500)
    with (tmp_path / "trips.csv").open() as file:
        rows = [[row[name] for name in HEADER] for row in csv.DictReader(file)]
    ours, theirs = ({row[:-1] for row in features(rows, secret) if row[-1] == "test"} for secret in ("ours", "theirs"))
    assert min(len(ours), len(theirs)) > 100
    assert len(ours & theirs) < 0.2 * len(ours)


def test_an_empty_cell_is_a_cell(tmp_path: Path) -> None:
    """The same texts in other columns are another row."""
    columns = {"x": "text", "y": "text"}
    rows = [[*GOOD, "x", ""], [*GOOD[:4], "8", "", "x"], [*GOOD, "", "x"], [*GOOD, "x", ""]]
    file = tmp_path / "a.csv"
    file.write_bytes(as_csv(rows, [*HEADER, "x", "y"]))
    with look(file, parse_dataset(document(columns=columns)), SECRET) as looked:
        lots = [row[0] for row in looked.session.sql("SELECT draw FROM input").collect()]
    assert lots[0] == lots[3]
    assert len(set(lots)) == 3
    assert {len(lot) for lot in lots} == {32}


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


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.text(max_size=20), min_size=5, max_size=5), min_size=1, max_size=5))
def test_any_text_is_dropped_not_fatal(tmp_path: Path, rows: list[list[str]]) -> None:
    clean = [[cell.encode("utf-8", "ignore").decode() for cell in row] for row in rows]
    assert len(tried(tmp_path, [GOOD] * 40 + clean, samples.FEATURES_SQL)) >= 40


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


def test_the_job_refuses_what_nothing_can_be_measured_on(monkeypatch: pytest.MonkeyPatch) -> None:
    job = load_job(monkeypatch)
    args = {"RUN": "run-1", "SQL": "s3://a/features.sql"}
    rows = {"read": 100, "quarantined": 1, "used": 90, "filtered": 9, "files": ["s3://b/a.csv"]}
    job.check({"train": 60, "validation": 10, "test": 20}, rows, args)
    with pytest.raises(job.FeatureError, match=r"run run-1: no row of s3://b/a.csv is left for validation, test "):
        job.check({"train": 8, "validation": 0, "test": 0}, rows, args)
    with pytest.raises(job.FeatureError, match=r"19 rows of s3://b/a.csv are left to test on: no gate can"):
        job.check({"train": 60, "validation": 10, "test": 19}, rows, args)


@pytest.mark.parametrize(
    ("sql", "found"),
    [("total * 2", "twice"), ("-total + 0.001 * distance", "twice"), ("distance", ""), ("1", ""), ("NULL", "")],
)
def test_a_feature_that_is_the_target_is_found(tmp_path: Path, sql: str, found: str) -> None:
    write_trips(tmp_path / "trips.csv", 400)
    with look(tmp_path / "trips.csv", parse_dataset(document()), SECRET) as looked:
        made = f"SELECT total, {sql} AS twice, 'train' AS split FROM input"
        looked.session.sql(made).createOrReplaceTempView("made")
        job: Any = importlib.import_module("functions.jobs.features.features_job")
        plan = {"target": "total", "features": ["twice"], "encoding": ["twice"]}
        job.encode(looked.session, "made", "total", plan).createOrReplaceTempView("matrix")
        told = job.target_as_feature(looked.session, plan)
    assert bool(told) == bool(found)
    assert not found or re.match(r"gives twice, which is all but total, the target \(correlation -?[01]\.\d", told)


@pytest.mark.parametrize(
    ("sql", "classes", "found"),
    [
        ("CASE WHEN total > 20 THEN 1 ELSE 0 END", 2, ""),
        ("CASE WHEN total > 20 THEN 2 ELSE 0 END", 2, r"gives label, the target, the value 2; its classes are 0, 1"),
        ("CASE WHEN total > 20 THEN 1 END", 2, r"gives NULL for label in \d+ rows: no request could hold it"),
        ("CASE WHEN total > 20 THEN 7 ELSE 0 END", 0, ""),
    ],
)
def test_values_that_no_model_can_be_made_of_are_found(tmp_path: Path, sql: str, classes: int, found: str) -> None:
    write_trips(tmp_path / "trips.csv", 400)
    with look(tmp_path / "trips.csv", parse_dataset(document()), SECRET) as looked:
        made = f"SELECT {sql} AS label, distance, 'train' AS split FROM input"
        looked.session.sql(made).createOrReplaceTempView("made")
        job: Any = importlib.import_module("functions.jobs.features.features_job")
        names = {name: ["distance"] for name in ("features", "inputs", "encoding")}
        plan = {"target": "label", **names, "unknown": {}, "classes": classes, "leakage": "refuse"}
        told = job.unfit_values(looked.session, plan)
    assert re.match(found, told) if found else not told


FAR = "CASE WHEN distance > 3 THEN 'far' ELSE '{}' END"


@pytest.mark.parametrize(
    ("feature", "sql", "found"),
    [
        ({"name": "way", "nullable": True}, "CASE WHEN distance > 3 THEN distance END", ""),
        (
            "way",
            "CASE WHEN distance > 3 THEN distance END",
            r"gives NULL for way in \d+ rows: .* or declare it nullable",
        ),
        ({"name": "way", "nullable": True}, "CASE WHEN distance > 3 THEN CAST('NaN' AS DOUBLE) END", "gives NaN, inf"),
        ("way", "CASE WHEN distance > 3 THEN CAST('Infinity' AS DOUBLE) ELSE 1 END", "gives NaN, infinity or more"),
        ({"name": "way", "nullable": True}, "CASE WHEN draw < '08' THEN total END", ""),
        ({"name": "way", "nullable": True}, "CAST(NULL AS DOUBLE)", "gives NULL for way in all training rows: nothing"),
        ({"name": "way", "categories": ["far", "near"]}, FAR.format("near"), ""),
        (
            {"name": "way", "categories": ["far", "near"]},
            FAR.format("next"),
            r"gives way the value 'next' in \d+ rows;",
        ),
        ({"name": "way", "categories": ["far", "near"]}, FAR.format("Near"), "gives way the value 'Near' in"),
        (
            {"name": "way", "categories": ["far", "near"]},
            "CASE WHEN distance > 3 THEN 'far' END",
            "gives NULL for way in",
        ),
        ({"name": "way", "categories": ["far", "x"], "nullable": True}, "CASE WHEN distance > 3 THEN 'far' END", ""),
        ({"name": "way", "categories": ["1", "2"]}, "CAST(1 + CAST(distance > 3 AS INT) AS BIGINT)", ""),
        ({"name": "way", "categories": ["1", "2"]}, "1 + CAST(distance > 3 AS INT) * 2", "gives way the value '3' in"),
    ],
)
def test_what_a_feature_may_be_is_held_to(tmp_path: Path, feature: Any, sql: str, found: str) -> None:
    write_trips(tmp_path / "trips.csv", 400)
    with look(
        tmp_path / "trips.csv", parse_dataset(document(features=["passengers", feature], slices=[])), SECRET
    ) as looked:
        made = f"SELECT total, {sql} AS way, passengers, 'train' AS split, draw FROM input"
        looked.session.sql(made).createOrReplaceTempView("made")
        job: Any = importlib.import_module("functions.jobs.features.features_job")
        told = job.unfit_values(looked.session, looked.plan)
        assert re.match(found, told) if found else not told, told
        if not found:
            rows = looked.session.sql("SELECT * FROM matrix").collect()
            columns = looked.session.sql("SELECT * FROM matrix").columns
            assert columns == ["total", *looked.plan["features"], "split", "draw"]
            assert len(rows) == 400


def test_no_rule_runs_more_than_a_condition(monkeypatch: pytest.MonkeyPatch) -> None:
    """The declaration refuses most of it; what Spark alone would run, the job refuses as it does in features.sql."""
    job = load_job(monkeypatch)
    with pytest.raises(job.FeatureError, match="REFLECT"):
        job.refuse_more_than_rows("SELECT reflect('java.lang.System', 'exit', 1) IS NULL", {"RUN": "r", "SQL": "s"})


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
    (tmp_path / "input.csv").write_bytes(as_csv(rows))
    builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
    session = builder.config("spark.sql.session.timeZone", "UTC").getOrCreate()
    dataset = parse_dataset(document(maxBadShare=0.1))
    with look(tmp_path / "input.csv", dataset, SECRET) as looked:
        plan = looked.plan
        expected = looked.session.sql(samples.FEATURES_SQL).collect()
    try:
        job = load_job(monkeypatch, session)
        plan["files"] = [{"uri": f"file:{tmp_path}/input.csv", "source": "s3://data/input.csv"}]
        objects = {"s3://x/y": samples.FEATURES_SQL, "s3://x/plan": json.dumps(plan), "s3://x/former": FORMER_SQL}
        monkeypatch.setattr(job, "read_text", objects.__getitem__)
        monkeypatch.setattr(job, "secret", lambda key: SECRET)
        arguments = {
            "RUN": "run-1", "PLAN": "s3://x/plan", "OUTPUT": str(tmp_path / "out"), "SQL": "s3://x/y",
            "SPLIT_KEY": "key", "CHAMPION": json.dumps(former(job)),
        }  # fmt: skip
        written: dict[str, Any] = {}
        monkeypatch.setattr(job, "write_json", lambda document, uri: written.update({Path(uri).name: document}))
        job.main(["job", *[item for name, value in arguments.items() for item in (f"--{name}", value)]])
        aside = session.read.parquet(str(tmp_path / "out" / "quarantine")).count()
    finally:
        session.stop()
    for part in PARTS:
        assert read(tmp_path / "out" / part) == sorted(row[:-2] for row in expected if row[-2] == part)
    baseline = read(tmp_path / "out" / "baseline", header=["total", *samples.FEATURES])
    assert baseline == sorted(row[:-2] for row in expected if row[-2] == "train")
    target = written["rows.json"].pop("target")
    totals = [row[0] for row in expected]
    assert (target["mean"], target["unit"]) == (pytest.approx(sum(totals) / len(totals)), "")
    assert written["rows.json"] | {"examples": [], "files": []} == {
        "empty_files": 0,
        "read": len(rows), "used": len(expected), "made": len(expected), "quarantined": aside,
        "filtered": len(rows) - aside - len(expected),
        "rules": {"passengers.null": 1, "pickup.type": 1, "total.null": 1, "total.type": 1},
        "dialect": "UTF-8, comma, 5 columns", "examples": [], "files": [],
    }  # fmt: skip
    assert aside == 4
    assert written["paired.json"] == {"how": "pairs"}
    assert read(tmp_path / "out" / "champion" / "rows") == pairs(tmp_path / "input.csv", job)


FORMER_SQL = samples.FEATURES_SQL.replace("    distance,\n    CASE", "    distance * 2 AS way,\n    CASE").replace(
    "'e667'", "'f333'"
)


def former(job: ModuleType) -> dict[str, Any]:
    """A champion that was trained with half of the test rows, and on twice the distance."""
    rule = hashlib.sha256(FORMER_SQL.encode()).hexdigest()
    salt = job.salt(SECRET, HEADER)
    names = {name: ["way"] for name in ("features", "inputs", "encoding")}
    return {"sql": "s3://x/former", "rule": rule, "salt": salt, **names, "nullable": [], "refused": [], "target": None}


def pairs(file: Path, job: ModuleType) -> list[tuple[float, ...]]:
    """What DuckDB makes of the same rows and the same SQL."""
    with look(file, parse_dataset(document(maxBadShare=0.1)), SECRET) as looked:
        for name, sql in (("matrix", samples.FEATURES_SQL), ("former_matrix", FORMER_SQL)):
            looked.session.sql(sql).persist().createOrReplaceTempView(name)
        both = job.paired("total", samples.FEATURES, ["way"])
        query = f"SELECT own_0, own_1, own_2, own_3, their_1 FROM ({both}) WHERE part = 'test'"
        return sorted(looked.session.sql(query).collect())


def test_rows_are_paired_by_their_lots(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, features: Any) -> None:
    write_trips(tmp_path / "trips.csv", 1500)
    with (tmp_path / "trips.csv").open() as file:
        rows = [[row[name] for name in HEADER] for row in csv.DictReader(file)]
    job = load_job(monkeypatch)
    found = pairs(tmp_path / "trips.csv", job)
    tested = [row[:-1] for row in features(rows) if row[-1] == "test"]
    assert 30 < len(found) < len(tested)
    for *own, way in found:
        assert tuple(own) in tested
        assert way == 2 * own[3]
    (tmp_path / "twice.csv").write_bytes(as_csv([*rows, *rows]))
    assert pairs(tmp_path / "twice.csv", job) == found


def read(folder: Path, header: list[str] | None = None) -> list[tuple[float, ...]]:
    rows = []
    for name in [name for name in os.listdir(folder) if name.endswith(".csv")]:
        with (folder / name).open() as file:
            part = list(csv.reader(file))
        if header:
            assert part.pop(0) == header
        rows += part
    return sorted(tuple(map(float, row)) for row in rows)


@pytest.mark.parametrize(
    ("ours", "theirs", "found"),
    [
        ((12.4, 5.6, "EUR"), (12.9, 6.0, "EUR"), ""),
        ((12.4, 5.6, ""), (12.9, 6.0, "EUR"), ""),
        ((12.4, 5.6, "cent"), (12.9, 6.0, "EUR"), "total, the target, is in cent now, and the champion's was in EUR"),
        (
            (1240, 560, ""),
            (12.4, 5.6, ""),
            "is 1240 on average .* and was 12.4 .*: has its unit or its meaning changed",
        ),
        ((12.4, 5.6, ""), (1240, 560, ""), "has its unit or its meaning changed"),
        ((-12.4, 1.6, ""), (12.4, 1.6, ""), "has its unit or its meaning changed"),
        ((20.0, 9.0, ""), (68.0, 16.2, ""), ""),
        ((0.4, 0.49, ""), (0.6, 0.49, ""), ""),
        ((1.0, 0.0, ""), (1.0, 0.0, ""), ""),
    ],
)
def test_a_target_of_another_unit_is_found(ours: Any, theirs: Any, found: str) -> None:
    job: Any = importlib.import_module("functions.jobs.features.features_job")
    one, other = ({"mean": mean, "deviation": deviation, "unit": unit} for mean, deviation, unit in (ours, theirs))
    told = job.other_target("total", one, other)
    assert re.search(found, told) if found else not told
    champion = {"CHAMPION": json.dumps({"target": other})}
    plan = {"target": "total", "classes": 0}
    paired = job.changed(one, {"how": "test"}, plan, champion)
    assert paired == ({"how": "test", "foreign": told} if told else {"how": "test"})
    gone = job.changed(one, {"problem": "gone"}, plan, champion)
    assert gone == {"problem": f"gone; {told}" if told else "gone"}
    assert job.changed(one, {"how": "test"}, plan, {"CHAMPION": "null"}) == {"how": "test"}
    assert job.changed(one, {"how": "test"}, {**plan, "classes": 2}, champion) == {"how": "test"}
