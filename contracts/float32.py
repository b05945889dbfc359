"""What the model can compute with: XGBoost reads every number as float32 and fails for all rows where one is larger.

https://github.com/dmlc/xgboost/blob/master/src/data/data.cc ("Input data contains `inf` or a value too large")
"""

LARGEST = 3.4028234663852886e38
"""The largest number of float32. The next ones are still rounded to it; a caller need not know which."""


def holds(value: float) -> bool:
    """Whether the number is finite in float32, too."""
    return abs(value) <= LARGEST
