"""Conducts a whole rehearsal: makes everything ready, plays the tour, gathers the evidence, writes the report."""

import json
import os
import shutil
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contracts.errors import UserError
from contracts.names import LIVE
from operate.caller import Caller
from operate.checks.features import SAMPLE
from operate.clients import Clients
from operate.project import Project, read_project
from rehearsal.cloud.process import lifecycle
from rehearsal.engine import Engine, ensure_engine
from rehearsal.environment import PASSPHRASE, Rehearsal
from scenarios.stacks import Stacks
from scenarios.tour import evidence, report, roles
from scenarios.tour.dataset import Table, read_table
from scenarios.tour.display import Display
from scenarios.tour.interrupt import interruptible, undisturbed
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
    """A clean state folder, a running cloud, an administrator's profiles, and the engine with its plugins."""
    lifecycle.stop(rehearsal)
    for stale in (rehearsal.state, rehearsal.cloud, rehearsal.folder / "logs"):
        shutil.rmtree(stale, ignore_errors=True)
    engine = ensure_engine(rehearsal)
    rehearsal.prepare()
    profiles = {project.names.stack(stack): project.names.accounts[stack] for stack in project.names.stacks}
    rehearsal.write_credentials(profiles | {"default": project.names.accounts["delivery"]}, project.names.region)
    lifecycle.start(rehearsal)
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
    store_state_secret(clients, project)
    stacks = Stacks(rehearsal.root, rehearsal.folder, rehearsal.environ())
    tour = Tour(project, clients, stacks, display, table, options.assume_yes)
    try:
        tour.foundations()
        tour.first_release()
        tour.second_release()
        bad_release(tour)
        facts = gather(rehearsal, tour)
    except BaseException:
        # What has been reached is worth reading, above all when the next step failed.
        write(rehearsal, engine, table, started, tour, {})
        raise
    path = write(rehearsal, engine, table, started, tour, facts)
    check_roles(facts)
    display.say(f"report: {path}", "green")
    return path


def store_state_secret(clients: Clients, project: Project) -> None:
    """Puts the passphrase of the state where the builds read it, as `./glidepath bootstrap` does for real accounts."""
    name = (project.config.get("glidepath:state") or {}).get("secretName")
    if name:
        clients.of("delivery", "secretsmanager").create_secret(Name=name, SecretString=PASSPHRASE)


def gather(rehearsal: Rehearsal, tour: Tour) -> dict[str, Any]:
    """Evidence from outside: predictions, capture, monitor and roles."""
    project, clients = tour.project, tour.clients
    manifest = evidence.manifest_now(clients, project, project.production)
    outputs = tour.stacks.outputs(project.production)
    caller = Caller(outputs["apiUrl"], project.names.region, clients.credentials(project.production))
    check = evidence.check_predictions(clients, manifest, caller)
    tour.display.say(
        f"production's predictions equal the stored artifact's (largest difference {check['largest_difference']:g})"
    )
    captured = evidence.capture(clients, project, project.production, tour.answers)
    run_monitor(rehearsal, clients, project)
    alias = clients.of(project.production, "lambda").get_alias(
        FunctionName=project.names.predict(project.production), Name=LIVE
    )
    return {
        "production": {
            "release": manifest["id"],
            "endpoint": outputs["endpoint"],
            "version": alias["FunctionVersion"],
            "url": outputs["apiUrl"],
            "check": check,
        },
        "capture": captured,
        "monitor": evidence.monitor(clients, project.production),
        "roles": role_proof(rehearsal, project, clients),
    }


def role_proof(rehearsal: Rehearsal, project: Project, clients: Clients) -> list[dict[str, Any]]:
    """For each role of the accounts: granted, used, unused, explained, denied."""
    by_account = {project.names.accounts[stack]: clients.of(stack, "iam") for stack in project.names.stacks}
    return roles.role_entries(by_account.values(), ledger(rehearsal), roles.read_reasons(project.production))


def check_roles(facts: dict[str, Any]) -> None:
    """Raises UserError where a role was denied a call, or holds a grant that it never used."""
    found = roles.faults(facts["roles"])
    if found:
        fix = "./glidepath roles shows all; a grant that only real AWS uses goes into scenarios/unused_grants.yaml"
        raise UserError(f"the roles are not proven: {'; '.join(found[:5])}{' …' if len(found) > 5 else ''}", fix)


def write(
    rehearsal: Rehearsal, engine: Engine, table: Table, started: float, tour: Tour, facts: dict[str, Any]
) -> Path:
    """Both forms of the report; what was not reached stays empty."""
    empty = {
        "production": {"release": None, "endpoint": None, "version": None, "url": None},
        "capture": {"files": 0, "records": 0},
        "monitor": {"executions": 0, "violations": []},
        "roles": [],
    }
    as_json, _ = report.write_report(
        rehearsal.folder,
        {
            "engine": {"pulumi": engine.version, "built": engine.built},
            "seconds": round(time.monotonic() - started, 1),
            "data": {"source": table.source, "rows": len(table.rows)},
            "runs": tour.runs,
            **empty,
            **facts,
        },
    )
    return as_json


def ledger(rehearsal: Rehearsal) -> dict[str, Any]:
    """Calls per role, as the gateway counted them."""
    calls: dict[str, Any] = _read(rehearsal, "/_rehearsal/ledger")
    return calls


def run_monitor(rehearsal: Rehearsal, clients: Clients, project: Project) -> None:
    """Has production's monitoring schedules run now rather than at the next full hour."""
    for schedule in clients.of(project.production, "sagemaker").list_monitoring_schedules()[
        "MonitoringScheduleSummaries"
    ]:
        _read(rehearsal, f"/_rehearsal/monitoring/run?schedule={schedule['MonitoringScheduleName']}", method="POST")


def _read(rehearsal: Rehearsal, path: str, method: str = "GET") -> Any:
    request = urllib.request.Request(rehearsal.endpoint + path, method=method)  # noqa: S310 - our own gateway
    with urllib.request.urlopen(request, timeout=120) as response:  # noqa: S310 - as above
        return json.load(response)
