"""Requests that say what became of a package."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from contracts.packages import decided_after, decision, moment


def test_moments_are_ordered_as_texts() -> None:
    at = datetime(2026, 11, 21, 9, 59, 59, 900000, timezone(timedelta(hours=1)))
    assert moment(at) == "2026-11-21T08:59:59Z"
    assert moment(at) < moment(at + timedelta(seconds=1)) < moment(datetime(2026, 11, 21, 10, tzinfo=UTC))


def test_a_reason_is_one_line_of_what_the_registry_takes() -> None:
    package = {"ModelPackageArn": "arn", "CustomerMetadataProperties": {"run": "r", "decided": "2026"}}
    request = decision(package, "Rejected", "two\r\nlines\u2028\x00 é" + "x" * 2000, "2026-11-21T08:59:59Z")
    assert request["ApprovalDescription"].startswith("two  lines   éx")
    assert len(request["ApprovalDescription"]) == 1024
    assert request["CustomerMetadataProperties"] == {"run": "r", "decided": "2026-11-21T08:59:59Z"}
    assert request["ModelPackageArn"] == "arn"


@pytest.mark.parametrize(
    ("metadata", "late"),
    [
        (None, False),
        ({}, False),
        ({"decided": "2026-11-21T08:59:59Z"}, False),
        ({"decided": "2026-11-21T09:00:01Z"}, True),
    ],
)
def test_what_was_decided_later_stands(metadata: dict[str, str] | None, late: bool) -> None:
    assert decided_after({"CustomerMetadataProperties": metadata}, "2026-11-21T09:00:00Z") is late
