"""features.sql against a declaration, in DuckDB. What Spark makes of it, these tests do not prove."""

import csv
import re
from pathlib import Path

import pytest

from contracts.dataset import Dataset, parse_dataset
from operate.checks import features
from tests.scenarios.own.project import COLUMNS, DATASET, SQL, flats

GOOD = SQL.read_text(encoding="utf-8")


@pytest.fixture
def dataset() -> Dataset:
    return parse_dataset(DATASET)


def checkout(folder: Path, sql: str = GOOD, rows: list[list[str]] | None = None) -> Path:
    path = folder / features.SQL
    path.parent.mkdir(parents=True)
    path.write_text(sql, encoding="utf-8")
    if rows is not None:
        sample = folder / features.SAMPLE
        sample.parent.mkdir(parents=True)
        with sample.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([[*COLUMNS, "remark"], *rows])
    return folder


def test_good_sql_passes_on_made_rows_and_on_a_sample(tmp_path: Path, dataset: Dataset) -> None:
    result = features.check(checkout(tmp_path / "made"), dataset)
    assert (result.findings, result.notes) == ((), ())
    assert result.summary.endswith("features.sql on 200 made-up rows")
    result = features.check(checkout(tmp_path / "sample", rows=flats(300)), dataset)
    assert result.findings == ()
    assert "on 300 rows of" in result.summary


def test_a_split_that_uploaders_can_choose_is_noted(tmp_path: Path, dataset: Dataset) -> None:
    (note,) = features.check(checkout(tmp_path / "own", rows=flats(300)), dataset).notes
    assert "whoever uploads data can choose what a model is tested on" in note
    drawn = re.sub(r"MD5\(CONCAT_WS\([^)]*\)\)", "input.draw", GOOD)
    assert drawn != GOOD
    result = features.check(checkout(tmp_path / "drawn", drawn, rows=flats(300)), dataset)
    assert (result.findings, result.notes) == ((), ())


def test_rows_in_no_part_are_counted(tmp_path: Path, dataset: Dataset) -> None:
    some = GOOD.replace("ELSE 'test'", "WHEN rooms > 2 THEN 'test'")
    result = features.check(checkout(tmp_path, some, flats(300)), dataset)
    assert result.findings == ()
    assert re.search(r"test \d+, in no part \d+$", result.summary)


def test_rows_in_two_parts_are_found_where_the_lot_is_given_on(tmp_path: Path, dataset: Dataset) -> None:
    given = GOOD.replace("    FROM input", "        , input.draw\n    FROM input").replace("AS split", "AS split, draw")
    rows = flats(300)
    assert features.check(checkout(tmp_path / "once", given, rows), dataset).findings == ()
    main, select = given.split("SELECT\n    rent_eur", 1)
    trained = select.replace("ELSE 'test'", "ELSE 'train'")
    twice = f"{main}SELECT rent_eur{select}\nUNION ALL\nSELECT rent_eur{trained}"
    (found,) = features.check(checkout(tmp_path / "twice", twice, rows), dataset).findings
    assert re.search(r"puts \d+ rows of \S+ into more than one of train, validation, test", str(found))


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("rooms > flor", 'column "flor" not found'),
        ("FLOOOR(rooms) > 1", "flooor does not exist"),
        ("rooms >", "syntax error"),
    ],
)
def test_rules_that_cannot_be_read_are_named(tmp_path: Path, rule: str, words: str) -> None:
    faulty = parse_dataset({**DATASET, "rules": [{"name": "faulty", "sql": rule}]})
    (found,) = features.check(checkout(tmp_path), faulty).findings
    assert str(found).startswith("glidepath:dataset.rules: ")
    assert words in str(found)
    assert "\n" not in str(found)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("SELECT\n    rent_eur", "SELEC\n    rent_eur", "syntax error"),
        ("    district,\n    CASE", "    CASE", "does not give the column district; it gives rent_eur, area, rooms"),
        ("    rooms,\n", "    CAST(rooms AS VARCHAR) AS rooms,\n", "gives rooms as VARCHAR, but a model learns from"),
        ("    rooms,\n", "    rooms > 2 AS rooms,\n", "gives rooms as BOOLEAN"),
        ("AS split", "AS part", "does not give the column split"),
    ],
)
def test_sql_that_cannot_be_trained_on_is_named(
    tmp_path: Path, dataset: Dataset, old: str, new: str, words: str
) -> None:
    assert old in GOOD
    (found,) = features.check(checkout(tmp_path, GOOD.replace(old, new)), dataset).findings
    assert str(found).startswith(f"{features.SQL}: ")
    assert words in str(found)
    assert "\n" not in str(found)


def test_a_column_that_nobody_declared_must_be_in_the_file(tmp_path: Path, dataset: Dataset) -> None:
    """Which a file alone can tell."""
    sql = GOOD.replace("input.size_m2 AS DOUBLE", "input.size_sqm AS DOUBLE")
    result = features.check(checkout(tmp_path / "made", sql), dataset)
    assert result.findings == ()
    assert result.notes[0].endswith("reads size_sqm, which is not declared: it is taken from the file, as text")
    (found,) = features.check(checkout(tmp_path / "without", sql, flats(100)), dataset).findings
    assert "size_sqm" in str(found)
    remark = GOOD.replace("    FROM input", "    FROM input\n    WHERE input.remark IS NULL")
    assert remark != GOOD
    result = features.check(checkout(tmp_path / "with", remark, [[*row, ""] for row in flats(300)]), dataset)
    assert result.findings == ()


def test_what_only_fails_on_made_rows_is_a_note(tmp_path: Path, dataset: Dataset) -> None:
    """Any text is a string, so that only the SQL knows what else must be in one."""
    sql = GOOD.replace("TRY_CAST(input.rooms AS DOUBLE)", "CAST(SUBSTR(input.flat, 2) AS DOUBLE)")
    result = features.check(checkout(tmp_path / "made", sql), dataset)
    assert result.findings == ()
    assert "TRY_CAST" in result.notes[0]
    rows = flats(100)
    rows[7][list(COLUMNS).index("flat")] = "Fn/a"
    (found,) = features.check(checkout(tmp_path / "sample", sql, rows), dataset).findings
    assert "Could not convert string 'n/a'" in str(found)


def test_a_cell_that_cannot_be_read_fails_no_cast(tmp_path: Path, dataset: Dataset) -> None:
    """It is NULL already, as in the features job."""
    sql = GOOD.replace("TRY_CAST(input.rooms AS DOUBLE)", "CAST(input.rooms AS DOUBLE)")
    result = features.check(checkout(tmp_path / "made", sql), dataset)
    assert (result.findings, result.notes) == ((), ())
    rows = flats(100)
    rows[7][list(COLUMNS).index("rooms")] = "n/a"
    assert features.check(checkout(tmp_path / "sample", sql, rows), dataset).findings == ()


def test_a_sample_must_fit_the_declaration_and_reach_every_part(tmp_path: Path, dataset: Dataset) -> None:
    rows = [[*row[:2], "big", *row[3:]] for row in flats(50)]
    (found,) = features.check(checkout(tmp_path / "bad", rows=rows), dataset).findings
    assert "all 50 rows of" in str(found)
    assert "size_m2 is not a number like 1012.40" in str(found)
    rows = [[*row[:6], "50", row[7]] for row in flats(50)]
    (constant,) = features.check(checkout(tmp_path / "constant", rows=rows), dataset).findings
    assert ", the target, is 50.0 in all 50 rows" in str(constant)
    rows[0][6] = "51"
    found_parts = features.check(checkout(tmp_path / "filtered", rows=rows), dataset).findings
    assert [str(each).rpartition(" ")[2] for each in found_parts] == ["train", "validation", "test"]
