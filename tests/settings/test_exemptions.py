"""Exemptions from policies as the config takes them. What a bad value is told, tests/settings/test_parse.py has."""

import datetime
import re
from typing import Any

import pytest

from settings import Exemption, parse
from settings.exemptions import Day
from tests.settings.configs import config

ENTRY = {"rule": "wildcard-type", "resource": "model", "reason": "goes in March", "until": "2027-03-31"}


def test_none_is_the_default() -> None:
    assert parse("live1", config("live1")).policies.exemptions == ()


def test_an_entry_is_read() -> None:
    urn = "urn:pulumi:live1::glidepath::glidepath:foundation:Foundation$aws:iam/role:Role::model"
    found = parse("live1", config("live1", policies={"exemptions": [ENTRY, {**ENTRY, "resource": urn, "where": "s"}]}))
    assert found.policies.exemptions == (
        Exemption("wildcard-type", "model", "", "goes in March", "2027-03-31"),
        Exemption("wildcard-type", urn, "s", "goes in March", "2027-03-31"),
    )


@pytest.mark.parametrize("given", ["2028-02-29", "2028-02-29 00:00:00 +0000 UTC", datetime.date(2028, 2, 29)])
def test_a_day_with_and_without_quotes(given: Any) -> None:
    """Without, it is a moment to the engine, and a day to PyYAML."""
    assert Day().convert(given) == "2028-02-29"


@pytest.mark.parametrize(
    "given",
    [
        *("2027-02-29", "2027-13-01", "2027-3-1", "20270301", "2027-03-31 12:00:00 +0000 UTC", "٢٠٢٧-03-31"),
        *(2027, True, None, datetime.datetime(2027, 3, 31, tzinfo=datetime.UTC)),
    ],
)
def test_no_day(given: Any) -> None:
    with pytest.raises(ValueError, match=r".*"):
        Day().convert(given)


def test_the_pattern_knows_the_calendar_of_a_century() -> None:
    """The schema has nothing but the pattern: what it takes and the check refuses would be found too late."""
    first, last = datetime.date(2000, 1, 1), datetime.date(2099, 12, 31)
    real = {(first + datetime.timedelta(days)).isoformat() for days in range((last - first).days + 1)}
    spelled = [f"{year}-{month:02}-{day:02}" for year in range(2000, 2100) for month in range(14) for day in range(33)]
    assert {day for day in spelled if re.fullmatch(Day().pattern, day)} == real
