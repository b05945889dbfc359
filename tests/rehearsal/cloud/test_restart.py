"""A gateway that is stopped and started again: what it holds is still there, and what was executing has an end."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from rehearsal.cloud.process import lifecycle
from rehearsal.cloud.wire.types import INTERRUPTED
from rehearsal.environment import Rehearsal
from rehearsal.errors import UserError
from tests.ports import free_port
from tests.processes import left_after_waiting
from tests.rehearsal.cloud.lambda_support import eventually as within
from tests.rehearsal.cloud.lambda_support import make_function, make_role
from tests.rehearsal.cloud.sagemaker_world import World, rows
from tests.rehearsal.cloud.test_codedeploy import SLOW, Shop

ACCOUNT, OTHER, REGION = "123456789012", "210987654321", "eu-west-1"


def eventually(read: Callable[[], Any]) -> Any:
    """Patient: a gateway that has just begun is slow on a busy machine."""
    return within(read, 60)


def settled(read: Callable[[], Any]) -> Any:
    """What is read once it has stopped to change: what a function did is counted a moment after its answer."""
    before = read()
    for _ in range(60):
        time.sleep(0.5)
        now = read()
        if now == before:
            return now
        before = now
    raise AssertionError("it goes on changing")


@dataclass
class Remote:
    """A gateway in another process, as far as the tests' helpers use a cloud."""

    rehearsal: Rehearsal

    def client(self, service: str, account: str, region: str, credentials: Any = None) -> Any:
        keys = credentials or {"AccessKeyId": f"AKIA{account}", "SecretAccessKey": self.rehearsal.secret()}
        return boto3.client(
            service, endpoint_url=self.rehearsal.endpoint, region_name=region,
            aws_access_key_id=keys["AccessKeyId"], aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys.get("SessionToken"), config=Config(retries={"max_attempts": 0}),
        )  # fmt: skip

    def of(self, service: str) -> Any:
        return self.client(service, ACCOUNT, REGION)

    def ask(self, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"{self.rehearsal.endpoint}/_rehearsal/{path}", data, headers=self.rehearsal.headers()
        )
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def restart(self) -> None:
        lifecycle.restart(self.rehearsal)


@pytest.fixture
def remote(tmp_path: Path) -> Iterator[Any]:
    made = Rehearsal(folder=tmp_path, port=free_port(), seconds_per_minute=0.2)
    lifecycle.start(made)
    yield Remote(made)
    lifecycle.stop(made)


def test_what_it_holds_is_still_there(remote: Any) -> None:
    s3, kms, iam, sns = (remote.of(name) for name in ("s3", "kms", "iam", "sns"))
    s3.create_bucket(Bucket="kept", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(Bucket="kept", VersioningConfiguration={"Status": "Enabled"})
    bodies = [b"first", b"x" * (20 << 20)]
    versions = [s3.put_object(Bucket="kept", Key="k", Body=b, ChecksumAlgorithm="SHA256")["VersionId"] for b in bodies]
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    secret = kms.encrypt(KeyId=key, Plaintext=b"words")["CiphertextBlob"]
    pair = kms.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    signing = {"KeyId": pair, "Message": b"m", "SigningAlgorithm": "RSASSA_PKCS1_V1_5_SHA_256"}
    signature = kms.sign(**signing)["Signature"]
    statement = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{OTHER}:root"}, "Action": "s3:GetObjectVersion"}
    policy = {"Version": "2012-10-17", "Statement": {**statement, "Resource": "arn:aws:s3:::kept/*"}}
    s3.put_bucket_policy(Bucket="kept", Policy=json.dumps(policy))
    remote.of("ssm").put_parameter(Name="/p", Value="1", Type="String")
    topic = sns.create_topic(Name="t")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="ann@example.com")
    assert remote.ask("outbox/confirm", {}) == {"confirmed": 1}
    sns.publish(TopicArn=topic, Message="hello")
    code = "count = 0\ndef handler(e, c):\n    global count\n    count += 1\n    return [e, count]"
    make_function(remote, ACCOUNT, "fn", code)
    invoke = {"FunctionName": "fn", "Payload": b'"a"'}
    assert json.load(remote.of("lambda").invoke(**invoke)["Payload"]) == ["a", 1]
    trust = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:*"}}
    arn = iam.create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    session = remote.of("sts").assume_role(RoleArn=arn, RoleSessionName="session")["Credentials"]
    fault = {"service": "ssm", "operation": "GetParameter", "error": {"code": "InternalServerError"}, "times": 5}
    remote.ask("faults", fault)
    counted = settled(lambda: remote.ask("ledger"))

    remote.restart()

    assert remote.ask("ledger") == counted
    assert [s3.get_object(Bucket="kept", Key="k", VersionId=v)["Body"].read() for v in versions] == bodies
    other = remote.client("s3", OTHER, REGION)
    assert other.get_object(Bucket="kept", Key="k", VersionId=versions[0])["Body"].read() == b"first"
    checksum = s3.head_object(Bucket="kept", Key="k", ChecksumMode="ENABLED")["ChecksumSHA256"]
    assert len(checksum) == 44
    assert kms.decrypt(CiphertextBlob=secret)["Plaintext"] == b"words"
    assert kms.verify(**signing, Signature=signature)["SignatureValid"]
    assert [mail["message"] for mail in remote.ask("outbox")][1:] == ["hello"]
    # The function's process is a new one: nothing of its memory is left, as after any cold start.
    assert json.load(remote.of("lambda").invoke(**invoke)["Payload"]) == ["a", 1]
    who = remote.client("sts", ACCOUNT, REGION, session).get_caller_identity()["Arn"]
    assert who == f"arn:aws:sts::{ACCOUNT}:assumed-role/r/session"
    with pytest.raises(remote.of("ssm").exceptions.ClientError, match="InternalServerError"):
        remote.of("ssm").get_parameter(Name="/p")
    assert remote.ask("faults")[0]["struck"] == 1


def test_an_endpoint_predicts_what_it_predicted_and_its_jobs_have_ended(remote: Any) -> None:
    world = World(remote, ACCOUNT, REGION)
    artifact = world.train("first")["ModelArtifacts"]["S3ModelArtifacts"]
    world.endpoint("e", artifact, DataCaptureConfig=world.capture())
    lines = [row[1:] for row in rows(5, seed=9)]
    before = world.predict("e", lines)["Body"].read()
    # Held up where the job reads its data.
    remote.ask("faults", {"service": "s3", "operation": "GetObject", "delay": 60, "match": {"Key": "^data/train"}})
    world.sagemaker.create_training_job(**world.training("second"))

    remote.restart()

    job = world.sagemaker.describe_training_job(TrainingJobName="second")
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"] == f"InternalServerError: {INTERRUPTED}"
    assert world.sagemaker.describe_endpoint(EndpointName="e")["EndpointStatus"] == "InService"
    assert world.predict("e", lines)["Body"].read() == before
    assert len(eventually(lambda: world.keys("capture/"))) >= 1


@contextmanager
def watched(shop: Shop, deployment: str) -> Iterator[list[str]]:
    """What a client that asks all the time is told of a deployment's end."""
    told: list[str] = []
    over = threading.Event()

    def ask() -> None:
        client = shop.deploy
        while not over.wait(0.005):
            with suppress(ClientError, BotoCoreError):
                info = client.get_deployment(deploymentId=deployment)["deploymentInfo"]
                if "errorInformation" in info:
                    told.append(info["errorInformation"]["message"])

    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(ask)
        try:
            yield told
        finally:
            over.set()
        asking.result()


def test_a_shift_under_way_has_failed_and_is_rolled_back(remote: Any) -> None:
    shop = Shop(remote, ACCOUNT).open(SLOW)
    deployment = shop.start()
    eventually(lambda: shop.alias()[1])

    with watched(shop, deployment) as told:
        remote.restart()
        info = shop.finish(deployment)
        eventually(lambda: told)

    # Nothing is told of it in the moments in which the cloud goes down.
    assert set(told) == {f"The deployment was interrupted: {INTERRUPTED}"}
    assert info["status"] == "Failed"
    assert info["errorInformation"]["message"] == f"The deployment was interrupted: {INTERRUPTED}"
    eventually(lambda: shop.alias() == ("1", None))
    rollback = info["rollbackInfo"]["rollbackDeploymentId"]
    assert shop.finish(rollback)["status"] == "Succeeded"
    # Nothing is wedged: the next one goes through.
    second = shop.deploy.create_deployment(
        applicationName="app", deploymentGroupName="group", revision=info["revision"],
        deploymentConfigName="CodeDeployDefault.LambdaAllAtOnce",
    )["deploymentId"]  # fmt: skip
    assert shop.finish(second)["status"] == "Succeeded"
    assert shop.alias() == ("2", None)


def test_a_state_machine_under_way_has_failed_and_an_ended_one_keeps_its_history(remote: Any) -> None:
    states = remote.of("stepfunctions")
    role = make_role(remote, ACCOUNT, "machine", "states.amazonaws.com")
    pass_on = {"Type": "Pass", "Result": {"a": 1}, "End": True}
    machines = {"short": pass_on, "long": {"Type": "Wait", "Seconds": 86400, "End": True}}
    arns = {}
    for name, state in machines.items():
        definition = json.dumps({"StartAt": "S", "States": {"S": state}})
        machine = states.create_state_machine(name=name, roleArn=role, definition=definition)["stateMachineArn"]
        arns[name] = states.start_execution(stateMachineArn=machine)["executionArn"]
    eventually(lambda: states.describe_execution(executionArn=arns["short"])["status"] == "SUCCEEDED")
    told = states.get_execution_history(executionArn=arns["short"])["events"]

    remote.restart()

    ended = states.describe_execution(executionArn=arns["long"])
    assert (ended["status"], ended["error"], ended["cause"]) == ("FAILED", "States.Runtime", INTERRUPTED)
    assert states.describe_execution(executionArn=arns["short"])["output"] == '{"a": 1}'
    assert states.get_execution_history(executionArn=arns["short"])["events"] == told


def test_an_approval_waits_on_and_a_build_under_way_has_failed(remote: Any, tmp_path: Path) -> None:
    s3, pipelines = remote.of("s3"), remote.of("codepipeline")
    for bucket in ("code", "store"):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    role = make_role(remote, ACCOUNT, "pipe", "codepipeline.amazonaws.com")
    builder = make_role(remote, ACCOUNT, "builder", "codebuild.amazonaws.com")
    environment = {
        "type": "LINUX_CONTAINER", "image": "aws/codebuild/standard:7.0", "computeType": "BUILD_GENERAL1_SMALL",
    }  # fmt: skip
    buildspec = json.dumps({"version": 0.2, "phases": {"build": {"commands": ["sleep 300"]}}})
    remote.of("codebuild").create_project(
        name="slow", serviceRole=builder, environment=environment, artifacts={"type": "CODEPIPELINE"},
        source={"type": "CODEPIPELINE", "buildspec": buildspec},
    )  # fmt: skip
    s3.put_object(Bucket="code", Key="code.zip", Body=_zip())

    def pipeline(name: str, *actions: dict[str, Any]) -> str:
        configuration = {"S3Bucket": "code", "S3ObjectKey": "code.zip", "PollForSourceChanges": "false"}
        source = _action("Source", "Source", "S3", configuration=configuration, outputArtifacts=[{"name": "Code"}])
        stages = [{"name": item["name"], "actions": [item]} for item in (source, *actions)]
        declared = {
            "name": name, "roleArn": role, "artifactStore": {"type": "S3", "location": "store"}, "stages": stages,
            "pipelineType": "V2", "executionMode": "QUEUED",
        }  # fmt: skip
        pipelines.create_pipeline(pipeline=declared)
        found = pipelines.list_pipeline_executions(pipelineName=name)["pipelineExecutionSummaries"]
        return str(found[0]["pipelineExecutionId"])

    def token() -> Any:
        for state in pipelines.get_pipeline_state(name="asks")["stageStates"]:
            for action in state.get("actionStates", []):
                if action["actionName"] == "Ask" and "token" in action.get("latestExecution", {}):
                    return action["latestExecution"]["token"]
        return None

    asks = pipeline("asks", _action("Ask", "Approval", "Manual"))
    build = {"ProjectName": "slow"}
    builds = pipeline(
        "builds", _action("B", "Build", "CodeBuild", configuration=build, inputArtifacts=[{"name": "Code"}])
    )
    given = eventually(token)
    eventually(lambda: remote.of("codebuild").list_builds()["ids"])
    # A second run waits for the stage that the first one holds.
    waiting = pipelines.start_pipeline_execution(name="asks")["pipelineExecutionId"]
    only = {"pipelineExecutionId": waiting}
    eventually(
        lambda: [
            item
            for item in pipelines.list_action_executions(pipelineName="asks", filter=only)["actionExecutionDetails"]
            if item["status"] == "Succeeded"
        ]
    )

    remote.restart()

    def status(name: str, execution: str) -> Any:
        found = pipelines.get_pipeline_execution(pipelineName=name, pipelineExecutionId=execution)
        return found["pipelineExecution"]["status"]

    assert status("builds", builds) == "Failed"
    details = pipelines.list_action_executions(pipelineName="builds")["actionExecutionDetails"]
    failed = next(item for item in details if item["actionName"] == "B")
    message = failed["output"]["executionResult"]["errorDetails"]["message"]
    assert message == f"{INTERRUPTED}: retry the stage"
    [made] = remote.of("codebuild").batch_get_builds(ids=remote.of("codebuild").list_builds()["ids"])["builds"]
    assert (made["buildStatus"], made["buildComplete"]) == ("FAULT", True)
    # The token that was sent by mail is good still.
    assert token() == given
    answer = {"summary": "fine", "status": "Approved"}
    pipelines.put_approval_result(pipelineName="asks", stageName="Ask", actionName="Ask", result=answer, token=given)
    eventually(lambda: status("asks", asks) == "Succeeded")
    second = eventually(lambda: token() if token() != given else None)
    pipelines.put_approval_result(pipelineName="asks", stageName="Ask", actionName="Ask", result=answer, token=second)
    eventually(lambda: status("asks", waiting) == "Succeeded")


def test_a_killed_gateway_is_followed_by_an_empty_one(remote: Any) -> None:
    remote.of("ssm").put_parameter(Name="/p", Value="1", Type="String")
    remote.restart()
    found = lifecycle.status(remote.rehearsal)
    assert found is not None
    os.kill(found.pid, signal.SIGKILL)
    assert left_after_waiting([found.pid]) == []
    lifecycle.start(remote.rehearsal)
    assert remote.of("ssm").describe_parameters()["Parameters"] == []


def test_what_was_kept_can_be_left_behind(remote: Any) -> None:
    remote.of("ssm").put_parameter(Name="/p", Value="1", Type="String")
    assert lifecycle.stop(remote.rehearsal, keep=True)
    lifecycle.start(remote.rehearsal, fresh=True)
    assert remote.of("ssm").describe_parameters()["Parameters"] == []


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"nothing that a cloud wrote", "is no snapshot, or one of format 1; this version reads format 3"),
        # What version 1 wrote began at once with what it pickled, here a module that has moved.
        (b"\x80\x05crehearsal.cloud.core\nCloud\n.", "is no snapshot, or one of format 1; this version reads format 3"),
        (b"glidepath rehearsal snapshot, format 2\n", "has format 2, and this version reads format 3"),
        (b"glidepath rehearsal snapshot, format 3\nxyz", "cannot be read (UnpicklingError: "),
    ],
)
def test_a_state_that_cannot_be_read_is_reported_with_the_way_out(remote: Any, content: bytes, sentence: str) -> None:
    lifecycle.stop(remote.rehearsal, keep=True)
    (remote.rehearsal.cloud / lifecycle.SNAPSHOT).write_bytes(content)
    with pytest.raises(UserError) as error:
        lifecycle.start(remote.rehearsal)
    assert str(error.value).startswith("the cloud's state of before cannot be used")
    assert f"{remote.rehearsal.cloud / lifecycle.SNAPSHOT} {sentence}" in str(error.value)
    assert str(error.value).endswith("Begin without it: up --fresh")
    lifecycle.start(remote.rehearsal, fresh=True)


def test_another_cloud_starts_from_a_snapshot_while_the_first_goes_on(remote: Any, tmp_path: Path) -> None:
    remote.of("ssm").put_parameter(Name="/p", Value="1", Type="String")
    kept = remote.ask("snapshot", {})
    assert kept["bytes"] == Path(kept["file"]).stat().st_size
    assert Path(kept["file"]).stat().st_mode & 0o077 == 0
    fork = Remote(lifecycle.fork(remote.rehearsal, tmp_path / "fork", free_port()))
    try:
        fork.of("ssm").put_parameter(Name="/p", Value="2", Type="String", Overwrite=True)
        assert fork.of("ssm").get_parameter(Name="/p")["Parameter"]["Value"] == "2"
        assert remote.of("ssm").get_parameter(Name="/p")["Parameter"]["Value"] == "1"
    finally:
        lifecycle.stop(fork.rehearsal)


def test_the_command_restarts(remote: Any) -> None:
    remote.of("ssm").put_parameter(Name="/p", Value="1", Type="String")
    env = {**os.environ, **remote.rehearsal.tools()}
    argv = [sys.executable, "-m", "cli", "cloud", "restart"]
    done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=90)
    found = lifecycle.status(remote.rehearsal)
    assert found is not None
    assert done.stdout == f"the cloud at {remote.rehearsal.endpoint} is up again (process {found.pid})\n"
    assert remote.of("ssm").get_parameter(Name="/p")["Parameter"]["Value"] == "1"
    lifecycle.stop(remote.rehearsal, keep=True)
    gone = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=90)
    assert gone.returncode == 1
    assert gone.stderr == f"glidepath: no rehearsal is up at {remote.rehearsal.endpoint}\n"


def _action(name: str, category: str, provider: str, **more: Any) -> dict[str, Any]:
    kind = {"category": category, "owner": "AWS", "provider": provider, "version": "1"}
    return {"name": name, "actionTypeId": kind, **more}


def _zip() -> bytes:
    from tests.rehearsal.cloud.delivery_support import zipped

    return zipped({"word.txt": hashlib.sha256(b"word").hexdigest()})
