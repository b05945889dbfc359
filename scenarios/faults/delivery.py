"""How faults drive the pipeline: start a run, follow it, answer its question, and read the sentence it ends with."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from contracts.errors import UserError
from operate.messages import build_cause
from operate.runs import pending_approval, read_run
from scenarios.faults.world import World
from scenarios.tour.dataset import DATA_KEY, FIRST_SHARE, to_csv
from scenarios.tour.tour import log_events

RUN_SECONDS = 600.0
_POLL_SECONDS = 0.2
_ENDED = frozenset({"Succeeded", "Failed", "Stopped"})


def start_run(world: World, version: str) -> str:
    """A run of the pipeline on one version of the data; its id."""
    variables = {"REASON": "data", "DATA_KEY": DATA_KEY, "DATA_VERSION": version}
    started = world.clients.of("delivery", "codepipeline").start_pipeline_execution(
        name=world.project.names.name, variables=[{"name": name, "value": value} for name, value in variables.items()]
    )
    return str(started["pipelineExecutionId"])


def end_of(world: World, run: str) -> tuple[str, str]:
    """The stage that stopped a run (`-` where none did) and the sentence a person reads there, once it has ended."""
    client = world.clients.of("delivery", "codepipeline")
    deadline = time.monotonic() + RUN_SECONDS
    while (found := read_run(client, world.project.names.name, run)).status not in _ENDED:
        if time.monotonic() > deadline:
            raise UserError(f"run {run} did not end within {RUN_SECONDS:.0f} s: it is {found.status}")
        time.sleep(_POLL_SECONDS)
    failed = next((stage for stage in found.stages if stage.status == "Failed"), None)
    if failed is None:
        return "-", ""
    build = found.builds.get(failed.name)
    return failed.name, build_cause(build_log(world, build)) if build else str(failed.error)


def approval(world: World, run: str) -> dict[str, str]:
    """The stage, action and token of the approval that a run waits for. Raises UserError where it ends before."""
    client = world.clients.of("delivery", "codepipeline")
    deadline = time.monotonic() + RUN_SECONDS
    while time.monotonic() < deadline:
        asked = pending_approval(client, world.project.names.name, run)
        if asked:
            return asked
        found = read_run(client, world.project.names.name, run)
        if found.status in _ENDED:
            raise UserError(f"run {run} ended {found.status} before its approval: {found.error}")
        time.sleep(_POLL_SECONDS)
    raise UserError(f"run {run} did not ask for its approval within {RUN_SECONDS:.0f} s")


def answer(world: World, asked: dict[str, str], status: str, summary: str) -> None:
    """A person's answer to an approval."""
    world.clients.of("delivery", "codepipeline").put_approval_result(
        pipelineName=world.project.names.name,
        stageName=asked["stage"],
        actionName=asked["action"],
        token=asked["token"],
        result={"status": status, "summary": summary},
    )


def retry(world: World, run: str, stage: str) -> None:
    """The failed stage of a run once more, as a person asks for it in the console."""
    world.clients.of("delivery", "codepipeline").retry_stage_execution(
        pipelineName=world.project.names.name, pipelineExecutionId=run, stageName=stage, retryMode="FAILED_ACTIONS"
    )


def build_log(world: World, build: str) -> str:
    """All that a build wrote."""
    found = world.clients.of("delivery", "codebuild").batch_get_builds(ids=[build])["builds"][0].get("logs", {})
    if not found.get("streamName"):
        return ""
    names = {"logGroupName": found["groupName"], "logStreamName": found["streamName"]}
    events = log_events(world.clients.of("delivery", "logs"), names)
    return "".join(event["message"].rstrip("\n") + "\n" for event in events)


@contextmanager
def data(world: World, header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """The version of data that starts no run; afterwards it is gone, and the good data is the newest again."""
    version = world.candidates.upload(to_csv(header, rows))
    try:
        yield version
    finally:
        world.clients.of("delivery", "s3").delete_object(
            Bucket=world.project.names.data_bucket, Key=DATA_KEY, VersionId=version
        )


def rows_of(world: World) -> tuple[list[str], list[list[str]]]:
    """Header and rows of the data that the old release was trained on, free to be changed."""
    table = world.tour.table
    return list(table.header), [list(row) for row in table.rows[: table.share(FIRST_SHARE)]]
