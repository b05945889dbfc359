"""Manifests of releases that nobody trained: what the judge reads of one is the pair."""

from contracts.cross_table import CrossTable
from contracts.differences import LEVELS, Bin, Differences
from contracts.distribution import Distribution
from contracts.release import Baseline, Data, Metrics, Model, Pair, Release, render_release

FEATURES = ("distance",)
EDGES = (10.0, 20.0, 30.0, 40.0)
"""Between the bins of the predictions, which are all as likely."""
SHARES = (0.2,) * 5
HELD_OUT = 129
"""Rows in each bin, as in the simulation (bench/shifts.py)."""
_SHA256 = "00" * 32
_PLACE = "s3://nowhere"


def name(number: int) -> str:
    """The id of the release of that number."""
    return f"20261121-{number:08x}"


def manifest(number: int) -> str:
    """The release of that number, compared with the one before it: both put every row into the same bin."""
    bins = range(len(SHARES))
    table = CrossTable(EDGES, tuple(tuple(HELD_OUT if old == new else 0 for new in bins) for old in bins))
    differences = Differences(EDGES, tuple(Bin(HELD_OUT, (0.0,) * len(LEVELS)) for _ in bins))
    rows = table.total
    return render_release(
        Release(
            id=name(number),
            reason="manual",
            commit="none",
            created="2026-11-21T00:00:00Z",
            execution="none",
            data=Data(f"{_PLACE}/data.csv", "1", rows),
            model=Model("arn:aws:sagemaker:eu-west-1:111111111111:model-package/bench/1", f"{_PLACE}/m", _SHA256, "x"),
            metrics=Metrics("rmse", 1.0, (0.9, 1.1), 2.0, rows, ()),
            champion=None,
            baseline=Baseline(f"{_PLACE}/statistics.json", f"{_PLACE}/constraints.json"),
            golden=f"{_PLACE}/golden.json",
            target="total",
            features=FEATURES,
            distribution=Distribution(EDGES, SHARES),
            pair=Pair(name(number - 1), _SHA256, differences, table),
        )
    )
