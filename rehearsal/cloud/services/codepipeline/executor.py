"""Runs executions: one thread each, stage by stage, with the locks of the pipeline's execution mode."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from rehearsal.cloud.core.api import AwsError, Cloud, on_restore
from rehearsal.cloud.services.codepipeline import events
from rehearsal.cloud.services.codepipeline.actions import perform
from rehearsal.cloud.services.codepipeline.actions.base import AbandonedError, ActionError, Context
from rehearsal.cloud.services.codepipeline.state import ActionRun, Execution, Pipeline
from rehearsal.cloud.services.codepipeline.variables import UnresolvedVariableError, resolve
from rehearsal.cloud.wire.types import INTERRUPTED

MAX_OPEN_EXECUTIONS = 50
_POLL_SECONDS = 0.2


class _LeftError(Exception):
    """The execution does not go on: it was superseded, stopped, or its pipeline deleted."""


def start(
    cloud: Cloud,
    pipeline: Pipeline,
    trigger: dict[str, str],
    variables: dict[str, str],
    overrides: list[dict[str, str]],
) -> Execution:
    """Starts an execution of the pipeline's current version. Raises `AwsError` where too many are under way."""
    declared = pipeline.declaration.get("variables", [])
    values = {item["name"]: item["defaultValue"] for item in declared if "defaultValue" in item} | variables
    now = cloud.clock.now()
    with pipeline.changed:
        under_way = sum(execution.open for execution in pipeline.executions.values())
        if pipeline.declaration["executionMode"] != "SUPERSEDED" and under_way >= MAX_OPEN_EXECUTIONS:
            raise AwsError(
                "ConcurrentPipelineExecutionsLimitExceededException",
                f"The pipeline {pipeline.name} has reached the limit of {MAX_OPEN_EXECUTIONS} concurrent executions",
            )
        execution = Execution(str(uuid.uuid4()), pipeline.declaration, trigger, now, now, values, overrides)
        pipeline.executions[execution.id] = execution
        # the place in the first queue is taken here: executions run in the order they were started
        _queue(pipeline, execution, execution.pipeline["stages"][0]["name"])
    events.pipeline_event(cloud, pipeline, execution)
    cloud.background(_run, cloud, pipeline, execution, None, (), name=f"codepipeline {pipeline.name} {execution.id}")
    return execution


def retry(cloud: Cloud, pipeline: Pipeline, execution: Execution, stage: str, mode: str) -> None:
    """Runs a failed stage again, and what follows it. The caller has checked that the stage can be retried."""
    with pipeline.changed:
        execution.status, execution.status_summary, execution.stop_reason = "InProgress", None, None
        execution.abandon = False
        execution.attempt += 1
        kept: tuple[str, ...] = ()
        if mode == "FAILED_ACTIONS":
            names = [action["name"] for action in _stage(execution, stage)["actions"]]
            runs = {name: execution.latest(stage, name) for name in names}
            kept = tuple(name for name, run in runs.items() if run is not None and run.status == "Succeeded")
        _queue(pipeline, execution, stage)
    events.pipeline_event(cloud, pipeline, execution, "RESUMED")
    cloud.background(_run, cloud, pipeline, execution, stage, kept, name=f"codepipeline {pipeline.name} {execution.id}")


@on_restore
def resume(cloud: Cloud) -> None:
    """Executions go on after a restart of the cloud: queues and approvals wait on, what was at work has failed."""
    for _, _, state in cloud.stores("codepipeline"):
        for pipeline in state.get("pipelines", {}).values():
            for execution in [known for known in pipeline.executions.values() if known.open]:
                _resume(cloud, pipeline, execution)


def _resume(cloud: Cloud, pipeline: Pipeline, execution: Execution) -> None:
    stage = _standing(execution)
    if stage is None:
        _finish(cloud, pipeline, execution, "Stopped" if execution.status == "Stopping" else "Succeeded")
        return
    at_work = [run for run in execution.actions if run.status == "InProgress" and run.token is None]
    for run in at_work:
        run.error = {"code": "InternalError", "message": f"{INTERRUPTED}: retry the stage"}
        _close(cloud, pipeline, execution, run, "Failed")
    if at_work:
        _leave(cloud, pipeline, execution, stage, "Failed")
        _finish(cloud, pipeline, execution, "Failed")
        return
    with pipeline.changed:
        if execution.waiting is None:
            # It was in the stage, so it is the next one to be.
            pipeline.occupied = {name: holder for name, holder in pipeline.occupied.items() if holder != execution.id}
            pipeline.queues.setdefault(stage, []).insert(0, execution.id)
            execution.waiting = stage
        done = [run.name for run in execution.actions if run.stage == stage and run.status == "Succeeded"]
    cloud.background(
        _run, cloud, pipeline, execution, stage, tuple(done), name=f"codepipeline {pipeline.name} {execution.id}"
    )


def _standing(execution: Execution) -> str | None:
    """The stage that an execution waits for or is in; None where it has passed them all."""
    names = [stage["name"] for stage in execution.pipeline["stages"]]
    return execution.waiting or next((name for name in names if execution.stages.get(name) != "Succeeded"), None)


def _stage(execution: Execution, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(stage for stage in execution.pipeline["stages"] if stage["name"] == name)
    return found


def _run(cloud: Cloud, pipeline: Pipeline, execution: Execution, first: str | None, kept: tuple[str, ...]) -> None:
    names = [stage["name"] for stage in execution.pipeline["stages"]]
    begin = names.index(first) if first else 0
    try:
        for number in range(begin, len(names)):
            stage = execution.pipeline["stages"][number]
            _enter(cloud, pipeline, execution, stage["name"], names[number - 1] if number else None)
            status = "Failed"
            try:
                status = _run_stage(cloud, pipeline, execution, stage, kept if number == begin else ())
            finally:
                _leave(cloud, pipeline, execution, stage["name"], status)
            if status != "Succeeded":
                _finish(cloud, pipeline, execution, "Stopped" if execution.status == "Stopping" else status)
                return
        _finish(cloud, pipeline, execution, "Stopped" if execution.status == "Stopping" else "Succeeded")
    except _LeftError:
        _forget(pipeline, execution)
        if execution.status == "Stopping":
            _finish(cloud, pipeline, execution, "Stopped")


# --- entering and leaving stages -------------------------------------------------------------------------------------


def _queue(pipeline: Pipeline, execution: Execution, stage: str) -> None:
    """Takes a place before a stage. The caller holds `changed`."""
    pipeline.queues.setdefault(stage, []).append(execution.id)
    execution.waiting = stage


def _enter(cloud: Cloud, pipeline: Pipeline, execution: Execution, stage: str, before: str | None) -> None:
    """Waits until the stage is free and its transition open, then occupies it. Raises `_LeftError`."""
    with pipeline.changed:
        if execution.waiting != stage:
            _queue(pipeline, execution, stage)
        _supersede(cloud, pipeline, execution, stage)
        while not _may_enter(pipeline, execution, stage, before):
            if cloud.clock.stopped or pipeline.deleted or execution.status != "InProgress":
                raise _LeftError
            pipeline.changed.wait(_POLL_SECONDS)
        if execution.status != "InProgress":
            raise _LeftError
        pipeline.queues[stage].remove(execution.id)
        execution.waiting = None
        if execution.pipeline["executionMode"] != "PARALLEL":
            pipeline.occupied[stage] = execution.id
        execution.entered.add(stage)
        execution.stages[stage] = "InProgress"
        _touch(cloud, pipeline, execution)
    events.stage_event(cloud, pipeline, execution, stage, "InProgress")


def _may_enter(pipeline: Pipeline, execution: Execution, stage: str, before: str | None) -> bool:
    if (stage, "Inbound") in pipeline.disabled or (before, "Outbound") in pipeline.disabled:
        return False
    if execution.pipeline["executionMode"] == "PARALLEL":
        return True
    return stage not in pipeline.occupied and pipeline.queues[stage][:1] == [execution.id]


def _supersede(cloud: Cloud, pipeline: Pipeline, execution: Execution, stage: str) -> None:
    """In mode SUPERSEDED the newest execution before a stage takes the place of those waiting there."""
    if execution.pipeline["executionMode"] != "SUPERSEDED":
        return
    for waiting in [known for known in pipeline.queues[stage] if known != execution.id]:
        older = pipeline.executions[waiting]
        if older.started > execution.started:
            continue
        pipeline.queues[stage].remove(waiting)
        older.waiting = None
        older.status = "Superseded"
        older.status_summary = f"Superseded by execution {execution.id}"
        _touch(cloud, pipeline, older)
        events.pipeline_event(cloud, pipeline, older)


def _leave(cloud: Cloud, pipeline: Pipeline, execution: Execution, stage: str, status: str) -> None:
    with pipeline.changed:
        if pipeline.occupied.get(stage) == execution.id:
            del pipeline.occupied[stage]
        shown = "Stopped" if execution.status == "Stopping" and status != "Succeeded" else status
        execution.stages[stage] = shown
        _touch(cloud, pipeline, execution)
    events.stage_event(cloud, pipeline, execution, stage, shown)


def _forget(pipeline: Pipeline, execution: Execution) -> None:
    with pipeline.changed:
        execution.waiting = None
        for queue in pipeline.queues.values():
            if execution.id in queue:
                queue.remove(execution.id)
        pipeline.changed.notify_all()


def _finish(cloud: Cloud, pipeline: Pipeline, execution: Execution, status: str) -> None:
    with pipeline.changed:
        execution.status = status
        if status == "Stopped":
            execution.status_summary = execution.stop_reason
        _touch(cloud, pipeline, execution)
    events.pipeline_event(cloud, pipeline, execution)


def _touch(cloud: Cloud, pipeline: Pipeline, execution: Execution) -> None:
    """Stamps a change and wakes whoever waits for one. The caller holds `changed`."""
    execution.updated = cloud.clock.now()
    pipeline.changed.notify_all()


# --- running a stage -------------------------------------------------------------------------------------------------


def _run_stage(
    cloud: Cloud, pipeline: Pipeline, execution: Execution, stage: dict[str, Any], kept: tuple[str, ...]
) -> str:
    """Runs the stage's actions by run order, those of one order at once. Gives the stage's status."""
    for order in sorted({action["runOrder"] for action in stage["actions"]}):
        if execution.status != "InProgress":
            return "Stopped"
        due = [action for action in stage["actions"] if action["runOrder"] == order and action["name"] not in kept]
        if not due:
            continue
        with ThreadPoolExecutor(len(due), thread_name_prefix=f"action {stage['name']}") as pool:
            statuses = list(pool.map(lambda action: _run_action(cloud, pipeline, execution, stage, action), due))
        if "Failed" in statuses:
            return "Failed"
        if "Abandoned" in statuses:
            return "Stopped"
    return "Succeeded"


def _run_action(
    cloud: Cloud, pipeline: Pipeline, execution: Execution, stage: dict[str, Any], action: dict[str, Any]
) -> str:
    now = cloud.clock.now()
    latest = execution.latest(stage["name"], action["name"])
    if latest is not None and latest.status == "InProgress":
        # An approval that outlived a restart of the cloud: the token that was sent must stay good.
        run = latest
    else:
        run = ActionRun(str(uuid.uuid4()), stage["name"], action["name"], action, now, now)
        run.inputs = [execution.artifacts[item["name"]] for item in action["inputArtifacts"]]
        with pipeline.changed:
            execution.actions.append(run)
            _touch(cloud, pipeline, execution)
        events.action_event(cloud, pipeline, execution, run)
    try:
        run.resolved = _resolved(execution, action)
        perform(Context(cloud, pipeline, execution, run))
        _close(cloud, pipeline, execution, run, "Succeeded")
    except UnresolvedVariableError as error:
        run.error = {"code": "ConfigurationError", "message": str(error)}
        _close(cloud, pipeline, execution, run, "Failed")
    except ActionError as error:
        run.error = {"code": error.code, "message": error.message[:5000]}
        _close(cloud, pipeline, execution, run, "Failed")
    except AbandonedError:
        _close(cloud, pipeline, execution, run, "Abandoned")
    except Exception as error:
        run.error = {"code": "InternalError", "message": f"{type(error).__name__}: {error}"[:5000]}
        _close(cloud, pipeline, execution, run, "Failed")
        if not cloud.clock.stopped:
            raise
    return run.status


def _resolved(execution: Execution, action: dict[str, Any]) -> dict[str, str]:
    values = {
        **execution.outputs,
        "codepipeline": {"PipelineExecutionId": execution.id},
        "variables": execution.variables,
    }
    return {key: resolve(text, values) for key, text in action["configuration"].items()}


def _close(cloud: Cloud, pipeline: Pipeline, execution: Execution, run: ActionRun, status: str) -> None:
    with pipeline.changed:
        run.status = status
        run.updated = cloud.clock.now()
        if status == "Succeeded":
            execution.artifacts |= {artifact.name: artifact for artifact in run.outputs}
            if "namespace" in run.declaration:
                execution.outputs[run.declaration["namespace"]] = dict(run.variables)
        _touch(cloud, pipeline, execution)
    events.action_event(cloud, pipeline, execution, run)
