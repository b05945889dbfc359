"""Conducts a whole rehearsal: makes everything ready, plays the tour, gathers the evidence, writes the report."""

import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from contracts.errors import UserError
from operate.checks.features import SAMPLE
from operate.clients import Clients
from operate.project import Project, read_project
from rehearsal.cloud.process import lifecycle
from rehearsal.engine import Engine, ensure_engine
from rehearsal.environment import Rehearsal
from scenarios import workplace
from scenarios.stacks import Stacks
from scenarios.tour import facts, report, roles
from scenarios.tour.dataset import Table, read_table
from scenarios.tour.display import Display
from scenarios.tour.drift_scene import drift
from scenarios.tour.interrupt import interruptible, undisturbed
from scenarios.tour.new_accounts import settle_in
from scenarios.tour.rollback_scene import bad_release
from scenarios.tour.tour import Tour

# Kept beside a checkout by those who work on the project; where it is absent, trips are generated.
SHARED_TRIPS = Path("../shared/data/taxis.csv")
GENERATED_ROWS = 6000


@dataclass(frozen=True)
class Options:
    """`data` names another CSV file; `keep` leaves the cloud up; `assume_yes` gives every approval."""

    data: Path | None = None
    keep: bool = False
    assume_yes: bool = False


def conduct(rehearsal: Rehearsal, options: Options) -> Path:
    """Plays the tour from a clean start and returns the report's path.

    Raises UserError with a readable cause where a step fails. An interrupted one leaves nothing up, whatever `keep`.
    """
    display = Display()
    project = read_project(rehearsal.root)
    table = choose_table(rehearsal, project, options.data)
    keep = options.keep
    with interruptible():
        try:
            engine = prepare(rehearsal, project, display)
            workplace.lay_out(rehearsal)
            with_environment(rehearsal)
            return play(rehearsal, project, table, engine, options, display)
        except KeyboardInterrupt:
            keep = False
            raise
        except Exception as error:
            # Without its cloud, whatever the tour was at fails in its own way.
            gone = lifecycle.died(rehearsal)
            if gone is None:
                raise
            raise UserError(gone, "The rehearsal cannot go on: start it again.") from error
        finally:
            with undisturbed():
                display.rest()
                leave(rehearsal, keep, display)


def leave(rehearsal: Rehearsal, keep: bool, display: Display) -> None:
    """Ends the cloud, or says how to use it where it stays: after a failure it is what one wants to look at."""
    if not keep or not lifecycle.running(rehearsal):
        lifecycle.stop(rehearsal)
        return
    display.say(f"the cloud stays up at {rehearsal.endpoint}: try ./glidepath status or ./glidepath invoke")
    display.say("end it with ./glidepath down")


def choose_table(rehearsal: Rehearsal, project: Project, data: Path | None) -> Table:
    """The named file, else the project's sample; for the dataset that comes with Glidepath, taxi trips.

    Raises UserError where no data can be had that has the dataset's columns.
    """
    if data:
        return read_table(data)
    if (rehearsal.root / SAMPLE).is_file():
        return read_table(rehearsal.root / SAMPLE)
    from scenarios.trips import HEADER, write_trips

    declared = (project.config.get("glidepath:dataset") or {}).get("columns") or {}
    lacking = [str(column) for column in declared if column not in HEADER]
    if lacking:
        raise UserError(
            f"glidepath:dataset is not about taxi trips (they have no {', '.join(lacking[:3])}), and no data is named",
            f"name a CSV file: make rehearse DATA=<csv>; or keep a sample of your data at {SAMPLE}",
        )
    shared = rehearsal.root / SHARED_TRIPS
    if shared.is_file():
        return read_table(shared)
    generated = rehearsal.folder / "trips.csv"
    write_trips(generated, GENERATED_ROWS)
    return read_table(generated)


def prepare(rehearsal: Rehearsal, project: Project, display: Display) -> Engine:
    """An empty cloud that is up, an administrator's profiles, and the engine with its plugins, logged in nowhere."""
    lifecycle.stop(rehearsal)
    for stale in (rehearsal.state, rehearsal.cloud, rehearsal.folder / "logs"):
        shutil.rmtree(stale, ignore_errors=True)
    (rehearsal.pulumi_home / "credentials.json").unlink(missing_ok=True)
    workplace.clear(rehearsal.project)
    rehearsal.prepare()
    lifecycle.own_or_none(rehearsal)
    # Finding the engine takes a moment, building it minutes: the cloud comes up meanwhile.
    with ThreadPoolExecutor(1) as pool:
        cloud = pool.submit(lifecycle.start, rehearsal)
        engine = ensure_engine(rehearsal)
        cloud.result()
    profiles = {project.names.stack(stack): project.names.accounts[stack] for stack in project.names.stacks}
    rehearsal.write_credentials(profiles | {"default": project.names.accounts["delivery"]}, project.names.region)
    display.say(f"Pulumi {engine.version}, cloud at {rehearsal.endpoint}")
    return engine


def with_environment(rehearsal: Rehearsal) -> None:
    """This process works as the administrator from here on."""
    os.environ.update(rehearsal.environ())


def play(
    rehearsal: Rehearsal, project: Project, table: Table, engine: Engine, options: Options, display: Display
) -> Path:
    """The tour and its report."""
    started = time.monotonic()
    clients = Clients(project)
    settle_in(rehearsal, project, clients, display)
    stacks = Stacks(rehearsal.root, rehearsal.folder, rehearsal.environ())
    tour = Tour(project, clients, stacks, display, table, options.assume_yes)
    try:
        tour.foundations()
        tour.first_release()
        tour.second_release()
        bad_release(tour)
        drifted = drift(tour)
        if drifted is None:
            facts.run_monitor(rehearsal, clients, project)
        found = facts.gather(rehearsal, tour) | {"drift": drifted}
    except BaseException as error:
        # What has been reached is worth reading, above all when the next step failed.
        write(rehearsal, engine, table, started, tour, facts.gather_after_failure(rehearsal, tour, error))
        raise
    fault = roles_fault(found)
    path = write(rehearsal, engine, table, started, tour, found | {"error": str(fault) if fault else None})
    if fault:
        raise fault
    display.say(f"report: {path}", "green")
    return path


def roles_fault(found: facts.Facts) -> UserError | None:
    """What is wrong where a role was denied a call, or holds a grant that it never used."""
    faults = roles.faults(found["roles"])
    if not faults:
        return None
    fix = "./glidepath roles shows all; a grant that only real AWS uses goes into scenarios/unused_grants.yaml"
    return UserError(f"the roles are not proven: {'; '.join(faults[:5])}{' …' if len(faults) > 5 else ''}", fix)


def write(rehearsal: Rehearsal, engine: Engine, table: Table, started: float, tour: Tour, found: facts.Facts) -> Path:
    """Both forms of the report."""
    as_json, _ = report.write_report(
        rehearsal.folder,
        {
            "engine": {"pulumi": engine.version, "built": engine.built},
            "seconds": round(time.monotonic() - started, 1),
            "data": {"source": table.source, "rows": len(table.rows)},
            "runs": tour.runs,
            **found,
        },
    )
    return as_json
