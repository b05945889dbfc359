"""Faults that lie between a good model and its traffic: endpoint, hooks, alarms, and the update itself."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from operate.messages import cause
from scenarios import boosters
from scenarios.faults.bounds import alarm_on
from scenarios.faults.fault import Expected, Fault
from scenarios.faults.outcome import DEPLOY, NONE, Outcome
from scenarios.faults.world import World
from scenarios.gateway import held_minute
from scenarios.tour.evidence import read_object

# How long the after hook waits for the capture in the one row where none will come: real seconds.
CAPTURE_SECONDS = 5
SILENT_INVOCATIONS = 2


def _endpoint_fails(world: World) -> Outcome:
    change = boosters.no_model
    return world.attempt(
        world.candidates.spoiled(world.new, "no-model", artifact=lambda packed: boosters.spoil(packed, change))
    )


def _throttled(world: World) -> Outcome:
    error = {"code": "ThrottlingException", "message": "Rate exceeded", "status": 400}
    with world.seam("sagemaker", "CreateEndpoint", error=error):
        return world.attempt(world.new)


def _before_fails(world: World) -> Outcome:
    """The artifact of another release than the one that was evaluated."""
    s3 = world.clients.of("delivery", "s3")
    other = read_object(s3, world.old.manifest["model"]["artifact"])
    return world.attempt(world.candidates.spoiled(world.new, "mixed-up", artifact=lambda _: other))


def _before_crashes(world: World) -> Outcome:
    """Golden records that end in the middle of a line."""
    return world.attempt(world.candidates.spoiled(world.new, "torn", golden=lambda text: text[: len(text) // 2]))


def _after_fails(world: World) -> Outcome:
    error = {"code": "SlowDown", "message": "Please reduce your request rate.", "status": 503}
    with world.seam("s3", "ListObjectsV2", error=error, principal=f"{world.project.production}-after-traffic"):
        return world.attempt(world.new)


def _capture_denied(world: World) -> Outcome:
    """Somebody tightened the bucket: the endpoint may no longer write what it captures."""
    bucket = world.project.names.capture_bucket(world.project.production)
    role = world.project.names.role_arn(world.project.production, "model")
    statement = {
        "Sid": "Tightened",
        "Effect": "Deny",
        "Principal": {"AWS": role},
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
    }
    with (
        _statement(world, bucket, statement),
        world.configured(world.project.production, "capture", waitSeconds=CAPTURE_SECONDS),
    ):
        return world.attempt(world.new)


@contextmanager
def _statement(world: World, bucket: str, statement: dict[str, Any]) -> Iterator[None]:
    """One statement more in the bucket's policy."""
    s3 = world.clients.of(world.project.production, "s3")
    former = s3.get_bucket_policy(Bucket=bucket)["Policy"]
    document = json.loads(former)
    document["Statement"] = [*document["Statement"], statement]
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(document))
    try:
        yield
    finally:
        s3.put_bucket_policy(Bucket=bucket, Policy=former)


def _key_disabled(world: World) -> Outcome:
    kms = world.clients.of(world.project.production, "kms")
    alias = world.project.names.key_alias(world.project.production)
    key = next(item["TargetKeyId"] for item in kms.list_aliases()["Aliases"] if item["AliasName"] == alias)
    # A model that lies elsewhere: of one that was tried before there may be an endpoint already.
    moved = world.candidates.spoiled(world.new, "moved", artifact=lambda body: body)
    kms.disable_key(KeyId=key)
    try:
        return world.attempt(moved)
    finally:
        kms.enable_key(KeyId=key)


def _cold_failure(world: World) -> Outcome:
    """A commit whose predict function cannot be imported."""
    with world.edited(
        "functions/predict/handler.py", lambda text: f'{text}\n\nraise RuntimeError("no such setting")\n'
    ):
        return world.attempt(world.new)


def during_shift(world: World, act: Callable[[str], None]) -> Outcome:
    """Deploys `new` under live traffic; `act` is called with the deployment's id once the canary has traffic."""
    with world.traffic() as traffic:
        process = world.start_deploy(world.project.production, world.new)
        act(world.until_shifting(process))
        done = world.finish(process)
        world.settle()
    if done.returncode == 0:
        return world.outcome(NONE, "", traffic)
    return world.stopped(cause(done.stdout), traffic)


def _alarm(world: World) -> Outcome:
    cloudwatch = world.clients.of(world.project.production, "cloudwatch")

    def act(deployment: str) -> None:
        name = alarm_on(cloudwatch, "Invocation5XXErrors")["AlarmName"]
        # CloudWatch takes back what its metric does not say, at its next look: so it is said until it was heard.
        while deployment in world.under_way():
            cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="an operator saw enough")
            time.sleep(0.05)

    return during_shift(world, act)


def _silent(world: World) -> Outcome:
    """A commit whose predict function answers, but reports no metrics: a canary that nobody sees must not pass."""
    silenced = "\n\ndef _write(*_: object) -> None:\n    return\n"
    # The canary of a client like ours sees a few requests a minute: fewer than the default takes for a sign.
    alarms = world.configured(world.project.production, "alarms", silentInvocations=SILENT_INVOCATIONS)
    with alarms, world.edited("functions/predict/metrics.py", lambda text: text + silenced):
        return world.attempt(world.new)


def _stopped(world: World) -> Outcome:
    codedeploy = world.clients.of(world.project.production, "codedeploy")

    def act(deployment: str) -> None:
        with held_minute(world.rehearsal):
            codedeploy.stop_deployment(deploymentId=deployment, autoRollbackEnabled=True)

    return during_shift(world, act)


def _killed(world: World) -> Outcome:
    """SIGKILL for the engine and all its processes, in the middle of the shift; then the same command again."""
    with world.traffic() as traffic:
        process = world.start_deploy(world.project.production, world.new)
        world.until_shifting(process)
        with held_minute(world.rehearsal):
            world.kill(process)
        again = world.deploy(world.project.production, world.new)
        world.settle()
    if again.returncode:
        return world.stopped(cause(again.stdout), traffic)
    return world.outcome(NONE, _about_the_first(again.stdout), traffic)


def _about_the_first(said: str) -> str:
    """What the second command says of the first one's end."""
    return next((line.strip() for line in said.splitlines() if "was killed" in line), "")


FAULTS = (
    Fault(
        "endpoint-creation-fails",
        "The artifact is what was approved, but no container can load it",
        _endpoint_fails,
        Expected(DEPLOY, r"ping health check"),
    ),
    Fault(
        "endpoint-update-throttled",
        "SageMaker throttles every new endpoint",
        _throttled,
        Expected(DEPLOY, r"Rate exceeded"),
    ),
    Fault(
        "before-hook-fails",
        "The artifact is another model than the one that was evaluated",
        _before_fails,
        Expected(DEPLOY, r"does not serve: hook BeforeAllowTraffic failed: .*the evaluated model gave"),
    ),
    Fault(
        "before-hook-crashes",
        "The golden records are torn, so the hook before traffic cannot read them",
        _before_crashes,
        Expected(DEPLOY, r"does not serve: hook BeforeAllowTraffic failed: .*golden"),
    ),
    Fault(
        "lambda-cold-failure",
        "A commit whose predict function cannot initialise",
        _cold_failure,
        Expected(DEPLOY, r"does not serve: hook BeforeAllowTraffic failed: .*no such setting"),
    ),
    Fault(
        "kms-key-disabled",
        "Production's key is switched off",
        _key_disabled,
        Expected(DEPLOY, r"CreateEndpoint: .*is disabled"),
    ),
    Fault(
        "alarm-during-canary",
        "The alarm on the endpoint's own errors goes off while the canary has traffic",
        _alarm,
        Expected(DEPLOY, r"alarm \S*endpoint-errors\b.* went off during the shift"),
    ),
    Fault(
        "alarm-metric-missing",
        "The new version answers, but its metrics do not arrive",
        _silent,
        Expected(DEPLOY, r"alarm \S*silence\b.* went off during the shift"),
    ),
    Fault(
        "deployment-stopped",
        "Somebody stops the deployment by hand",
        _stopped,
        Expected(DEPLOY, r"does not serve: its deployment was stopped by hand"),
    ),
    Fault(
        "after-hook-fails",
        "S3 does not answer the hook after traffic",
        _after_fails,
        Expected(DEPLOY, r"does not serve: hook AfterAllowTraffic failed: .*reduce your request rate"),
    ),
    Fault(
        "capture-denied",
        "The capture bucket refuses the endpoint's records",
        _capture_denied,
        Expected(DEPLOY, r"does not serve: hook AfterAllowTraffic failed: .*not in the capture"),
        denies=("{production}-model", "s3:PutObject"),
    ),
    Fault(
        "pulumi-killed",
        "pulumi up is killed in the middle of the shift, then run again",
        _killed,
        Expected(
            NONE,
            r"{production} is locked since .* its engine was killed|an update of {production} was killed",
            serving="new",
        ),
    ),
)
