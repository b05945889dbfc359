"""Glue job runs: the script really runs, with the job's role, over S3."""

import functools
import gzip
import hashlib
import itertools
import json
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from contracts.dataset import parse_dataset
from contracts.plan import build
from functions.validate.head import find_dialect
from rehearsal.cloud.core.cloud import Cloud
from tests.rehearsal.cloud.sagemaker_world import World, refused, wait

SCRIPT = """
import sys
from awsglue.utils import getResolvedOptions
from pyspark.sql import SparkSession
args = getResolvedOptions(sys.argv, ["INPUT", "OUTPUT"])
spark = SparkSession.builder.getOrCreate()
frame = spark.read.option("header", "true").csv(args["INPUT"])
frame.createOrReplaceTempView("input")
result = spark.sql("SELECT CAST(a AS DOUBLE) * 2 AS b, CAST(a AS DOUBLE) > 1 AS large FROM input").where("large")
print("rows", result.count())
result.drop("large").coalesce(1).write.mode("overwrite").option("header", "true").csv(args["OUTPUT"])
"""


@pytest.fixture
def world(cloud: Cloud, account: str, region: str) -> World:
    made = World(cloud, account, region)
    made.glue_role = made.make_role("glue", "glue.amazonaws.com")  # type: ignore[attr-defined]
    return made


def make_job(world: World, script: str, version: str = "5.1", **more: Any) -> Any:
    glue = world.client("glue")
    location = world.put("script.py", script)
    glue.create_job(
        Name="job", Role=world.glue_role, GlueVersion=version,  # type: ignore[attr-defined]
        Command={"Name": "glueetl", "ScriptLocation": location, "PythonVersion": "3"}, **more,
    )  # fmt: skip
    return glue


def finish(glue: Any, run: str) -> dict[str, Any]:
    found: dict[str, Any] = wait(
        lambda: glue.get_job_run(JobName="job", RunId=run)["JobRun"],
        lambda answer: answer["JobRunState"] not in ("STARTING", "RUNNING", "STOPPING"),
    )
    return found


def test_a_run_reads_and_writes_s3_under_the_jobs_role(world: World) -> None:
    glue = make_job(world, SCRIPT, DefaultArguments={"--INPUT": world.put("in/x.csv", "a\n1\n2\n3\n")})
    run = glue.start_job_run(JobName="job", Arguments={"--OUTPUT": world.uri("out")})["JobRunId"]
    found = finish(glue, run)
    assert found["JobRunState"] == "SUCCEEDED", found
    keys = world.keys("out/")
    assert "out/_SUCCESS" in keys
    part = next(key for key in keys if key.startswith("out/part-00000-") and key.endswith(".csv"))
    assert world.get(world.uri(part)).decode().split() == ["b", "4.0", "6.0"]
    assert "s3:PutObject" in str(world.cloud.ledger.snapshot()[world.glue_role])  # type: ignore[attr-defined]


TEXT = """
import json, sys
from awsglue.utils import getResolvedOptions
from pyspark.sql import SparkSession
args = getResolvedOptions(sys.argv, ["INPUT", "OUTPUT"])
spark = SparkSession.builder.getOrCreate()
text = "DECODE(ENCODE(value, 'UTF-8'), 'UTF-8') AS text"
place = ("_metadata.file_path AS file", "_metadata.file_block_start AS block", "monotonically_increasing_id() AS place")
lines = spark.read.text(json.loads(args["INPUT"])).selectExpr(*place, text)
lines.createOrReplaceTempView("lines")
found = spark.sql("SELECT * FROM lines ORDER BY place").collect()
spark.createDataFrame([(json.dumps([list(row)[1:] for row in found]),)], "x string").write.parquet(args["OUTPUT"])
"""
LINES: dict[str, tuple[bytes, list[str]]] = {
    "quotes and blank lines": (
        b'\xef\xbb\xbfa,b\r\n1,"x ""y"", z"\r\n"2\n3",4\n\n5,"open\r\n6,7 \x00 8\r9,10\nlast,\xe9\n',
        ["a,b", '1,"x ""y"", z"', '"2', '3",4', "", '5,"open', "6,7 \x00 8", "9,10", "last,\ufffd"],
    ),
    "marks of byte order": (b"\xef\xbb\xbf\xef\xbb\xbfa\n\xef\xbb\xbfb", ["\ufeffa", "\ufeffb"]),
    "CR alone": (b"a\rb\r\rc\rd", ["a", "b", "", "c", "d"]),
    "control characters": (b"a\x01b\x02\n\nc", ["a\x01b\x02", "", "c"]),
    "plain": (b"a,b\n1,2\n", ["a,b", "1,2"]),
    "nothing but lines": (b"\n\n", ["", ""]),
}
"""What Spark 3.5.6 answers for these files, asked with the same script."""


@pytest.mark.parametrize(("content", "expected"), LINES.values(), ids=LINES)
@pytest.mark.parametrize("name", ["x.csv", "x.csv.gz"])
def test_a_text_is_read_line_by_line(world: World, content: bytes, expected: list[str], name: str) -> None:
    glue = make_job(world, TEXT)
    place = world.put(f"in/{name}", gzip.compress(content) if name.endswith(".gz") else content)
    arguments = {"--INPUT": json.dumps([place]), "--OUTPUT": world.uri("out")}
    found = finish(glue, glue.start_job_run(JobName="job", Arguments=arguments)["JobRunId"])
    assert found["JobRunState"] == "SUCCEEDED", found
    (part,) = [key for key in world.keys("out/") if key.endswith(".parquet")]
    with duckdb.connect() as connection, tempfile.NamedTemporaryFile(suffix=".parquet") as file:
        file.write(world.get(world.uri(part)))
        file.flush()
        (row,) = connection.read_parquet(file.name).fetchall()
    assert json.loads(row[0]) == [[0, place, text] for place, text in enumerate(expected)]


@pytest.mark.parametrize(
    ("version", "beside"), [("5.0", {"deep_$folder$", "deep/out_$folder$"}), ("5.1", set())], ids=["EMRFS", "S3A"]
)
def test_what_lies_beside_a_written_folder_is_the_connectors(world: World, version: str, beside: set[str]) -> None:
    glue = make_job(world, SCRIPT, version, DefaultArguments={"--INPUT": world.put("in/x.csv", "a\n1\n2\n3\n")})
    found = finish(glue, glue.start_job_run(JobName="job", Arguments={"--OUTPUT": world.uri("deep/out")})["JobRunId"])
    assert found["JobRunState"] == "SUCCEEDED", found
    assert {key for key in world.keys("deep") if not key.startswith("deep/out/")} == beside


def test_a_write_marks_its_success_unless_told_otherwise(world: World) -> None:
    quiet = SCRIPT.replace(".write.", '.write.option("mapreduce.fileoutputcommitter.marksuccessfuljobs", "false").')
    assert quiet != SCRIPT
    glue = make_job(world, quiet, DefaultArguments={"--INPUT": world.put("in/x.csv", "a\n1\n2\n3\n")})
    found = finish(glue, glue.start_job_run(JobName="job", Arguments={"--OUTPUT": world.uri("out")})["JobRunId"])
    assert found["JobRunState"] == "SUCCEEDED", found
    assert [key.rsplit(".", 1)[-1] for key in world.keys("out/")] == ["csv"]


def test_a_failing_script_fails_the_run_with_its_message(world: World) -> None:
    glue = make_job(world, "class Bad(Exception): pass\nraise Bad('no rows left')")
    found = finish(glue, glue.start_job_run(JobName="job")["JobRunId"])
    assert (found["JobRunState"], found["ErrorMessage"]) == ("FAILED", "Bad: no rows left")


def test_what_the_shim_lacks_is_said(world: World) -> None:
    glue = make_job(world, "from pyspark.sql import SparkSession\nSparkSession.builder.getOrCreate().newSession()")
    found = finish(glue, glue.start_job_run(JobName="job")["JobRunId"])
    assert "not implemented by the rehearsal: SparkSession.newSession" in found["ErrorMessage"]


def test_concurrent_runs_are_limited_and_can_be_stopped(world: World) -> None:
    glue = make_job(world, "import time\ntime.sleep(60)")
    run = glue.start_job_run(JobName="job")["JobRunId"]
    with refused(glue, "ConcurrentRunsExceededException"):
        glue.start_job_run(JobName="job")
    answer = glue.batch_stop_job_run(JobName="job", JobRunIds=[run])
    assert [item["JobRunId"] for item in answer["SuccessfulSubmissions"]] == [run]
    assert finish(glue, run)["JobRunState"] == "STOPPED"


def test_a_role_that_glue_may_not_assume_is_refused(world: World) -> None:
    world.glue_role = world.role  # type: ignore[attr-defined]
    with refused(world.client("glue"), "InvalidInputException", "assume role permissions for Glue"):
        make_job(world, SCRIPT)


def start_own_job(
    world: World,
    total: str,
    change: Callable[[str], str] = str,
    champion: Mapping[str, Any] | None = None,
    key: str = "",
    more: Sequence[str] = (),
    leakage: str = "accept",
) -> Any:
    """The project's own job, over trips whose fare is `total` of their minute (so that each mile has its price);
    `change` is made to its SQL.

    Their lots depend on the account's key: so many trips that none of the parts is ever empty.
    """
    folder = Path(__file__).parents[3] / "functions" / "jobs" / "features"
    trips = ["pickup,dropoff,passengers,distance,total"]
    for hour, minute in itertools.product(range(10, 20), range(10, 59)):
        fare = total.format(minute)
        trips.append(f"2019-03-23 {hour}:{minute - 10:02d}:09,2019-03-23 {hour}:{minute}:27,1,1.{minute},{fare}")
    trips.append("2019-03-23 20:01:09,2019-03-23 20:11:27,1,1.5,5000")  # features.sql drops it
    trips += more
    glue = make_job(world, (folder / "features_job.py").read_text())
    run = glue.start_job_run(
        JobName="job",
        Arguments={
            "--RUN": "r1", "--PLAN": plan(world, "\n".join(trips), leakage), "--OUTPUT": world.uri("features"),
            "--SQL": world.put("run/features.sql", change((folder / "features.sql").read_text())),
            "--SPLIT_KEY": key or split_key(world), "--CHAMPION": json.dumps(champion),
        },
    )["JobRunId"]  # fmt: skip
    return finish(glue, run)


def plan(world: World, text: str, leakage: str) -> str:
    """The data, and where the plan for it lies, as the validation leaves them."""
    document = (Path(__file__).parents[3] / "functions/jobs/features/dataset.json").read_text()
    dataset = parse_dataset({**json.loads(document), "maxBadShare": 0.1, "leakage": leakage})
    source = "s3://data/datasets/trips.csv"
    dialect = find_dialect(text.encode(), dataset, source)
    files = [{"uri": world.put("run/data.csv", text), "source": source}]
    return world.put("run/plan.json", json.dumps(build(dataset, dialect, files, datetime.now(UTC))))


def split_key(world: World) -> str:
    """A key that lots can be drawn with."""
    made = world.client("kms").create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
    arn: str = made["KeyMetadata"]["Arn"]
    return arn


def test_the_projects_own_job_runs_unchanged(world: World) -> None:
    found = start_own_job(world, "1{}.95")
    assert found["JobRunState"] == "SUCCEEDED", found
    parts = [key for key in world.keys("features/train/") if key.endswith(".csv")]
    assert len(parts) > 1
    assert sorted(world.keys("features/train/")) == sorted(parts)
    baseline = [key for key in world.keys("features/baseline/") if key.endswith(".csv")]
    assert {world.get(world.uri(key)).decode().splitlines()[0] for key in baseline} == {
        "total,duration_minutes,passengers,distance"
    }
    train = parts[0]
    first = world.get(world.uri(train)).decode().splitlines()[0].split(",")
    assert len(first) == 4
    assert float(first[0]) > 100
    sql = (Path(__file__).parents[3] / "functions/jobs/features/features.sql").read_bytes()
    split = json.loads(world.get(world.uri("features/split.json")))
    assert split["rule"] == hashlib.sha256(sql).hexdigest()
    assert len(split["salt"]) == 16
    assert json.loads(world.get(world.uri("features/champion/paired.json"))) == {"how": "test"}


def test_the_projects_own_job_accounts_for_each_row(world: World) -> None:
    found = start_own_job(world, "1{}.95", more=["", "2019-03-23 20:01:09,2019-03-23 20:11:27,1,far,12.5", "x,y"])
    assert found["JobRunState"] == "SUCCEEDED", found
    rows = json.loads(world.get(world.uri("features/rows.json")))
    assert rows["rules"] == {"distance.type": 1, "row.width": 1}
    assert (rows["read"], rows["quarantined"], rows["filtered"], rows["used"]) == (493, 2, 1, 490)
    at = {"file": "s3://data/datasets/trips.csv"}
    assert rows["examples"] == [
        {**at, "line": 494, "rule": "distance.type", "cell": "far"},
        {**at, "line": 495, "rule": "row.width", "cell": "x,y"},
    ]
    (parquet,) = [key for key in world.keys("features/quarantine/") if key.endswith(".parquet")]
    assert world.get(world.uri(parquet)).startswith(b"PAR1")


def test_the_projects_own_job_stops_where_too_much_breaks_a_rule(world: World) -> None:
    found = start_own_job(world, "1{}.95", more=["x,y"] * 100)
    assert found["JobRunState"] == "FAILED"
    words = r"100 of 591 rows of s3://data/datasets/trips.csv break a rule, more than the allowed 10.0% .*: 100 × does"
    assert re.search(words, found["ErrorMessage"])
    assert json.loads(world.get(world.uri("features/rows.json")))["quarantined"] == 100
    assert [key for key in world.keys("features/quarantine/") if key.endswith(".parquet")]


def test_the_projects_own_job_refuses_the_target_as_a_feature(world: World) -> None:
    found = start_own_job(world, "1{}.95", leakage="refuse")
    assert found["JobRunState"] == "FAILED"
    assert "gives distance, which is all but total, the target (correlation 1.00000" in found["ErrorMessage"]


def test_the_projects_own_job_refuses_a_target_that_its_filters_make_constant(world: World) -> None:
    found = start_own_job(world, "12.95")
    assert found["JobRunState"] == "FAILED"
    assert "total, the target, is the same in all train rows that" in found["ErrorMessage"]
    assert not [key for key in world.keys("features/") if key.endswith(".csv")]


def twice(sql: str) -> str:
    """Whoever is tested is trained on as well."""
    head, tail = sql.split("SELECT\n    total,\n    duration_minutes,", 1)
    query = f"SELECT total, duration_minutes,{tail}"
    trained = query.replace("ELSE 'test'", "ELSE 'train'")
    return f"{head}{query}\nUNION ALL\n{trained}"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            twice,
            r"puts \d+ rows into more than one of train, validation, test: a model would",
        ),
        (
            lambda sql: sql.replace("    draw  --", "    MD5(draw) AS draw  --"),
            r"gives \d+ rows with a draw that no",
        ),
    ],
    ids=["planted leak", "forged lots"],
)
def test_the_projects_own_job_refuses_rows_in_two_parts(world: World, change: Callable[[str], str], words: str) -> None:
    found = start_own_job(world, "1{}.95", change)
    assert found["JobRunState"] == "FAILED"
    assert re.search(words, found["ErrorMessage"])
    assert not [key for key in world.keys("features/") if key.endswith(".csv")]


def test_sql_that_gives_no_lots_on_is_not_held_to_them(world: World) -> None:
    found = start_own_job(world, "1{}.95", lambda sql: sql.replace("split,\n    draw  --", "split  --"))
    assert found["JobRunState"] == "SUCCEEDED", found


def split_at(sql: str, validation: str, test: str) -> str:
    """The SQL with its parts cut elsewhere."""
    return sql.replace("'cccd'", f"'{validation}'").replace("'e667'", f"'{test}'")


def former(sql: str, test: str) -> str:
    """The SQL that a champion was trained with: kilometres for miles, and other parts of the same lots."""
    in_kilometres = sql.replace("    distance,\n    CASE", "    distance * 1.6 AS way,\n    CASE")
    return split_at(in_kilometres, "a000", test)


def serving(world: World, sql: str, **changes: Any) -> dict[str, Any]:
    """What is known of a champion that was trained with this SQL; `salt` must be named."""
    place = world.put("runs/1/release/features.sql", sql)
    split = {"sql": place, "rule": hashlib.sha256(sql.encode()).hexdigest(), "features": ["way", "passengers"]}
    found = {**split, **changes}
    return {
        **dict.fromkeys(("inputs", "encoding"), found["features"]),
        "nullable": [],
        "refused": [],
        "target": None,
        **found,
    }


@pytest.fixture
def first(world: World) -> tuple[str, str, str]:
    """Key, salt and SQL of a project that has run before."""
    key = split_key(world)
    found = start_own_job(world, "1{}.95", key=key)
    assert found["JobRunState"] == "SUCCEEDED", found
    sql = (Path(__file__).parents[3] / "functions/jobs/features/features.sql").read_text()
    return key, json.loads(world.get(world.uri("features/split.json")))["salt"], sql


def paired_with(world: World, key: str, champion: Mapping[str, Any], change: Callable[[str], str] = str) -> Any:
    """What the job says of the champion's rows."""
    found = start_own_job(world, "1{}.95", change, champion, key)
    assert found["JobRunState"] == "SUCCEEDED", found
    return json.loads(world.get(world.uri("features/champion/paired.json")))


def test_the_champions_features_come_from_the_same_rows_by_its_own_sql(
    world: World, first: tuple[str, str, str]
) -> None:
    key, salt, sql = first
    # Of 490 trips half are tested on, and a quarter by the champion too.
    champion = serving(world, former(sql, "c000"), salt=salt)
    found = paired_with(world, key, champion, lambda sql: split_at(sql, "6000", "8000"))
    assert found == {"how": "pairs"}
    rows = champions_rows(world)
    tests = [name for name in world.keys("features/test/") if name.endswith(".csv")]
    lines = [line for name in tests for line in world.get(world.uri(name)).decode().split()]
    tested = [tuple(float(cell) for cell in line.split(",")) for line in lines]
    # label, our three features, its two
    assert {len(row) for row in rows} == {6}
    assert 30 <= len(rows) < 0.8 * len(tested)
    for label, minutes, passengers, distance, way, its_passengers in rows:
        assert (label, minutes, passengers, distance) in tested
        assert way == pytest.approx(1.6 * distance)
        assert its_passengers == passengers


OURS = ["duration_minutes", "passengers", "distance"]


def test_the_same_sql_and_secret_have_the_same_test_rows(world: World, first: tuple[str, str, str]) -> None:
    key, salt, sql = first
    assert paired_with(world, key, serving(world, sql, salt=salt, features=OURS)) == {"how": "test"}


def test_a_champion_of_the_same_sql_gets_its_features_in_its_own_order(
    world: World, first: tuple[str, str, str]
) -> None:
    key, salt, sql = first
    assert paired_with(world, key, serving(world, sql, salt=salt, features=OURS[::-1])) == {"how": "pairs"}
    row = champions_rows(world)[0]
    assert row[1:4] == row[:3:-1]


def test_rows_that_come_twice_are_one_row(world: World, first: tuple[str, str, str]) -> None:
    key, salt, sql = first
    found = paired_with(world, key, serving(world, sql + "--", salt=salt, features=OURS), doubled)
    assert found == {"how": "pairs"}
    assert len(champions_rows(world)) > 30


def test_another_split_does_not_switch_the_comparison_off(world: World, first: tuple[str, str, str]) -> None:
    """A commit tests on what the champion was trained on."""
    key, salt, sql = first
    found = paired_with(world, key, serving(world, sql, salt=salt, features=OURS), rotated)
    doubt = "of 0 of these rows alone it is known that it was not trained on them"
    assert found == {"how": "pairs", "doubt": doubt}
    assert len(champions_rows(world)) > 30


def test_what_a_champion_has_no_feature_for_is_left_out(world: World, first: tuple[str, str, str]) -> None:
    key, salt, sql = first
    some = (
        "    CASE WHEN distance < 1.2 THEN NULL WHEN distance < 1.3 THEN 1e300 ELSE distance END AS distance,\n    CASE"
    )
    theirs = split_at(sql.replace("    distance,\n    CASE", some), "6000", "8000")
    ours = functools.partial(split_at, validation="6000", test="8000")
    assert paired_with(world, key, serving(world, theirs, salt=salt, features=OURS), ours) == {"how": "pairs"}
    assert min(row[3] for row in champions_rows(world)) >= 1.3


def champions_rows(world: World) -> list[list[float]]:
    """What champion/rows/ holds."""
    names = [name for name in world.keys("features/champion/rows/") if name.endswith(".csv")]
    lines = [line for name in names for line in world.get(world.uri(name)).decode().split()]
    return [[float(cell) for cell in line.split(",")] for line in lines]


def doubled(sql: str) -> str:
    """Each row twice, in one part."""
    return f"SELECT * FROM (\n{sql}\n) a UNION ALL SELECT * FROM (\n{sql}\n) b"


def rotated(sql: str) -> str:
    """The SQL, with the lots that are tested on among those that were trained on."""
    return sql.replace("WHEN bucket < 'cccd' THEN 'train'", "WHEN bucket < '4000' THEN 'test'").replace(
        "ELSE 'test'", "ELSE 'train'"
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda sql: sql.replace("\n    total,\n    duration_minutes,\n", "\n    total * 100 AS total,\n"),
        lambda sql: sql.replace("    draw  --", "    LEAD(draw) OVER (ORDER BY draw) AS draw  --"),
    ],
    ids=["another target", "lots of other rows"],
)
def test_a_champion_of_another_target_or_of_other_rows_may_win_and_not_lose(
    world: World, first: tuple[str, str, str], change: Callable[[str], str]
) -> None:
    key, salt, sql = first
    champion = serving(world, change(sql) + "\n-- former", salt=salt, features=["passengers"])
    found = paired_with(world, key, champion)
    assert found["how"] == "pairs"
    assert re.fullmatch(r"its own features\.sql gives another total for \d+ of the test rows", found["foreign"])


@pytest.mark.parametrize(
    ("change", "more", "problem"),
    [
        (str, {"salt": "00" * 8}, "its rows had other lots (another secret, other columns): it may have been trained"),
        (lambda sql: f"INSERT INTO x {sql}", {}, "the champion's features.sql must begin with SELECT or WITH"),
    ],
    ids=["another secret", "no query"],
)
def test_a_champion_that_cannot_be_asked_stops_no_training(
    world: World, first: tuple[str, str, str], change: Callable[[str], str], more: dict[str, Any], problem: str
) -> None:
    key, salt, sql = first
    champion = serving(world, change(sql) + "\n-- former", **{"salt": salt, "features": ["passengers"], **more})
    assert paired_with(world, key, champion)["problem"].startswith(problem)


NO_LOTS = ("split,\n    draw  --", "split  --")


@pytest.mark.parametrize(
    ("theirs", "ours", "more", "why"),
    [
        (str, str, {"rule": "00" * 32}, r"s3://\S+ is not the features.sql that the champion was trained with"),
        (
            lambda sql: sql.replace("total > 0", "fare > 0"), str, {},
            r"the champion's features.sql fails on this data \(BinderException; the job's log has more\)",
        ),
        (lambda sql: sql.replace(*NO_LOTS), str, {}, "the champion's features.sql does not give draw on"),
        (str, lambda sql: sql.replace(*NO_LOTS), {}, "features.sql does not give draw on"),
    ],
    ids=["another text", "a column that is gone", "no lots", "no lots of ours"],
)  # fmt: skip
def test_what_is_not_known_of_the_rows_switches_no_comparison_off(
    world: World,
    first: tuple[str, str, str],
    theirs: Callable[[str], str],
    ours: Callable[[str], str],
    more: dict[str, str],
    why: str,
) -> None:
    key, salt, sql = first
    champion = serving(world, theirs(sql) + "\n-- former", **{"salt": salt, "features": OURS, **more})
    found = paired_with(world, key, champion, ours)
    assert found["how"] == "test"
    assert re.fullmatch(f"it was given this commit's features: {why}", found["foreign"])
