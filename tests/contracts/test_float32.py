"""What float32 holds, asked of XGBoost itself."""

from __future__ import annotations

import math

import numpy as np
import pytest
import xgboost

from contracts.float32 import LARGEST, holds

# The first number that is rounded to infinity: half a step above the largest.
FIRST = 3.4028235677973366e38


def test_the_largest_is_numpys() -> None:
    assert float(np.finfo(np.float32).max) == LARGEST


@pytest.mark.parametrize("value", [LARGEST, -LARGEST, 0.0, 1e-300])
def test_what_is_held_is_taken_by_xgboost(value: float) -> None:
    assert holds(value)
    assert xgboost.DMatrix(np.array([[value]])).num_row() == 1


@pytest.mark.parametrize("value", [FIRST, -FIRST, 1e39, math.inf])
def test_what_xgboost_refuses_is_not_held(value: float) -> None:
    assert not holds(value)
    with pytest.raises(xgboost.core.XGBoostError, match="value too large"):
        xgboost.DMatrix(np.array([[value]]))


def test_not_a_number_is_not_held() -> None:
    assert not holds(math.nan)
