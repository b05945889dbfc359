"""Hard limits of the new version's minutes."""

from functions.judge.limits import reached


def test_three_failures_that_are_three_in_ten_reach_it() -> None:
    assert reached(90, 0, 10, 3)
    assert not reached(90, 0, 11, 3)
    assert not reached(90, 0, 2, 2)
    assert not reached(90, 0, 0, 0)


def test_what_befalls_both_versions_does_not() -> None:
    assert not reached(90, 45, 10, 6)
    assert reached(90, 27, 10, 6)
    assert reached(0, 0, 10, 6)
