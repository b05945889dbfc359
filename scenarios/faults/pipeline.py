"""Faults after there is a release: approvals, rights, what was approved, and the cloud itself.

A run that waits for its approval costs a minute, and is shared: a stage that failed is asked for again, as a person
would in the console.
"""

import json
import subprocess
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

from contracts.errors import UserError
from contracts.names import DELIVERY, LIVE
from operate.messages import cause
from operate.runs import read_run
from rehearsal.cloud.process import lifecycle
from scenarios.faults import delivery
from scenarios.faults.candidates import Candidate
from scenarios.faults.fault import Expected, Fault
from scenarios.faults.outcome import DEPLOY, NONE, Outcome
from scenarios.faults.processes import kill_family, of_build
from scenarios.faults.world import RATE, TRICKLE, World
from scenarios.gateway import held_minute
from scenarios.tour.evidence import read_object
from scenarios.tour.traffic import Traffic
from scenarios.vouching import overwrite

APPROVE = "Approve"
_EXPIRES = 10
"""Minutes until an approval expires: scaled, so that nobody waits for a week."""
_ACTION = "sagemaker:CreateEndpointConfig"
_SHIFT_SECONDS = 280.0

_waiting: dict[int, str] = {}
"""The run that was at its approval last, by the world's port."""
_down: dict[int, float] = {}
"""Seconds that the cloud was away, by the world's port."""


def approval_expired(world: World) -> Outcome:
    """Nobody answers."""
    with world.traffic(TRICKLE) as traffic:
        run = _at_approval(world)
        stage, error = delivery.end_of(world, run)
    return world.outcome(stage, error, traffic)


def approval_rejected(world: World) -> Outcome:
    """A person says no, and why."""
    with world.traffic(TRICKLE) as traffic:
        run = _at_approval(world)
        delivery.answer(world, delivery.approval(world, run), "Rejected", "too many odd values")
        stage, error = delivery.end_of(world, run)
    return world.outcome(stage, error, traffic)


def deployer_lacks_permission(world: World) -> Outcome:
    """Somebody took a right from production's deployer after the release was approved."""
    role = world.project.names.role(world.project.production, "deployer")
    with (
        world.traffic(TRICKLE) as traffic,
        _without(world.clients.of(world.project.production, "iam"), role, _ACTION),
    ):
        # Only production's deployment uses that role: nothing before it is held up.
        run = _at_approval(world)
        delivery.answer(world, delivery.approval(world, run), "Approved", "good")
        stage, error = delivery.end_of(world, run)
    _waiting.pop(world.rehearsal.port, None)
    return world.outcome(stage, error, traffic)


def build_lost(world: World) -> Outcome:
    """A build loses its machine in the middle of a shift, as at its timeout: its lock stays. The stage is retried."""
    with world.traffic() as traffic:
        run = _at_approval(world)
        delivery.answer(world, delivery.approval(world, run), "Approved", "good")
        _waiting.pop(world.rehearsal.port, None)
        client = world.clients.of("delivery", "codepipeline")
        _until_shifting(world, lambda: read_run(client, world.project.names.name, run).error)
        with held_minute(world.rehearsal):
            lost = _build_of(world, run)
            for process in of_build(lost):
                kill_family(process)
        stage, _ = delivery.end_of(world, run)
        delivery.retry(world, run, stage)
        stage, error = delivery.end_of(world, run)
        said = delivery.build_log(world, _build_of(world, run))
        # Its own release serves now: production goes to one that is known here.
        world.deploy(world.project.production, world.new)
        world.settle()
    about_it = next((line.strip() for line in said.splitlines() if lost in line), "")
    return world.outcome(stage, error or about_it, traffic)


def _build_of(world: World, run: str) -> str:
    """The newest build that deploys to production in a run."""
    found = read_run(world.clients.of("delivery", "codepipeline"), world.project.names.name, run)
    return found.builds[found.stages[-1].name]


def another_manifest(world: World) -> Outcome:
    """What is to be deployed is not what was approved: the stage's own command, with the hash that was approved."""
    return deploy_approved(world, world.new, world.old.sha256)


def changed_artifact(world: World) -> Outcome:
    """The model's archive is replaced after the approval; the manifest is the one approved."""
    s3 = world.clients.of("delivery", "s3")
    copy = world.candidates.spoiled(world.new, "changed", artifact=lambda body: body)
    body = read_object(s3, world.old.manifest["model"]["artifact"])
    overwrite(s3, copy.manifest["model"]["artifact"], body, "application/gzip")
    return deploy_approved(world, copy, copy.sha256)


def exchanged_source(world: World) -> Outcome:
    """Somebody who may do everything in the delivery account exchanges the source after the approval."""
    with world.traffic(TRICKLE) as traffic:
        run = _at_approval(world)
        _exchange(world, run)
        delivery.answer(world, delivery.approval(world, run), "Approved", "good")
        _waiting.pop(world.rehearsal.port, None)
        stage, error = delivery.end_of(world, run)
    return world.outcome(stage, error, traffic)


def _exchange(world: World, run: str) -> None:
    """The source artifact of a run has one file more."""
    s3, pipeline = world.clients.of(DELIVERY, "s3"), world.clients.of(DELIVERY, "codepipeline")
    pages = pipeline.get_paginator("list_action_executions").paginate(
        pipelineName=world.project.names.name, filter={"pipelineExecutionId": run}
    )
    actions = [action for page in pages for action in page["actionExecutionDetails"]]
    (place,) = {
        (found["s3location"]["bucket"], found["s3location"]["key"])
        for action in actions
        for found in action.get("output", {}).get("outputArtifacts", [])
    }
    bucket, key = place
    body = BytesIO(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    with zipfile.ZipFile(body, "a") as archive:
        archive.writestr("sitecustomize.py", "print('not what was reviewed')\n")
    policy = s3.get_bucket_policy(Bucket=bucket)["Policy"]
    s3.delete_bucket_policy(Bucket=bucket)  # it lets the pipeline alone write there
    try:
        s3.put_object(Bucket=bucket, Key=key, Body=body.getvalue())
    finally:
        s3.put_bucket_policy(Bucket=bucket, Policy=policy)


def deploy_approved(world: World, candidate: Candidate, approved: str) -> Outcome:
    """As the stage does after an approval: the release, and the hash of the manifest that was approved."""
    with world.traffic() as traffic:
        done = world.deploy(world.project.production, candidate, "--manifest-sha256", approved)
    return _ended(world, done, traffic)


def _ended(world: World, done: "subprocess.CompletedProcess[str]", traffic: Traffic) -> Outcome:
    return world.stopped(cause(done.stdout), traffic) if done.returncode else world.outcome(NONE, "", traffic)


def gateway_restarted(world: World) -> Outcome:
    """The cloud goes down in the middle of a shift, and comes up again with all it held."""
    with world.traffic() as traffic:
        process = world.start_deploy(world.project.production, world.new)
        _until_shifting(world, lambda: None if process.poll() is None else cause(world.finish(process).stdout))
        # A cloud takes a while to go down: the shift must not be over by then.
        with held_minute(world.rehearsal):
            began = time.monotonic()
            lifecycle.restart(world.rehearsal)
            _down[world.rehearsal.port] = time.monotonic() - began
        done = world.finish(process)
        world.settle()
    return _ended(world, done, traffic)


def _until_shifting(world: World, ended: Callable[[], str | None]) -> None:
    """Waits until the alias sends calls to two versions. `ended` says why that will not come any more."""
    functions, name = (
        world.clients.of(world.project.production, "lambda"),
        world.project.names.predict(world.project.production),
    )
    deadline = time.monotonic() + _SHIFT_SECONDS
    while not functions.get_alias(FunctionName=name, Name=LIVE).get("RoutingConfig"):
        reason = ended()
        if reason is not None:
            raise UserError(f"the deployment ended before its shift: {reason}")
        if time.monotonic() > deadline:
            raise UserError(f"no traffic was shifted within {_SHIFT_SECONDS:.0f} s")
        time.sleep(0.05)


def at_approval(world: World) -> str:
    """A new run that waits for its approval."""
    client = world.clients.of("delivery", "codepipeline")
    with _quick_approval(client, world.project.names.name):
        # The data of the champion: a model of fewer rows would be worse on the same ones, and end at the gate.
        run = delivery.start_run(world, str(world.new.manifest["data"]["version"]))
    delivery.approval(world, run)
    return run


def _at_approval(world: World) -> str:
    """A run that waits for its approval: the one that failed there, asked again, else a new one."""
    known = _waiting.get(world.rehearsal.port)
    client = world.clients.of("delivery", "codepipeline")
    if known and read_run(client, world.project.names.name, known).stage(APPROVE).status == "Failed":
        delivery.retry(world, known, APPROVE)
        delivery.approval(world, known)
        return known
    run = at_approval(world)
    _waiting[world.rehearsal.port] = run
    return run


@contextmanager
def _quick_approval(client: Any, name: str) -> Iterator[None]:
    """Runs that begin meanwhile ask with an early expiry; a run keeps the declaration it began with."""
    found = client.get_pipeline(name=name)["pipeline"]
    changed = json.loads(json.dumps(found))
    for stage in changed["stages"]:
        for action in stage["actions"]:
            if stage["name"] == APPROVE:
                action["timeoutInMinutes"] = _EXPIRES
    client.update_pipeline(pipeline=changed)
    try:
        yield
    finally:
        client.update_pipeline(pipeline=found)


@contextmanager
def _without(iam: Any, role: str, action: str) -> Iterator[None]:
    """The role without one action, wherever its own policies allow it."""
    changed: list[Callable[[], Any]] = []
    try:
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
            less = _less(document, action)
            if less == document:
                continue
            iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(less))
            names = {"RoleName": role, "PolicyName": name, "PolicyDocument": json.dumps(document)}
            changed.append(lambda names=names: iam.put_role_policy(**names))  # type: ignore[misc]
        if not changed:
            raise UserError(f"no policy of {role} allows {action}", "name an action that it has")
        yield
    finally:
        for put_back in changed:
            put_back()


def _less(document: dict[str, Any], action: str) -> dict[str, Any]:
    statements = []
    for statement in document["Statement"]:
        allowed = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        kept = [name for name in allowed if name != action]
        if kept:
            statements.append({**statement, "Action": kept if kept != allowed else statement["Action"]})
    return {**document, "Statement": statements}


def _while_down(world: World) -> float:
    """Nobody answers while the cloud is away: rate times seconds, and the calls that were under way."""
    return RATE * _down.get(world.rehearsal.port, 0.0) + 3


FAULTS: tuple[Fault, ...] = (
    Fault(
        "approval-expired",
        "Nobody answers the approval",
        approval_expired,
        Expected(APPROVE, rf"The approval expired: nobody answered within {_EXPIRES} minutes"),
    ),
    Fault(
        "approval-rejected",
        "The approval is rejected",
        approval_rejected,
        Expected(APPROVE, r"The approval was rejected by arn:aws:iam::\d+:user/administrator: too many odd values"),
    ),
    Fault(
        "deployer-lacks-permission",
        "The deployer role lacks a permission",
        deployer_lacks_permission,
        Expected(DEPLOY, rf"-{{production}}-deployer/\S+ is not authorized to perform: {_ACTION}"),
        denies=("{production}-deployer", _ACTION),
    ),
    Fault(
        "build-lost",
        "The build of a deployment loses its machine in the middle of the shift, and the stage is retried",
        build_lost,
        Expected(NONE, r"{production} is locked since .* its build \S+ has ended \(\w+\)", serving="new"),
    ),
    Fault(
        "another-manifest",
        "The approval was for another manifest",
        another_manifest,
        Expected(DEPLOY, r"manifest\.json has SHA-256 \w+, but \w+ was approved: the manifest was changed"),
    ),
    Fault(
        "changed-artifact",
        "The artifact is changed after the approval",
        changed_artifact,
        Expected(DEPLOY, r"the model artifact changed\. Do not deploy it"),
    ),
    Fault(
        "exchanged-source",
        "The source is exchanged after the approval",
        exchanged_source,
        Expected(DEPLOY, r"the source has SHA-256 [0-9a-f]{64}, but [0-9a-f]{64} was approved: nothing was changed"),
    ),
    Fault(
        "gateway-restarted",
        "The gateway is restarted during the shift",
        gateway_restarted,
        # The second where the cloud is away for longer than the update is patient, as on a busy machine.
        Expected(
            DEPLOY,
            r"was interrupted: the rehearsal's cloud was restarted|could not be shifted: Could not connect",
            bound=_while_down,
        ),
    ),
)
