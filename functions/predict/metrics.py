"""The predict function's metrics, as ready-made text in CloudWatch's embedded metric format.

Everything that does not change from request to request is written once per version: putting a line together costs a
few microseconds, where building and serialising the document costs tens. See docs/health.md for what is measured.
"""

from __future__ import annotations

import json
import sys
import time
from bisect import bisect_right
from collections.abc import Sequence

from contracts.judging import FAILED, JUDGED, SLOW
from contracts.monitoring import REPLAY_IDS

# A metric may carry at most 100 values in one line of the embedded metric format.
_VALUES_PER_LINE = 100
_COUNTS = ("Requests", "ModelErrors", "CallerErrors")
_ANSWERED = '"Requests":1,"ModelErrors":0,"CallerErrors":0'
_CALLER_ERROR = '"Requests":1,"ModelErrors":0,"CallerErrors":1'
_MODEL_ERROR = '"Requests":1,"ModelErrors":1,"CallerErrors":0'
_JUDGED = (JUDGED, FAILED, SLOW)
_IN_TIME = f',"{JUDGED}":1,"{FAILED}":0,"{SLOW}":0'
_LATE = f',"{JUDGED}":1,"{FAILED}":0,"{SLOW}":1'
_NOT_ANSWERED = f',"{JUDGED}":1,"{FAILED}":1,"{SLOW}":0'


class Meter:
    """Writes one version's metrics to standard output, a line per request (and one more per 100 further predictions).

    `edges` cut the predictions into the bins `Bin0`, `Bin1`, …; without edges none are counted. An answer that took
    `latency_ms` or longer is a slow one. With a `variant` all but bins and what is judged are published for it as well.

    What is judged, and the bins of it, are of high resolution (by the second):
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """

    def __init__(
        self,
        namespace: str,
        service: str,
        release: str,
        version: str,
        edges: Sequence[float],
        latency_ms: float,
        variant: str = "",
    ) -> None:
        self._edges = list(edges)
        self._latency_ms = latency_ms
        self._bins = len(self._edges) + 1 if self._edges else 0
        both = [["Service"], ["Service", "Version"]]
        if variant:
            both.append(["Service", "Version", "Variant"])
        counts = dict.fromkeys(_COUNTS, "Count")
        bins = {f"Bin{number}": "Count" for number in range(self._bins)}
        by_version = [["Service", "Version"]]
        judged = dict.fromkeys(_JUDGED, "Count")
        values = {"Latency": "Milliseconds", "Predictions": "None"}
        same = {"Service": service, "Version": version, "release": release}
        if variant:
            same["Variant"] = variant
        counted, answered = _directive(namespace, both, counts), _directive(namespace, both, counts | values)
        self._counted_only = _frame([counted], same)
        compared = _directive(namespace, [["Service"], *by_version], judged, seconds=1)
        binned = [_directive(namespace, by_version, bins, seconds=1)] if bins else []
        self._failed = _frame([counted, compared], same)
        self._first = _frame([answered], same)
        self._answered = _frame([answered, compared, *binned], same)
        self._handed_on = _frame([_directive(namespace, by_version, {"HandedOn": "Count"})], same)
        self._more = _frame([_directive(namespace, both, {"Predictions": "None"})], same)

    def caller_error(self, inference_id: str) -> None:
        """A request that could not be asked. `inference_id` must need no escaping in JSON."""
        _write(self._counted_only, _CALLER_ERROR, inference_id)

    def model_error(self, inference_id: str, judged: bool = True) -> None:
        """A request that the model did not answer."""
        if judged:
            _write(self._failed, _MODEL_ERROR + _NOT_ANSWERED, inference_id)
        else:
            _write(self._counted_only, _MODEL_ERROR, inference_id)

    def probed(self, inference_id: str) -> None:
        """A request of the probe that was answered: counted, and no caller's to be judged by."""
        _write(self._counted_only, _ANSWERED, inference_id)

    def handed_on(self, inference_id: str) -> None:
        """A request that reached this version, and that the former release's answered and reported."""
        _write(self._handed_on, '"HandedOn":1', inference_id)

    def answered(
        self, inference_id: str, milliseconds: float, predictions: Sequence[float], judged: bool = True
    ) -> None:
        """A request that was answered after `milliseconds` of the endpoint's time, with finite predictions."""
        first = ",".join(map(repr, predictions[:_VALUES_PER_LINE]))
        values = f'{_ANSWERED},"Latency":{milliseconds:.3f},"Predictions":[{first}]'
        if judged:
            in_time = _IN_TIME if milliseconds < self._latency_ms else _LATE
            _write(self._answered, values + in_time + self._counted(predictions), inference_id)
        else:
            _write(self._first, values, inference_id)
        for start in range(_VALUES_PER_LINE, len(predictions), _VALUES_PER_LINE):
            more = ",".join(map(repr, predictions[start : start + _VALUES_PER_LINE]))
            _write(self._more, f'"Predictions":[{more}]', inference_id)

    def _counted(self, predictions: Sequence[float]) -> str:
        """Which share of the predictions is in each bin: of every bin, as an alarm cannot add up what is missing.

        A request weighs 1, however many rows it has: by one large request a caller would trip the alarm or mask it.
        """
        if not self._bins:
            return ""
        counts: list[float] = [0] * self._bins
        for prediction in predictions:
            counts[bisect_right(self._edges, prediction)] += 1
        if len(predictions) > 1:
            counts = [count / len(predictions) for count in counts]
        return "".join([f',"Bin{number}":{count!r}' for number, count in enumerate(counts)])


def _directive(
    namespace: str, dimensions: list[list[str]], metrics: dict[str, str], seconds: int = 60
) -> dict[str, object]:
    """`seconds`: in which resolution CloudWatch keeps them, 1 or 60."""
    resolution = {} if seconds == 60 else {"StorageResolution": seconds}
    definitions = [{"Name": name, "Unit": unit, **resolution} for name, unit in metrics.items()]
    return {"Namespace": namespace, "Dimensions": dimensions, "Metrics": definitions}


def _frame(directives: list[dict[str, object]], same: dict[str, str]) -> tuple[str, str]:
    """What stands before and after the time in a line: the directives, and what is the same in all of them."""
    members = json.dumps(same, separators=(",", ":"))[1:-1]
    return '{"_aws":{"Timestamp":', f',"CloudWatchMetrics":{json.dumps(directives, separators=(",", ":"))}}},{members},'


def _write(frame: tuple[str, str], values: str, inference_id: str) -> None:
    if inference_id.startswith(REPLAY_IDS):
        return  # asked by the hook before traffic: no caller's, and not to be judged as one
    before, after = frame
    # One write per line: a line torn in two is neither a log record nor a metric.
    sys.stdout.write(f'{before}{time.time_ns() // 1_000_000}{after}{values},"inference_id":"{inference_id}"}}\n')
    sys.stdout.flush()
