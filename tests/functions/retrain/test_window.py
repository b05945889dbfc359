"""What a window is made of: packed files, and kinds that are not joined."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.retrain.window import WindowError, join, newest, place_of, recent

ROWS = b"a,b\n1,2\n"


def put(s3: Any, key: str, content: bytes) -> None:
    s3.put_object(Bucket="data-bucket", Key=key, Body=content)


def joined(s3: Any) -> bytes:
    parts = recent(s3, "data-bucket", "collected/", 1, datetime.now(UTC) + timedelta(minutes=1))
    key = place_of(parts)[0]
    join(s3, parts, key)
    body: bytes = s3.get_object(Bucket="data-bucket", Key=key)["Body"].read()
    return body


def test_packed_files_are_joined_with_others(s3: Any) -> None:
    many = b"a,b\n" + b"3,4\n" * 1_000_000
    put(s3, "collected/1.csv", ROWS)
    put(s3, "collected/2.csv.gz", gzip.compress(ROWS, mtime=0) + gzip.compress(b"5,6\n"))
    put(s3, "collected/3.csv.GZ", gzip.compress(many, mtime=0))
    assert sorted(joined(s3).split()) == sorted(ROWS.split() + [b"1,2", b"5,6"] + [b"3,4"] * 1_000_000)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("2.csv.gz", gzip.compress(ROWS * 99, mtime=0)[:-9], "2.csv.gz is cut off: pack it anew"),
        ("2.csv.gz", ROWS, "2.csv.gz is not packed by gzip, as its name says"),
        ("2.parquet", b"PAR1", "2.parquet is Parquet, and files of a window are joined as CSV"),
    ],
)
def test_what_cannot_be_joined_says_why(s3: Any, name: str, content: bytes, words: str) -> None:
    put(s3, "collected/1.csv", ROWS)
    put(s3, f"collected/{name}", content)
    with pytest.raises(WindowError, match=words):
        joined(s3)


@pytest.mark.parametrize("name", ["a.csv.gz", "a.parquet", "2026/a.csv"])
def test_the_newest_may_be_of_any_kind_that_is_read(s3: Any, name: str) -> None:
    put(s3, f"collected/{name}", b"x")
    put(s3, "collected/a.xlsx", b"x")
    assert [part.key for part in newest(s3, "data-bucket", "collected/")] == [f"collected/{name}"]


def test_a_part_of_a_set_is_no_window(s3: Any) -> None:
    put(s3, "datasets/trips/a.csv", ROWS)
    with pytest.raises(WindowError, match=r"there is no data \(.csv, .csv.gz, .parquet\) below"):
        newest(s3, "data-bucket", "datasets/")
