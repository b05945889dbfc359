"""One reading of a file: what is used, what is set aside by which rule and line, and what is refused."""

from __future__ import annotations

import gzip
import importlib.util
import json
import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.dataset import Dataset, parse_dataset
from contracts.errors import UserError
from contracts.format import Dialect
from contracts.literal import literal
from contracts.plan import build, reading
from functions.jobs.features import features_job
from functions.validate.head import find_dialect, parse
from operate.dataset import Looked, look
from operate.local_spark import Session
from tests.functions.reading import HEADER, OTHER, ROW, account, as_csv, document, values

TWO = as_csv([ROW, OTHER])
LINE, SECOND = (",".join(row).encode() for row in (ROW, OTHER))
HEAD = ",".join(HEADER).encode()


def lines(*rows: bytes, end: bytes = b"\n", header: bytes = HEAD) -> bytes:
    return end.join([header, *rows]) + end


DAY_FIRST = {"type": "timestamp", "format": "dd.MM.yyyy HH:mm:ss"}
USED: dict[str, tuple[bytes, dict[str, Any]]] = {
    "as Python writes it": (TWO, {}),
    "byte order mark, CRLF, all quoted": (
        b"\xef\xbb\xbf" + lines(*(b'"' + row.replace(b",", b'","') + b'"' for row in (LINE, SECOND)), end=b"\r\n"), {},
    ),
    "byte order mark twice": (b"\xef\xbb\xbf" * 2 + lines(LINE, SECOND), {}),
    "CR alone": (lines(LINE, SECOND, end=b"\r"), {}),
    "mixed line ends": (HEAD + b"\r\n" + LINE + b"\n" + SECOND + b"\r", {}),
    "no line end at the end": (lines(LINE, SECOND).rstrip(b"\n"), {}),
    "blank lines": (lines(b"", LINE, b"", b"", SECOND, b""), {}),
    "semicolon": (lines(LINE, SECOND).replace(b",", b";"), {}),
    "tab": (lines(LINE, SECOND).replace(b",", b"\t"), {}),
    "bar": (lines(LINE, SECOND).replace(b",", b"|"), {}),
    "a line that says the separator": (b"sep=;\r\n" + lines(LINE, SECOND).replace(b",", b";"), {}),
    "decimal comma": (lines(LINE, SECOND).replace(b",", b";").replace(b".", b","), {}),
    "a comma behind each row": (lines(LINE + b",", SECOND + b","), {}),
    "headers of files put one behind the other": (lines(LINE, HEAD, SECOND), {}),
    "doubled quotes": (
        lines(b'"the 12"" door, left",' + LINE, b'"",' + SECOND, header=b"note," + HEAD), {"columns": {"note": "text"}},
    ),
    "line breaks within quotes": (
        lines(b'"two\nlines, ""x""",' + LINE, b'"two\r\nlines",' + SECOND, header=b"note," + HEAD), {},
    ),
    "a column that nobody declared": (lines(b"x," + LINE, b"y," + SECOND, header=b"note," + HEAD), {}),
    "spaces in the header": (lines(LINE, SECOND, header=HEAD.replace(b",", b" , ")), {}),
    "thousands, declared": (
        lines(LINE.replace(b"12.95", b'"1,012.40"'), SECOND), {"format": {"thousands": ","}},
    ),
    "offsets from UTC": (
        lines(LINE.replace(b"20:21:09", b"20:21:09+02:00"), SECOND.replace(b"20:21:09", b"20:21:09Z")), {},
    ),
    "day first, declared": (
        lines(*(re.sub(rb"(\d{4})-(\d\d)-(\d\d)", rb"\3.\2.\1", row) for row in (LINE, SECOND))),
        {"columns": dict.fromkeys(("pickup", "dropoff"), DAY_FIRST)},
    ),
    "passengers missing, declared": (
        lines(LINE.replace(b",1,", b",NA,"), SECOND.replace(b",1,", b",,")),
        {"columns": {"passengers": {"type": "integer", "nullable": True}}},
    ),
    "names that SQL could not have": (
        lines(LINE, SECOND, header=b'pickup,"drop off",passengers,Distance [km],order'),
        {"columns": {"drop off": "timestamp", "Distance [km]": {"type": "number", "as": "distance"},
                     "order": {"type": "number", "as": "total"}},
         "without": ("dropoff", "distance", "total")},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("content", "changes"), USED.values(), ids=USED)
def test_what_people_have_is_used(tmp_path: Path, content: bytes, changes: dict[str, Any]) -> None:
    found = account(tmp_path, content, **changes)
    assert (found["read"], found["quarantined"], found["filtered"]) == (2, 0, 2)
    assert not found["problem"]


ASIDE: dict[str, tuple[bytes, str]] = {
    "too few values": (b"a,b", "row.width"),
    "too many values": (LINE + b",7", "row.width"),
    "a torn line": (LINE[:30], "row.width"),
    "a quote never closed": (b'"' + LINE, "row.quotes"),
    "a quote within a cell": (LINE.replace(b"1.6", b'1"6'), "row.quotes"),
    "text behind a quote": (LINE.replace(b"1.6", b'"1.6"x'), "row.quotes"),
    "bytes of another encoding": (LINE.replace(b"1.6", b"1.6\xe9"), "row.characters"),
    "NUL": (LINE.replace(b"1.6", b"1.6\0"), "row.characters"),
    "an empty cell": (LINE.replace(b"12.95", b""), "total.null"),
    "an empty cell in quotes": (LINE.replace(b"12.95", b'""'), "total.null"),
    "NA": (LINE.replace(b"12.95", b"NA"), "total.null"),
    "None": (LINE.replace(b"12.95", b" None "), "total.null"),
    "nan": (LINE.replace(b"12.95", b"nan"), "total.null"),
    "a thousands separator": (LINE.replace(b"12.95", b'"1,012.40"'), "total.separators"),
    "a decimal comma": (LINE.replace(b"12.95", b'"12,9"'), "total.decimal"),
    "money": (LINE.replace(b"12.95", b"$12.95"), "total.type"),
    "digits of another script": (LINE.replace(b"12.95", "１２".encode()), "total.type"),
    "a suffix of Java": (LINE.replace(b"12.95", b"12d"), "total.type"),
    "an underscore of Python": (LINE.replace(b"12.95", b"1_2"), "total.type"),
    "infinity": (LINE.replace(b"12.95", b"inf"), "total.type"),
    "beyond float32": (LINE.replace(b"12.95", b"1e39"), "total.large"),
    "half a passenger": (LINE.replace(b",1,", b",1.5,"), "passengers.decimal"),
    "beyond 64 bits": (LINE.replace(b",1,", b",9223372036854775808,"), "passengers.large"),
    "a day that does not exist": (LINE.replace(b"2019-03-23 20:21", b"2019-02-30 20:21"), "pickup.type"),
    "an hour that does not exist": (LINE.replace(b"20:21:09", b"24:00:00"), "pickup.type"),
    "a compact time": (LINE.replace(b"2019-03-23 20:21:09", b"20190323T202109"), "pickup.type"),
    "the name of a zone": (LINE.replace(b"20:21:09", b"20:21:09 Europe/Berlin"), "pickup.type"),
    "a total line": (b",,,,21.45", "pickup.null"),
}


@pytest.mark.parametrize(("row", "rule"), ASIDE.values(), ids=ASIDE)
def test_a_row_that_breaks_a_rule_is_set_aside_with_its_line(tmp_path: Path, row: bytes, rule: str) -> None:
    found = account(tmp_path, lines(LINE, b"", row, SECOND))
    assert (found["read"], found["filtered"], found["quarantined"], found["rules"]) == (3, 2, 1, {rule: 1})
    (example,) = found["examples"]
    assert (example["line"], example["rule"]) == (4, rule)
    assert example["file"].endswith("data.csv")
    assert not found["problem"]


DECLARED: list[tuple[dict[str, Any], dict[str, Any], bytes, str]] = [
    ({"total": {"type": "number", "min": 0}}, {}, LINE.replace(b"12.95", b"-1"), "total.min"),
    ({"total": {"type": "number", "max": 100}}, {}, LINE.replace(b"12.95", b"100.01"), "total.max"),
    ({"pickup": {"type": "timestamp", "max": "now"}}, {}, LINE.replace(b"2019-03-23 20:21", b"2999-01-01 00:00"),
     "pickup.max"),
    ({"pickup": {"type": "timestamp", "min": "2019-01-01"}}, {}, LINE.replace(b"2019-03-23 20:21", b"2018-12-31 23:59"),
     "pickup.min"),
    ({"passengers": {"type": "integer", "allowed": [1, 2]}}, {}, LINE.replace(b",1,", b",3,"), "passengers.allowed"),
    ({"passengers": {"type": "category", "allowed": ["1", "it's"]}}, {}, LINE.replace(b",1,", b",its,"),
     "passengers.allowed"),
    ({"passengers": {"type": "text", "pattern": "[0-9]"}}, {}, LINE.replace(b",1,", b",12,"), "passengers.pattern"),
    ({"passengers": {"type": "boolean"}}, {}, LINE.replace(b",1,", b",maybe,"), "passengers.type"),
    ({"pickup": {"type": "timestamp", "zone": "Europe/Berlin"}}, {}, LINE.replace(b"-23 20:21", b"-31 02:30"),
     "pickup.skipped"),
    ({}, {"rules": [{"name": "forwards", "sql": "dropoff > pickup"}]}, LINE.replace(b"20:27:24", b"20:00:00"),
     "rule.forwards"),
]  # fmt: skip


@pytest.mark.parametrize(("columns", "others", "row", "rule"), DECLARED, ids=[rule for *_, rule in DECLARED])
def test_what_is_declared_is_kept(
    tmp_path: Path, columns: dict[str, Any], others: dict[str, Any], row: bytes, rule: str
) -> None:
    found = account(tmp_path, lines(LINE, row, SECOND), columns=columns, **others)
    assert found["rules"] == {rule: 1}
    assert account(tmp_path, lines(LINE, SECOND), columns=columns, **others)["quarantined"] == 0


def test_a_value_may_stand_once_where_it_must_be_unique(tmp_path: Path) -> None:
    found = account(tmp_path, lines(LINE, SECOND, LINE, b"bad"), columns={"total": {"type": "number", "unique": True}})
    assert found["rules"] == {"row.width": 1, "total.unique": 1}
    assert [(each["line"], each["cell"]) for each in found["examples"]] == [(4, "12.95"), (5, "bad")]


def test_a_rule_that_cannot_be_told_is_not_broken(tmp_path: Path) -> None:
    rules = [{"name": "few", "sql": "passengers < 5"}]
    columns = {"passengers": {"type": "integer", "nullable": True}}
    found = account(tmp_path, lines(LINE.replace(b",1,", b",,"), SECOND), rules=rules, columns=columns)
    assert found["quarantined"] == 0


@pytest.mark.parametrize(
    ("content", "changes", "words"),
    [
        (lines(), {}, "has a header but no rows"),
        (lines(b"a", b"b"), {}, "all 2 rows of .* break a rule: 2 × does not have 5 values, as the header"),
        (lines(LINE, SECOND, b"x"), {"maxBadShare": 0.1}, r"1 of 3 rows .* more than the allowed 10.0% \(data"),
        (lines(LINE, LINE), {}, "total, the target, is 12.95 in all 2 rows that keep every rule"),
        (lines(LINE, SECOND.replace(b",1,", b",,")),
         {"columns": {"passengers": {"type": "integer", "maxNullShare": 0.2}}},
         r"passengers is empty in 1 of 2 rows, more than the allowed 20.0% \(maxNullShare\)"),
    ],
)  # fmt: skip
def test_a_run_stops(tmp_path: Path, content: bytes, changes: dict[str, Any], words: str) -> None:
    assert re.search(words, account(tmp_path, content, **changes)["problem"])


REFUSED: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "is empty: it needs a header with pickup, dropoff, passengers, distance, total"),
    "blank lines alone": (b"\n\n", "is empty: it needs a header"),
    "another column": (lines(LINE, header=HEAD.replace(b",total", b",sum")), r"lacks the column total \(total is the"),
    "no header": (lines(SECOND, header=LINE), "The first line looks like data: put a header above it"),
    "capitals": (lines(LINE, header=HEAD.upper()), "It has 'PICKUP' for pickup, .*: write names as they are declared"),
    "a line break in the header": (lines(LINE, header=b'"a\nb",' + HEAD), "has a line break within its header"),
    "a column twice": (lines(LINE + b",1", header=HEAD + b",total"), r"has the column total more than once \(total, t"),
    "a column twice, in other capitals": (lines(LINE, header=HEAD + b",Total"), r"more than once \(total, Total\)"),
    "UTF-16": (TWO.decode().encode("utf-16"), r"is not UTF-8 text \(UTF-16\)"),
    "UTF-16 without a mark": (TWO.decode().encode("utf-16-le"), "is not UTF-8 text .*as in UTF-16"),
    "another encoding": (lines(*[LINE.replace(b"1.6", b"\xe9")] * 3), "3 of its first 3 rows have other bytes"),
    "gzip": (gzip.compress(TWO), "is packed by gzip: give it a name that ends in .csv.gz"),
    "Parquet": (b"PAR1....", "is Parquet: give it a name that ends in .parquet"),
    "a workbook": (b"PK\x03\x04....", "is a workbook or an archive: save the sheet as CSV"),
    "one line without end": (b"x" * (1 << 21), "has a line of more than a million characters"),
    "a comma that may be either": (
        lines(LINE, SECOND).replace(b",", b";").replace(b"12.95", b"1,295").replace(b"1.6", b"1").replace(b"8.5", b"8"),
        "declare dataset.format.decimal or dataset.format.thousands",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("content", "words"), REFUSED.values(), ids=REFUSED)
def test_a_file_is_refused_before_any_row_is_read(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(UserError, match=words):
        account(tmp_path, content)


def test_a_packed_file_is_read(tmp_path: Path) -> None:
    assert account(tmp_path, gzip.compress(TWO), "data.csv.gz")["filtered"] == 2
    assert account(tmp_path, gzip.compress(TWO), "data.csv.GZ")["filtered"] == 2
    with pytest.raises(UserError, match="is not packed by gzip, as its name says"):
        account(tmp_path, TWO, "data.csv.gz")
    packed = gzip.compress(lines(*[LINE, SECOND] * 500))
    for damaged in (packed[:-20], packed + b"trailing"):
        with pytest.raises(UserError, match="is cut off or damaged"):
            account(tmp_path, damaged, "data.csv.gz")


def test_what_nobody_declared_is_there_as_text_for_sql_that_reads_it(tmp_path: Path) -> None:
    header = b'"Note, of ""it""",Zone,x,X,' + HEAD
    rows = [b'"a ""b"", c",,1,2,' + LINE, b"d,west,1,2," + SECOND]
    file = tmp_path / "data.csv"
    file.write_bytes(lines(*rows, header=header))
    dataset = parse_dataset(document())
    sql = "SELECT input.note_of_it, input.zone, total FROM input"
    with look(file, dataset, "s", sql) as looked:
        assert looked.session.sql(sql).collect() == [('a "b", c', None, 12.95), ("d", "west", 8.5)]
        (columns,) = [looked.session.sql("DESCRIBE input").collect()]
    assert [name for name, *_ in columns] == [*HEADER, "note_of_it", "Zone", "draw"]
    with look(file, dataset, "s", "SELECT x FROM input") as looked:  # capitals make no other column: it is nobody's
        assert [name for name, *_ in looked.session.sql("DESCRIBE input").collect()] == [*HEADER, "draw"]


def test_what_stands_for_nothing_by_config_is_nothing_though_it_could_be_a_value(tmp_path: Path) -> None:
    columns = {"passengers": {"type": "integer", "nullable": True}}
    content = lines(LINE.replace(b",1,", b",-999,"), SECOND, LINE.replace(b"12.95", b"-999"))
    with look_at(tmp_path, content, columns=columns, format={"nulls": ["-999"]}) as looked:
        assert looked.rows["rules"] == {"total.null": 1}
        assert looked.session.sql("SELECT passengers FROM input").collect() == [(None,), (1,)]


NOTED: dict[str, Any] = {"columns": {"note": "text"}}
TALE = [b'"two\nlines",' + LINE, b'"three\n\nlines",' + SECOND] * 5


def test_a_quote_that_stays_open_swallows_no_rows(tmp_path: Path) -> None:
    """Lines that belong to no row that is whole are each counted, and set aside."""
    content = lines(*TALE, b"x," + LINE, b'"open,' + LINE, *[b"y," + SECOND] * 50, header=b"note," + HEAD)
    found = account(tmp_path, content, **NOTED, format={"lineBreaks": True}, maxBadShare=0.01)
    assert (found["read"], found["filtered"], found["rules"]) == (62, 11, {"row.quotes": 51})
    assert "51 of 62 rows" in found["problem"]
    assert [each["line"] for each in found["examples"][:2]] == [28, 29]


def test_a_quote_that_stays_open_before_rows_of_several_lines_costs_them_all(tmp_path: Path) -> None:
    content = lines(*TALE, b'"open,' + LINE, b"y," + SECOND, *TALE, header=b"note," + HEAD)
    found = account(tmp_path, content, **NOTED, format={"lineBreaks": True})
    assert found["filtered"] == 10
    assert found["read"] == 10 + 2 + 20  # lines that are empty are none
    assert found["rules"] == {"row.quotes": 22}


def test_what_may_be_the_middle_of_a_cell_is_no_row(tmp_path: Path) -> None:
    """Line breaks that were not found in the head: what lies between two open quotes is set aside, and not used."""
    odd = b'12" wide,' + LINE
    torn = [b'"begins', b"middle," + SECOND, b'ends",' + LINE]
    content = lines(odd, *[b"x," + LINE, b"y," + SECOND] * 10, *torn, b"z," + LINE, header=b"note," + HEAD)
    found = account(tmp_path, content, **NOTED)
    assert "line breaks" not in found["dialect"]
    assert found["filtered"] == 1  # z
    assert found["rules"] == {"row.quotes": 24}
    alone = lines(*[b"x," + LINE, b"y," + SECOND] * 10, odd, b"z," + LINE, header=b"note," + HEAD)
    assert account(tmp_path, alone, **NOTED)["rules"] == {"row.quotes": 1}


def test_long_cells_and_many_columns_are_read(tmp_path: Path) -> None:
    """Java's patterns take a frame of the stack for each turn of a group: none turns as often as a text is long."""
    long = b'"' + b"x" * 100_000 + b'""",'
    wide = b"".join(b'"a %d",' % number for number in range(2000))
    header = b"note," + b"".join(b"c%d," % number for number in range(2000)) + HEAD
    found = account(tmp_path, lines(long + wide + LINE, b"y," + wide + SECOND, header=header), **NOTED)
    assert (found["filtered"], found["rules"]) == (2, {})
    many = b'"' + b'""' * 600 + b'",' + LINE
    assert account(tmp_path, lines(many, b"y," + SECOND, header=b"note," + HEAD), **NOTED)["rules"] == {"row.quotes": 1}


def test_an_uploaded_column_takes_no_name_that_the_sql_gives_itself(tmp_path: Path) -> None:
    sql = "SELECT SUBSTR(draw, 1, 4) AS bucket, bucket < '8' AS half FROM input -- input has no bucket, x.bucket"
    header, rows = b"bucket," + HEAD, [b"0," + LINE, b"9," + SECOND]
    with look_at(tmp_path, lines(*rows, header=header), sql=sql) as looked:
        assert [name for name, *_ in looked.session.sql("DESCRIBE input").collect()] == [*HEADER, "draw"]
    with look_at(tmp_path, lines(*rows, header=header), sql="SELECT input.bucket FROM input") as looked:
        assert looked.session.sql("SELECT input.bucket FROM input").collect() == [("0",), ("9",)]


def test_a_column_may_be_called_as_the_secret_is(tmp_path: Path) -> None:
    content = lines(LINE + b",a", SECOND + b",b", header=HEAD + b",secret")
    assert account(tmp_path, content, columns={"secret": "text"})["filtered"] == 2


@contextmanager
def look_at(folder: Path, content: bytes, sql: str = "", **changes: Any) -> Iterator[Looked]:
    file = folder / "data.csv"
    file.write_bytes(content)
    with look(file, parse_dataset(document(**changes)), "5ec4e7", sql) as looked:
        yield looked


@pytest.mark.parametrize(
    ("cells", "form", "found"),
    [
        ((b"1,295", b"0,500"), {"thousands": ","}, [1295.0, 500.0]),
        ((b"1.295,5", b"2,5"), {"thousands": "."}, [1295.5, 2.5]),
        ((b"1'295,50", b"2,5"), {"thousands": "'"}, [1295.5, 2.5]),
        ((b"0,25", b"n.v.", b"1,5e2"), {}, [0.25, 150.0]),
        ((b"0,25", b".", b"7"), {}, [0.25, 7.0]),
    ],
)
def test_decimal_signs_are_those_of_numbers(
    tmp_path: Path, cells: tuple[bytes, ...], form: dict[str, str], found: list[float]
) -> None:
    plain = LINE.replace(b",1.6,", b",2,").replace(b",", b";")
    content = lines(*(plain.replace(b"12.95", cell) for cell in cells), header=HEAD.replace(b",", b";"))
    assert values(tmp_path, content, "SELECT total FROM input", format=form) == [(value,) for value in found]


def test_line_breaks_are_found_with_a_separator_behind_each_row(tmp_path: Path) -> None:
    content = lines(*(row + b"," for row in TALE), header=b"note," + HEAD)
    assert account(tmp_path, content, **NOTED)["filtered"] == 10


def test_rows_decide_which_separator_a_header_means(tmp_path: Path) -> None:
    content = lines(LINE + b",a", SECOND + b",b", header=HEAD + b",x;y;z;u;v;w")
    assert account(tmp_path, content)["filtered"] == 2


def test_lines_of_spaces_are_blank(tmp_path: Path) -> None:
    assert account(tmp_path, lines(b"  ", LINE, b" ", SECOND))["read"] == 2


def test_columns_have_their_types(tmp_path: Path) -> None:
    row = LINE.replace(b"2019-03-23 20:21:09", b"2019-03-23T20:21:09+02:00").replace(b",1,", b",1.0,")
    columns = {"dropoff": {"type": "timestamp", "zone": "America/New_York"}}
    (first, _) = values(tmp_path, lines(row, SECOND), "SELECT * EXCLUDE (draw) FROM input", columns=columns)
    assert first == (datetime(2019, 3, 23, 18, 21, 9), datetime(2019, 3, 24, 0, 27, 24), 1, 1.6, 12.95)
    assert type(first[2]) is int


@pytest.mark.parametrize(
    ("local", "utc"),
    [
        ("2019-10-27 01:59:59", "2019-10-26 23:59:59"),
        ("2019-10-27 02:30:00", "2019-10-27 00:30:00"),  # the first of two
        ("2019-10-27 03:00:00", "2019-10-27 02:00:00"),
        ("2019-03-31 01:59:59", "2019-03-31 00:59:59"),
        ("2019-03-31 03:00:00", "2019-03-31 01:00:00"),
    ],
)
def test_local_times_around_a_change_of_clocks(tmp_path: Path, local: str, utc: str) -> None:
    content = lines(LINE.replace(b"2019-03-23 20:21:09", local.encode()), SECOND)
    columns = {"pickup": {"type": "timestamp", "zone": "Europe/Berlin"}}
    found = values(tmp_path, content, "SELECT pickup FROM input WHERE total > 10", columns=columns)
    assert found == [(datetime.fromisoformat(utc),)]


@pytest.mark.parametrize("text", ["", "it's", "a\\b", "$x ${y}", "'", "\\", "tab\there", "ü", '"'])
def test_any_text_is_a_literal(tmp_path: Path, text: str) -> None:
    session = Session(tmp_path)
    assert session.sql(f"SELECT {literal(text)}").collect() == [(text,)]
    assert not re.search(r"\\|\$\{|''.", literal(text))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200))
def test_no_row_is_lost_whatever_the_bytes(tmp_path: Path, more: bytes) -> None:
    """Each line that is not empty and not the header is a row, and is either kept or set aside."""
    content = lines(LINE, SECOND) + more
    try:
        found = account(tmp_path, content, maxBadShare=0.99)
    except UserError:
        return
    text = content.decode("utf-8", "replace")
    rows = [line for line in re.split("\r\n|\r|\n", text) if line and line != HEAD.decode()]
    if "line breaks" not in found["dialect"]:
        assert found["read"] == len(rows)
    assert found["read"] == found["filtered"] + found["quarantined"]
    assert sum(found["rules"].values()) == found["quarantined"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.text("ab,\"; '", max_size=5), min_size=2, max_size=4), min_size=1, max_size=6))
def test_the_head_and_the_plan_take_rows_apart_alike(tmp_path: Path, rows: list[list[str]]) -> None:
    texts = [",".join(row) for row in rows]
    sql = reading(NOTES, dialect(NOTES), datetime(2026, 1, 1, tzinfo=UTC))
    found = run_in_duckdb(texts, sql, tmp_path)
    expected = {place: parse(text, ",") for place, text in enumerate(texts) if text}
    assert len(found) == len(expected)
    for row in found:
        cells, problem = expected[row[-1]], row[3]
        assert (problem == "row.quotes") == (cells is None)
        if cells is not None:
            assert (problem == "row.width") == (len(cells) != 2)
        if not problem:
            assert [row[0], row[1]] == [cell if cell.strip(" ") else None for cell in cells or []]


NOTES = parse_dataset(
    {
        "columns": {"a": "text", "b": "text"},
        "target": "a",
        "features": ["x"],
        "metric": {"name": "rmse", "threshold": 1},
    }
)


def dialect(dataset: Dataset, separator: str = ",", **changes: Any) -> Dialect:
    names = list(dataset.columns)
    usual: dict[str, Any] = {"decimal": ".", "thousands": "", "line_breaks": False, "nulls": ()} | changes
    places = {name: place for place, name in enumerate(names)}
    return Dialect(separator, header="*", skipped=(), places=places, width=len(names), **usual)


def run_in_duckdb(texts: list[str], sql: str, folder: Path) -> list[tuple[Any, ...]]:
    session = Session(folder)
    with session.connection as connection:
        connection.execute("CREATE TABLE lines (__file VARCHAR, __block BIGINT, __place BIGINT, __text VARCHAR)")
        connection.executemany("INSERT INTO lines VALUES ('f', 0, ?, ?)", [list(pair) for pair in enumerate(texts)])
        return session.sql(f"SELECT * FROM ({sql}) ORDER BY __place").collect()


# Real Spark ---------------------------------------------------------------------------------------------------------

needs_spark = pytest.mark.skipif(
    importlib.util.find_spec("pyspark") is None,
    reason="pyspark (400 MB, and Java) is not installed: pip install pyspark==3.5.6",
)
MIXED = parse_dataset(
    {
        "columns": {
            "n": "number",
            "i": {"type": "integer", "nullable": True, "min": -5, "max": 1e12},
            "t": "timestamp",
            "b": {"type": "timestamp", "zone": "Europe/Berlin", "nullable": True},
            "f": {"type": "timestamp", "format": "dd.MM.yyyy HH:mm", "zone": "America/New_York", "nullable": True},
            "o": {"type": "boolean", "nullable": True},
            "c": {"type": "category", "allowed": ["a", "b'c", "x\\y"], "nullable": True},
            "Total Amount": {"type": "text", "pattern": "[^!]*"},
        },
        "target": "n",
        "features": ["x"],
        "metric": {"name": "rmse", "threshold": 1},
        "rules": [{"name": "positive", "sql": "n > -100 OR i IS NULL"}],
    }
)
_NUMBERS = [
    "1", "1.5", "-2e3", "+5", ".5", "5.", "1_0", "1d", "NaN", "NA", "", "inf", "1e39", "3.4028234663852886e38", "007",
    "1,012.40", "1.012,4", "\uff11\uff12", "0x1", "- 1", " 7 ", "1e400", "999999999999999999999", "9223372036854775807",
    "9223372036854775808", "1.0", "1.50", "12\u2028", "\u00a05", "1e-400", "-0", "2147483648.0", "+5.00 ",
]  # fmt: skip
_TIMES = [
    "2019-03-23 20:21:09", "2019-03-31 02:30:00", "2019-10-27 02:30:00", "2019-10-27 01:59:59.999999", "2019-03-23",
    "2019-03-23T20:21:09.5", "2019-02-30", "2019-03-23 20:21", "2019-03-23 20:21:09+02:00", "2019-03-23T20:21:09Z",
    "2019-03-23 20:21-0330", "2019-03-23 20:21:09 +02", "2019-03-23 24:00:00", "0999-01-01", "9999-12-31 23:59:59",
    "20190323T202109", "2019-W12-6", "23.03.2019 20:21", "31.02.2019 20:21", "10.03.2019 02:30", "03.11.2019 01:30",
    "23.03.19 20:21", "2019-03-23 20:21:09,5", "2019-03-23 20:21:09 Europe/Berlin", "", "null", "1900-01-01 00:00:00",
    "1883-11-18 12:00:00", "1893-03-31 23:55:00", "2019-03-23 20:21:60", "1001-01-01",
]  # fmt: skip
_TRUTHS = ["true", "F", "yes", "0", "2", "", "TRUE ", "ja"]
_CATEGORIES = ["a", "b'c", "x\\y", "", "A", " a", "NA", "$x"]
_TEXTS = ["hello", "", "wow!", "ünï", "a;b|c", "tab\there", "nul\x00", "\ufffd", "  ", "$", "-", "line\x85", "\u2029e"]
DIALECTS: list[dict[str, Any]] = [
    {},
    {"separator": ";", "decimal": ",", "thousands": "."},
    {"separator": "|"},
    {"separator": "\t"},
    {"line_breaks": True},
    {"nulls": ("", "n/a", "-", "x\\y")},
]


def made(separator: str, chance: random.Random) -> str:
    """A row of MIXED, with as much dirt as rows can have."""
    rare = chance.random() < 0.6
    cells = [
        chance.choice(_NUMBERS) if rare else "1", chance.choice(_NUMBERS) if not rare else "2",
        chance.choice(_TIMES) if rare else "2019-03-23", chance.choice(_TIMES), chance.choice(_TIMES),
        chance.choice(_TRUTHS), chance.choice(_CATEGORIES), chance.choice(_TEXTS),
    ]  # fmt: skip
    told = [f'"{cell}"' if separator in cell or chance.random() < 0.1 else cell for cell in cells]
    torn = {0: [*told, "9"], 1: told[:-1], 2: [*told[:-1], 'say "hi"'], 3: [*told[:-1], '"open'],
            4: [*told[:-1], '"a""b"'], 5: [*told[:-1], '"a"b"']}  # fmt: skip
    return separator.join(torn.get(chance.randrange(50), told))


@needs_spark
def test_spark_reads_what_duckdb_reads(spark: Any, tmp_path: Path) -> None:
    """Rows of every kind in every dialect: more than 500 tables of a dozen rows each."""
    chance = random.Random(20190301)
    compared = 0
    for changes in DIALECTS:
        told = dialect(MIXED, **changes)
        texts = [made(told.separator, chance) for _ in range(1200)]
        sql = reading(MIXED, told, datetime(2026, 1, 1, tzinfo=UTC))
        rows = [("f", 0, place, text) for place, text in enumerate(texts)]
        columns = "__file string, __block long, __place long, __text string"
        spark.createDataFrame(rows, columns).createOrReplaceTempView("lines")
        ours = [tuple(row) for row in spark.sql(f"SELECT * FROM ({sql}) ORDER BY __place").collect()]
        theirs = run_in_duckdb(texts, sql, tmp_path)
        assert [pair for pair in zip(ours, theirs, strict=True) if pair[0] != pair[1]] == [], changes
        compared += len(ours)
    assert compared > 500 * 12


def job_in_spark(spark: Any, file: Path, dataset: Dataset) -> dict[str, Any]:
    """What the job makes of a file in Spark, which reads it in blocks of 200 bytes."""
    spark.conf.set("spark.sql.files.maxPartitionBytes", 200)
    spark.conf.set("spark.sql.files.openCostInBytes", 1)
    told = find_dialect(file.read_bytes()[: 1 << 20], dataset, str(file))
    plan = build(dataset, told, [{"uri": f"file:{file}", "source": str(file)}], datetime(2026, 1, 1, tzinfo=UTC))
    plan = features_job.with_others(plan, "")
    features_job.read_rows(spark, plan)
    checked = features_job.draw_lots(spark, plan, "5ec4e7")
    rows = features_job.account(spark, plan)
    rows["values"] = sorted(map(tuple, checked.where("__problem IS NULL").select(*plan["columns"], "draw").collect()))
    query = "SELECT line, rule, cell, text FROM quarantine ORDER BY line"
    rows["aside"] = [tuple(row) for row in spark.sql(query).collect()] if rows["quarantined"] else []
    return rows


def in_duckdb(file: Path, changes: dict[str, Any]) -> dict[str, Any]:
    with look(file, parse_dataset(document(**changes)), "5ec4e7") as looked:
        query = "SELECT line, rule, cell, text FROM quarantine ORDER BY line"
        aside = looked.session.sql(query).collect() if looked.rows["quarantined"] else []
        kept = sorted(looked.session.sql("SELECT * FROM input").collect())
        return {**looked.rows, "values": kept, "aside": aside}


@needs_spark
def test_spark_counts_and_numbers_rows_as_duckdb_does(spark: Any, tmp_path: Path) -> None:
    """Every kind of file and of dirt in this module, in files of many blocks."""
    cases: dict[str, tuple[bytes, dict[str, Any]]] = {name: (content, more) for name, (content, more) in USED.items()}
    noted = b"note," + HEAD
    cases["open quote"] = (
        lines(*TALE, b'"open,' + LINE, *[b"y," + SECOND] * 50, header=noted),
        NOTED | {"format": {"lineBreaks": True}},
    )
    torn = [b'"begins', b"middle," + SECOND, b'ends",' + LINE]
    cases["middle"] = lines(b'12" wide,' + LINE, *[b"x," + LINE] * 9, *torn, b"z," + SECOND, header=noted), NOTED
    cases["long"] = lines(b'"' + b"x" * 100_000 + b'""",' + LINE, b"y," + SECOND, header=noted), NOTED
    cases["quotes"] = lines(b'"' + b'""' * 499 + b'",' + LINE, b"y," + SECOND, header=noted), NOTED
    wide = b"".join(b'"a %d",' % number for number in range(3000))
    names = b"".join(b"c%d," % number for number in range(3000))
    cases["wide"] = lines(wide + LINE, wide + SECOND, header=names + HEAD), {}
    cases["nulls"] = lines(LINE.replace(b"12.95", b"-999"), LINE, SECOND), {"format": {"nulls": ["-999"]}}
    cases |= {name: (lines(LINE, b"", row, SECOND, *[LINE] * 30, row, SECOND), {}) for name, (row, _) in ASIDE.items()}
    cases |= {rule: (lines(LINE, row, *[SECOND] * 30, row), {"columns": columns, **others})
              for columns, others, row, rule in DECLARED}  # fmt: skip
    for number, (name, (content, changes)) in enumerate(cases.items()):
        file = tmp_path / f"{number}.csv"
        file.write_bytes(content)
        ours = job_in_spark(spark, file, parse_dataset(document(**changes)))
        theirs = in_duckdb(file, changes)
        for found in (ours, theirs):
            del found["files"]
            for example in found["examples"]:
                del example["file"]
        assert json.dumps(ours, default=str) == json.dumps(theirs, default=str), name
    assert len(cases) > 50
