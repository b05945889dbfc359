"""Schedules at work: each beat of AWS's calendar, with the schedule's role, and again where a target refuses."""

import json
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from werkzeug.wrappers import Request, Response

from rehearsal.cloud.core.api import AwsError, Cloud, Place, Sample, on_start, route
from rehearsal.cloud.core.trouble import tell
from rehearsal.cloud.services.scheduler import expressions, targets
from rehearsal.cloud.services.scheduler.schedules import PRINCIPAL, SERVICE

_FIRST_WAIT, _LONGEST_WAIT = 60.0, 3600.0


@dataclass(frozen=True)
class _Due:
    """One beat: which schedule, when it was meant to run, and what is called."""

    arn: str
    group: str
    scheduled: datetime
    target: dict[str, Any]


@on_start
def start(cloud: Cloud) -> None:
    """Look at every schedule a few times a minute."""
    cloud.background(_run, cloud, name="scheduler")


def _run(cloud: Cloud) -> None:
    # Beats that this gateway was not there for are not made up.
    started = cloud.clock.aws_now()
    due: dict[tuple[str, datetime], datetime | None] = {}
    pause = min(1.0, max(0.02, cloud.clock.scaled(60) / 4))
    while cloud.clock.pause(pause):
        now = cloud.clock.aws_now()
        alive = set()
        for place, schedule, made in _enabled(cloud, started):
            key = (schedule.arn, made)
            alive.add(key)
            times = expressions.parse(schedule.schedule_expression, schedule.schedule_expression_timezone)
            moment = due.setdefault(key, times.after(max(made, started), made))
            if moment is None or moment > now:
                continue
            due[key] = times.after(moment, made)
            beat = _Due(schedule.arn, schedule.group_name, moment, dict(schedule.target))
            cloud.background(_fire, cloud, place, beat, name=f"schedule {schedule.name}")
        due = {key: moment for key, moment in due.items() if key in alive}


@route("/_rehearsal/scheduler/run", methods=["POST"])
def run_now(cloud: Cloud, request: Request, **_: Any) -> Response:
    """Has a schedule's next beat come at once: `?schedule=<name>`; answers when it was meant for. Rehearsal only."""
    wanted, now = request.args.get("schedule", ""), cloud.clock.aws_now()
    for place, schedule, made in _enabled(cloud, now):
        if wanted not in (schedule.name, schedule.arn):
            continue
        times = expressions.parse(schedule.schedule_expression, schedule.schedule_expression_timezone)
        moment = times.after(now, made)
        if moment is not None:
            _fire(cloud, place, _Due(schedule.arn, schedule.group_name, moment, dict(schedule.target)))
            return Response(json.dumps({"scheduled": moment.isoformat()}), content_type="application/json")
    return Response(json.dumps({"error": f"no schedule {wanted!r} has a next beat"}), 404)


def _enabled(cloud: Cloud, started: datetime) -> list[tuple[Place, Any, datetime]]:
    """Where, which, and since when it is as it is."""
    found = []
    for account, region, state in cloud.stores(SERVICE):
        created: dict[str, datetime] = state.get("created", {})
        for group in list(cloud.backend(SERVICE, account, region).schedule_groups.values()):
            for schedule in list(group.schedules.values()):
                if schedule.state == "ENABLED":
                    found.append((Place(account, region), schedule, created.get(schedule.arn, started)))
    return found


def _fire(cloud: Cloud, place: Place, due: _Due) -> None:
    """Call the target until it takes the call, its attempts are used up or the beat is too old."""
    policy = due.target.get("RetryPolicy") or {}
    attempts = 1 + policy.get("MaximumRetryAttempts", 185)
    oldest = policy.get("MaximumEventAgeInSeconds", 86400)
    begun, wait = cloud.clock.seconds(), _FIRST_WAIT
    for attempt in range(1, attempts + 1):
        error = _attempt(cloud, place, due, attempt)
        if error is None:
            return
        last = attempt == attempts or cloud.clock.seconds() + wait - begun > oldest
        # The scheduler tells nobody; a rehearsal that kept silent could not be understood.
        tell(f"schedule {due.arn} could not call {due.target['Arn']}: {error}")
        if last or cloud.clock.stopped:
            break
        cloud.clock.sleep(wait)
        wait = min(wait * 2, _LONGEST_WAIT)
    _count(cloud, place, due, "InvocationDroppedCount")


def _attempt(cloud: Cloud, place: Place, due: _Due, attempt: int) -> Exception | None:
    attributes = {
        "schedule-arn": due.arn,
        "scheduled-time": due.scheduled.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "execution-id": uuid.uuid4().hex[:16],
        "attempt-number": str(attempt),
    }
    given = due.target.get("Input")
    text = targets.filled(given, attributes) if given else targets.default_input(attributes)
    _count(cloud, place, due, "InvocationAttemptCount")
    group = f"arn:aws:scheduler:{place.region}:{place.account}:schedule-group/{due.group}"
    try:
        session = cloud.session_for_service(
            due.target["RoleArn"], PRINCIPAL, "scheduler", source_arn=group, source_account=place.account
        )
        targets.deliver(cloud, session, due.target, text)
    except AwsError as error:
        _count(cloud, place, due, "TargetErrorCount")
        return error
    return None


def _count(cloud: Cloud, place: Place, due: _Due, name: str) -> None:
    cloud.put_metric(place, Sample("AWS/Scheduler", name, {"ScheduleGroup": due.group}, 1, "Count"))
