"""How a cell is written, and what is said of one that is written otherwise.

That the engines read the same is tested with the features job (tests/functions/test_features.py).
"""

import pytest

from contracts.cells import fits, why_not


@pytest.mark.parametrize(
    ("kind", "cell"),
    [
        ("number", "1012.40"), ("number", " -.5e-3 "), ("number", "5."), ("integer", "007"), ("integer", "1.0"),
        ("integer", "-3 "), ("timestamp", "2019-03-23 20:21:09"), ("timestamp", "2019-03-23T20:21:09.5Z"),
        ("timestamp", "2020-02-29"), ("timestamp", "2019-03-23 20:21"), ("string", ""), ("string", "anything"),
    ],
)  # fmt: skip
def test_what_fits(kind: str, cell: str) -> None:
    assert fits(kind, cell)


@pytest.mark.parametrize(
    ("kind", "cell", "reason"),
    [
        ("number", "1,012.40", "has separators within the number: write it without, like 1012.40"),
        ("number", "1\u00a0012", "has separators within the number: write it without, like 1012.40"),
        ("number", "1e39", "is larger than a model can compute with (3.4e+38)"),
        ("number", "inf", "is larger than a model can compute with (3.4e+38)"),
        ("number", "nan", "is not a number like 1012.40"),
        ("number", "1_000", "is not a number like 1012.40"),
        ("number", "\uff11\uff12", "is not a number like 1012.40"),
        ("number", "", "is not a number like 1012.40"),
        ("integer", "1.5", "is not a whole number like 12"),
        ("integer", "1e3", "is not a whole number like 12"),
        ("timestamp", "2019-03-22T22:11:05+02:00", "is not in UTC: write the time in UTC, like 2019-03-23 18:21:09"),
        (
            "timestamp",
            "2019-03-22 22:11 Europe/Berlin",
            "is not in UTC: write the time in UTC, like 2019-03-23 18:21:09",
        ),
        ("timestamp", "20190323T202109", "is not a timestamp like 2019-03-23 20:21:09"),
        ("timestamp", "23/03/2019 20:21", "is not a timestamp like 2019-03-23 20:21:09"),
        ("timestamp", "2019-02-30", "is not a timestamp like 2019-03-23 20:21:09"),
        ("timestamp", "2019-03-23 20:21Z", "is not a timestamp like 2019-03-23 20:21:09"),
    ],
)
def test_what_does_not_fit_and_why(kind: str, cell: str, reason: str) -> None:
    assert not fits(kind, cell)
    assert why_not(kind, cell) == reason
