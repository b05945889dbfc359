"""Step 4 of the tour: a release that fails under live traffic is rolled back; the next `up` clears what it left."""

import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack

from contracts.errors import UserError
from contracts.names import LIVE
from operate.caller import Answer
from operate.runs import Run, Stage, deploy_stage
from operate.shift import AliasWatch, Shift, shift_in
from scenarios.tour import evidence, flawed, report
from scenarios.tour.display import Scene
from scenarios.tour.tour import BUSY, TRICKLE, Tour
from scenarios.tour.traffic import Traffic

TITLE = "A bad release"
# Every so many-th caller asks for a value beyond all that the model was trained on: well above the share that a hard
# limit asks for, so that a canary's few requests reach it too.
BEYOND_EVERY = 2
# The alias is looked at now and then: requests reach a version a little before its weight is seen.
SEEN_LATE_SECONDS = 0.5


def bad_release(tour: Tour) -> report.Report:
    """Somebody deploys a model made by hand, while a client keeps calling; the alarm restores the former release.

    Raises UserError where it was not stopped by an alarm, or where another release than the former one serves then.
    """
    former = evidence.manifest_now(tour.clients, tour.project, tour.project.production)
    flaw = flawed.choose(flawed.numbers(former), flawed.seen(tour.clients, former))
    manifest, uri = flawed.publish(tour.clients, tour.project, former, flaw)
    fails = f"fails where {flaw.feature} is {flaw.limit:g} or more"
    tour.display.say(f"{TITLE}: {manifest['id']}, a model made by hand that {fails}")
    caller = tour.caller()
    known = evidence.golden_instances(tour.clients, former)
    beyond = callers(known, flaw)

    def call(turn: int) -> Answer:
        # Only now: what was asked before is replayed on the new version, which would get no traffic.
        instances = beyond if traffic.rate == BUSY else known
        return caller.predict([instances[turn % len(instances)]])

    traffic = Traffic(call, TRICKLE, announce=tour.announce, busy=BUSY)
    with ExitStack() as stack:
        functions = tour.clients.of(tour.project.production, "lambda")
        stack.enter_context(traffic)
        name = tour.project.names.predict(tour.project.production)
        watch = stack.enter_context(AliasWatch(functions, name, LIVE, changed=traffic.follow))
        run, said = _deploy(tour, uri, watch, traffic)
    shift = shift_in(watch.seen)
    deployment = evidence.last_deployment(tour.clients, tour.project, tour.project.production)
    _assure(tour, former, run, shift, deployment, said)
    answers = traffic.between(shift.start - SEEN_LATE_SECONDS, shift.end + SEEN_LATE_SECONDS) if shift else []
    entry = tour.judged(report.run_entry(run, manifest, report.shift_entry(shift, answers, deployment["alarms"])))
    tour.runs.append(entry)
    tour.display.say(f"{TITLE}: rolled back, {_counted(entry['shift'])}; {former['id']} serves on", "green")
    tour.up(tour.project.production)
    return entry


def callers(instances: Sequence[evidence.Row], flaw: flawed.Flaw) -> list[evidence.Row]:
    """What callers ask once traffic moves: known rows, and among them some beyond all that training saw."""
    return [
        {**instance, flaw.feature: flaw.beyond} if number % BEYOND_EVERY == 0 else instance
        for number, instance in enumerate(instances)
    ]


def _deploy(tour: Tour, uri: str, watch: AliasWatch, traffic: Traffic) -> tuple[Run, str]:
    """Run the deployment to its end, shown as the stage it stands for."""
    started = time.monotonic()
    stage = Stage(deploy_stage(tour.project.production), "InProgress")
    run = Run("by hand", "InProgress", [stage], {"REASON": "manual"})
    with ThreadPoolExecutor(1) as pool:
        try:
            deploying: Future[tuple[int, str]] = pool.submit(tour.stacks.deploy, tour.project.production, uri)
            while not deploying.done():
                stage.seconds = time.monotonic() - started
                tour.display.show(Scene(TITLE, run, watch.now, *traffic.counts()))
                time.sleep(0.2)
        except KeyboardInterrupt:
            # Leaving the pool waits for its thread, and that for its engine.
            tour.stacks.interrupt()
            raise
    code, said = deploying.result()
    stage.seconds, stage.status = time.monotonic() - started, "Failed" if code else "Succeeded"
    stage.error = _cause(said) if code else None
    run.status = "RolledBack" if code else "Succeeded"
    tour.display.show(Scene(TITLE, run, watch.now, *traffic.counts()))
    tour.display.rest()
    return run, said


def _cause(said: str) -> str:
    """The sentence of the shift among all that the engine said."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    cause = next((line for line in lines if "ALARM_ACTIVE" in line), lines[-1] if lines else "it said nothing")
    # The engine puts the resource in front.
    return cause.partition("error: ")[2] or cause


def _assure(
    tour: Tour, former: report.Report, run: Run, shift: Shift | None, deployment: report.Report, said: str
) -> None:
    fix = f"see {tour.stacks.scratch / 'logs' / f'deploy-{tour.project.production}.log'}"
    if run.status != "RolledBack" or shift is None or not deployment["alarms"]:
        last = said.strip().splitlines()[-1:] or ["nothing was said"]
        raise UserError(f"{TITLE}: it was not stopped by an alarm, but {run.status}: {last[0]}", fix)
    if (shift.weights[-1].version, shift.weights[-1].weight) != (shift.source, 1.0):
        raise UserError(f"{TITLE}: version {shift.weights[-1].version} takes traffic, not {shift.source}", fix)
    evidence.check_predictions(tour.clients, former, tour.caller())


def _counted(shift: report.Report) -> str:
    alarm = shift["alarms"][0]
    return f"{alarm['name']} went off after {alarm['second']:.1f} s, {shift['failed']} of {shift['requests']} failed"
