"""How an environment stands: what serves, whether a shift is under way, why the last one was rolled back."""

from collections.abc import Sequence
from typing import Any

from botocore.exceptions import ClientError

from contracts.errors import UserError
from contracts.names import DELIVERY
from operate import sweep
from operate.clients import Clients
from operate.history import History
from operate.leftovers import described
from operate.project import Project
from operate.releases import Attempt, last_failure


def environment(clients: Clients, project: Project, stack: str) -> dict[str, Any]:
    """What one environment says of itself; `release` is None where nothing serves.

    `release` is that of the version which the alias calls, whatever else is written down; `recorded` is the pointer's.
    `unowned` is what `./glidepath sweep` would remove, null where `unknown` says why that cannot be told.
    """
    history = History(clients, project, stack)
    traffic, served = history.traffic(), history.served()
    if not traffic or not served:
        return {"stack": stack, "release": None, **unowned(clients, project, stack)}
    attempts = history.attempts()
    going = next((attempt for attempt in attempts if attempt.under_way), None)
    failed = last_failure(served, attempts)
    sagemaker = clients.of(stack, "sagemaker")
    return {
        "stack": stack,
        "release": traffic.release,
        "recorded": served[-1].release,
        "version": traffic.version,
        "shifting": traffic.weights,
        "shift": {"deployment": going.id, "release": going.release, "rollback": going.rollback} if going else None,
        "failed": {"deployment": failed.id, "release": failed.release, "cause": failed.why} if failed else None,
        "moved": going is None and _moved(traffic.release, attempts),
        "endpoint": traffic.endpoint,
        "state": _endpoint_state(sagemaker, traffic.endpoint),
        **unowned(clients, project, stack),
    }


def unowned(clients: Clients, project: Project, stack: str) -> dict[str, Any]:
    """What releases have left behind, or why that cannot be told: the rest of the status is worth as much without."""
    try:
        found = sweep.find(clients, project, stack)
    except UserError as error:
        return {"unowned": None, "unknown": error.message}
    except ClientError as error:
        # Those who may see what serves need not be allowed to list all endpoints of the account.
        return {"unowned": None, "unknown": str(error)}
    return {"unowned": [each.as_dict() for each in found], "unknown": None}


def _moved(release: str, attempts: Sequence[Attempt]) -> bool:
    """Does another release serve than the last deployment left? Nothing of ours moves the alias otherwise."""
    last = next((attempt for attempt in attempts if attempt.status == "Succeeded"), None)
    return last is not None and last.release != release


def _endpoint_state(sagemaker: Any, endpoint: str) -> str:
    return str(described(sagemaker, "endpoint", EndpointName=endpoint).get("EndpointStatus", "is missing"))


def latest_run(clients: Clients, project: Project) -> dict[str, str] | None:
    """The newest run of the pipeline, if there was one."""
    pipeline = clients.of(DELIVERY, "codepipeline")
    try:
        runs = pipeline.list_pipeline_executions(pipelineName=project.names.name, maxResults=1)[
            "pipelineExecutionSummaries"
        ]
    except pipeline.exceptions.PipelineNotFoundException:
        return None
    return {"execution": runs[0]["pipelineExecutionId"], "status": runs[0]["status"]} if runs else None
