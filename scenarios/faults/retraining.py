"""Faults of retraining: drift comes at a bad moment, twice, or to nothing.

Drift is announced as in the environment's own account: by the monitor's event, or by alarms. Whatever the function
remembers of it is forgotten afterwards.
"""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from contracts.errors import UserError
from contracts.monitoring import DETAIL_TYPE, SOURCE, drift_alarm, drift_detail
from contracts.names import DELIVERY
from contracts.retraining import COLLECTED, LEDGER_KEY
from functions.retrain.ledger import Decision, Ledger, Run, parse_ledger, render_ledger
from operate.runs import newest_run, run_ids
from scenarios.faults import delivery, shaping
from scenarios.faults.fault import Expected, Fault
from scenarios.faults.outcome import NONE, Outcome
from scenarios.faults.training import dataset
from scenarios.faults.world import TRICKLE, World
from scenarios.tour.dataset import to_csv
from scenarios.tour.evidence import read_object

_KEY = f"{COLLECTED}rehearsed.csv"
_DECIDED_SECONDS = 120.0


def while_running(world: World) -> Outcome:
    """Drift while a run of the pipeline is going."""
    with world.traffic(TRICKLE) as traffic, _waiting(world), _going(world):
        made = _decision(world, _drift(world))
    return world.outcome(NONE, _sentence(made), traffic)


def budget_spent(world: World) -> Outcome:
    """Drift after as many retrainings as the period allows, the last of them long enough ago."""
    with world.traffic(TRICKLE) as traffic, _waiting(world):
        most, cooldown = int(_told(world, "RUNS")), timedelta(minutes=int(_told(world, "COOLDOWN_MINUTES")))
        _remember(world, [cooldown + timedelta(hours=hours) for hours in range(most, 0, -1)])
        made = _decision(world, _drift(world))
    return world.outcome(NONE, _sentence(made), traffic)


def within_cooldown(world: World) -> Outcome:
    """Drift again, soon after a retraining began."""
    with world.traffic(TRICKLE) as traffic, _waiting(world):
        _remember(world, [timedelta(minutes=1)])
        made = _decision(world, _drift(world))
    return world.outcome(NONE, _sentence(made), traffic)


def two_alarms(world: World) -> Outcome:
    """The drift alarms of all features go off at once: one run. Its data stops it, so that it costs little."""
    service = world.project.names.stack(world.project.production)
    watch = world.clients.of(world.project.production, "cloudwatch")
    alarms = [drift_alarm(service, feature) for feature in world.old.features]

    def bring(state: str) -> None:
        for alarm in alarms:
            watch.set_alarm_state(AlarmName=alarm, StateValue=state, StateReason="a fault of the matrix")

    with world.traffic(TRICKLE) as traffic, _waiting(world, without_target=True):
        bring("OK")
        known = _runs(world)
        bring("ALARM")
        try:
            stage, error = _end_of_one(world, known, decisions=len(alarms))
        finally:
            bring("OK")
    return world.outcome(stage, error, traffic)


def event_twice(world: World) -> Outcome:
    """The same event is delivered twice: one run, which its data stops."""
    entry = {"id": "0d9a5a3e-7d3c-4a6e-9a59-2f0a6b1c0001", "source": SOURCE, "detail": _detail(world)}
    functions, name = world.clients.of(DELIVERY, "lambda"), f"{world.project.names.name}-retrain"
    with world.traffic(TRICKLE) as traffic, _waiting(world, without_target=True):
        known = _runs(world)
        payload = json.dumps(entry).encode()
        answers = [json.load(functions.invoke(FunctionName=name, Payload=payload)["Payload"]) for _ in range(2)]
        if [sorted(answer) for answer in answers] != [["execution"], ["brake", "reason"]]:
            raise UserError(f"the same event twice was answered with {answers}")
        stage, error = _end_of_one(world, known, decisions=2)
    return world.outcome(stage, error, traffic)


def fails_at_the_gate(world: World) -> Outcome:
    """The new rows' targets have nothing to do with them: the retrained model is not released."""
    header, rows = delivery.rows_of(world)
    changed = shaping.unrelated(rows, header.index(dataset(world).target))
    with world.traffic(TRICKLE) as traffic, _waiting(world, header, changed):
        known = _runs(world)
        _drift(world)
        stage, error = _end_of_one(world, known, decisions=1)
    return world.outcome(stage, error, traffic)


@contextmanager
def _waiting(
    world: World, header: Sequence[str] = (), rows: Sequence[Sequence[str]] = (), *, without_target: bool = False
) -> Iterator[None]:
    """New rows wait for a retraining, and nothing is remembered of any before; afterwards neither."""
    if not header:
        header, rows = delivery.rows_of(world)
    if without_target:
        header = shaping.renamed(header, dataset(world).target)
    s3, names = world.clients.of(DELIVERY, "s3"), world.project.names
    version = s3.put_object(Bucket=names.data_bucket, Key=_KEY, Body=to_csv(header, rows).encode())["VersionId"]
    s3.delete_object(Bucket=names.artifacts_bucket, Key=LEDGER_KEY)
    try:
        yield
    finally:
        s3.delete_object(Bucket=names.data_bucket, Key=_KEY, VersionId=version)
        s3.delete_object(Bucket=names.artifacts_bucket, Key=LEDGER_KEY)


@contextmanager
def _going(world: World) -> Iterator[None]:
    """A run of the pipeline is going until the block ends."""
    client, name = world.clients.of(DELIVERY, "codepipeline"), world.project.names.name
    run = delivery.start_run(world, str(world.new.manifest["data"]["version"]))
    try:
        yield
    finally:
        client.stop_pipeline_execution(pipelineName=name, pipelineExecutionId=run, reason="the fault is over")
        delivery.end_of(world, run)


def _detail(world: World) -> dict[str, Any]:
    end = datetime.now(UTC)
    return drift_detail(
        world.project.production,
        world.old.id,
        "endpoint",
        world.old.features[:1],
        (end - timedelta(hours=1), end),
        "s3://capture/monitor/report.json",
    )


def _drift(world: World) -> str:
    """The monitor's event in production's account; its id."""
    entry = {"Source": SOURCE, "DetailType": DETAIL_TYPE, "Detail": json.dumps(_detail(world))}
    answer = world.clients.of(world.project.production, "events").put_events(Entries=[entry])
    return str(answer["Entries"][0]["EventId"])


def _told(world: World, variable: str) -> str:
    """What the function was told by config."""
    name = f"{world.project.names.name}-retrain"
    found = world.clients.of(DELIVERY, "lambda").get_function_configuration(FunctionName=name)
    return str(found["Environment"]["Variables"][variable])


def _remember(world: World, ages: Sequence[timedelta]) -> None:
    """Let the function remember retrainings that began so long ago."""
    now = datetime.now(UTC)
    runs = tuple(
        Run(now - age, f"before-{n}", "drift", "", f"{COLLECTED}{n}.csv", "1", f"s3://gone/{n}.csv", (), str(n), str(n))
        for n, age in enumerate(ages)
    )
    place = {"Bucket": world.project.names.artifacts_bucket, "Key": LEDGER_KEY}
    world.clients.of(DELIVERY, "s3").put_object(**place, Body=render_ledger(Ledger(runs)).encode())


def _decisions(world: World) -> tuple[Decision, ...]:
    s3, bucket = world.clients.of(DELIVERY, "s3"), world.project.names.artifacts_bucket
    if not s3.list_objects_v2(Bucket=bucket, Prefix=LEDGER_KEY, MaxKeys=1).get("KeyCount"):
        return ()
    return parse_ledger(read_object(s3, f"s3://{bucket}/{LEDGER_KEY}").decode()).decisions


def _decision(world: World, event: str) -> Decision:
    """What the function decided on one event."""
    return next(made for made in _decided(world, 1) if made.event == event)


def _decided(world: World, count: int) -> tuple[Decision, ...]:
    """The decisions, once there are as many."""
    deadline = time.monotonic() + _DECIDED_SECONDS
    while len(found := _decisions(world)) < count:
        if time.monotonic() > deadline:
            raise UserError(f"of {count} events, the retraining decided on {len(found)}", "see its log and the bus")
        time.sleep(0.2)
    return found


def _sentence(made: Decision) -> str:
    return f"{made.brake}: {made.words}" if made.brake else f"started {made.words}"


def _runs(world: World) -> set[str]:
    return run_ids(world.clients.of(DELIVERY, "codepipeline"), world.project.names.name)


def _end_of_one(world: World, known: set[str], decisions: int) -> tuple[str, str]:
    """The end of the one run that began since; an error where there are more, or not one for all decisions."""
    run = newest_run(world.clients.of(DELIVERY, "codepipeline"), world.project.names.name, known)
    _decided(world, decisions)
    began = _runs(world) - known
    if len(began) != 1:
        raise UserError(f"{decisions} events started {len(began)} runs")
    return delivery.end_of(world, run)


FAULTS: tuple[Fault, ...] = (
    Fault(
        "drift-while-running",
        "Drift while a run is going",
        while_running,
        Expected(NONE, r"^running: run \S+ of the pipeline has not ended$"),
    ),
    Fault(
        "drift-budget-spent",
        "Drift after the budget is spent",
        budget_spent,
        Expected(NONE, r"^budget: (\d+) of \1 runs in \d+ days began: not before "),
    ),
    Fault(
        "drift-within-cooldown",
        "Drift within the cooldown",
        within_cooldown,
        Expected(NONE, r"^cooldown: the last retraining began at .+: not before "),
    ),
    Fault(
        "two-drift-alarms",
        "Several drift alarms at once",
        two_alarms,
        Expected("Train", r"DataError: .+ lacks the column"),
    ),
    Fault(
        "drift-event-twice",
        "The same drift event twice",
        event_twice,
        Expected("Train", r"DataError: .+ lacks the column"),
    ),
    Fault(
        "retraining-below-gate",
        "Retraining fails at the gate",
        fails_at_the_gate,
        Expected("Train", r"GateRejected: Failed: \w+ .+ on \d+ held-out rows must be (below|above) \S+; "),
    ),
)
