"""How many instances a new endpoint needs, and what suspends and resumes scale-in: the decisions."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.traffic_shift.capacity import SCALE_IN, Fleet, Target, Variant, needed, switched


def fleet(name: str, *variants: tuple[str, float, int], maximum: int | None = 10) -> Fleet:
    """An endpoint of (variant, weight, instances); without a maximum it does not scale."""
    targets = [Target(f"endpoint/{name}/variant/{v}", maximum, {}) for v, _, _ in variants] if maximum else []
    return Fleet(name, [Variant(*variant) for variant in variants], targets)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (fleet("a", ("live", 1, 6)), fleet("b", ("live", 1, 2)), {"live": 6}),
        (fleet("a", ("live", 1, 2)), fleet("b", ("live", 1, 2)), {}),
        (fleet("a", ("live", 1, 1)), fleet("b", ("live", 1, 2)), {}),
        # The new endpoint's own limit holds, and one that does not scale keeps what its config says.
        (fleet("a", ("live", 1, 6)), fleet("b", ("live", 1, 2), maximum=4), {"live": 4}),
        (fleet("a", ("live", 1, 6)), fleet("b", ("live", 1, 2), maximum=None), {}),
        # An A/B test ends, begins, goes on with other weights.
        (fleet("a", ("live", 1, 4), ("b", 1, 4)), fleet("b", ("live", 1, 2)), {"live": 8}),
        (fleet("a", ("live", 1, 8)), fleet("b", ("live", 3, 2), ("c", 1, 2)), {"live": 6}),
        (fleet("a", ("live", 1, 8)), fleet("b", ("live", 1, 2), ("c", 0, 2)), {"live": 8}),
        # The one that served is gone.
        (fleet("a"), fleet("b", ("live", 1, 2)), {}),
    ],
)
def test_the_new_endpoint_gets_what_the_old_one_has(old: Fleet, new: Fleet, expected: dict[str, int]) -> None:
    assert needed(old, new) == expected


_weights = st.floats(0.01, 1.0)
_counts = st.integers(1, 40)


@given(
    old=st.lists(st.tuples(_weights, _counts), min_size=1, max_size=5),
    new=st.lists(st.tuples(_weights, _counts), min_size=1, max_size=5),
    maximum=st.integers(1, 60),
)
def test_no_release_shrinks_capacity(old: list[tuple[float, int]], new: list[tuple[float, int]], maximum: int) -> None:
    before = fleet("a", *((f"v{number}", *variant) for number, variant in enumerate(old)), maximum=60)
    after = fleet("b", *((f"v{number}", *variant) for number, variant in enumerate(new)), maximum=maximum)
    wanted = needed(before, after)
    serving, weights = sum(count for _, count in old), sum(weight for weight, _ in new)
    for variant in after.variants:
        found = wanted.get(variant.name, variant.instances)
        assert found >= variant.instances
        assert found <= max(maximum, variant.instances)
        assert found >= min(maximum, math.floor(serving * variant.weight / weights))


def test_the_other_switches_are_left_alone() -> None:
    out = {"DynamicScalingOutSuspended": True, "ScheduledScalingSuspended": False}
    target = Target("endpoint/a/variant/live", 4, {SCALE_IN: False, **out})
    assert switched(target, scale_in_suspended=True) == {SCALE_IN: True, **out}
    assert switched(target, scale_in_suspended=False) is None
    held = Target("endpoint/a/variant/live", 4, {SCALE_IN: True, **out})
    assert switched(held, scale_in_suspended=False) == {SCALE_IN: False, **out}
    assert switched(held, scale_in_suspended=True) is None
