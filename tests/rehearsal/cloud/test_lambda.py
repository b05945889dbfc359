"""Functions really run: versions, aliases, errors, time-outs, policies."""

import base64
import io
import json
import zipfile
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from botocore.exceptions import ClientError

from rehearsal.cloud.core.cloud import Cloud
from rehearsal.cloud.core.ports import Place
from rehearsal.cloud.services.lambda_.pool import runtime_folder
from rehearsal.cloud.wire.types import AwsError, for_service
from tests.processes import left_after_waiting
from tests.rehearsal.cloud.lambda_support import REGION, eventually, make_function, make_role, package

ECHO = """
import os
def handler(event, context):
    return {"event": event, "version": context.function_version, "name": context.function_name,
            "arn": context.invoked_function_arn, "id": context.aws_request_id,
            "left": context.get_remaining_time_in_millis(), "mark": os.environ.get("MARK"), "pid": os.getpid()}
"""


@pytest.fixture
def client(cloud: Cloud, account: str) -> Any:
    return cloud.client("lambda", account, REGION)


def call(client: Any, name: str, event: Any = None, **options: Any) -> tuple[Any, dict[str, Any]]:
    answer = client.invoke(FunctionName=name, Payload=json.dumps(event).encode(), **options)
    return json.loads(answer["Payload"].read() or b"null"), answer


def test_runs_the_code_with_its_context(cloud: Cloud, account: str, client: Any) -> None:
    make_function(cloud, account, "echo", ECHO, Environment={"Variables": {"MARK": "x"}})
    result, answer = call(client, "echo", {"a": [1, "ä"]})
    assert result["event"] == {"a": [1, "ä"]}
    assert (result["version"], result["name"], result["mark"]) == ("$LATEST", "echo", "x")
    assert result["arn"] == f"arn:aws:lambda:{REGION}:{account}:function:echo"
    assert 0 < result["left"] <= 10_000
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
    assert "FunctionError" not in answer
    again, _ = call(client, "echo")
    assert again["pid"] == result["pid"], "a warm environment is used again"
    assert again["event"] is None


def test_function_has_its_roles_credentials_and_nothing_of_the_administrator(
    cloud: Cloud, account: str, client: Any
) -> None:
    code = """
import boto3, os
def handler(event, context):
    return {"who": boto3.client("sts").get_caller_identity()["Arn"], "names": sorted(os.environ)}
"""
    make_function(cloud, account, "who", code)
    result, _ = call(client, "who")
    assert result["who"] == f"arn:aws:sts::{account}:assumed-role/who-role/who"
    assert {"AWS_LAMBDA_FUNCTION_NAME", "AWS_REGION", "LAMBDA_TASK_ROOT"} <= set(result["names"])
    assert not {"AWS_PROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "VIRTUAL_ENV"} & set(result["names"])


def test_only_the_sdk_is_there_beside_the_package(cloud: Cloud, account: str, client: Any) -> None:
    make_function(cloud, account, "greedy", "import moto\ndef handler(event, context): pass\n")
    result, answer = call(client, "greedy")
    assert answer["FunctionError"] == "Unhandled"
    assert result["errorType"] == "Runtime.ImportModuleError"
    assert result["errorMessage"] == "Unable to import module 'app': No module named 'moto'"


@pytest.mark.parametrize(
    ("code", "kind", "message"),
    [
        ("def handler(event, context): raise ValueError('no good')", "ValueError", "no good"),
        ("def other(event, context): pass", "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'app'"),
        ("def handler(event, context)\n  pass", "Runtime.UserCodeSyntaxError", "Syntax error in module 'app'"),
        ("def handler(event, context): return {1, 2}", "Runtime.MarshalError", "Unable to marshal response"),
        ("import os\ndef handler(event, context): os._exit(7)", "Runtime.ExitError", "exit status 7"),
        ("import os\ndef handler(event, context): os.kill(os.getpid(), 9)", "Runtime.ExitError", "signal: killed"),
        ("raise KeyError('boom')", "KeyError", "boom"),
        ("x = 0\ndef handler(e, c):\n  a = bytearray(400 << 20)\n  return len(a)", "Runtime.OutOfMemory", "killed"),
    ],
)
def test_failures(cloud: Cloud, account: str, client: Any, code: str, kind: str, message: str) -> None:
    make_function(cloud, account, "bad", code)
    result, answer = call(client, "bad")
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    assert result["errorType"] == kind
    assert message in result["errorMessage"]


def test_error_has_a_stack_trace_and_the_next_call_works(cloud: Cloud, account: str, client: Any) -> None:
    code = "def inner(): return 1 / 0\ndef handler(event, context):\n  return inner() if event else 'fine'\n"
    make_function(cloud, account, "trace", code)
    result, _ = call(client, "trace", True)
    assert result["errorType"] == "ZeroDivisionError"
    assert len(result["stackTrace"]) == 2
    assert "return 1 / 0" in result["stackTrace"][-1]
    assert call(client, "trace", False)[0] == "fine"


def test_timeout_kills_the_process(cloud: Cloud, account: str, client: Any) -> None:
    code = "import time\ndef handler(event, context):\n  time.sleep(event or 0)\n  return 'done'\n"
    make_function(cloud, account, "slow", code, Timeout=1)
    result, answer = call(client, "slow", 5)
    assert answer["FunctionError"] == "Unhandled"
    assert "Task timed out after 1.00 seconds" in result["errorMessage"]
    assert call(client, "slow", 0)[0] == "done"


def test_logs_and_metrics(cloud: Cloud, account: str, client: Any) -> None:
    code = "import logging\ndef handler(event, context):\n  print('hello')\n  logging.warning('careful')\n"
    make_function(cloud, account, "talk", code)
    _, answer = call(client, "talk", LogType="Tail")
    tail = base64.b64decode(answer["LogResult"]).decode()
    request_id = answer["ResponseMetadata"]["RequestId"]
    assert request_id
    for part in ("START RequestId", "hello", "careful", "END RequestId", "REPORT RequestId", "Init Duration"):
        assert part in tail
    logs = cloud.client("logs", account, REGION)

    def messages() -> str:
        try:
            events = logs.filter_log_events(logGroupName="/aws/lambda/talk")["events"]
        except logs.exceptions.ResourceNotFoundException:
            return ""
        return "\n".join(event["message"] for event in events)

    eventually(lambda: "REPORT" in messages())
    assert "hello" in messages()
    metrics = cloud.client("cloudwatch", account, REGION)

    def published() -> set[str]:
        return {metric["MetricName"] for metric in metrics.list_metrics(Namespace="AWS/Lambda")["Metrics"]}

    eventually(lambda: {"Invocations", "Errors", "Duration", "Throttles"} <= published())


def test_versions_are_made_only_of_changes(cloud: Cloud, account: str, client: Any) -> None:
    created = make_function(cloud, account, "pub", ECHO, Publish=True)
    assert (created["Version"], created["State"]) == ("1", "Pending")
    client.get_waiter("function_active_v2").wait(FunctionName="pub", WaiterConfig={"Delay": 0})
    assert client.publish_version(FunctionName="pub")["Version"] == "1"
    client.update_function_configuration(FunctionName="pub", Environment={"Variables": {"MARK": "two"}})
    client.get_waiter("function_updated_v2").wait(FunctionName="pub")
    assert client.publish_version(FunctionName="pub")["Version"] == "2"
    assert call(client, "pub:1")[0]["mark"] is None
    assert call(client, "pub", Qualifier="2")[0]["mark"] == "two"
    client.delete_function(FunctionName="pub", Qualifier="2")
    client.update_function_configuration(FunctionName="pub", Timeout=7)
    assert client.publish_version(FunctionName="pub")["Version"] == "3", "a number is never used again"
    listed = [version["Version"] for version in client.list_versions_by_function(FunctionName="pub")["Versions"]]
    assert listed == ["$LATEST", "1", "3"]
    with pytest.raises(ClientError, match="CodeSHA256"):
        client.publish_version(FunctionName="pub", CodeSha256="bm8=")
    with pytest.raises(ClientError, match="PreconditionFailed"):
        client.update_function_configuration(FunctionName="pub", Timeout=5, RevisionId="old")


def test_update_code_publishes_and_changes_the_digest(cloud: Cloud, account: str, client: Any) -> None:
    before = make_function(cloud, account, "code", "def handler(e, c): return 1")["CodeSha256"]
    assert call(client, "code")[0] == 1
    new = package("def handler(e, c): return 2")
    answer = client.update_function_code(FunctionName="code", ZipFile=new, Publish=True)
    assert answer["Version"] == "1"
    assert answer["CodeSha256"] != before
    assert call(client, "code")[0] == 2
    with pytest.raises(ClientError, match="Could not unzip"):
        client.update_function_code(FunctionName="code", ZipFile=b"no zip")


def test_code_from_a_bucket(cloud: Cloud, account: str, client: Any) -> None:
    s3 = cloud.client("s3", account, REGION)
    bucket = f"code-{account}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket=bucket, Key="a.zip", Body=package("def handler(e, c): return 'from s3'"))
    role = make_role(cloud, account, "s3-role", "lambda.amazonaws.com")
    common = {"FunctionName": "stored", "Role": role, "Handler": "app.handler", "Runtime": "python3.12"}
    with pytest.raises(ClientError, match="NoSuchKey"):
        client.create_function(**common, Code={"S3Bucket": bucket, "S3Key": "none.zip"})
    client.create_function(**common, Code={"S3Bucket": bucket, "S3Key": "a.zip"})
    assert call(client, "stored")[0] == "from s3"


def test_alias_weights_decide_each_invocation(cloud: Cloud, account: str, client: Any) -> None:
    make_function(cloud, account, "split", "def handler(e, c): return c.function_version", Publish=True)
    client.update_function_configuration(FunctionName="split", Timeout=9)
    client.publish_version(FunctionName="split")
    weights = {"AdditionalVersionWeights": {"2": 0.25}}
    client.create_alias(FunctionName="split", Name="live", FunctionVersion="1", RoutingConfig=weights)
    counted = Counter(call(client, "split", Qualifier="live")[1]["ExecutedVersion"] for _ in range(300))
    assert set(counted) == {"1", "2"}
    assert 40 <= counted["2"] <= 115
    alias = client.update_alias(FunctionName="split", Name="live", FunctionVersion="2", RoutingConfig={})
    assert "RoutingConfig" not in alias
    assert {call(client, "split", Qualifier="live")[0] for _ in range(20)} == {"2"}


def test_alias_validation(cloud: Cloud, account: str, client: Any) -> None:
    make_function(cloud, account, "ali", ECHO, Publish=True)
    client.create_alias(FunctionName="ali", Name="live", FunctionVersion="1")

    def refused(match: str, **changes: Any) -> None:
        with pytest.raises(ClientError, match=match):
            client.update_alias(FunctionName="ali", Name="live", **changes)

    refused("Function not found", FunctionVersion="9")
    refused("Function not found", RoutingConfig={"AdditionalVersionWeights": {"9": 0.1}})
    refused("already included", RoutingConfig={"AdditionalVersionWeights": {"1": 0.1}})
    refused("ValidationException", RoutingConfig={"AdditionalVersionWeights": {"$LATEST": 0.1}})
    refused("greater than 1", RoutingConfig={"AdditionalVersionWeights": {"1": 0.1, "2": 0.1}})
    refused("PreconditionFailed", Description="x", RevisionId="old")
    with pytest.raises(ClientError, match="already exists"):
        client.create_alias(FunctionName="ali", Name="live", FunctionVersion="1")
    with pytest.raises(ClientError, match="referenced by alias"):
        client.delete_function(FunctionName="ali", Qualifier="1")


def test_policy_of_a_qualifier_decides_for_services(cloud: Cloud, account: str, client: Any) -> None:
    make_function(cloud, account, "guarded", "def handler(e, c): return 'in'", Publish=True)
    client.create_alias(FunctionName="guarded", Name="live", FunctionVersion="1")
    source = f"arn:aws:execute-api:{REGION}:{account}:abc/*/POST/predict"
    grant = {"FunctionName": "guarded", "Qualifier": "live", "StatementId": "api", "Action": "lambda:InvokeFunction"}
    statement = json.loads(
        client.add_permission(**grant, Principal="apigateway.amazonaws.com", SourceArn=source)["Statement"]
    )
    assert statement["Condition"] == {"ArnLike": {"AWS:SourceArn": source}}
    assert statement["Resource"].endswith(":guarded:live")
    with pytest.raises(ClientError, match="already exists"):
        client.add_permission(**grant, Principal="apigateway.amazonaws.com")
    policy = json.loads(client.get_policy(FunctionName="guarded", Qualifier="live")["Policy"])
    assert policy["Statement"] == [statement]
    with pytest.raises(ClientError, match="ResourceNotFound"):
        client.get_policy(FunctionName="guarded")
    arn = f"arn:aws:lambda:{REGION}:{account}:function:guarded"

    def ask(target: str, source_arn: str, service: str = "apigateway.amazonaws.com") -> bytes:
        params = {"FunctionName": target, "Payload": b"{}"}
        answer = cloud.perform(
            for_service(service, account, source_arn), Place(account, REGION), "lambda", "Invoke", params
        )
        return bytes(answer["Payload"])

    allowed = source.replace("*", "live")
    assert ask(f"{arn}:live", allowed) == b'"in"'
    for target, source_arn, service in [
        (arn, allowed, "apigateway.amazonaws.com"),
        (f"{arn}:live", allowed.replace("abc", "xyz"), "apigateway.amazonaws.com"),
        (f"{arn}:live", allowed, "events.amazonaws.com"),
    ]:
        with pytest.raises(AwsError, match="not authorized"):
            ask(target, source_arn, service)
    client.remove_permission(FunctionName="guarded", Qualifier="live", StatementId="api")
    with pytest.raises(AwsError, match="not authorized"):
        ask(f"{arn}:live", allowed)


def test_creation_refuses_what_aws_refuses(cloud: Cloud, account: str, client: Any) -> None:
    wrong = make_role(cloud, account, "glue-only", "glue.amazonaws.com")
    with pytest.raises(ClientError, match="cannot be assumed by Lambda"):
        make_function(cloud, account, "f", ECHO, Role=wrong)
    with pytest.raises(ClientError, match="cannot be assumed by Lambda"):
        make_function(cloud, account, "f", ECHO, Role=f"arn:aws:iam::{account}:role/nobody")
    role = make_role(cloud, account, "f-role", "lambda.amazonaws.com")
    with pytest.raises(ClientError, match="reserved keys"):
        make_function(cloud, account, "f", ECHO, Role=role, Environment={"Variables": {"AWS_REGION": "x"}})
    with pytest.raises(ClientError, match="4KB"):
        make_function(cloud, account, "f", ECHO, Role=role, Environment={"Variables": {"BIG": "x" * 5000}})
    make_function(cloud, account, "f", ECHO, Role=role)
    with pytest.raises(ClientError, match="Function already exist: f"):
        make_function(cloud, account, "f", ECHO, Role=role)
    with pytest.raises(ClientError, match="Function not found"):
        client.invoke(FunctionName="none")
    with pytest.raises(ClientError, match="Function not found"):
        client.invoke(FunctionName="f", Qualifier="live")
    with pytest.raises(ClientError, match="Could not parse request body"):
        client.invoke(FunctionName="f", Payload=b"{")
    assert client.invoke(FunctionName="f", InvocationType="DryRun")["StatusCode"] == 204


def test_reserved_concurrency_throttles(cloud: Cloud, account: str, client: Any, tmp_path: Path) -> None:
    enough = tmp_path / "enough"
    code = f"""
import pathlib, time
def handler(event, context):
    while not pathlib.Path({str(enough)!r}).exists():
        time.sleep(0.01)
    return "ok"
"""
    make_function(cloud, account, "one", code, Timeout=60)
    client.put_function_concurrency(FunctionName="one", ReservedConcurrentExecutions=1)

    def attempt(_: int) -> str:
        try:
            return str(call(client, "one")[0])
        except ClientError as error:
            return str(error.response["Error"]["Code"])

    with ThreadPoolExecutor(3) as threads:
        attempts = [threads.submit(attempt, number) for number in range(3)]
        wait(attempts, timeout=30, return_when=FIRST_COMPLETED)
        enough.touch()
        outcomes = Counter(each.result() for each in attempts)
    assert outcomes["TooManyRequestsException"] >= 1
    assert outcomes["ok"] >= 1
    client.put_function_concurrency(FunctionName="one", ReservedConcurrentExecutions=0)
    assert attempt(0) == "TooManyRequestsException"


def test_concurrent_invocations_run_side_by_side(cloud: Cloud, account: str, client: Any, tmp_path: Path) -> None:
    code = f"""
import os, pathlib, time
def handler(event, context):
    present = pathlib.Path({str(tmp_path)!r})
    (present / str(os.getpid())).touch()
    while len(list(present.iterdir())) < 3:
        time.sleep(0.01)
    return os.getpid()
"""
    make_function(cloud, account, "wide", code, Timeout=60)
    with ThreadPoolExecutor(3) as threads:
        pids = list(threads.map(lambda _: call(client, "wide")[0], range(3)))
    assert len(set(pids)) == 3


def test_events_are_retried_twice_then_go_to_the_dead_letters(cloud: Cloud, account: str, client: Any) -> None:
    sqs = cloud.client("sqs", account, REGION)
    url = sqs.create_queue(QueueName="dead")["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:{account}:dead"
    make_function(
        cloud, account, "retry", "def handler(e, c): raise ValueError(e)", DeadLetterConfig={"TargetArn": arn}
    )
    assert client.invoke(FunctionName="retry", InvocationType="Event", Payload=b'"x"')["StatusCode"] == 202
    letters = eventually(lambda: sqs.receive_message(QueueUrl=url).get("Messages"))
    assert letters[0]["Body"] == '"x"'
    logs = cloud.client("logs", account, REGION)

    def starts() -> list[Any]:
        pattern = "START RequestId"
        return list(logs.filter_log_events(logGroupName="/aws/lambda/retry", filterPattern=f'"{pattern}"')["events"])

    eventually(lambda: len(starts()) == 3)


def test_get_function_names_where_the_code_lies(cloud: Cloud, account: str, client: Any) -> None:
    import urllib.request

    make_function(cloud, account, "where", ECHO, Tags={"a": "b"})
    answer = client.get_function(FunctionName="where")
    assert answer["Tags"] == {"a": "b"}
    with urllib.request.urlopen(answer["Code"]["Location"]) as response:
        assert zipfile.ZipFile(io.BytesIO(response.read())).namelist() == ["app.py"]


def test_deleting_ends_the_processes(cloud: Cloud, account: str, client: Any) -> None:
    make_function(cloud, account, "gone", "import os\ndef handler(e, c): return os.getpid()")
    pid = call(client, "gone")[0]
    client.delete_function(FunctionName="gone")
    assert left_after_waiting([pid]) == []
    with pytest.raises(ClientError, match="Function not found"):
        client.get_function(FunctionName="gone")


def test_rule_invokes_only_what_lets_it(cloud: Cloud, account: str, client: Any) -> None:
    sqs, events = cloud.client("sqs", account, REGION), cloud.client("events", account, REGION)
    url = sqs.create_queue(QueueName="out")["QueueUrl"]
    code = f"""
import boto3, json
def handler(event, context):
    boto3.client("sqs").send_message(QueueUrl={url!r}, MessageBody=json.dumps(event["detail"]))
"""
    arn = make_function(cloud, account, "listener", code)["FunctionArn"]
    rule = events.put_rule(Name="r", EventPattern=json.dumps({"source": ["mine"]}))["RuleArn"]
    events.put_targets(Rule="r", Targets=[{"Id": "f", "Arn": arn}])

    def send(number: int) -> None:
        entry = {"Source": "mine", "DetailType": "t", "Detail": json.dumps({"n": number})}
        assert events.put_events(Entries=[entry])["FailedEntryCount"] == 0

    send(1)
    client.add_permission(
        FunctionName="listener",
        StatementId="rule",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=rule,
    )
    send(2)
    messages = eventually(lambda: sqs.receive_message(QueueUrl=url).get("Messages"))
    assert [json.loads(message["Body"]) for message in messages] == [{"n": 2}]


def test_the_runtime_is_laid_out_by_two_first_calls_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    both, link = Barrier(2), Path.symlink_to

    def at_once(path: Path, target: Path) -> None:
        both.wait(30)
        link(path, target)

    monkeypatch.setattr(Path, "symlink_to", at_once)
    with ThreadPoolExecutor(2) as threads:
        folders = list(threads.map(runtime_folder.__wrapped__, [tmp_path, tmp_path]))
    assert folders == [tmp_path / "lambda-runtime"] * 2
    assert all(path.exists() for path in folders[0].iterdir())
    assert {"boto3", "botocore", "six.py"} <= {path.name for path in folders[0].iterdir()}
