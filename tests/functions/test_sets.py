"""Many files as one dataset version: which object versions it is, and how they are read together."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from contracts.dataset import Dataset, parse_dataset
from contracts.datasets import MOST_FILES, PART, QUIET, RUN, UNKNOWN, folder_columns, folder_of, role
from functions.validate.handler import validate
from functions.validate.members import members
from functions.validate.resolve import DataError, Source
from operate.dataset import look
from tests.functions import samples
from tests.functions.reading import SECRET, document
from tests.functions.test_parquet import GOOD, OTHER, write

HEADER = "pickup,dropoff,passengers,distance,total"
ROW = "2019-03-23 20:21:09,2019-03-23 20:27:24,1,1.6,12.95"
LINES = f"{HEADER}\n{ROW}\n{ROW.replace('12.95', '8.5')}\n".encode()
ENVIRONMENT = {"DATA_BUCKET": "data-bucket", "ARTIFACTS_BUCKET": "artifacts", "DATASET_URI": samples.DATASET_URI}
NOW = datetime(2026, 11, 21, 3, 45, tzinfo=UTC)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("datasets/a.csv", RUN), ("datasets/A.CSV.gz", RUN), ("datasets/a.snappy.parquet", RUN),
        ("datasets/trips/a.csv", PART), ("datasets/trips/year=2019/part-0.parquet", PART),
        ("datasets/trips/_SUCCESS", RUN), ("datasets/trips/2019/_SUCCESS", RUN), ("datasets/a.manifest.json", RUN),
        ("datasets/trips/a.manifest.json", RUN), ("datasets/_SUCCESS", QUIET), ("datasets/", QUIET),
        ("datasets/trips/", QUIET), ("datasets/trips_$folder$", QUIET), ("datasets/trips/_temporary/0/a.csv", QUIET),
        ("datasets/trips/.a.csv.crc", QUIET), ("datasets/_tmp/_SUCCESS", QUIET), ("datasets/trips/_started", QUIET),
        ("datasets/a.xlsx", UNKNOWN), ("datasets/a.csv.zip", UNKNOWN), ("datasets/a.json", UNKNOWN),
        ("datasets/trips/readme.txt", UNKNOWN), ("datasets/_year=1/a.csv", PART),
    ],
)  # fmt: skip
def test_what_becomes_of_an_object(key: str, expected: str) -> None:
    assert role(key, "datasets/") == expected


def test_folders_have_values() -> None:
    assert folder_columns(["y=1/z=a%20b/f.csv", "y=__HIVE_DEFAULT_PARTITION__/z=c/f.csv"]) == {
        "y": ("1", ""), "z": ("a b", "c"),
    }  # fmt: skip
    assert folder_of("datasets/trips/2019/y=1/z=2/f.csv", "datasets/") == "datasets/trips/2019/"
    with pytest.raises(ValueError, match=r"stands in folders of no columns, and y=1/f.csv in folders of y"):
        folder_columns(["y=1/f.csv", "f.csv"])
    with pytest.raises(ValueError, match="two folders of the same column"):
        folder_columns(["y=1/y=2/f.csv"])


# Which versions ------------------------------------------------------------------------------------------------------


def put(s3: Any, key: str, content: bytes = LINES) -> str:
    version: str = s3.put_object(Bucket="data-bucket", Key=key, Body=content)["VersionId"]
    return version


def run(s3: Any, key: str, version: str = "latest") -> dict[str, Any]:
    asked = {"run": "run-1", "reason": "data", "commit": "4f2a", "code": "s3://artifacts/code/4f2a",
             "data": {"key": key, "version": version}}  # fmt: skip
    validate(s3, {"input": asked}, ENVIRONMENT, NOW)
    body = s3.get_object(Bucket="artifacts", Key="runs/run-1/input/plan.json")["Body"]
    found: dict[str, Any] = json.loads(body.read())
    return found


def test_a_marker_stands_for_the_files_of_its_folder(s3: Any) -> None:
    put(s3, "datasets/trips/b.csv.gz", gzip.compress(LINES))
    put(s3, "datasets/trips/a.csv")
    put(s3, "datasets/trips/c.csv", b"")
    put(s3, "datasets/trips/_temporary/x.csv")
    put(s3, "datasets/trips/", b"")
    put(s3, "datasets/other.csv")
    put(s3, "datasets/trips/_SUCCESS", b"")
    plan = run(s3, "latest")
    assert plan["files"] == [
        {"uri": "s3://artifacts/runs/run-1/input/part-00000.csv", "source": "s3://data-bucket/datasets/trips/a.csv"},
        {"uri": "s3://artifacts/runs/run-1/input/part-00001.csv.gz",
         "source": "s3://data-bucket/datasets/trips/b.csv.gz"},
    ]  # fmt: skip
    assert plan["empty"] == 1
    assert s3.get_object(Bucket="artifacts", Key="runs/run-1/input/part-00000.csv")["Body"].read() == LINES


class Versions:
    """What S3 lists of versions."""

    def __init__(self, versions: list[tuple[str, str, int, bool]], deleted: list[tuple[str, int, bool]]) -> None:
        self.page = {
            "Versions": [
                {"Key": key, "VersionId": version, "Size": 9, "LastModified": at(second), "IsLatest": latest}
                for key, version, second, latest in versions
            ],
            "DeleteMarkers": [
                {"Key": key, "VersionId": "d", "LastModified": at(second), "IsLatest": latest}
                for key, second, latest in deleted
            ],
        }

    def get_paginator(self, _: str) -> Versions:
        return self

    def paginate(self, **_: str) -> list[dict[str, Any]]:
        return [self.page, {}]


def at(second: int) -> datetime:
    return NOW + timedelta(seconds=second)


def test_a_set_is_what_was_there_when_it_was_complete() -> None:
    listed = Versions(
        [
            ("datasets/t/again.csv", "3", 9, True), ("datasets/t/again.csv", "2", 4, False),
            ("datasets/t/again.csv", "1", 1, False), ("datasets/t/back.csv", "1", 3, True),
            ("datasets/t/gone.csv", "1", 1, False), ("datasets/t/gone-later.csv", "1", 1, False),
            ("datasets/t/later.csv", "1", 6, True), ("datasets/t/same.csv", "1", 5, True),
            ("datasets/t/gone-now.csv", "1", 4, False), ("datasets/t/_SUCCESS", "1", 5, True),
        ],
        [("datasets/t/gone.csv", 2, True), ("datasets/t/back.csv", 2, False), ("datasets/t/gone-later.csv", 7, True),
         ("datasets/t/gone-now.csv", 4, True)],
    )  # fmt: skip
    marker = Source("data-bucket", "datasets/t/_SUCCESS", "1", 0, at(5))
    found = members(listed, marker, "datasets/")
    assert [(it.key.rpartition("/")[2], it.version) for it in found.files] == [
        ("again.csv", "2"), ("back.csv", "1"), ("gone-later.csv", "1"), ("same.csv", "1"),
    ]  # fmt: skip


def test_a_set_of_too_many_files_is_refused() -> None:
    listed = Versions([(f"datasets/t/{number}.csv", "1", 1, True) for number in range(MOST_FILES + 1)], [])
    with pytest.raises(DataError, match="a set of 1001 files, more than the 1000"):
        members(listed, Source("b", "datasets/t/_SUCCESS", "1", 0, at(5)), "datasets/")


def test_a_manifest_lists_versions(s3: Any) -> None:
    first = put(s3, "datasets/trips/a.csv")
    put(s3, "datasets/trips/a.csv", b"newer")
    second = put(s3, "datasets/b.csv")
    listed = [{"key": "datasets/trips/a.csv", "version": first, "size": len(LINES)}, "datasets/b.csv"]
    put(s3, "datasets/march.manifest.json", json.dumps({"files": listed}).encode())
    assert [each["source"] for each in run(s3, "latest")["files"]] == [
        "s3://data-bucket/datasets/trips/a.csv", "s3://data-bucket/datasets/b.csv",
    ]  # fmt: skip
    assert second


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[]", "manifest: must be an object"),
        ('{"files": ["datasets/none.csv"]}', "datasets/none.csv, which was not there when the manifest was written"),
        ('{"files": ["secrets/a.csv"]}', "is not below 'datasets/'"),
        ('{"files": ["datasets/a.xlsx"]}', "which is none of .csv"),
        ('{"files": ["datasets/a.csv", "datasets/a.csv"]}', "lists a file twice"),
        ('{"files": [{"key": "datasets/a.csv", "size": 3}]}', r"with 3 bytes, and it has \d+: upload it anew"),
        ('{"files": [{"key": "datasets/a.csv", "version": "x"}]}', "has no version 'x'"),
        ('{"files": []}', "completes a set that has no data"),
    ],
)
def test_a_manifest_that_cannot_be_followed(s3: Any, text: str, words: str) -> None:
    put(s3, "datasets/a.csv")
    put(s3, "datasets/a.manifest.json", text.encode())
    with pytest.raises(DataError, match=words):
        run(s3, "datasets/a.manifest.json")


SETS: dict[str, tuple[dict[str, bytes], str]] = {
    "no data": ({"a.csv": b""}, "completes a set that has no data: write its files before it"),
    "an unknown kind": ({"a.csv": LINES, "b.xlsx": b"PK"}, "b.xlsx is in a set and of no kind that is read"),
    "two kinds": ({"a.csv": LINES, "b.parquet": b"PAR1"}, "b.parquet is Parquet and .*a.csv is CSV: files of one set"),
    "another header": ({"a.csv": LINES, "b.csv": LINES.replace(b"total", b"total,more")},
                       r"b.csv has another header than .*a.csv: pickup"),
    "another order": ({"a.csv": LINES, "b.csv": LINES.replace(b"pickup,dropoff", b"dropoff,pickup")},
                      "have the same columns in the same order"),
    "another separator": ({"a.csv": LINES, "b.csv": LINES.replace(b",", b";")},
                          "b.csv has semicolon between cells, and .*a.csv has comma"),
    "a separator behind each row": ({"a.csv": LINES, "b.csv": LINES.replace(b"5\n", b"5,\n")},
                                    "one has a separator behind each row"),
    "other folders": ({"year=1/a.csv": LINES, "b.csv": LINES}, r"year=1/a.csv stands in folders of year, and b.csv"),
    "no header": ({"a.csv": LINES, "b.csv": LINES.partition(b"\n")[2]}, "put a header above it"),
}  # fmt: skip


@pytest.mark.parametrize(("files", "words"), SETS.values(), ids=SETS)
def test_a_set_that_cannot_be_read_is_refused_with_the_file(s3: Any, files: dict[str, bytes], words: str) -> None:
    for name, content in files.items():
        put(s3, f"datasets/trips/{name}", content)
    put(s3, "datasets/trips/_SUCCESS", b"")
    with pytest.raises(DataError, match=words):
        run(s3, "datasets/trips/_SUCCESS")


# How they are read together ------------------------------------------------------------------------------------------


def test_files_that_are_written_a_little_otherwise_are_read_as_one(tmp_path: Path) -> None:
    quoted = ",".join(f'"{name}"' for name in HEADER.split(",")).encode()
    (tmp_path / "a.csv").write_bytes(LINES)
    (tmp_path / "b.csv").write_bytes(b"\xef\xbb\xbf" + LINES.replace(HEADER.encode(), quoted).replace(b"\n", b"\r\n"))
    (tmp_path / "c.csv.gz").write_bytes(gzip.compress(LINES + b"a,b\n"))
    (tmp_path / "d.csv").write_bytes(HEADER.encode())
    with look(tmp_path, parse_dataset_of(), SECRET) as looked:
        assert (looked.rows["read"], looked.rows["rules"]) == (7, {"row.width": 1})
        (example,) = looked.rows["examples"]
        assert looked.session.sql("SELECT COUNT(DISTINCT draw) FROM input").collect() == [(2,)]
    assert (Path(example["file"]).name, example["line"]) == ("c.csv.gz", 4)


def test_a_decimal_comma_of_one_file_is_that_of_all(tmp_path: Path) -> None:
    content = LINES.replace(b",", b";")
    (tmp_path / "a.csv").write_bytes(content.replace(b"1.6", b"1").replace(b"12.95", b"12").replace(b"8.5", b"8"))
    (tmp_path / "b.csv").write_bytes(content.replace(b".", b","))
    with look(tmp_path, parse_dataset_of(), SECRET) as looked:
        assert looked.rows["quarantined"] == 0
        totals = looked.session.sql("SELECT total FROM input ORDER BY total").collect()
    assert totals == [(8.0,), (8.5,), (12.0,), (12.95,)]


def test_columns_in_folders_are_declared_or_there_as_texts(tmp_path: Path) -> None:
    for year, zone in (("2019", "west"), ("x", "north%20east")):
        (tmp_path / f"year={year}/zone={zone}").mkdir(parents=True)
        (tmp_path / f"year={year}/zone={zone}/a.csv").write_bytes(LINES)
    columns = {"year": "integer"}
    with look(tmp_path, parse_dataset_of(columns=columns), SECRET, "SELECT input.zone") as looked:
        assert looked.rows["rules"] == {"year.type": 2}
        assert looked.rows["examples"][0]["cell"] == "x"
        assert looked.session.sql("SELECT DISTINCT year, zone FROM input").collect() == [(2019, "west")]


def test_a_column_that_the_files_have_too_is_theirs(tmp_path: Path) -> None:
    for total in ("1", "2"):
        (tmp_path / f"total={total}").mkdir()
        (tmp_path / f"total={total}/a.csv").write_bytes(LINES)
        (tmp_path / f"total={total}/b.csv").write_bytes(LINES)
    with look(tmp_path, parse_dataset_of(), SECRET) as looked:
        assert looked.session.sql("SELECT DISTINCT total FROM input ORDER BY total").collect() == [(8.5,), (12.95,)]


def test_parquet_of_several_files(tmp_path: Path) -> None:
    files = [write(tmp_path / f"{name}.parquet", GOOD, OTHER) for name in "ab"]
    with look(files, parse_dataset_of(), SECRET) as looked:
        assert looked.rows["read"] == 4
        assert [Path(name).name for name in looked.rows["files"]] == ["a.parquet", "b.parquet"]


def parse_dataset_of(**changes: Any) -> Dataset:
    return parse_dataset(document(**changes))
