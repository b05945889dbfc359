"""Log lines and metrics of invocations, delivered after the answer, as on AWS."""

import contextlib
import queue
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from rehearsal.cloud.core.api import AwsError, Cloud, LogLines, Place, Sample, on_start
from rehearsal.cloud.core.trouble import tell
from rehearsal.cloud.services import logs
from rehearsal.cloud.services.lambda_.state import Function


@dataclass(frozen=True)
class Report:
    """What one invocation leaves behind."""

    function: Function
    qualifier: str
    version: str
    log_group: str
    role: str
    log_stream: str = ""
    lines: list[str] = field(default_factory=list)
    duration_ms: float | None = None
    failed: bool = False
    throttled: bool = False
    invoked: float = field(default_factory=time.time)


def _queue(cloud: Cloud) -> "queue.SimpleQueue[Callable[[], None]]":
    return cloud.store("lambda-runtime", "", "").setdefault("reports", queue.SimpleQueue())  # type: ignore[no-any-return]


def defer(cloud: Cloud, work: Callable[[], None]) -> None:
    """Does work later, in order; returns at once."""
    _queue(cloud).put(work)


def deliver(cloud: Cloud, report: Report) -> None:
    """Queues a report; returns at once."""
    defer(cloud, lambda: _publish(cloud, report))


def dimensions(report: Report) -> list[dict[str, str]]:
    """The sets of dimensions that AWS publishes an invocation under."""
    name = report.function.name
    sets = [{"FunctionName": name}, {"FunctionName": name, "Resource": name}]
    if report.qualifier:
        resource = {"FunctionName": name, "Resource": f"{name}:{report.qualifier}"}
        sets[1] = resource
        if report.qualifier in report.function.aliases:
            sets.append({**resource, "ExecutedVersion": report.version})
    return sets


def _publish(cloud: Cloud, report: Report) -> None:
    place = Place(report.function.account, report.function.region)
    if report.lines:
        _log(cloud, place, report)
    values: list[tuple[str, float, str]] = [("Throttles", float(report.throttled), "Count")]
    if not report.throttled:
        values += [("Invocations", 1.0, "Count"), ("Errors", float(report.failed), "Count")]
        values += [("Duration", report.duration_ms or 0.0, "Milliseconds")]
    for names in dimensions(report):
        for name, value, unit in values:
            cloud.put_metric(place, Sample("AWS/Lambda", name, names, value, unit, report.invoked))


def _log(cloud: Cloud, place: Place, report: Report) -> None:
    """Lambda writes logs with the function's own role; without the permission there are none."""
    with contextlib.suppress(AwsError):
        session = cloud.session_for_service(report.role, "lambda.amazonaws.com", report.function.name)
        logs.append_as(cloud, session, place, LogLines(report.log_group, report.log_stream, report.lines))


@on_start
def start_delivery(cloud: Cloud) -> None:
    """One thread delivers what was deferred, in order."""

    def run() -> None:
        while not cloud.clock.stopped:
            try:
                work = _queue(cloud).get(timeout=0.5)
            except queue.Empty:
                continue
            try:
                work()
            except Exception:  # noqa: BLE001
                # One report that cannot be stored must not silence all that follow.
                tell(traceback.format_exc())

    cloud.background(run, name="lambda-telemetry")
    cloud.clock.before_minute_ends(partial(_delivered, cloud))


def _delivered(cloud: Cloud) -> None:
    """Wait until all that is queued now is delivered: it belongs to the minute that ends."""
    done = threading.Event()
    defer(cloud, done.set)
    while not done.wait(0.05) and not cloud.clock.stopped:
        pass
