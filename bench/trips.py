"""The made world of the parts that train models: trips whose fare depends on minutes, distance and people."""

from typing import Any

import numpy as np
import xgboost

_PARAMETERS = {"max_depth": 6, "eta": 0.2, "subsample": 0.8, "min_child_weight": 5, "nthread": 2}


def trips(random: Any, rows: int, tails: str = "light") -> tuple[Any, Any]:
    """Features and labels. Heavy `tails`: a few rare rows hold most of the error."""
    distance = random.gamma(2, 1.3, rows) if tails == "light" else random.lognormal(0.6, 0.7, rows)
    minutes = 3 + 3 * distance + random.gamma(2, 2, rows)
    people = random.integers(1, 6, rows).astype(float)
    noise = random.normal(0, 1, rows) * (1 + 0.3 * distance)
    return np.column_stack([minutes, people, distance]), 2.5 + 1.8 * distance + 0.4 * minutes + 0.2 * people + noise


def trained(features: Any, labels: Any) -> xgboost.Booster:
    """What is learned from them."""
    return xgboost.train(_PARAMETERS, xgboost.DMatrix(features, labels), 40)
