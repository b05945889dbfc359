"""Validation of the data: which version, what it must hold, and the copy of the run."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.dataset import parse_dataset
from functions.validate.check import check
from functions.validate.handler import validate
from functions.validate.request import RequestError
from functions.validate.resolve import DataError, newest
from tests.functions import samples

DATASET = parse_dataset(samples.DATASET_TEXT)
HEADER = "pickup,dropoff,passengers,distance,total"
ROW = "2019-03-23 20:21:09,2019-03-23 20:27:24,1,1.6,12.95"
OTHER = ROW.replace("12.95", "8.5")
ENVIRONMENT = {"DATA_BUCKET": "data-bucket", "ARTIFACTS_BUCKET": "artifacts", "DATASET_URI": samples.DATASET_URI}


def text(*rows: str, header: str = HEADER) -> bytes:
    return ("\n".join([header, *rows]) + "\n").encode()


def checked(content: bytes, share: float = 0.1, size: int = 7) -> Any:
    chunks = [content[start : start + size] for start in range(0, len(content), size)]
    return check(chunks, DATASET, share, "s3://data-bucket/datasets/a.csv")


def put(s3: Any, key: str, content: bytes) -> str:
    version: str = s3.put_object(Bucket="data-bucket", Key=key, Body=content)["VersionId"]
    return version


def asked(key: str = "latest", version: str = "latest", **changes: Any) -> dict[str, Any]:
    """The workflow's input, as the pipeline gives it."""
    data = {"key": key, "version": version}
    return {
        "run": "run-1",
        "reason": "data",
        "commit": "4f2a",
        "code": "s3://artifacts/code/4f2a",
        "data": data,
        **changes,
    }


def run(s3: Any, key: str = "latest", version: str = "latest", **environment: str) -> dict[str, Any]:
    return validate(s3, {"input": asked(key, version)}, {**ENVIRONMENT, **environment})


def test_copies_the_exact_version(s3: Any) -> None:
    first = put(s3, "datasets/a.csv", text(ROW, OTHER))
    put(s3, "datasets/a.csv", text(ROW, OTHER, OTHER))
    assert run(s3, "datasets/a.csv", first) == {
        "uri": "s3://data-bucket/datasets/a.csv",
        "version": first,
        "rows": 2,
        "bad_rows": 0,
        "sha256": hashlib.sha256(text(ROW, OTHER)).hexdigest(),
        "input": "s3://artifacts/runs/run-1/input/data.csv",
    }
    copy = s3.get_object(Bucket="artifacts", Key="runs/run-1/input/data.csv")["Body"].read()
    assert copy == text(ROW, OTHER)


def test_latest_is_the_newest_csv_and_its_newest_version(s3: Any) -> None:
    put(s3, "datasets/a.csv", text(ROW, OTHER))  # written in the same second: the later name decides
    put(s3, "datasets/b.csv", text(ROW, OTHER))
    version = put(s3, "datasets/b.csv", text(ROW, OTHER, OTHER))
    put(s3, "datasets/readme.txt", b"no data")
    put(s3, "elsewhere/later.csv", b"no data")
    found = run(s3)
    assert (found["uri"], found["version"], found["rows"]) == ("s3://data-bucket/datasets/b.csv", version, 3)


def test_the_newest_is_so_by_time() -> None:
    class Listing:
        def get_paginator(self, _: str) -> Listing:
            return self

        def paginate(self, **_: str) -> list[dict[str, Any]]:
            times = {"datasets/z.csv": 1, "datasets/a.CSV": 3, "datasets/m.csv": 2, "datasets/": 9}
            return [{"Contents": [{"Key": key, "LastModified": time}]} for key, time in times.items()] + [{}]

    assert newest(Listing(), "bucket", "datasets/") == "datasets/a.CSV"


@pytest.mark.parametrize(
    ("key", "version", "reason"),
    [
        ("latest", "latest", "There is no .csv below s3://data-bucket/datasets/"),
        ("datasets/a.csv", "latest", "has no version 'latest': it does not exist or was deleted"),
        ("secrets/a.csv", "latest", "is not below 'datasets/'"),
    ],
)
def test_names_data_that_is_not_there(s3: Any, key: str, version: str, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        run(s3, key, version)


def test_names_a_version_that_is_not_there(s3: Any) -> None:
    put(s3, "datasets/a.csv", text(ROW))
    with pytest.raises(DataError, match="has no version 'nope'"):
        run(s3, "datasets/a.csv", "nope")


def test_refuses_a_bucket_without_versions(s3: Any) -> None:
    s3.put_object(Bucket="artifacts", Key="datasets/a.csv", Body=text(ROW))
    with pytest.raises(DataError, match="switch on versioning"):
        run(s3, DATA_BUCKET="artifacts")


def test_bad_data_leaves_no_copy(s3: Any) -> None:
    put(s3, "datasets/a.csv", b"")
    with pytest.raises(DataError, match="is empty"):
        run(s3)
    assert "Contents" not in s3.list_objects_v2(Bucket="artifacts", Prefix="runs/")


def test_counts_rows_that_do_not_fit() -> None:
    found = checked(text(*[ROW] * 18, OTHER, ROW.replace("1.6", "far")))
    assert (found.rows, found.bad_rows) == (20, 1)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty: it needs a header with pickup, dropoff, passengers, distance, total"),
        (text(), "has a header but no rows"),
        (text(ROW, header=HEADER.replace(",total", ",sum")), r"lacks the column total \(total is the target\)"),
        (text(ROW, header="a,b"), "lacks the columns pickup, dropoff, passengers, distance, total"),
        (text(ROW, header=HEADER + ",total"), "has the column total more than once"),
        (text("x,x,x,x,x"), r"All 1 rows of .* By column: pickup \(1\)"),
        (text(ROW, "a,b"), r"1 of 2 rows .* more than the allowed 10.0%.*Examples: line 3: 2 values"),
        (text(ROW, ROW.replace("12.95", "nan")), "line 3: total 'nan' is not a number"),
        (text(ROW, ROW.replace("12.95", "")), "total '' is not a number"),
        (text(ROW, ROW.replace(",1,", ",1.5,")), "passengers '1.5' is not a whole number like 12"),
        (text(ROW, ROW.replace("12.95", "1e39")), r"total '1e39' is larger than a model can compute with \(3.4e\+38\)"),
        (text(ROW, ROW.replace(",1,", ",-1e39,")), "passengers '-1e39' is larger than a model can compute with"),
        (text(ROW, ROW.replace("20:21:09", "25:21:09")), "pickup '2019-03-23 25:21:09' is not a timestamp"),
        # Spark reads other columns and other rows of these than the validation would have (F8).
        (text(ROW, header=HEADER + ",Total"), "has the column total more than once"),
        (b"note," + HEADER.encode() + b'\n"a\n1,' + ROW.encode() + b'\n",' + ROW.encode(), "within a cell at line 2:"),
        (b'"no\nte",' + HEADER.encode() + b"\nx," + ROW.encode(), "within a cell at line 1:"),
        (b"note," + HEADER.encode() + b'\n"a\r1,' + ROW.encode() + b'",' + ROW.encode(), "within a cell at line 2:"),
        (text("\xff").replace(b"\xc3\xbf", b"\xff\xfe"), "is not UTF-8 text"),
    ],
)
def test_refuses(content: bytes, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        checked(content)


def test_reads_quotes_line_ends_and_byte_order_mark() -> None:
    header = b"\xef\xbb\xbfnote," + HEADER.encode()
    rows = [b'\r\n"two ""cells"", \xc3\xa9\xe2\x80\xa8",' + row.encode() for row in (ROW, OTHER)]
    assert checked(header + b"".join(rows) + b"\r\n\r\n", size=1).rows == 2


def test_strings_may_be_empty() -> None:
    document = json.loads(samples.DATASET_TEXT)
    document["columns"]["zone"] = "string"
    content = text(ROW + ",", OTHER + ",", header=HEADER + ",zone")
    assert check([content], parse_dataset(document), 0, "x").bad_rows == 0


@given(st.binary(max_size=300), st.integers(min_value=1, max_value=50))
def test_any_bytes_are_counted_or_refused(content: bytes, size: int) -> None:
    try:
        assert checked(text().strip() + b"\n" + content, size=size).rows > 0
    except DataError as error:
        assert str(error)  # noqa: PT017


def retrained(s3: Any, place: str, why: str = "drift", **written: Any) -> dict[str, Any]:
    """A run on data that waits for retrainings, with the record that `functions.retrain` leaves, or what is given."""
    version = put(s3, place, text(ROW, OTHER))
    record = {"reason": why, "key": place, "version": version} | written
    s3.put_object(Bucket="artifacts", Key="retrain/starts/run-1.json", Body=json.dumps(record).encode())
    return asked(place, version, reason=why)


@pytest.mark.parametrize("reason", ["drift", "schedule"])
@pytest.mark.parametrize("key", ["datasets/a.csv", "collected/a.csv", "windows/1.csv"])
def test_what_retraining_began_may_use_what_waits_for_it(s3: Any, key: str, reason: str) -> None:
    found = validate(s3, {"input": retrained(s3, key, reason)}, ENVIRONMENT)
    assert found["uri"] == f"s3://data-bucket/{key}"


@pytest.mark.parametrize("reason", ["drift", "schedule"])
def test_nobody_else_can_say_that_a_run_is_a_retraining(s3: Any, reason: str) -> None:
    version = put(s3, "datasets/a.csv", text(ROW))
    with pytest.raises(RequestError, match=f"its reason is {reason}, but it was not the retraining that began it"):
        validate(s3, {"input": asked("datasets/a.csv", version, reason=reason)}, ENVIRONMENT)
    for written in ({"version": "other"}, {"key": "datasets/b.csv"}, {"reason": "commit"}):
        with pytest.raises(RequestError, match="was not the retraining"):
            validate(s3, {"input": retrained(s3, "datasets/a.csv", reason, **written)}, ENVIRONMENT)


@pytest.mark.parametrize("key", ["collected/a.csv", "windows/1.csv"])
def test_what_waits_for_retrainings_is_for_nobody_else(s3: Any, key: str) -> None:
    put(s3, key, text(ROW))
    with pytest.raises(DataError, match=r"is not below 'datasets/' in bucket"):
        run(s3, key)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"z": {"y": ".csv"}}, "input.z: is not known here"),
        ({"reason": "because"}, "must be one of commit, data, manual, drift, schedule"),
        ({"run": "../other"}, "must be an execution id"),
        ({"data": {"key": "datasets/a.csv", "version": "1", "more": 1}}, "input.data.more: is not known here"),
        ({"data": {"key": "datasets/a.csv"}}, "input.data.version: is missing"),
        ({"code": "nowhere"}, "input.code"),
    ],
)
def test_an_input_that_is_not_as_agreed_is_refused(s3: Any, changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(RequestError, match=reason):
        validate(s3, {"input": asked(**changes)}, ENVIRONMENT)
