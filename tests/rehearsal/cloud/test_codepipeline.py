"""Pipelines that really run, against a real gateway. Long, since all cases need one world of pipelines."""

import json
import subprocess
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from rehearsal.cloud.process.running import RunningCloud
from rehearsal.cloud.services.codepipeline.actions import build as actions_of_builds
from tests.rehearsal.cloud.delivery_support import ACCOUNT, REGION, allow, aws, bucket, role, until, unzipped, zipped
from tests.rehearsal.cloud.lambda_support import make_function

BUILDSPEC = """
version: 0.2
env: {exported-variables: [WORD]}
phases:
  build:
    commands:
      - export WORD="$(cat word.txt)-$ASKED"
      - echo "$WORD" > made.txt
artifacts: {files: [made.txt]}
"""


@pytest.fixture(scope="module")
def cloud(running_cloud: RunningCloud) -> Iterator[Any]:
    made = running_cloud.cloud
    for name, service in (("pipe", "codepipeline"), ("builder", "codebuild"), ("rules", "events")):
        role(made, name, f"{service}.amazonaws.com")
        allow(made, name, ["logs:*", "s3:*", "codebuild:*", "sns:*", "states:*", "codepipeline:*", "kms:*"])
        allow_connections = ["codeconnections:*", "codestar-connections:*", "lambda:*"]
        aws(made, "iam").put_role_policy(
            RoleName=name,
            PolicyName="more",
            PolicyDocument=json.dumps(
                {
                    "Version": "2012-10-17",
                    "Statement": [{"Effect": "Allow", "Action": allow_connections, "Resource": "*"}],
                }
            ),
        )
    bucket(made, "store")
    bucket(made, "code")
    project(made, "build", BUILDSPEC)
    with pytest.MonkeyPatch.context() as patch:
        # 0.05 s for an AWS minute: the shortest approval expires after a quarter of a second
        patch.setattr(made.clock, "seconds_per_minute", 0.05)
        yield made


def project(cloud: Any, name: str, buildspec: str) -> str:
    aws(cloud, "codebuild").create_project(
        name=name,
        source={"type": "CODEPIPELINE", "buildspec": buildspec},
        artifacts={"type": "CODEPIPELINE"},
        environment={
            "type": "LINUX_CONTAINER",
            "image": "aws/codebuild/standard:7.0",
            "computeType": "BUILD_GENERAL1_SMALL",
        },
        serviceRole=f"arn:aws:iam::{ACCOUNT}:role/builder",
    )
    return name


def queue(cloud: Any, name: str) -> tuple[str, str]:
    """URL and ARN of a queue that SNS and EventBridge may fill."""
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"
    services = {"Service": ["sns.amazonaws.com", "events.amazonaws.com"]}
    statement = {"Effect": "Allow", "Principal": services, "Action": "sqs:SendMessage", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    return aws(cloud, "sqs").create_queue(QueueName=name, Attributes={"Policy": policy})["QueueUrl"], arn


def action(name: str, category: str, provider: str, configuration: dict[str, str], **more: Any) -> dict[str, Any]:
    kind = {"category": category, "owner": "AWS", "provider": provider, "version": "1"}
    return {"name": name, "actionTypeId": kind, "configuration": configuration, **more}


def source(key: str, name: str = "Source", output: str = "Code", **more: str) -> dict[str, Any]:
    configuration = {"S3Bucket": "code", "S3ObjectKey": key, "PollForSourceChanges": "false", **more}
    return action(name, "Source", "S3", configuration, outputArtifacts=[{"name": output}], namespace=name)


def build(name: str = "Build", project_name: str = "build", inputs: tuple[str, ...] = ("Code",), **more: Any) -> Any:
    configuration = {"ProjectName": project_name, **more.pop("configuration", {})}
    return action(name, "Build", "CodeBuild", configuration, inputArtifacts=[{"name": item} for item in inputs], **more)


def approve(**more: Any) -> dict[str, Any]:
    return action("Ask", "Approval", "Manual", more.pop("configuration", {}), **more)


def stage(name: str, *actions: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "actions": list(actions)}


def declared(*stages: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "name": f"pipe-{uuid.uuid4().hex[:8]}",
        "roleArn": f"arn:aws:iam::{ACCOUNT}:role/pipe",
        "artifactStore": {"type": "S3", "location": "store"},
        "stages": list(stages),
        "pipelineType": "V2",
        "executionMode": "QUEUED",
        **more,
    }


def upload(cloud: Any, word: str, key: str = "") -> tuple[str, str]:
    key = key or f"{uuid.uuid4().hex}.zip"
    put = aws(cloud, "s3").put_object(Bucket="code", Key=key, Body=zipped({"word.txt": word}))
    return key, put["VersionId"]


def create(cloud: Any, *stages: dict[str, Any], **more: Any) -> str:
    made = aws(cloud, "codepipeline").create_pipeline(pipeline=declared(*stages, **more))
    return str(made["pipeline"]["name"])


def executions(cloud: Any, name: str) -> list[dict[str, Any]]:
    """Oldest first."""
    found = aws(cloud, "codepipeline").list_pipeline_executions(pipelineName=name)["pipelineExecutionSummaries"]
    return list(reversed(found))


def status(cloud: Any, name: str, execution: str) -> str:
    found = aws(cloud, "codepipeline").get_pipeline_execution(pipelineName=name, pipelineExecutionId=execution)
    return str(found["pipelineExecution"]["status"])


def ended(cloud: Any, name: str, execution: str) -> str:
    return str(until(lambda: (found := status(cloud, name, execution)) not in ("InProgress", "Stopping") and found, 60))


def first(cloud: Any, name: str) -> str:
    return str(executions(cloud, name)[0]["pipelineExecutionId"])


def actions(cloud: Any, name: str, execution: str) -> dict[str, dict[str, Any]]:
    found = aws(cloud, "codepipeline").list_action_executions(
        pipelineName=name, filter={"pipelineExecutionId": execution}
    )["actionExecutionDetails"]
    return {item["actionName"]: item for item in reversed(found)}


def error(cloud: Any, name: str, execution: str, action_name: str) -> dict[str, Any]:
    found: dict[str, Any] = actions(cloud, name, execution)[action_name]["output"]["executionResult"]["errorDetails"]
    return found


def asked(cloud: Any, name: str, stage_name: str = "Approve") -> str:
    """The token of the approval that waits."""

    def token() -> str | None:
        states = aws(cloud, "codepipeline").get_pipeline_state(name=name)["stageStates"]
        found = next(item for item in states if item["stageName"] == stage_name)
        return found["actionStates"][0].get("latestExecution", {}).get("token")  # type: ignore[no-any-return]

    return str(until(token, 60))


def answer(cloud: Any, name: str, token: str, result: str = "Approved", summary: str = "looks good") -> Any:
    return aws(cloud, "codepipeline").put_approval_result(
        pipelineName=name,
        stageName="Approve",
        actionName="Ask",
        result={"status": result, "summary": summary},
        token=token,
    )


def test_source_build_approve(cloud: Any) -> None:
    key, version = upload(cloud, "hello")
    inbox, arn = queue(cloud, f"inbox-{uuid.uuid4().hex[:6]}")
    topic = aws(cloud, "sns").create_topic(Name="asked")["TopicArn"]
    aws(cloud, "sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    variables = [{"name": "ASKED", "value": "#{variables.ASKED}-#{Source.VersionId}"}]
    name = create(
        cloud,
        stage("Source", source(key)),
        stage(
            "Build",
            build(
                configuration={"EnvironmentVariables": json.dumps(variables)},
                outputArtifacts=[{"name": "Made"}],
                namespace="Build",
            ),
        ),
        stage("Approve", approve(configuration={"NotificationArn": topic, "CustomData": "#{Build.WORD}"})),
        variables=[{"name": "ASKED", "defaultValue": "default"}],
    )
    execution = first(cloud, name)
    token = asked(cloud, name)
    word = f"hello-default-{version}"
    message = json.loads(
        json.loads(aws(cloud, "sqs").receive_message(QueueUrl=inbox, WaitTimeSeconds=5)["Messages"][0]["Body"])[
            "Message"
        ]
    )
    assert message["approval"]["token"] == token
    assert message["approval"]["customData"] == word
    assert message["approval"]["pipelineName"] == name
    answer(cloud, name, token)
    assert ended(cloud, name, execution) == "Succeeded"

    found = aws(cloud, "codepipeline").get_pipeline_execution(pipelineName=name, pipelineExecutionId=execution)
    shown = found["pipelineExecution"]
    assert shown["trigger"]["triggerType"] == "CreatePipeline"
    assert shown["variables"] == [{"name": "ASKED", "resolvedValue": "default"}]
    assert shown["artifactRevisions"][0]["revisionId"] == version
    done = actions(cloud, name, execution)
    assert done["Source"]["output"]["outputVariables"] == {
        "BucketName": "code",
        "ObjectKey": key,
        "VersionId": version,
        "ETag": done["Source"]["output"]["outputVariables"]["ETag"],
    }
    assert done["Build"]["output"]["outputVariables"] == {"WORD": word}
    assert done["Ask"]["output"]["executionResult"]["externalExecutionSummary"] == "looks good"
    assert done["Ask"]["updatedBy"] == f"arn:aws:iam::{ACCOUNT}:user/administrator"
    place = done["Build"]["output"]["outputArtifacts"][0]["s3location"]
    assert place["key"].startswith(f"{name[:20]}/Made/")
    stored = aws(cloud, "s3").get_object(Bucket=place["bucket"], Key=place["key"])
    assert unzipped(stored["Body"].read()) == {"made.txt": f"{word}\n"}
    assert stored["ServerSideEncryption"] == "aws:kms"
    with pytest.raises(ClientError, match="ApprovalAlreadyCompleted"):
        answer(cloud, name, token)


def test_every_call_is_made_under_the_role_that_aws_uses(cloud: Any) -> None:
    key, _ = upload(cloud, "x")
    name = create(cloud, stage("Source", source(key)), stage("Build", build(outputArtifacts=[{"name": "Made"}])))
    assert ended(cloud, name, first(cloud, name)) == "Succeeded"
    assert {"codebuild:StartBuild", "s3:PutObject"} <= calls(cloud, "pipe")
    assert {"logs:PutLogEvents", "s3:PutObject"} <= calls(cloud, "builder")
    assert "codebuild:StartBuild" not in calls(cloud, "builder")


def test_rejected_approval_fails_and_can_be_retried(cloud: Any) -> None:
    key, _ = upload(cloud, "x")
    name = create(cloud, stage("Source", source(key)), stage("Approve", approve()))
    execution = first(cloud, name)
    token = asked(cloud, name)
    with pytest.raises(ClientError, match="InvalidApprovalToken"):
        answer(cloud, name, str(uuid.uuid4()))
    answer(cloud, name, token, "Rejected", "too risky")
    assert ended(cloud, name, execution) == "Failed"
    assert "too risky" in error(cloud, name, execution, "Ask")["message"]
    client = aws(cloud, "codepipeline")
    client.retry_stage_execution(
        pipelineName=name, stageName="Approve", pipelineExecutionId=execution, retryMode="FAILED_ACTIONS"
    )
    again = asked(cloud, name)
    assert again != token
    answer(cloud, name, again)
    assert ended(cloud, name, execution) == "Succeeded"


def test_approval_expires(cloud: Any) -> None:
    key, _ = upload(cloud, "x")
    name = create(cloud, stage("Source", source(key)), stage("Approve", approve(timeoutInMinutes=5)))
    execution = first(cloud, name)
    assert ended(cloud, name, execution) == "Failed"
    assert "expired" in error(cloud, name, execution, "Ask")["message"]


def test_failing_build_says_why(cloud: Any) -> None:
    key, _ = upload(cloud, "x")
    project(cloud, "broken", "version: 0.2\nphases: {build: {commands: [exit 3]}}\n")
    name = create(cloud, stage("Source", source(key)), stage("Build", build(project_name="broken")))
    execution = first(cloud, name)
    assert ended(cloud, name, execution) == "Failed"
    message = error(cloud, name, execution, "Build")["message"]
    assert "Error while executing command: exit 3. Reason: exit status 3" in message
    state = aws(cloud, "codepipeline").get_pipeline_state(name=name)["stageStates"][1]
    assert state["latestExecution"]["status"] == "Failed"
    assert state["actionStates"][0]["latestExecution"]["errorDetails"]["code"] == "JobFailed"


def test_a_stage_does_not_wait_for_its_next_look_at_a_build(cloud: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions_of_builds, "_POLL_SECONDS", 3600.0)
    key, _ = upload(cloud, "x")
    project(cloud, "slow", "version: 0.2\nphases: {build: {commands: [sleep 0.5]}}\n")
    name = create(cloud, stage("Source", source(key)), stage("Build", build(project_name="slow")))
    execution = first(cloud, name)
    assert ended(cloud, name, execution) == "Succeeded"


def test_several_artifacts_in_and_out(cloud: Any) -> None:
    key, _ = upload(cloud, "main")
    data, _ = upload(cloud, "extra")
    project(
        cloud,
        "several",
        """
version: 0.2
phases: {build: {commands: ['cat word.txt "$CODEBUILD_SRC_DIR_Data/word.txt" > a.txt', 'mkdir d && echo b > d/b.txt']}}
artifacts:
  secondary-artifacts:
    One: {files: [a.txt]}
    Two: {base-directory: d, files: ['**/*']}
""",
    )
    name = create(
        cloud,
        stage("Source", source(key), source(data, "More", "Data")),
        stage(
            "Build",
            build(
                project_name="several",
                inputs=("Data", "Code"),
                configuration={"PrimarySource": "Code"},
                outputArtifacts=[{"name": "One"}, {"name": "Two"}],
            ),
        ),
    )
    execution = first(cloud, name)
    assert ended(cloud, name, execution) == "Succeeded"
    found = {}
    for item in actions(cloud, name, execution)["Build"]["output"]["outputArtifacts"]:
        place = item["s3location"]
        body = aws(cloud, "s3").get_object(Bucket=place["bucket"], Key=place["key"])["Body"].read()
        found[item["name"]] = unzipped(body)
    assert found == {"One": {"a.txt": "mainextra"}, "Two": {"b.txt": "b\n"}}


def test_start_with_variables_revision_and_token(cloud: Any) -> None:
    key, old = upload(cloud, "old")
    upload(cloud, "new", key)
    name = create(
        cloud,
        stage("Source", source(key)),
        stage("Approve", approve(configuration={"CustomData": "#{variables.REASON}"})),
        variables=[{"name": "REASON", "defaultValue": "commit"}],
        executionMode="PARALLEL",
    )
    client = aws(cloud, "codepipeline")
    request = {
        "name": name,
        "variables": [{"name": "REASON", "value": "data"}],
        "sourceRevisions": [{"actionName": "Source", "revisionType": "S3_OBJECT_VERSION_ID", "revisionValue": old}],
        "clientRequestToken": "once",
    }
    execution = client.start_pipeline_execution(**request)["pipelineExecutionId"]
    assert client.start_pipeline_execution(**request)["pipelineExecutionId"] == execution
    assert len(executions(cloud, name)) == 2
    until(lambda: "Ask" in actions(cloud, name, execution))
    done = actions(cloud, name, execution)
    assert done["Source"]["output"]["outputVariables"]["VersionId"] == old
    assert done["Ask"]["input"]["resolvedConfiguration"] == {"CustomData": "data"}
    with pytest.raises(ClientError, match="does not declare the variable OTHER"):
        client.start_pipeline_execution(name=name, variables=[{"name": "OTHER", "value": "x"}])
    wrong = [{"actionName": "Nope", "revisionType": "S3_OBJECT_VERSION_ID", "revisionValue": "1"}]
    with pytest.raises(ClientError, match="no source action named Nope"):
        client.start_pipeline_execution(name=name, sourceRevisions=wrong)
    moved = [{"actionName": "Source", "revisionType": "S3_OBJECT_KEY", "revisionValue": "other.zip"}]
    with pytest.raises(ClientError, match="AllowOverrideForS3ObjectKey"):
        client.start_pipeline_execution(name=name, sourceRevisions=moved)


def test_source_failures_are_reported(cloud: Any) -> None:
    name = create(cloud, stage("Source", source("absent.zip")), stage("Approve", approve()))
    execution = first(cloud, name)
    assert ended(cloud, name, execution) == "Failed"
    assert "absent.zip does not exist in the bucket code" in error(cloud, name, execution, "Source")["message"]
    bucket(cloud, "unversioned", versioned=False)
    plain = source("a.zip", S3Bucket="unversioned")
    name = create(cloud, stage("Source", plain), stage("Approve", approve()))
    assert ended(cloud, name, first(cloud, name)) == "Failed"
    assert "must be versioned" in error(cloud, name, first(cloud, name), "Source")["message"]


def test_queued_executions_enter_a_stage_one_after_the_other(cloud: Any) -> None:
    key, _ = upload(cloud, "x")
    name = create(cloud, stage("Source", source(key)), stage("Approve", approve()), executionMode="QUEUED")
    client = aws(cloud, "codepipeline")
    one = first(cloud, name)
    token = asked(cloud, name)
    two = client.start_pipeline_execution(name=name)["pipelineExecutionId"]
    three = client.start_pipeline_execution(name=name)["pipelineExecutionId"]

    def waiting() -> list[str]:
        state = client.get_pipeline_state(name=name)["stageStates"][1]
        return [item["pipelineExecutionId"] for item in state.get("inboundExecutions", [])]

    until(lambda: waiting() == [two, three])
    assert "Ask" not in actions(cloud, name, two)
    for execution in (one, two, three):
        token = asked(cloud, name)
        assert "Ask" in actions(cloud, name, execution)
        answer(cloud, name, token)
        assert ended(cloud, name, execution) == "Succeeded"


def test_superseded_executions_give_way_to_the_newest(cloud: Any) -> None:
    key, _ = upload(cloud, "x")
    name = create(cloud, stage("Source", source(key)), stage("Approve", approve()), executionMode="SUPERSEDED")
    client = aws(cloud, "codepipeline")
    token = asked(cloud, name)
    two = client.start_pipeline_execution(name=name)["pipelineExecutionId"]
    until(lambda: actions(cloud, name, two).get("Source", {}).get("status") == "Succeeded")
    three = client.start_pipeline_execution(name=name)["pipelineExecutionId"]
    assert ended(cloud, name, two) == "Superseded"
    answer(cloud, name, token)
    answer(cloud, name, asked(cloud, name))
    assert ended(cloud, name, three) == "Succeeded"


def test_parallel_executions_do_not_wait(cloud: Any) -> None:
    key, _ = upload(cloud, "x")
    name = create(cloud, stage("Source", source(key)), stage("Approve", approve()), executionMode="PARALLEL")
    one = first(cloud, name)
    two = aws(cloud, "codepipeline").start_pipeline_execution(name=name)["pipelineExecutionId"]
    until(lambda: "Ask" in actions(cloud, name, one) and "Ask" in actions(cloud, name, two))


@pytest.mark.parametrize(("abandon", "action_status"), [(True, "Abandoned"), (False, "Succeeded")])
def test_stop(cloud: Any, abandon: bool, action_status: str) -> None:
    key, _ = upload(cloud, "x")
    name = create(cloud, stage("Source", source(key)), stage("Approve", approve()), stage("Last", approve()))
    execution = first(cloud, name)
    token = asked(cloud, name)
    client = aws(cloud, "codepipeline")
    client.stop_pipeline_execution(pipelineName=name, pipelineExecutionId=execution, abandon=abandon, reason="by hand")
    if not abandon:
        assert status(cloud, name, execution) == "Stopping"
        with pytest.raises(ClientError, match="DuplicatedStopRequest"):
            client.stop_pipeline_execution(pipelineName=name, pipelineExecutionId=execution)
        answer(cloud, name, token)
    assert ended(cloud, name, execution) == "Stopped"
    assert actions(cloud, name, execution)["Ask"]["status"] == action_status
    assert executions(cloud, name)[0]["stopTrigger"] == {"reason": "by hand"}
    with pytest.raises(ClientError, match="PipelineExecutionNotStoppable"):
        client.stop_pipeline_execution(pipelineName=name, pipelineExecutionId=execution)


def test_disabled_transition_holds_executions_back(cloud: Any) -> None:
    key, _ = upload(cloud, "x")
    name = create(cloud, stage("Source", source(key)), stage("Approve", approve()))
    execution = first(cloud, name)
    answer(cloud, name, asked(cloud, name))
    ended(cloud, name, execution)
    client = aws(cloud, "codepipeline")
    client.disable_stage_transition(pipelineName=name, stageName="Approve", transitionType="Inbound", reason="freeze")
    second = client.start_pipeline_execution(name=name)["pipelineExecutionId"]
    state = until(
        lambda: (found := client.get_pipeline_state(name=name)["stageStates"][1]).get("inboundExecution") and found
    )
    assert state["inboundTransitionState"]["disabledReason"] == "freeze"
    assert "Ask" not in actions(cloud, name, second)
    client.enable_stage_transition(pipelineName=name, stageName="Approve", transitionType="Inbound")
    answer(cloud, name, asked(cloud, name))
    assert ended(cloud, name, second) == "Succeeded"


def test_connection_source_packs_the_registered_repository(cloud: Any, tmp_path: Path) -> None:
    git: Callable[..., Any] = lambda *words: subprocess.run(["git", "-C", str(tmp_path), *words], check=True)  # noqa: E731
    git("init", "-q", "-b", "main")
    (tmp_path / "word.txt").write_text("from git")
    git("add", ".")
    git("-c", "user.name=Ann", "-c", "user.email=ann@example.com", "commit", "-q", "-m", "First words")
    made = aws(cloud, "codeconnections").create_connection(ProviderType="GitHub", ConnectionName="hub")
    arn = made["ConnectionArn"]
    configuration = {"ConnectionArn": arn, "FullRepositoryId": "ann/words", "BranchName": "main"}
    fetch = action(
        "Source",
        "Source",
        "CodeStarSourceConnection",
        configuration,
        outputArtifacts=[{"name": "Code"}],
        namespace="Git",
    )
    question = approve(configuration={"CustomData": "#{Git.CommitMessage} #{Git.CommitId}"})
    name = create(cloud, stage("Source", fetch), stage("Approve", question))
    assert ended(cloud, name, first(cloud, name)) == "Failed"
    assert "is not available: PENDING" in error(cloud, name, first(cloud, name), "Source")["message"]

    def post(path: str, body: Any = None) -> int:
        data = json.dumps(body or {}).encode()
        request = urllib.request.Request(f"{cloud.url}{path}", data=data, method="POST")
        with urllib.request.urlopen(request) as reply:
            return int(reply.status)

    assert post(f"/_rehearsal/connections/{urllib.parse.quote(arn)}/available") == 204
    assert post("/_rehearsal/repositories", {"repository": "ann/words", "path": str(tmp_path)}) == 204
    execution = aws(cloud, "codepipeline").start_pipeline_execution(name=name)["pipelineExecutionId"]
    token = asked(cloud, name)
    done = actions(cloud, name, execution)
    place = done["Source"]["output"]["outputArtifacts"][0]["s3location"]
    body = aws(cloud, "s3").get_object(Bucket=place["bucket"], Key=place["key"])["Body"].read()
    assert unzipped(body) == {"word.txt": "from git"}
    commit = done["Source"]["output"]["outputVariables"]["CommitId"]
    assert done["Ask"]["input"]["resolvedConfiguration"]["CustomData"] == f"First words {commit}"
    answer(cloud, name, token)
    assert ended(cloud, name, execution) == "Succeeded"


def calls(cloud: Any, name: str) -> set[str]:
    """The IAM actions that were used under the role."""
    return set(cloud.ledger.snapshot()[f"arn:aws:iam::{ACCOUNT}:role/{name}"]["calls"])


def _two(*actions_: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    return stage("Source", source("a.zip")), stage("Next", *actions_)


@pytest.mark.parametrize(
    ("stages", "more", "message"),
    [
        ((stage("Source", source("a.zip")),), {}, "minimum of 2 stages"),
        ((stage("A", approve()), stage("B", approve())), {}, "only contains source actions"),
        (_two(source("b.zip", "Late", "Other")), {}, "Only the first stage may contain source"),
        ((stage("Source", source("a.zip")), stage("Source", approve())), {}, "Stage name must be unique"),
        (_two(approve(), approve()), {}, "Action name must be unique"),
        (_two(build(inputs=("Nothing",))), {}, "Nothing in action Build"),
        (_two(build(outputArtifacts=[{"name": "Code"}])), {}, "Output Artifact Bundle name must be unique"),
        (_two(build(configuration={"Projectname": "x"})), {}, "unknown configuration 'Projectname'"),
        (_two(action("B", "Build", "CodeBuild", {}, inputArtifacts=[{"name": "Code"}])), {}, "'ProjectName'"),
        (_two(build(configuration={"EnvironmentVariables": "{"})), {}, "not valid JSON"),
        (_two(approve(configuration={"CustomData": "#{Nope.X}"})), {}, "namespace that no prior action declares"),
        (_two(approve(configuration={"CustomData": "#{variables.X}"})), {}, "unknown variable"),
        (_two(approve(configuration={"CustomData": "#{Source.Colour}"})), {}, "unknown variable"),
        (_two(build(namespace="Source")), {}, "Namespace must be unique"),
        (_two(action("D", "Deploy", "ECS", {})), {}, "does not implement"),
        (_two(action("D", "Build", "Nonsense", {})), {}, "is not available in region"),
        (_two(build(timeoutInMinutes=10)), {}, "manual approval actions alone"),
        (_two(approve()), {"pipelineType": "V1"}, "requires pipelineType V2"),
        (_two(approve()), {"roleArn": f"arn:aws:iam::{ACCOUNT}:role/builder"}, "not authorized to perform AssumeRole"),
        (_two(approve()), {"artifactStore": {"type": "S3", "location": "no-such-store"}}, "artifact store bucket"),
    ],
)
def test_bad_declarations_are_refused(cloud: Any, stages: tuple[Any, ...], more: dict[str, Any], message: str) -> None:
    declaration = declared(*stages, **more)
    with pytest.raises(ClientError, match=message):
        aws(cloud, "codepipeline").create_pipeline(pipeline=declaration)
    with pytest.raises(ClientError, match="PipelineNotFound"):
        aws(cloud, "codepipeline").get_pipeline(name=declaration["name"])


def test_update_get_list_delete_and_tags(cloud: Any) -> None:
    key, _ = upload(cloud, "x")
    client = aws(cloud, "codepipeline")
    declaration = declared(stage("Source", source(key)), stage("Approve", approve()))
    client.create_pipeline(pipeline=declaration, tags=[{"key": "a", "value": "b"}])
    name = declaration["name"]
    changed = declaration | {"executionMode": "PARALLEL"}
    assert client.update_pipeline(pipeline=changed)["pipeline"]["version"] == 2
    shown = client.get_pipeline(name=name)
    arn = shown["metadata"]["pipelineArn"]
    assert arn == f"arn:aws:codepipeline:{REGION}:{ACCOUNT}:{name}"
    assert client.get_pipeline(name=name, version=1)["pipeline"]["executionMode"] == "QUEUED"
    assert name in [item["name"] for item in client.list_pipelines()["pipelines"]]
    client.tag_resource(resourceArn=arn, tags=[{"key": "c", "value": "d"}])
    client.untag_resource(resourceArn=arn, tagKeys=["a"])
    assert client.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "c", "value": "d"}]
    client.delete_pipeline(name=name)
    with pytest.raises(ClientError, match="PipelineNotFound"):
        client.get_pipeline(name=name)


_ACTION_FAILED = (
    "pipeline", "execution-id", "start-time", "stage", "execution-result", "action-execution-id", "action", "state",
    "region", "type", "version", "pipeline-execution-attempt",
)  # fmt: skip


def test_changes_of_state_are_events(cloud: Any) -> None:
    events, queues = aws(cloud, "events"), aws(cloud, "sqs")
    inbox, arn = queue(cloud, "changes")
    events.put_rule(Name="changes", EventPattern=json.dumps({"source": ["aws.codepipeline"]}))
    events.put_targets(Rule="changes", Targets=[{"Id": "1", "Arn": arn}])
    key, _ = upload(cloud, "x")
    name = create(cloud, stage("Source", source(key)), stage("Approve", approve(timeoutInMinutes=5)))
    execution = first(cloud, name)
    ended(cloud, name, execution)
    seen: set[tuple[str, str]] = set()
    failed: list[dict[str, Any]] = []

    def collected() -> bool:
        for message in queues.receive_message(QueueUrl=inbox, MaxNumberOfMessages=10).get("Messages", []):
            body = json.loads(message["Body"])
            if body["detail"]["execution-id"] == execution:
                seen.add((body["detail-type"].split()[1], body["detail"]["state"]))
                if "action" in body["detail"] and body["detail"]["state"] == "FAILED":
                    failed.append(body)
            queues.delete_message(QueueUrl=inbox, ReceiptHandle=message["ReceiptHandle"])
        return {("Pipeline", "STARTED"), ("Pipeline", "FAILED"), ("Stage", "SUCCEEDED"), ("Action", "FAILED")} <= seen

    until(collected)
    events.remove_targets(Rule="changes", Ids=["1"])
    detail = failed[0]["detail"]
    # https://docs.aws.amazon.com/codepipeline/latest/userguide/detect-state-changes-cloudwatch-events.html
    assert set(_ACTION_FAILED) <= set(detail)
    assert detail["type"] == {"owner": "AWS", "provider": "Manual", "category": "Approval", "version": "1"}
    assert detail["execution-result"]["external-execution-summary"].startswith("The approval expired")
    assert failed[0]["resources"] == [f"arn:aws:codepipeline:{REGION}:{ACCOUNT}:{name}"]


def test_rule_starts_the_pipeline_under_its_role(cloud: Any) -> None:
    key, _ = upload(cloud, "x")
    name = create(cloud, stage("Source", source(key)), stage("Approve", approve()), executionMode="PARALLEL")
    events = aws(cloud, "events")
    rule = events.put_rule(Name=f"start-{name}", EventPattern=json.dumps({"source": [f"test.{name}"]}))["RuleArn"]
    target = {
        "Id": "1",
        "Arn": f"arn:aws:codepipeline:{REGION}:{ACCOUNT}:{name}",
        "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/rules",
    }
    events.put_targets(Rule=f"start-{name}", Targets=[target])
    events.put_events(Entries=[{"Source": f"test.{name}", "DetailType": "x", "Detail": "{}"}])
    started = until(lambda: (found := executions(cloud, name))[1:] and found[1])
    assert started["trigger"] == {"triggerType": "CloudWatchEvent", "triggerDetail": rule}


MACHINE = {
    "StartAt": "Choose",
    "States": {
        "Choose": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.good", "BooleanEquals": True, "Next": "Done"}],
            "Default": "Bad",
        },
        "Done": {"Type": "Pass", "End": True},
        "Bad": {"Type": "Fail", "Error": "GateFailed", "Cause": "rmse 12.1 is above the threshold 10"},
    },
}


@pytest.mark.parametrize("good", [True, False])
def test_state_machine_action(cloud: Any, good: bool) -> None:
    machine_role = role(cloud, "machine", "states.amazonaws.com")
    machine = aws(cloud, "stepfunctions").create_state_machine(
        name=f"m-{uuid.uuid4().hex[:6]}", definition=json.dumps(MACHINE), roleArn=machine_role
    )["stateMachineArn"]
    key, _ = upload(cloud, "x")
    configuration = {
        "StateMachineArn": machine,
        "ExecutionNamePrefix": "train",
        "InputType": "Literal",
        "Input": json.dumps({"good": good, "run": "#{codepipeline.PipelineExecutionId}"}),
    }
    train = action(
        "Train", "Invoke", "StepFunctions", configuration, outputArtifacts=[{"name": "Trained"}], namespace="Train"
    )
    name = create(cloud, stage("Source", source(key)), stage("Train", train))
    execution = first(cloud, name)
    assert ended(cloud, name, execution) == ("Succeeded" if good else "Failed")
    if not good:
        said = error(cloud, name, execution, "Train")["message"]
        assert "GateFailed: rmse 12.1 is above the threshold 10" in said
        return
    done = actions(cloud, name, execution)["Train"]["output"]
    assert done["outputVariables"]["StateMachineArn"] == machine
    assert done["executionResult"]["externalExecutionId"] == done["outputVariables"]["ExecutionArn"]
    place = done["outputArtifacts"][0]["s3location"]
    stored = unzipped(aws(cloud, "s3").get_object(Bucket=place["bucket"], Key=place["key"])["Body"].read())
    assert json.loads(stored["output.json"]) == {"good": True, "run": execution}


WORKER = """
import boto3, os

def handler(event, context):
    job = event["CodePipeline.job"]
    client = boto3.client("codepipeline")
    words = job["data"]["actionConfiguration"]["configuration"]["UserParameters"]
    if words == "bad":
        client.put_job_failure_result(jobId=job["id"], failureDetails={"type": "JobFailed", "message": "not today"})
    elif words == "later" and "continuationToken" not in job["data"]:
        client.put_job_success_result(jobId=job["id"], continuationToken="again")
    else:
        client.put_job_success_result(jobId=job["id"], outputVariables={"Said": words})
"""


@pytest.mark.parametrize("words", ["fine", "later", "bad"])
def test_function_action(cloud: Any, words: str) -> None:
    function = f"worker-{words}"
    make_function(cloud, ACCOUNT, function, WORKER)
    allow(cloud, f"{function}-role", ["codepipeline:*", "logs:*"])
    key, _ = upload(cloud, "x")
    work = action("Work", "Invoke", "Lambda", {"FunctionName": function, "UserParameters": words})
    name = create(cloud, stage("Source", source(key)), stage("Work", work))
    execution = first(cloud, name)
    assert ended(cloud, name, execution) == ("Failed" if words == "bad" else "Succeeded")
    if words == "bad":
        assert error(cloud, name, execution, "Work") == {"code": "JobFailed", "message": "not today"}
    else:
        assert actions(cloud, name, execution)["Work"]["output"]["outputVariables"] == {"Said": words}


def test_action_role_is_assumed_from_the_pipelines(cloud: Any) -> None:
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/pipe"}, "Action": "sts:AssumeRole"}
        ],
    }
    acting = aws(cloud, "iam").create_role(RoleName="acting", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    allow(cloud, "acting", ["s3:*", "kms:*"])
    aws(cloud, "iam").put_role_policy(
        RoleName="pipe",
        PolicyName="assume",
        PolicyDocument=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": acting}],
            }
        ),
    )
    key, _ = upload(cloud, "x")
    name = create(cloud, stage("Source", source(key) | {"roleArn": acting}), stage("Approve", approve()))
    asked(cloud, name)
    assert "s3:PutObject" in calls(cloud, "acting")
    stranger = role(cloud, "stranger", "lambda.amazonaws.com")
    name = create(cloud, stage("Source", source(key) | {"roleArn": stranger}), stage("Approve", approve()))
    assert ended(cloud, name, first(cloud, name)) == "Failed"
    assert "may not assume the action role" in error(cloud, name, first(cloud, name), "Source")["message"]
