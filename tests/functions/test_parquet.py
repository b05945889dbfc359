"""Parquet: the same rows, rules, counts and lots as of CSV, whatever types a column is held by."""

from __future__ import annotations

import importlib.util
import json
import random
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from contracts.dataset import parse_dataset
from contracts.errors import UserError
from contracts.parquet import Contents, ParquetError, contents, metadata_size
from functions.jobs.features import features_job
from functions.validate.survey import File, survey
from operate.dataset import Looked, look
from tests.functions.reading import SECRET, account, document

COLUMNS = "pickup TIMESTAMP, dropoff TIMESTAMP, passengers INTEGER, distance DOUBLE, total DOUBLE"
GOOD = "TIMESTAMP '2019-03-23 20:21:09', TIMESTAMP '2019-03-23 20:27:24', 1, 1.6, 12.95"
OTHER = GOOD.replace("12.95", "8.5")


def write(file: Path, *rows: str, columns: str = COLUMNS) -> Path:
    """A file of rows in DuckDB's SQL."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"CREATE TABLE made ({columns})")
        if rows:
            connection.execute(f"INSERT INTO made VALUES {', '.join(f'({row})' for row in rows)}")
        connection.execute(f"COPY made TO '{file}' (FORMAT parquet)")
    return file


def told(file: Path) -> Contents:
    content = file.read_bytes()
    return contents(content[-8 - metadata_size(content) : -8])


@contextmanager
def read(places: Path | list[Path], sql: str = "", **changes: Any) -> Iterator[Looked]:
    with look(places, parse_dataset(document(**changes)), SECRET, sql) as looked:
        yield looked


def rows(places: Path | list[Path], query: str = "SELECT * FROM input", **changes: Any) -> list[tuple[Any, ...]]:
    with read(places, query, **changes) as looked:
        return looked.session.sql(query).collect()


# What a file's end tells ---------------------------------------------------------------------------------------------

TYPES = {
    "BOOLEAN": ("bool", "boolean"), "TINYINT": ("int", "int"), "SMALLINT": ("int", "int"), "INTEGER": ("int", "int"),
    "BIGINT": ("int", "bigint"), "UTINYINT": ("int", "int"), "USMALLINT": ("int", "int"),
    "UINTEGER": ("int", "bigint"), "UBIGINT": ("unsigned", "decimal(20,0)"), "FLOAT": ("double", "float"),
    "DOUBLE": ("double", "double"), "DECIMAL(9,2)": ("decimal", "decimal(9,2)"),
    "DECIMAL(18,4)": ("decimal", "decimal(18,4)"), "DECIMAL(38,0)": ("decimal", "decimal(38,0)"),
    "DATE": ("date", "date"), "TIMESTAMP": ("local", "timestamp"), "TIMESTAMP_MS": ("local", "timestamp"),
    "TIMESTAMP_NS": ("local_nanos", "bigint"), "TIMESTAMPTZ": ("instant", "timestamp"), "VARCHAR": ("text", "string"),
    "BLOB": ("bytes", ""), "TIME": ("time", ""), "UUID": ("other", ""), "INTEGER[]": ("nested", ""),
    "STRUCT(a INTEGER, b INTEGER[])": ("nested", ""), "MAP(VARCHAR, INTEGER)": ("nested", ""),
}  # fmt: skip


def test_the_columns_are_read_from_the_end(tmp_path: Path) -> None:
    columns = ", ".join(f'"{number} {kind}" {kind}' for number, kind in enumerate(TYPES))
    found = told(write(tmp_path / "a.parquet", ", ".join(["NULL"] * len(TYPES)), columns=columns))
    assert found.rows == 1
    assert {it.name: (it.kind, it.spark) for it in found.fields} == {
        f"{number} {kind}": expected for number, (kind, expected) in enumerate(TYPES.items())
    }


@pytest.mark.parametrize("seed", range(20))
def test_damaged_metadata_is_told_or_read(tmp_path: Path, seed: int) -> None:
    content = write(tmp_path / "a.parquet", GOOD).read_bytes()
    metadata = bytearray(content[-8 - metadata_size(content) : -8])
    chance = random.Random(seed)
    for _ in range(300):
        damaged = bytearray(metadata)
        for _ in range(chance.randint(1, 4)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        cut = len(damaged) if chance.random() < 0.8 else chance.randrange(len(damaged))
        with suppress(ParquetError):
            contents(bytes(damaged[:cut]))


def test_lists_within_lists_end(tmp_path: Path) -> None:
    with pytest.raises(ParquetError):
        contents(b"\x29" + b"\x19" * 100_000)


# What is used, and what is set aside ---------------------------------------------------------------------------------


def test_records_are_rows(tmp_path: Path) -> None:
    with read(write(tmp_path / "a.parquet", GOOD, OTHER)) as looked:
        assert looked.rows["dialect"] == "Parquet, 5 columns"
        assert (looked.rows["read"], looked.rows["filtered"], looked.problem) == (2, 2, "")
        (first, _) = looked.session.sql("SELECT * FROM input").collect()
    assert first[:-1] == (datetime(2019, 3, 23, 20, 21, 9), datetime(2019, 3, 23, 20, 27, 24), 1, 1.6, 12.95)
    assert re.fullmatch("[0-9a-f]{32}", first[-1])


KINDS: dict[str, tuple[str, str, str, Any]] = {
    "whole numbers with gaps are doubles to pandas": ("passengers", "DOUBLE", "2.0", 2),
    "a whole decimal": ("passengers", "DECIMAL(9,2)", "2.00", 2),
    "an unsigned whole number": ("passengers", "UBIGINT", "2", 2),
    "a float": ("total", "FLOAT", "0.1", 0.10000000149011612),
    "a decimal": ("total", "DECIMAL(18,2)", "0.10", 0.1),
    "a long decimal": ("total", "DECIMAL(38,10)", "12345678901234567890.1234567890", 12345678901234567890.123456789),
    "a whole number": ("total", "BIGINT", "9007199254740993", 9007199254740992.0),
    "a day": ("pickup", "DATE", "DATE '2019-03-23'", datetime(2019, 3, 23)),
    "a day long ago": ("pickup", "DATE", "DATE '1582-10-10'", datetime(1582, 10, 10)),
    "a time of nanoseconds": ("pickup", "TIMESTAMP_NS", "TIMESTAMP_NS '1969-12-31 23:59:59.123456789'",
                              datetime(1969, 12, 31, 23, 59, 59, 123456)),
    "a point in time": ("pickup", "TIMESTAMPTZ", "TIMESTAMPTZ '2019-03-23 20:21:09.5+02'",
                        datetime(2019, 3, 23, 18, 21, 9, 500000)),
    "a time of milliseconds": ("pickup", "TIMESTAMP_MS", "TIMESTAMP_MS '2019-03-23 20:21:09.5'",
                               datetime(2019, 3, 23, 20, 21, 9, 500000)),
}  # fmt: skip


@pytest.mark.parametrize(("name", "kind", "cell", "expected"), KINDS.values(), ids=KINDS)
def test_a_column_is_what_is_declared_whatever_it_is_held_by(
    tmp_path: Path, name: str, kind: str, cell: str, expected: Any
) -> None:
    columns = re.sub(rf"\b{name} \w+", f"{name} {kind}", COLUMNS)
    place = [part.split()[0] for part in COLUMNS.split(", ")].index(name)
    row = [cell if number == place else value for number, value in enumerate(GOOD.split(", "))]
    found = rows(write(tmp_path / "a.parquet", ", ".join(row), columns=columns), f"SELECT {name} FROM input")
    assert found == [(expected,)]


def test_times_without_a_zone_are_of_the_declared_one_and_points_in_time_are_not(tmp_path: Path) -> None:
    columns = COLUMNS.replace("dropoff TIMESTAMP", "dropoff TIMESTAMPTZ")
    file = write(tmp_path / "a.parquet", GOOD, columns=columns)
    berlin = {"type": "timestamp", "zone": "Europe/Berlin"}
    changes: dict[str, Any] = {"columns": {"pickup": berlin, "dropoff": berlin}}
    assert rows(file, "SELECT pickup, dropoff FROM input", **changes) == [
        (datetime(2019, 3, 23, 19, 21, 9), datetime(2019, 3, 23, 20, 27, 24))
    ]
    skipped = write(tmp_path / "b.parquet", GOOD.replace("2019-03-23 20:21:09", "2019-03-31 02:30:00"), OTHER)
    with read(skipped, **changes) as looked:
        assert looked.rows["rules"] == {"pickup.skipped": 1}


ASIDE: dict[str, tuple[str, str, str, str]] = {
    "an empty cell": ("total", "NULL", "total.null", ""),
    "NaN is nothing": ("total", "'nan'::DOUBLE", "total.null", "NaN"),
    "infinity": ("total", "'-inf'::DOUBLE", "total.type", "-Infinity"),
    "beyond float32": ("total", "1e39", "total.large", "1.000000e+39"),
    "half a passenger": ("passengers", "1.5", "passengers.decimal", "1.5"),
    "beyond 64 bits": ("passengers", "1e19", "passengers.large", "1.000000e+19"),
    "a year of five digits": ("pickup", "TIMESTAMP '12019-03-23 20:21:09'", "pickup.type", "year 12019"),
}


@pytest.mark.parametrize(("name", "cell", "rule", "shown"), ASIDE.values(), ids=ASIDE)
def test_a_record_that_breaks_a_rule_is_set_aside_with_its_number(
    tmp_path: Path, name: str, cell: str, rule: str, shown: str
) -> None:
    place = [part.split()[0] for part in COLUMNS.split(", ")].index(name)
    row = ", ".join(cell if number == place else value for number, value in enumerate(GOOD.split(", ")))
    columns = COLUMNS.replace("passengers INTEGER", "passengers DOUBLE")
    with read(write(tmp_path / "a.parquet", GOOD, OTHER, row, columns=columns)) as looked:
        assert (looked.rows["read"], looked.rows["rules"]) == (3, {rule: 1})
        (example,) = looked.rows["examples"]
        assert rule in looked.plan["rules"]
    assert (example["line"], example["rule"]) == (3, rule)
    assert example["cell"] == shown
    assert example["file"].endswith("a.parquet")


def test_what_is_declared_is_kept(tmp_path: Path) -> None:
    file = write(tmp_path / "a.parquet", GOOD, OTHER, GOOD.replace("12.95", "-1"), GOOD.replace(" 1,", " 7,"),
                 GOOD.replace("20:27:24", "20:00:00"), GOOD)  # fmt: skip
    columns = {"total": {"type": "number", "min": 0, "unique": True}, "passengers": {"type": "integer", "max": 6}}
    rules = [{"name": "forwards", "sql": "dropoff > pickup"}]
    with read(file, columns=columns, rules=rules, maxBadShare=0.9) as looked:
        assert looked.rows["rules"] == {
            "passengers.max": 1, "rule.forwards": 1, "total.min": 1, "total.unique": 1,
        }  # fmt: skip
        aside = looked.session.sql("SELECT line, rule, cell, text FROM quarantine ORDER BY line").collect()
    assert [row[:2] for row in aside] == [
        (3, "total.min"), (4, "passengers.max"), (5, "rule.forwards"), (6, "total.unique"),
    ]  # fmt: skip
    assert aside[0][2:] == ("-1", "2019-03-23 20:21:09,2019-03-23 20:27:24,1,1.6,-1")


def test_numbers_that_stand_for_nothing_by_config_are_nothing(tmp_path: Path) -> None:
    columns = {"passengers": {"type": "integer", "nullable": True}}
    file = write(tmp_path / "a.parquet", GOOD, GOOD.replace(" 1,", " -999,"), OTHER.replace("8.5", "-999"))
    with read(file, columns=columns, format={"nulls": ["-999"]}) as looked:
        assert looked.rows["rules"] == {"total.null": 1}
        assert looked.session.sql("SELECT passengers FROM input ORDER BY 1").collect() == [(1,), (None,)]


def test_texts_and_truths(tmp_path: Path) -> None:
    columns = f"{COLUMNS}, note VARCHAR, zone VARCHAR, code INTEGER, paid BOOLEAN, told UTINYINT, none INTEGER"
    file = write(tmp_path / "a.parquet", f"{GOOD}, ' ', 'west', 3, true, 1, NULL",
                 f"{OTHER}, e'two\\nlines', 'east', 4, false, 0, NULL", f"{OTHER}, 'x', 'west', 3, NULL, 2, NULL",
                 f"{OTHER}, 'x' || chr(1), 'west', 3, NULL, 1, NULL", columns=columns)  # fmt: skip
    declared = {
        "note": "text", "zone": {"type": "category", "allowed": ["west", "east"]}, "code": "category",
        "paid": {"type": "boolean", "nullable": True}, "told": "boolean", "none": {"type": "text"},
    }  # fmt: skip
    with read(file, columns=declared, maxBadShare=0.9) as looked:
        assert looked.rows["rules"] == {"row.characters": 1, "told.type": 1}
        assert looked.session.sql("SELECT note, zone, code, paid, told, none FROM input ORDER BY code").collect() == [
            (None, "west", "3", True, True, None), ("two\nlines", "east", "4", False, False, None),
        ]  # fmt: skip


def test_what_nobody_declared_is_there_as_text(tmp_path: Path) -> None:
    columns = f'{COLUMNS}, "Zone Name" VARCHAR, code DECIMAL(9,2), list INTEGER[], "x`y" DOUBLE'
    file = write(tmp_path / "a.parquet", f"{GOOD}, ' ', 3.5, [1], 2.5", f"{OTHER}, 'west', 4, [2], NULL",
                 columns=columns)  # fmt: skip
    sql = "SELECT input.zone_name, input.code, input.x_y, total FROM input"
    assert rows(file, sql) == [(None, "3.50", "2.5", 12.95), ("west", "4.00", None, 8.5)]


def test_names_that_sql_could_not_have(tmp_path: Path) -> None:
    columns = COLUMNS.replace("distance ", '"Distance, [km]`" ').replace("total ", '"order" ')
    file = write(tmp_path / "a.parquet", GOOD, OTHER, columns=columns)
    declared = {"Distance, [km]`": {"type": "number", "as": "distance"}, "order": {"type": "number", "as": "total"}}
    with read(file, columns=declared, without=("distance", "total")) as looked:
        assert looked.session.sql("SELECT distance, total FROM input").collect() == [(1.6, 12.95), (1.6, 8.5)]


REFUSED: dict[str, tuple[str, str]] = {
    "lacking": (COLUMNS.replace("total ", "Total "), r"lacks the column total \(.* It has 'Total' for total"),
    "texts": (COLUMNS.replace("total DOUBLE", "total VARCHAR"),
              r"holds texts in total, which is declared as number: write it as numbers \(double"),
    "a list": (COLUMNS.replace("total DOUBLE", "total DOUBLE[]"), "holds lists, maps or structs in total"),
    "bytes": (COLUMNS.replace("total DOUBLE", "total BLOB"), r"bytes that are not marked as text \(UTF8\) in total"),
    "a number for a time": (COLUMNS.replace("pickup TIMESTAMP", "pickup BIGINT"),
                            "holds whole numbers in pickup, which is declared as timestamp: write it as timestamps"),
    "a time for a number": (COLUMNS.replace("distance DOUBLE", "distance DATE"), "holds days in distance"),
}  # fmt: skip


@pytest.mark.parametrize(("columns", "words"), REFUSED.values(), ids=REFUSED)
def test_other_columns_are_refused_before_any_record_is_read(tmp_path: Path, columns: str, words: str) -> None:
    with pytest.raises(UserError, match=words), read(write(tmp_path / "a.parquet", columns=columns)):
        pass


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "does not end as Parquet does"),
        (b"pickup,dropoff\n", "does not end as Parquet does: it is cut off, or something else"),
        (b"PAR1\xff\xff\xff\x7fPAR1", "is cut off: its end names more bytes than it has"),
        (b"PAR1" + b"x" * 20 + b"\x14\0\0\0PAR1", "has metadata at its end that cannot be read"),
        (b"PAR1\0\0\0\0PARE", "is encrypted Parquet"),
    ],
)
def test_what_is_no_parquet_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(UserError, match=words):
        account(tmp_path, content, "a.parquet")


def test_no_records(tmp_path: Path) -> None:
    with read(write(tmp_path / "a.parquet")) as looked:
        assert "has columns but no records: upload data" in looked.problem


# Sets ----------------------------------------------------------------------------------------------------------------


def test_files_that_hold_columns_by_other_types_are_one_set(tmp_path: Path) -> None:
    write(tmp_path / "a.parquet", GOOD, OTHER)
    doubles = COLUMNS.replace("passengers INTEGER", "passengers DOUBLE").replace(
        "pickup TIMESTAMP", "pickup TIMESTAMP_NS"
    )
    write(tmp_path / "b.parquet", GOOD.replace(" 1,", " 1.5,"), GOOD.replace(" 1,", " 'nan',"), GOOD, columns=doubles)
    with read(tmp_path) as looked:
        assert looked.rows["read"] == 5
        assert looked.rows["rules"] == {"passengers.decimal": 1, "passengers.null": 1}
        assert [(Path(each["file"]).name, each["line"]) for each in looked.rows["examples"]] == [
            ("b.parquet", 1), ("b.parquet", 2),
        ]  # fmt: skip
        # The same row has the same lot, by whichever types.
        assert len(looked.session.sql("SELECT DISTINCT draw FROM input WHERE total = 12.95").collect()) == 1


def test_a_column_of_folders(tmp_path: Path) -> None:
    for year, name in (("2019", "west"), ("2020", "north%20east"), ("__HIVE_DEFAULT_PARTITION__", "south")):
        folder = tmp_path / f"year={year}" / f"zone={name}"
        folder.mkdir(parents=True)
        write(folder / "a.parquet", GOOD, OTHER)
    columns = {"year": {"type": "integer", "nullable": True, "max": 2019}}
    with read(tmp_path, "SELECT input.zone", columns=columns) as looked:
        assert looked.rows["rules"] == {"year.max": 2}
        assert looked.session.sql("SELECT DISTINCT year, zone FROM input ORDER BY year").collect() == [
            (2019, "west"), (None, "south"),
        ]  # fmt: skip


# Real Spark ----------------------------------------------------------------------------------------------------------

needs_spark = pytest.mark.skipif(
    importlib.util.find_spec("pyspark") is None,
    reason="pyspark (400 MB, and Java) is not installed: pip install pyspark==3.5.6",
)
EVERY = parse_dataset(
    {
        "columns": {
            "n": "number",
            "f": {"type": "number", "nullable": True, "min": -5},
            "d": {"type": "number", "nullable": True},
            "i": {"type": "integer", "nullable": True, "max": 1e12},
            "u": {"type": "integer", "nullable": True},
            "g": {"type": "integer", "nullable": True},
            "t": "timestamp",
            "l": {"type": "timestamp", "zone": "Europe/Berlin", "nullable": True},
            "s": {"type": "timestamp", "nullable": True, "min": "1500-01-01"},
            "y": {"type": "timestamp", "zone": "America/New_York", "nullable": True},
            "b": {"type": "boolean", "nullable": True},
            "c": {"type": "category", "allowed": ["a", "b'c", "x\\y", "1"], "nullable": True},
            "Total, `Amount`": {"type": "text", "pattern": "[^!]*", "as": "x"},
        },
        "target": "n",
        "features": ["x"],
        "metric": {"name": "rmse", "threshold": 1},
        "rules": [{"name": "positive", "sql": "n > -100 OR i IS NULL"}],
        "maxBadShare": 0.99,
    }
)
_DOUBLES = ["1", "1.5", "-2e3", "0.1", "nan", "inf", "-inf", "1e39", "3.4028234663852886e38", "-0.0", "1e-310",
            "123456789.123456789", "1e15", "999999999999999.9", "0.0005", "NULL", "9223372036854775808",
            "-9223372036854775808", "2147483648", "1e-400", "12.95"]  # fmt: skip
_DECIMALS = ["1", "1.5", "-2.25", "0.1", "12345678901234567890.0123456789", "-0.0000000001", "NULL", "1e18", "12.95"]
_WHOLES = ["1", "-5", "0", "NULL", "127"]
_TIMES = ["2019-03-23 20:21:09", "2019-03-31 02:30:00", "2019-10-27 02:30:00", "2019-10-27 01:59:59.999999",
          "1582-10-10", "1893-03-31 23:55:00", "1883-11-18 12:30:00", "0999-01-01", "9999-12-31 23:59:59.999999",
          "10000-01-01", "0001-01-01", "1969-12-31 23:59:59.999999", "1900-01-01", None]  # fmt: skip
_NANOS = [*(time for time in _TIMES if time is None or "1700" < time < "2200")]
_TEXTS = ["hello", "", "wow!", "ünï", "nul\x00", "\ufffd", "  ", "$", "-", "two\nlines", "\u2029e", "NA", "a,b", None]
GROUPS: list[dict[str, tuple[str, list[Any]]]] = [
    {"n": ("DOUBLE", _DOUBLES), "f": ("FLOAT", [*_DOUBLES[:7], "1e-40", "0.0005"]), "d": ("DECIMAL(38,10)", _DECIMALS),
     "i": ("DOUBLE", _DOUBLES), "u": ("UBIGINT", ["1", "18446744073709551615", "NULL"]),
     "g": ("DECIMAL(38,10)", _DECIMALS), "t": ("TIMESTAMP", _TIMES), "l": ("TIMESTAMP_NS", _NANOS),
     "s": ("TIMESTAMPTZ", _TIMES), "y": ("DATE", _TIMES), "b": ("BOOLEAN", ["true", "false", "NULL"]),
     "c": ("VARCHAR", ["a", "b'c", "x\\y", "A", " a", "$x", "", None]), "x": ("VARCHAR", _TEXTS)},
    {"n": ("BIGINT", ["9007199254740993", "-9223372036854775808", "5"]), "f": ("TINYINT", _WHOLES),
     "d": ("UBIGINT", ["18446744073709551615", "7"]), "i": ("UINTEGER", ["4294967295", "NULL"]),
     "u": ("SMALLINT", _WHOLES), "g": ("USMALLINT", ["65535", "NULL"]), "t": ("TIMESTAMP_MS", _TIMES),
     "l": ("DATE", _TIMES), "s": ("TIMESTAMP_NS", _NANOS), "y": ("TIMESTAMP_NS", _NANOS),
     "b": ("INTEGER", ["0", "1", "2", "NULL"]), "c": ("BIGINT", ["1", "2", "NULL"]), "x": ("VARCHAR", _TEXTS)},
]  # fmt: skip


def cell(value: str | None, kind: str) -> str:
    if value is None:
        return "NULL"
    quoted = "'" + value.replace("'", "''").replace("\x00", "' || chr(0) || '") + "'"
    if kind.startswith(("TIME", "DATE", "VARCHAR")):
        return f"({quoted})::{kind}"
    return value if value == "NULL" else f"('{value}')::{kind}"


def made(file: Path, types: dict[str, tuple[str, list[Any]]], count: int, chance: random.Random) -> Path:
    names = {name: "Total, `Amount`" if name == "x" else name for name in types}
    columns = ", ".join(f'"{names[name]}" {kind}' for name, (kind, _) in types.items())
    lines = [", ".join(cell(chance.choice(values), kind) for kind, values in types.values()) for _ in range(count)]
    return write(file, *lines, columns=columns)


def summed(session: Any, plan: dict[str, Any]) -> dict[str, Any]:
    """What the job makes of a plan."""
    features_job.read_rows(session, plan)
    checked = features_job.draw_lots(session, plan, SECRET)
    found = features_job.account(session, plan)
    query = f"SELECT {', '.join(plan['reads'])}, draw, __problem, __place, __file FROM checked"
    checked.createOrReplaceTempView("checked")
    listed = sorted(([str(value) for value in row] for row in session.sql(query).collect()), key=lambda row: row[-2:])
    aside = session.sql("SELECT file, line, rule, cell, text FROM quarantine").collect() if found["quarantined"] else []
    return {**found, "values": listed, "aside": sorted(map(list, aside))}


def local_file(path: Path) -> File:
    content = path.read_bytes()
    return File(str(path), path.name, len(content), lambda begin, end: content[begin:end])


@needs_spark
def test_spark_reads_records_as_duckdb_does(spark: Any, tmp_path: Path) -> None:
    """Every type that a column may be held by, with the values at which engines part ways."""
    from operate.local_spark import Session

    chance = random.Random(20190301)
    files = []
    for number in range(24):
        name = tmp_path / f"part-{number:05d}.parquet"
        files.append(local_file(made(name, GROUPS[number % 2], 100, chance)))
    plan = survey(files, [file.name for file in files], EVERY, datetime(2026, 1, 1, tzinfo=UTC))
    plan = features_job.with_others(plan, "")
    assert len(plan["groups"]) == 2
    (tmp_path / "temporary").mkdir()
    theirs = summed(Session(tmp_path / "temporary"), plan)
    ours = summed(spark, plan)
    ours["values"] = [[*row[:-1], row[-1].removeprefix("file:")] for row in ours["values"]]
    assert ours["read"] == 2400
    assert len(ours["rules"]) > 12
    for what in ("values", "aside"):
        assert [pair for pair in zip(ours[what], theirs[what], strict=True) if pair[0] != pair[1]] == []
    assert json.dumps(ours["rules"]) == json.dumps(theirs["rules"])


@needs_spark
def test_spark_writes_what_is_read(spark: Any, tmp_path: Path) -> None:
    """Of Spark's own files: INT96, which it writes for times by default, partitions, and hidden files."""
    spark.sql(
        "SELECT timestamp'2019-03-23 20:21:09.5' AS pickup, timestamp_ntz'2019-03-23 20:27:24' AS dropoff,"
        " CAST(id AS TINYINT) AS passengers, CAST(id AS DECIMAL(9, 2)) AS distance, CAST(id AS FLOAT) AS total,"
        " id % 3 AS zone FROM range(1, 100)"
    ).write.partitionBy("zone").parquet(str(tmp_path / "made"))
    with read(tmp_path / "made", columns={"zone": "category"}) as looked:
        assert (looked.rows["read"], looked.rows["quarantined"]) == (99, 0)
        assert looked.session.sql("SELECT DISTINCT pickup, dropoff FROM input").collect() == [
            (datetime(2019, 3, 23, 20, 21, 9, 500000), datetime(2019, 3, 23, 20, 27, 24))
        ]
        assert looked.session.sql("SELECT zone, COUNT(*) FROM input GROUP BY zone ORDER BY zone").collect() == [
            ("0", 33), ("1", 33), ("2", 33),
        ]  # fmt: skip
