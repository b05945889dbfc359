"""A predict function without an endpoint: it answers by a die, and reports as the real one does.

The environment variable `FAILING` is the share of the requests that it fails. Of those of `functions.predict.handler`
it reads `METRIC_NAMESPACE`, `SERVICE`, `RELEASE_ID`, `PREDICTION_EDGES` and `LATENCY_MS`.

Event: `{"id"}`, of the request, which is the die's seed: every version predicts the same for it. Answer: `{"ok"}`.
"""

from __future__ import annotations

import json
import os
import random
from typing import Any

from functions.predict.metrics import Meter

_FAILING = float(os.environ["FAILING"])
_EDGES = json.loads(os.environ["PREDICTION_EDGES"])
_LATENCY_MS = 20.0
_METER = Meter(
    os.environ["METRIC_NAMESPACE"],
    os.environ["SERVICE"],
    os.environ["RELEASE_ID"],
    os.environ["AWS_LAMBDA_FUNCTION_VERSION"],
    _EDGES,
    float(os.environ["LATENCY_MS"]),
)
_asked: list[str] = []


def handle(event: dict[str, str], _context: Any) -> dict[str, bool]:
    """Lambda's entry point."""
    # As the real one does: the first request of a sandbox is not judged.
    judged = bool(_asked)
    _asked[:] = [event["id"]]
    die = random.Random(event["id"])  # noqa: S311  # a share of the requests, not a secret
    # Above the last edge and below the first one there is a bin as well; all of them are as likely.
    bin_ = die.randrange(len(_EDGES) + 1)
    if die.random() < _FAILING:
        _METER.model_error(event["id"], judged)
        return {"ok": False}
    _METER.answered(event["id"], _LATENCY_MS, [_EDGES[bin_] - 0.5 if bin_ < len(_EDGES) else _EDGES[-1] + 0.5], judged)
    return {"ok": True}
