"""A commit that nobody has approved brings a features.sql, which runs beside other runs' data (F6).

Spark 3.5.6, of Glue 5.1, was asked what each of these does: every one is executed.
"""

import hashlib
import json
import sys
from typing import Any
from unittest.mock import MagicMock

import pytest

from functions.jobs.features.features_job import not_a_query
from tests.functions import samples
from tests.functions.test_features import load_job

OTHER = "s3://artifacts/runs/other/features/train"
SECRET = "5ec4e7"
COLUMNS = list(json.loads(samples.DATASET_TEXT)["columns"])
FORMER = samples.FEATURES_SQL + "-- the champion's"
ATTACKS = {
    "writes another run's features": f"INSERT OVERWRITE DIRECTORY '{OTHER}' USING csv SELECT * FROM input",
    "writes below a query's head": f"WITH a AS (SELECT 1 AS x) INSERT OVERWRITE DIRECTORY '{OTHER}' SELECT x FROM a",
    "writes from the other side": f"FROM input INSERT OVERWRITE DIRECTORY '{OTHER}' USING csv SELECT total",
    "runs a program": "SELECT TRANSFORM(total) USING 'sh -c \"aws s3 cp - s3://…\"' AS (x STRING) FROM input",
    "runs a program by another quote": 'SELECT TRANSFORM(total) USING "cat" AS (x STRING) FROM input',
    "runs a program by another word": "SELECT * FROM (FROM input MAP total USING 'cat' AS (x STRING)) q",
    "has a comment in between": "SELECT TRANSFORM(total) USING /* ( */ 'cat' AS (x STRING) FROM input",
    "has another letter for S": "SELECT TRANSFORM(total) U\u017fING 'cat' AS (x STRING) FROM input",
    "has another letter for I": "WITH a AS (SELECT 1 AS x) \u0131NSERT OVERWRITE DIRECTORY '/x' SELECT x FROM a",
    "calls Java": "SELECT reflect('java.lang.System', 'getenv', 'HOME') AS total FROM input",
    "calls Java by a text": "SELECT IDENTIFIER('ref' || 'lect')('java.lang.System', 'getenv', 'HOME') AS total",
    "reads a file": "SELECT * FROM csv.`s3://artifacts/runs/other/features/test`",
    "reads a file beside a quoted name": "SELECT `a`, x.`b``c`, `d e` FROM csv.`s3:` -- `a`",
    "calls Java by a quoted name": "SELECT `reflect`('java.lang.System', 'getenv', 'HOME') AS total FROM input",
    "reads the environment": "SELECT '${env:AWS_SECRET_ACCESS_KEY}' AS total FROM input",
    "hides its head": "-- \\\nSELECT 1\nCREATE TABLE x USING csv LOCATION 's3://artifacts' AS SELECT 1",
    "hides its head in a comment": "/* /* */ SELECT */ CREATE TABLE x (a INT) USING csv",
    "loads code": "ADD JAR 's3://artifacts/code/evil.jar'",
    "loads code as a function": "CREATE TEMPORARY FUNCTION f AS 'Evil' USING JAR 's3://artifacts/code/evil.jar'",
}


@pytest.mark.parametrize("sql", ATTACKS.values(), ids=ATTACKS)
def test_a_commits_sql_does_nothing_but_give_rows(sql: str, monkeypatch: pytest.MonkeyPatch) -> None:
    job = load_job(monkeypatch)
    assert job.not_a_query(sql)
    assert not_a_query(sql) == job.not_a_query(sql)


@pytest.mark.parametrize(
    "sql",
    [
        samples.FEATURES_SQL,
        "-- ours\n\n  select a.total from input a JOIN input b USING (total)",
        "-- `input` is theirs\nSELECT input.`total` FROM input",
        "WITH a AS (SELECT transform(array(1), x -> x + 1) AS updated FROM input) SELECT * FROM a",
    ],
)
def test_a_query_is_taken(sql: str) -> None:
    assert not_a_query(sql) == ""


def run(job: Any, session: Any, sql: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The job's main function, over a session that does nothing."""
    builder = MagicMock()
    builder.builder.getOrCreate.return_value = session
    monkeypatch.setattr(sys.modules["pyspark.sql"], "SparkSession", builder)
    monkeypatch.setattr(job, "secret", lambda key: SECRET)
    plan = {"files": [{"uri": "s3://a/in", "source": "s3://b/in"}], "columns": COLUMNS, "sql": "SELECT rows",
            "broken": "", "draw": "SELECT drawn",
            "unique": "", "predicates": [], "nulls": {}, "max_bad_share": 0, "target": "total", "leakage": "refuse",
            "features": samples.FEATURES, "inputs": samples.FEATURES, "encoding": samples.FEATURES, "unknown": {},
            "dialect": "UTF-8", "classes": 0, "unit": "", "kind": "lines", "place": "line",
            "others": {}}  # fmt: skip
    texts = {"s3://a/sql": sql, "s3://a/plan": json.dumps(plan), "s3://a/former": FORMER}
    monkeypatch.setattr(job, "read_text", texts.__getitem__)
    monkeypatch.setattr(job, "write_json", lambda document, uri: None)
    rule = hashlib.sha256(FORMER.encode()).hexdigest()
    former = {"sql": "s3://a/former", "rule": rule, "salt": job.salt(SECRET, COLUMNS), "features": ["distance"]}
    former |= {"inputs": ["distance"], "encoding": ["distance"], "nullable": [], "refused": [], "target": None}
    given = {"RUN": "run-1", "PLAN": "s3://a/plan", "OUTPUT": "s3://a/out", "SQL": "s3://a/sql"}
    given |= {"SPLIT_KEY": "key", "CHAMPION": json.dumps(former)}
    job.main(["job", *[word for name, value in given.items() for word in (f"--{name}", value)]])


def working_session() -> MagicMock:
    """A session whose answers let the job go on to its end."""
    session = MagicMock()
    frame = session.sql.return_value
    frame.count.return_value = 60
    frame.localCheckpoint.return_value.where.return_value.count.return_value = 30

    def answer(query: str) -> MagicMock:
        answers = {"__problem, COUNT": [(None, 90)], "SELECT DISTINCT": [(1,), (2,)],
                   "CORR(": [(0.1, 90, 0.2, 90, None, 0)],
                   "SUM(CASE": [(0, 0, 0, 0)],
                   "STDDEV_POP": [(1.0, 1.0)], "COUNT(total)": [(9, 9, 9, 9, 9)]}  # fmt: skip
        frame.collect.return_value = next((rows for words, rows in answers.items() if words in query), [])
        return frame  # type: ignore[no-any-return]

    session.sql.side_effect = answer
    return session


def test_it_is_refused_before_spark_sees_it(monkeypatch: pytest.MonkeyPatch) -> None:
    job, session = load_job(monkeypatch), MagicMock()
    with pytest.raises(job.FeatureError, match=r"s3://a/sql has 'USING', and with that Spark runs a program\. "):
        run(job, session, ATTACKS["runs a program"], monkeypatch)
    assert session.mock_calls == []


def test_the_secret_of_the_split_is_in_no_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spark's errors print the plan with every literal, and whoever uploads a file can make them: `total,Total`."""
    session = working_session()
    run(load_job(monkeypatch), session, samples.FEATURES_SQL, monkeypatch)
    given = [str(call) for call in session.mock_calls if SECRET in str(call)]
    assert given == [f"call.createDataFrame([('{SECRET}',)], 'secret string')"]


def test_features_sql_finds_the_secret_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    session = working_session()
    run(load_job(monkeypatch), session, samples.FEATURES_SQL, monkeypatch)
    calls = [str(call) for call in session.mock_calls]
    dropped = calls.index("call.catalog.dropTempView('lots')")
    asked = [number for number, call in enumerate(calls) if "WITH typed AS" in call]
    assert len(asked) == 2  # the commit's, and the champion's
    assert dropped < min(asked)
    for view in ("lines", "checked", "quarantine"):
        assert calls.index(f"call.catalog.dropTempView('{view}')") < min(asked)


def test_a_rule_that_would_run_more_is_refused_before_spark_sees_it(monkeypatch: pytest.MonkeyPatch) -> None:
    job, session = load_job(monkeypatch), MagicMock()
    monkeypatch.setattr(json, "loads", lambda text, original=json.loads: _with_rule(original(text)))
    with pytest.raises(job.FeatureError, match=r"has 'REFLECT', and with that Spark calls any Java"):
        run(job, session, samples.FEATURES_SQL, monkeypatch)
    assert session.mock_calls == []


def _with_rule(document: Any) -> Any:
    if isinstance(document, dict) and "predicates" in document:
        document["predicates"] = ["reflect('java.lang.System', 'exit', 1) IS NULL"]
    return document
