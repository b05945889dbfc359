"""Builds that really run, against a real gateway."""

import json
import os
import sys
import textwrap
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from rehearsal.cloud.process.running import RunningCloud
from tests.processes import left_after_waiting
from tests.rehearsal.cloud.delivery_support import ACCOUNT, REGION, allow, aws, bucket, role, until, unzipped, zipped


@pytest.fixture(scope="module")
def cloud(running_cloud: RunningCloud) -> Iterator[Any]:
    made = running_cloud.cloud
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{made.port}")
        patch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
        patch.setenv("PULUMI_HOME", "/pulumi/home")
        patch.setenv("PULUMI_BACKEND_URL", "file:///administrators/state")
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/administrators/keys")
        role(made, "builder", "codebuild.amazonaws.com")
        allow(made, "builder", ["logs:*", "s3:*", "ssm:*", "secretsmanager:*", "kms:*", "sts:*"])
        yield made


def make(cloud: Any, buildspec: str, **changes: Any) -> str:
    name = f"project-{uuid.uuid4().hex[:8]}"
    environment = {
        "type": "LINUX_CONTAINER",
        "image": "aws/codebuild/standard:7.0",
        "computeType": "BUILD_GENERAL1_SMALL",
    }
    aws(cloud, "codebuild").create_project(
        **{
            "name": name,
            "source": {"type": "NO_SOURCE", "buildspec": textwrap.dedent(buildspec)},
            "artifacts": {"type": "NO_ARTIFACTS"},
            "environment": environment,
            "serviceRole": f"arn:aws:iam::{ACCOUNT}:role/builder",
        }
        | changes
    )
    return name


def run(cloud: Any, project: str, **options: Any) -> dict[str, Any]:
    client = aws(cloud, "codebuild")
    started = client.start_build(projectName=project, **options)["build"]
    assert started["buildStatus"] == "IN_PROGRESS"

    def ended() -> dict[str, Any] | None:
        build: dict[str, Any] = client.batch_get_builds(ids=[started["id"]])["builds"][0]
        return build if build["buildComplete"] else None

    found: dict[str, Any] = until(ended)
    return found


def log(cloud: Any, build: dict[str, Any]) -> str:
    with urllib.request.urlopen(f"{cloud.url}/_rehearsal/builds/{build['id']}/log") as answer:
        return str(answer.read().decode())


def phases(build: dict[str, Any]) -> dict[str, str]:
    return {phase["phaseType"]: phase.get("phaseStatus", "") for phase in build["phases"]}


def context(build: dict[str, Any], phase: str) -> str:
    found = next(item for item in build["phases"] if item["phaseType"] == phase)
    return str(found["contexts"][0]["message"])


def test_the_image_has_awss_command_line_and_the_builds_role_decides(cloud: Any) -> None:
    place = bucket(cloud, f"tools-{uuid.uuid4().hex[:8]}")
    aws(cloud, "s3").put_object(Bucket=place, Key="deep/a.txt", Body=b"what was kept")
    project = make(
        cloud,
        f"""
        version: 0.2
        env:
          exported-variables: [FOUND, GONE, WRONG]
        phases:
          build:
            commands:
              - aws s3 cp --only-show-errors s3://{place}/deep/a.txt b.txt && export FOUND="$(cat b.txt)"
              - aws s3 cp s3://{place}/gone c || export GONE=$?
              - PATH="${{PATH%%:*}}:/bin" aws lambda invoke --function-name x out || export WRONG=$?
        """,
    )
    build = run(cloud, project)
    said = log(cloud, build)
    exported = [item["value"] for item in build.get("exportedEnvironmentVariables", ())]
    assert exported == ["what was kept", "1", "252"]
    assert f"download failed: s3://{place}/gone to " in said
    assert "aws: the rehearsal does not execute `aws lambda invoke --function-name x out`" in said


@pytest.mark.parametrize("shell", ["bash", "/bin/sh"])
def test_one_shell_keeps_exports_folder_and_variables(cloud: Any, shell: str) -> None:
    project = make(
        cloud,
        f"""
        version: 0.2
        env:
          shell: {shell}
          exported-variables: [GREETING, PLACE, NEVER_SET]
        phases:
          install:
            runtime-versions: {{python: latest}}
          pre_build:
            commands:
              - GREETING=hello
              - mkdir -p deep && cd deep
          build:
            commands:
              - export GREETING="$GREETING again"
              - export PLACE="$(basename "$PWD")"
              - |
                printf 'no newline'
              - 'echo "succeeding $CODEBUILD_BUILD_SUCCEEDING"'
        """,
    )
    build = run(cloud, project)
    assert build["buildStatus"] == "SUCCEEDED"
    exported = {item["name"]: item["value"] for item in build["exportedEnvironmentVariables"]}
    assert exported == {"GREETING": "hello again", "PLACE": "deep"}
    assert list(phases(build)) == [
        *("SUBMITTED", "QUEUED", "PROVISIONING", "DOWNLOAD_SOURCE", "INSTALL", "PRE_BUILD", "BUILD"),
        *("POST_BUILD", "UPLOAD_ARTIFACTS", "FINALIZING", "COMPLETED"),
    ]
    lines = log(cloud, build).splitlines()
    assert "no newline" in lines
    assert "succeeding 1" in lines


def test_failing_command_stops_its_phase_and_post_build_still_runs(cloud: Any) -> None:
    project = make(
        cloud,
        """
        version: 0.2
        phases:
          build:
            commands: ['false', echo never]
            finally: [echo cleaned]
          post_build:
            commands: ['echo "post $CODEBUILD_BUILD_SUCCEEDING"']
        """,
    )
    build = run(cloud, project)
    assert build["buildStatus"] == "FAILED"
    assert phases(build)["BUILD"] == "FAILED"
    assert phases(build)["POST_BUILD"] == "SUCCEEDED"
    assert context(build, "BUILD") == "Error while executing command: false. Reason: exit status 1"
    lines = log(cloud, build).splitlines()
    assert "never" not in lines
    assert {"cleaned", "post 0"} <= set(lines)


def test_exit_ends_the_command_not_the_session(cloud: Any) -> None:
    project = make(
        cloud,
        """
        version: 0.2
        phases:
          build: {commands: [export KEPT=yes, exit 7]}
          post_build: {commands: ['echo "kept $KEPT"']}
        """,
    )
    build = run(cloud, project)
    assert context(build, "BUILD") == "Error while executing command: exit 7. Reason: exit status 7"
    assert "kept yes" in log(cloud, build).splitlines()


@pytest.mark.parametrize(("policy", "reached"), [("ABORT", False), ("CONTINUE", True)])
def test_on_failure_decides_whether_the_next_phase_runs(cloud: Any, policy: str, reached: bool) -> None:
    project = make(
        cloud,
        f"""
        version: 0.2
        phases:
          pre_build: {{on-failure: {policy}, commands: ['false']}}
          build: {{commands: [echo reached]}}
        """,
    )
    build = run(cloud, project)
    assert build["buildStatus"] == "FAILED"
    assert ("BUILD" in phases(build)) is reached


def test_secrets_are_resolved_with_the_role_and_masked(cloud: Any) -> None:
    aws(cloud, "secretsmanager").create_secret(Name="pass", SecretString=json.dumps({"word": "open-sesame"}))
    aws(cloud, "ssm").put_parameter(Name="/build/token", Value="token-1234", Type="SecureString")
    project = make(
        cloud,
        """
        version: 0.2
        env:
          variables: {FLAVOUR: buildspec, TAKEN: buildspec}
          parameter-store: {TOKEN: /build/token}
        phases:
          build:
            commands:
              - echo "word=$WORD token=$TOKEN flavour=$FLAVOUR taken=$TAKEN"
              - test "$WORD" = open-sesame && test "$TOKEN" = token-1234
        """,
        environment={
            "type": "LINUX_CONTAINER",
            "image": "aws/codebuild/standard:7.0",
            "computeType": "BUILD_GENERAL1_SMALL",
            "environmentVariables": [
                {"name": "WORD", "value": "pass:word", "type": "SECRETS_MANAGER"},
                {"name": "TAKEN", "value": "project"},
            ],
        },
    )
    build = run(cloud, project, environmentVariablesOverride=[{"name": "TAKEN", "value": "start"}])
    assert build["buildStatus"] == "SUCCEEDED"
    text = log(cloud, build)
    assert "word=*** token=*** flavour=buildspec taken=start" in text
    assert "open-sesame" not in text.replace("test", "").split("Running command")[0]
    stream = aws(cloud, "logs").get_log_events(
        logGroupName=f"/aws/codebuild/{project}", logStreamName=build["logs"]["streamName"]
    )
    messages = [event["message"] for event in stream["events"]]
    assert "word=*** token=*** flavour=buildspec taken=start" in messages


def test_missing_secret_fails_the_download_phase(cloud: Any) -> None:
    project = make(
        cloud,
        """
        version: 0.2
        env: {secrets-manager: {WORD: 'absent:word'}}
        phases: {build: {commands: [echo never]}}
        """,
    )
    build = run(cloud, project)
    assert build["buildStatus"] == "FAILED"
    assert phases(build)["DOWNLOAD_SOURCE"] == "FAILED"
    assert "ResourceNotFoundException" in context(build, "DOWNLOAD_SOURCE")


def test_credentials_are_the_roles_and_nothing_of_the_administrator_is_there(cloud: Any) -> None:
    who = """python -c 'import boto3; print("WHO " + boto3.client("sts").get_caller_identity()["Arn"])'"""
    profile = f"[profile other]\nrole_arn = arn:aws:iam::{ACCOUNT}:role/other\ncredential_source = EcsContainer\n"
    commands = [
        "env | sort | sed 's/^/ENV /'",
        who,
        f"mkdir -p $HOME/.aws && printf '%s' '{profile}' > $HOME/.aws/config",
        f"AWS_PROFILE=other {who}",
    ]
    project = make(cloud, json.dumps({"version": "0.2", "phases": {"build": {"commands": commands}}}))
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/builder"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    aws(cloud, "iam").create_role(RoleName="other", AssumeRolePolicyDocument=json.dumps(trust))
    build = run(cloud, project)
    text = log(cloud, build)
    assert build["buildStatus"] == "SUCCEEDED", text
    assert f"WHO arn:aws:sts::{ACCOUNT}:assumed-role/builder/AWSCodeBuild-" in text
    assert f"WHO arn:aws:sts::{ACCOUNT}:assumed-role/other/" in text
    env = dict(line[4:].split("=", 1) for line in text.splitlines() if line.startswith("ENV ") and "=" in line)
    assert "PULUMI_BACKEND_URL" not in env
    assert "AWS_SHARED_CREDENTIALS_FILE" not in env
    assert "AWS_ACCESS_KEY_ID" not in env
    assert env["PULUMI_HOME"] == f"{env['HOME']}/.pulumi"  # an administrator's login is not the image's
    assert env["AWS_REGION"] == env["AWS_DEFAULT_REGION"] == REGION
    assert env["HOME"] != os.environ["HOME"]
    assert env["CODEBUILD_BUILD_ID"] == build["id"]
    until(lambda: not Path(env["HOME"]).exists())
    # the address ends with the build, and never answers without its authorization
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(env["AWS_CONTAINER_CREDENTIALS_FULL_URI"])


@pytest.mark.parametrize(
    ("buildspec", "message"),
    [
        ("version: 0.1\nphases: {build: {commands: [a]}}\n", "version"),
        ("version: 0.2\nphasis: {}\nphases: {build: {commands: [a]}}\n", "unknown key 'phasis'"),
        ("version: 0.2\nphases: {build: {command: [a]}}\n", "unknown key 'command'"),
        ("version: 0.2\nphases:\n  build:\n    commands:\n      - echo: x\n", "expected commands"),
        ("version: 0.2\nphases: {install: {runtime-versions: {python: '2.7'}}}\n", "Unknown runtime version"),
        ("version: 0.2\nphases: [\n", "invalid YAML"),
    ],
)
def test_bad_buildspec_is_a_yaml_file_error(cloud: Any, buildspec: str, message: str) -> None:
    build = run(cloud, make(cloud, buildspec))
    assert build["buildStatus"] == "FAILED"
    failed = next(phase for phase in build["phases"] if phase["phaseType"] == "DOWNLOAD_SOURCE")
    assert failed["contexts"][0]["statusCode"] == "YAML_FILE_ERROR"
    assert message in failed["contexts"][0]["message"]


def test_s3_source_and_artifacts(cloud: Any) -> None:
    place = bucket(cloud, f"files-{uuid.uuid4().hex[:8]}")
    spec = "version: 0.2\nphases: {build: {commands: [mkdir out, cp in.txt out/b.txt]}}\n"
    spec += "artifacts: {base-directory: out, files: ['**/*']}\n"
    aws(cloud, "s3").put_object(Bucket=place, Key="code.zip", Body=zipped({"in.txt": "x", "buildspec.yml": spec}))
    project = make(
        cloud,
        "",
        source={"type": "S3", "location": f"{place}/code.zip"},
        artifacts={"type": "S3", "location": place, "path": "built", "name": "it.zip", "packaging": "ZIP"},
    )
    build = run(cloud, project)
    assert build["buildStatus"] == "SUCCEEDED", log(cloud, build)
    stored = aws(cloud, "s3").get_object(Bucket=place, Key="built/it.zip")
    assert unzipped(stored["Body"].read()) == {"b.txt": "x"}
    assert stored["ServerSideEncryption"] == "aws:kms"


def test_stop_ends_every_process_of_the_build(cloud: Any, tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    project = make(
        cloud,
        f"""
        version: 0.2
        phases:
          build:
            commands:
              - 'setsid sh -c "echo \\$\\$ > {mark}; exec sleep 600" & wait'
          post_build: {{commands: [echo never]}}
        """,
    )
    client = aws(cloud, "codebuild")
    identifier = client.start_build(projectName=project)["build"]["id"]
    until(lambda: mark.exists() and mark.read_text().strip())
    client.stop_build(id=identifier)
    build = until(
        lambda: next((b for b in client.batch_get_builds(ids=[identifier])["builds"] if b["buildComplete"]), None)
    )
    assert build["buildStatus"] == "STOPPED"
    assert "POST_BUILD" not in phases(build)
    pid = int(mark.read_text())
    assert left_after_waiting([pid]) == []


def test_a_project_comes_back_as_it_was_given(cloud: Any) -> None:
    given = {
        "description": "d",
        "timeoutInMinutes": 17,
        "queuedTimeoutInMinutes": 33,
        "concurrentBuildLimit": 2,
        "encryptionKey": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1",
        "tags": [{"key": "a", "value": "b"}],
        "logsConfig": {"cloudWatchLogs": {"status": "ENABLED", "groupName": "g"}},
        "cache": {"type": "LOCAL", "modes": ["LOCAL_CUSTOM_CACHE"]},
        "vpcConfig": {"vpcId": "vpc-1", "subnets": ["subnet-1"], "securityGroupIds": ["sg-1"]},
    }
    name = make(cloud, "version: 0.2\nphases: {build: {commands: [a]}}\n", **given)
    client = aws(cloud, "codebuild")
    shown = client.batch_get_projects(names=[name, "absent"])
    assert shown["projectsNotFound"] == ["absent"]
    assert {key: shown["projects"][0][key] for key in given} == given
    client.update_project(name=name, timeoutInMinutes=20)
    again = client.batch_get_projects(names=[name])["projects"][0]
    assert again["timeoutInMinutes"] == 20
    assert again["description"] == "d"
    client.delete_project(name=name)
    assert client.batch_get_projects(names=[name])["projectsNotFound"] == [name]


def test_project_of_a_pipeline_cannot_be_started_by_hand(cloud: Any) -> None:
    name = make(cloud, "", source={"type": "CODEPIPELINE"}, artifacts={"type": "CODEPIPELINE"})
    with pytest.raises(ClientError, match="only CodePipeline can start it"):
        aws(cloud, "codebuild").start_build(projectName=name)


def test_role_that_does_not_trust_codebuild_is_refused(cloud: Any) -> None:
    role(cloud, "stranger", "lambda.amazonaws.com")
    spec = "version: 0.2\nphases: {build: {commands: [echo never]}}\n"
    build = run(cloud, make(cloud, spec, serviceRole=f"arn:aws:iam::{ACCOUNT}:role/stranger"))
    assert build["buildStatus"] == "FAILED"
    assert "sts:AssumeRole" in context(build, "PROVISIONING")


def test_same_token_starts_one_build(cloud: Any) -> None:
    name = make(cloud, "version: 0.2\nphases: {build: {commands: ['true']}}\n")
    client = aws(cloud, "codebuild")
    first = client.start_build(projectName=name, idempotencyToken="t-1")["build"]["id"]
    assert client.start_build(projectName=name, idempotencyToken="t-1")["build"]["id"] == first
    assert client.list_builds_for_project(projectName=name)["ids"] == [first]
