"""What the report says of production: its release, answers, capture, monitor and roles."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

from contracts.errors import UserError
from contracts.names import LIVE
from operate.caller import Caller
from operate.clients import Clients
from operate.messages import cause
from operate.project import Project
from rehearsal.cloud.process import lifecycle
from rehearsal.environment import Rehearsal
from scenarios.gateway import ask
from scenarios.tour import evidence, roles
from scenarios.tour.tour import Tour

Facts = dict[str, Any]
# The pieces of the report that are read from outside, by the keys under which it holds them.
PIECES = (
    ("production", "release"), ("production", "version"), ("production", "endpoint"), ("production", "url"),
    ("capture",), ("monitor",), ("roles",),
)  # fmt: skip


def gather(rehearsal: Rehearsal, tour: Tour) -> Facts:
    """Evidence from outside: predictions, capture, monitor and roles. Raises where a piece is not as it must be."""
    project, clients = tour.project, tour.clients
    manifest = evidence.manifest_now(clients, project, project.production)
    outputs = tour.stacks.outputs(project.production)
    caller = Caller(outputs["apiUrl"], project.names.region, clients.credentials(project.production))
    check = evidence.check_predictions(clients, manifest, caller)
    tour.display.say(
        f"production's predictions equal the stored artifact's (largest difference {check['largest_difference']:g})"
    )
    captured = evidence.capture(clients, project, project.production, tour.answers)
    return {
        "production": {
            "release": manifest["id"],
            "endpoint": outputs["endpoint"],
            "version": version_now(clients, project),
            "url": outputs["apiUrl"],
            "check": check,
        },
        "capture": captured,
        "monitor": evidence.monitor(clients, project, project.production),
        "roles": role_proof(rehearsal, project, clients),
    }


def gather_after_failure(rehearsal: Rehearsal, tour: Tour, failure: BaseException) -> Facts:
    """What is there when the tour has failed. Raises nothing: what cannot be read is null, and `unread` has why.

    `error` is why the tour failed. Nothing is waited for, and nothing is read once the cloud is gone or a person has
    had enough.
    """
    error = {"error": str(failure) or type(failure).__name__}
    if not isinstance(failure, Exception):
        return error | read_each({}, "the rehearsal was interrupted")
    gone = lifecycle.died(rehearsal)
    if gone is not None:
        return error | read_each({}, gone)
    return error | read_each(_readers(rehearsal, tour))


def read_each(readers: dict[Sequence[str], Callable[[], Any]], otherwise: str = "nothing reads it") -> Facts:
    """Each piece on its own: its value, or null and in `unread` why; `otherwise` is why where nothing reads it."""
    facts: Facts = {"unread": {}}
    for path in PIECES:
        value = None
        try:
            if path in readers:
                value = readers[path]()
            else:
                facts["unread"][".".join(path)] = otherwise
        except Exception as error:  # noqa: BLE001  the report says it; what the tour failed of must not be hidden
            facts["unread"][".".join(path)] = _why(error)
        _put(facts, path, value)
    return facts


def _why(error: Exception) -> str:
    return cause(error.message if isinstance(error, UserError) else str(error) or type(error).__name__)


def _put(facts: Facts, path: Sequence[str], value: Any) -> None:
    *above, last = path
    for key in above:
        facts = facts.setdefault(key, {})
    facts[last] = value


def _readers(rehearsal: Rehearsal, tour: Tour) -> dict[Sequence[str], Callable[[], Any]]:
    project, clients, stack = tour.project, tour.clients, tour.project.production
    outputs = functools.cache(lambda: tour.stacks.outputs(stack))
    return {
        ("production", "release"): lambda: evidence.manifest_now(clients, project, stack)["id"],
        ("production", "version"): lambda: version_now(clients, project),
        ("production", "endpoint"): lambda: outputs()["endpoint"],
        ("production", "url"): lambda: outputs()["apiUrl"],
        ("capture",): lambda: evidence.captured(clients, project, stack),
        ("monitor",): lambda: evidence.monitor(clients, project, stack),
        ("roles",): lambda: role_proof(rehearsal, project, clients),
    }


def version_now(clients: Clients, project: Project) -> str:
    """The version that production's alias sends its calls to."""
    functions = clients.of(project.production, "lambda")
    alias = functions.get_alias(FunctionName=project.names.predict(project.production), Name=LIVE)
    return str(alias["FunctionVersion"])


def role_proof(rehearsal: Rehearsal, project: Project, clients: Clients) -> list[dict[str, Any]]:
    """For each role of the accounts: granted, used, unused, explained, denied."""
    by_account = {project.names.accounts[stack]: clients.of(stack, "iam") for stack in project.names.stacks}
    return roles.role_entries(by_account.values(), ledger(rehearsal), roles.read_reasons(project.production))


def ledger(rehearsal: Rehearsal) -> dict[str, Any]:
    """Calls per role, as the gateway counted them."""
    calls: dict[str, Any] = ask(rehearsal, "GET", "/_rehearsal/ledger")
    return calls


def run_monitor(rehearsal: Rehearsal, clients: Clients, project: Project) -> None:
    """Has production's requests looked at now rather than after the hour, by whichever monitor it has."""
    sagemaker = clients.of(project.production, "sagemaker")
    for schedule in sagemaker.list_monitoring_schedules()["MonitoringScheduleSummaries"]:
        name = schedule["MonitoringScheduleName"]
        ask(rehearsal, "POST", f"/_rehearsal/monitoring/run?schedule={name}")
    service = project.names.stack(project.production)
    for schedule in clients.of(project.production, "scheduler").list_schedules(NamePrefix=service)["Schedules"]:
        ask(rehearsal, "POST", f"/_rehearsal/scheduler/run?schedule={schedule['Name']}")
        evidence.await_analysis(sagemaker, service)
