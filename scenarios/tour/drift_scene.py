"""Step 5 of the tour: callers ask otherwise than before; the monitor sees it, and the pipeline retrains by itself.

A second drift comes within the cooldown: nothing starts, and the reason is on record.
"""

import time
from collections.abc import Sequence
from datetime import datetime

from contracts.errors import UserError
from contracts.monitoring import REPORTS, drift_alarm
from contracts.retraining import COLLECTED, LEDGER_KEY
from contracts.s3 import S3Location
from functions.retrain.ledger import Decision, parse_ledger
from rehearsal.environment import Rehearsal
from scenarios.gateway import pass_the_hour
from scenarios.tour import evidence, report
from scenarios.tour.dataset import another_mix
from scenarios.tour.tour import Tour

TITLE = "Drift"
NO_HELP = r"GateRejected: Failed: .*(undecided against|clearly worse than) the champion"
"""What the gate says of a retraining that did not help. With anybody's data, that is an answer as well."""
DATA_KEY = f"{COLLECTED}rehearsed.csv"
# An hour's traffic in a few requests: each brings many rows, and there are more than the monitor wants to see.
REQUESTS, ROWS = 12, 50
_PATIENCE_SECONDS = 300.0

Instances = Sequence[evidence.Row]


def drift(tour: Tour) -> report.Report | None:
    """Retrains on drift, then holds back; what the report says of it. None where config leaves none to rehearse.

    Raises UserError where either fails.
    """
    reason = left_out(tour)
    if reason:
        tour.display.say(f"drift is not rehearsed: {reason}")
        return None
    before = evidence.manifest_now(tour.clients, tour.project, tour.project.production)
    upper, lower = mixes(evidence.feature_rows(tour.clients, before))

    def begin() -> None:
        text = another_mix(tour.table, before["target"])
        tour.collect(DATA_KEY, text)
        seen = an_hour(tour, upper)
        tour.display.say(f"monitor: {seen['sentence']}")

    since = datetime.now().astimezone()
    entry = tour.travel(TITLE, begin, unless=NO_HELP)
    if entry["reason"] != "drift":
        raise UserError(f"{TITLE}: the run says that it was started by {entry['reason']}", "see the retrain function")
    went_off = alarm(tour, before["features"], since)
    after = evidence.manifest_now(tour.clients, tour.project, tour.project.production)
    asked = datetime.now().astimezone()
    seen = an_hour(tour, lower)
    tour.display.say(f"monitor: {seen['sentence']}")
    held = brake(tour, asked)
    tour.display.say(f"{TITLE}: nothing is started: {held.words}", "green")
    return {
        "alarm": went_off,
        "release": after["id"],
        "refused": entry.get("error"),
        "held": {"brake": held.brake, "reason": held.words},
    }


def left_out(tour: Tour) -> str:
    """Why config leaves nothing to rehearse; empty where it does."""
    if not (tour.project.config.get("glidepath:retrain") or {}).get("enabled", True):
        return "nothing may start by itself (glidepath:retrain.enabled)"
    service = tour.project.names.stack(tour.project.production)
    if not tour.clients.of(tour.project.production, "scheduler").list_schedules(NamePrefix=service)["Schedules"]:
        return "production is watched by Model Monitor (glidepath:monitor.by)"
    return ""


def mixes(rows: Instances) -> tuple[Instances, Instances]:
    """The upper and the lower quarter of the rows, by the feature that has the most values."""
    feature = max(rows[0], key=lambda name: len({row[name] for row in rows}))
    # What is missing is neither large nor small.
    known = [(value, place) for place, row in enumerate(rows) if (value := row[feature]) is not None]
    by_size = [rows[place] for _, place in sorted(known)]
    quarter = max(1, len(by_size) // 4)
    return by_size[-quarter:], by_size[:quarter]


def an_hour(tour: Tour, rows: Instances) -> report.Report:
    """Callers ask for an hour, all in its first moment; the summary of the analysis that follows.

    Raises UserError where it does not come, or sees no drift.
    """
    caller = tour.caller()
    known = set(evidence.summaries(tour.clients, tour.project, tour.project.production))
    for number in range(REQUESTS):
        answer = caller.predict([rows[(number * ROWS + turn) % len(rows)] for turn in range(ROWS)])
        if not answer.ok:
            raise UserError(
                f"{TITLE}: production answered {answer.status} to a caller", "see the predict function's log"
            )
    pass_the_hour(Rehearsal.here(tour.stacks.environ))
    return _analysis(tour, known)


def _analysis(tour: Tour, known: set[str]) -> report.Report:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        found = evidence.summaries(tour.clients, tour.project, tour.project.production)
        for key in sorted(found.keys() - known, reverse=True):
            if found[key]["drifted"]:
                return found[key]
        time.sleep(0.3)
    raise UserError(f"{TITLE}: no analysis saw the drift in {_PATIENCE_SECONDS:.0f} s", f"see {REPORTS}/ in the bucket")


def alarm(tour: Tour, features: Sequence[str], since: datetime) -> str:
    """The drift alarm that went off first after a moment. Raises UserError where none did."""
    cloudwatch = tour.clients.of(tour.project.production, "cloudwatch")
    service = tour.project.names.stack(tour.project.production)
    found = [evidence.fired(cloudwatch, drift_alarm(service, feature), since) for feature in features]
    went_off = sorted((entry for entry in found if entry), key=lambda entry: float(entry["time"]))
    if not went_off:
        raise UserError(f"{TITLE}: a run began, but no drift alarm of {service} went off", "see production's alarms")
    return str(went_off[0]["name"])


def brake(tour: Tour, since: datetime) -> Decision:
    """The first decision after a moment that held a retraining back. Raises UserError where none did, or one began."""
    s3 = tour.clients.of("delivery", "s3")
    ledger = str(S3Location(tour.project.names.artifacts_bucket, LEDGER_KEY))
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        for decision in parse_ledger(evidence.read_object(s3, ledger).decode()).decisions:
            if decision.at < since:
                continue
            if not decision.brake:
                raise UserError(f"{TITLE}: the second drift started run {decision.execution}", "see its cooldown")
            return decision
        time.sleep(0.3)
    raise UserError(f"{TITLE}: nothing was decided on the second drift", "see the retrain function's log")
