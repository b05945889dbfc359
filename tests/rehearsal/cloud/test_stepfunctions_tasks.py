"""What tasks of state machines call: functions, topics, Glue, the AWS SDK; what starts machines; what they log."""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rehearsal.cloud.core.cloud import Cloud
from rehearsal.cloud.services import sns
from rehearsal.cloud.services.stepfunctions import aws_time
from tests.rehearsal.cloud.lambda_support import make_function
from tests.rehearsal.cloud.sagemaker_world import World, refused, wait

ADD = "def handler(event, context):\n    return {'sum': event['a'] + event['b']}"


@pytest.fixture
def world(cloud: Cloud, account: str, region: str) -> World:
    return World(cloud, account, region)


@pytest.fixture
def role(world: World) -> str:
    return world.make_role("machine", "states.amazonaws.com")


def make(world: World, role: str, task: dict[str, Any], **more: Any) -> str:
    """A machine with one task; its ARN."""
    definition = {"StartAt": "Do", "States": {"Do": {"Type": "Task", "End": True, **task}}}
    answer = world.client("stepfunctions").create_state_machine(
        name="machine", roleArn=role, definition=json.dumps(definition), **more
    )
    return str(answer["stateMachineArn"])


def run(world: World, arn: str, given: Any = None) -> dict[str, Any]:
    client = world.client("stepfunctions")
    execution = client.start_execution(stateMachineArn=arn, input=json.dumps(given or {}))["executionArn"]
    found: dict[str, Any] = wait(
        lambda: client.describe_execution(executionArn=execution), lambda answer: answer["status"] != "RUNNING"
    )
    return found


def used(world: World, role: str) -> str:
    return str(world.cloud.ledger.snapshot()[role])


def test_a_function_is_invoked_under_the_machines_role(world: World, role: str) -> None:
    function = make_function(world.cloud, world.account, "add", ADD)["FunctionArn"]
    parameters = {"FunctionName": function, "Payload.$": "$"}
    arn = make(world, role, {"Resource": "arn:aws:states:::lambda:invoke", "Parameters": parameters})
    found = run(world, arn, {"a": 2, "b": 3})
    assert found["status"] == "SUCCEEDED", found
    assert json.loads(found["output"])["Payload"] == {"sum": 5}
    assert "lambda:InvokeFunction" in used(world, role)


def test_a_functions_error_is_the_tasks(world: World, role: str) -> None:
    code = "class BadRowsError(Exception): pass\ndef handler(event, context):\n    raise BadRowsError('no rows')"
    function = make_function(world.cloud, world.account, "bad", code)["FunctionArn"]
    arn = make(world, role, {"Resource": "arn:aws:states:::lambda:invoke", "Parameters": {"FunctionName": function}})
    found = run(world, arn)
    assert (found["status"], found["error"]) == ("FAILED", "BadRowsError")
    assert "no rows" in found["cause"]


def test_an_execution_is_told_what_time_it_is_at_aws(world: World, role: str) -> None:
    """And waits by it: whoever counts seconds there must find as many in what it is told."""
    clock = world.cloud.clock
    wait(lambda: clock.aws_now() > datetime.now(UTC) + timedelta(seconds=60), bool)
    told = {"Type": "Pass", "Parameters": {"at.$": "$$.State.EnteredTime", "since.$": "$$.Execution.StartTime"}}
    states = {
        "First": {**told, "ResultPath": "$.first", "Next": "Ten"},
        "Ten": {"Type": "Wait", "Seconds": 10, "Next": "Second"},
        "Second": {**told, "ResultPath": "$.second", "Next": "Until"},
        "Until": {"Type": "Wait", "TimestampPath": "$.until", "Next": "Third"},
        "Third": {**told, "ResultPath": "$.third", "End": True},
    }
    client = world.client("stepfunctions")
    arn = client.create_state_machine(
        name="times", roleArn=role, definition=json.dumps({"StartAt": "First", "States": states})
    )["stateMachineArn"]
    before = clock.aws_now()
    until = f"{before + timedelta(seconds=300):%Y-%m-%dT%H:%M:%SZ}"
    found = run(world, str(arn), {"until": until})
    after = clock.aws_now()
    assert found["status"] == "SUCCEEDED", found
    output = json.loads(found["output"])
    times = [output["first"]["since"], *(output[name]["at"] for name in ("first", "second", "third"))]
    assert all(len(each) == len("2019-03-26T20:14:13.192Z") and each.endswith("Z") for each in times), times
    begun, first, second, third = (datetime.fromisoformat(each) for each in times)
    assert before - timedelta(milliseconds=1) <= begun <= first
    assert second - first >= timedelta(seconds=9.9)
    # Waits are in whole seconds, rounded down.
    assert before + timedelta(seconds=298) <= third <= after
    # What is shown to the outside is real time.
    assert abs((found["startDate"] - datetime.now(UTC)).total_seconds()) < 60


def slow(world: World, role: str, seconds: float) -> str:
    """A machine whose function works so long, in real seconds; its sandbox is there."""
    code = "import time\ndef handler(event, context):\n    time.sleep(event['seconds'])"
    function = make_function(world.cloud, world.account, "slow", code)["FunctionArn"]
    parameters = {"FunctionName": function, "Payload": {"seconds": seconds}}
    arn = make(world, role, {"Resource": "arn:aws:states:::lambda:invoke", "Parameters": parameters})
    world.client("lambda").invoke(FunctionName=function, Payload=b'{"seconds": 0}')
    return arn


def test_no_minute_ends_while_a_function_works_for_an_execution(world: World, role: str) -> None:
    """It may work longer than a minute lasts, and be overtaken by none."""
    clock = world.cloud.clock
    arn = slow(world, role, 5 * clock.seconds_per_minute)
    ended, begun = clock.ended, time.monotonic()
    assert run(world, arn)["status"] == "SUCCEEDED"
    minutes = (time.monotonic() - begun) / clock.seconds_per_minute
    assert minutes > 5
    assert (clock.ended - ended) / 60 < minutes - 3


def test_a_function_that_works_long_holds_the_minute_for_a_while_only(
    world: World, role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that waits for the minute to end would wait for ever else."""
    monkeypatch.setattr(aws_time, "LONGEST_CALL", 0.1)
    clock = world.cloud.clock
    ended = clock.ended
    assert run(world, slow(world, role, 0.1 + 10 * clock.seconds_per_minute))["status"] == "SUCCEEDED"
    assert (clock.ended - ended) / 60 >= 3


def test_a_topic_gets_the_message(world: World, role: str) -> None:
    topic = world.client("sns").create_topic(Name="news")["TopicArn"]
    world.client("sns").subscribe(TopicArn=topic, Protocol="email", Endpoint="ann@example.com")
    sns.confirm_all(world.cloud, world.account)
    parameters = {"TopicArn": topic, "Message.$": "$.text"}
    arn = make(world, role, {"Resource": "arn:aws:states:::sns:publish", "Parameters": parameters})
    found = run(world, arn, {"text": "trained"})
    assert found["status"] == "SUCCEEDED", found
    mails = wait(lambda: [mail for mail in sns.outbox(world.cloud) if mail["account"] == world.account][1:], bool)
    assert [mail["message"] for mail in mails] == ["trained"]
    assert "sns:Publish" in used(world, role)


def test_the_sdk_is_called_by_name(world: World, role: str) -> None:
    world.client("ssm").put_parameter(Name="/a/release", Value="r7", Type="String")
    task = {"Resource": "arn:aws:states:::aws-sdk:ssm:getParameter", "Parameters": {"Name": "/a/release"}}
    found = run(world, make(world, role, task))
    assert found["status"] == "SUCCEEDED", found
    parameter = json.loads(found["output"])["Parameter"]
    assert parameter["Value"] == "r7"
    assert "ssm:GetParameter" in used(world, role)


def test_what_the_sdk_refuses_can_be_caught_by_its_name(world: World, role: str) -> None:
    task = {"Resource": "arn:aws:states:::aws-sdk:ssm:getParameter", "Parameters": {"Name": "/a/gone"}}
    found = run(world, make(world, role, task))
    assert (found["status"], found["error"]) == ("FAILED", "Ssm.ParameterNotFoundException")


def test_an_action_that_does_not_exist_is_refused(world: World, role: str) -> None:
    with refused(world.client("stepfunctions"), "InvalidDefinition", "aws-sdk:ssm:getParametre"):
        make(world, role, {"Resource": "arn:aws:states:::aws-sdk:ssm:getParametre", "Parameters": {}})


def glue_job(world: World, script: str) -> None:
    world.client("glue").create_job(
        Name="features", Role=world.make_role("glue", "glue.amazonaws.com"), GlueVersion="4.0",
        Command={"Name": "glueetl", "ScriptLocation": world.put("script.py", script), "PythonVersion": "3"},
    )  # fmt: skip


GLUE = {"Resource": "arn:aws:states:::glue:startJobRun.sync", "Parameters": {"JobName": "features"}}


def test_a_glue_run_is_waited_for(world: World, role: str) -> None:
    glue_job(world, "print('done')")
    found = run(world, make(world, role, GLUE))
    assert found["status"] == "SUCCEEDED", found
    assert json.loads(found["output"])["JobRunState"] == "SUCCEEDED"
    assert "glue:StartJobRun" in used(world, role)
    assert "glue:GetJobRun" in used(world, role)


def test_a_failed_glue_run_fails_the_task(world: World, role: str) -> None:
    glue_job(world, "raise SystemExit('no column total')")
    found = run(world, make(world, role, GLUE))
    assert (found["status"], found["error"]) == ("FAILED", "States.TaskFailed")
    assert json.loads(found["cause"])["JobRunState"] == "FAILED"


def test_an_event_starts_a_machine_under_the_targets_role(world: World, role: str) -> None:
    definition = {"StartAt": "Keep", "States": {"Keep": {"Type": "Pass", "End": True}}}
    client, events = world.client("stepfunctions"), world.client("events")
    arn = client.create_state_machine(name="woken", roleArn=role, definition=json.dumps(definition))["stateMachineArn"]
    target = {"Id": "1", "Arn": arn, "InputPath": "$.detail"}
    events.put_rule(Name="wake", EventPattern='{"source": ["drift"]}')
    with refused(events, "ValidationException", "gone"):
        events.put_targets(
            Rule="wake", Targets=[{**target, "RoleArn": f"arn:aws:iam::{world.account}:role/gone"}]
        )  # fmt: skip
    starter = world.make_role("starter", "events.amazonaws.com")
    events.put_targets(Rule="wake", Targets=[{**target, "RoleArn": starter}])
    events.put_events(Entries=[{"Source": "drift", "DetailType": "t", "Detail": '{"feature": "distance"}'}])
    (execution,) = wait(
        lambda: client.list_executions(stateMachineArn=arn, statusFilter="SUCCEEDED")["executions"], bool
    )
    described = client.describe_execution(executionArn=execution["executionArn"])
    assert json.loads(described["input"]) == {"feature": "distance"}
    assert "states:StartExecution" in used(world, starter)


@pytest.mark.parametrize(
    ("level", "data", "kept"),
    [("ALL", True, True), ("ALL", False, False), ("ERROR", True, None), ("OFF", True, None)],
)
def test_the_history_is_logged_as_the_machine_says(
    world: World, role: str, level: str, data: bool, kept: bool | None
) -> None:
    logs = world.client("logs")
    logs.create_log_group(logGroupName="/machine")
    group = f"arn:aws:logs:{world.region}:{world.account}:log-group:/machine:*"
    world.client("ssm").put_parameter(Name="/secret", Value="in-the-output", Type="String")
    task = {"Resource": "arn:aws:states:::aws-sdk:ssm:getParameter", "Parameters": {"Name": "/secret"}}
    settings: dict[str, Any] = {"level": level, "includeExecutionData": data}
    if level != "OFF":
        settings["destinations"] = [{"cloudWatchLogsLogGroup": {"logGroupArn": group}}]
    found = run(world, make(world, role, task, loggingConfiguration=settings))
    assert found["status"] == "SUCCEEDED", found
    if kept is None:
        # One that fails is logged at ERROR; this one does not.
        assert logs.filter_log_events(logGroupName="/machine")["events"] == []
        return
    lines = wait(
        lambda: [json.loads(event["message"]) for event in logs.filter_log_events(logGroupName="/machine")["events"]],
        lambda found: any(line["type"] == "ExecutionSucceeded" for line in found),
    )
    assert lines[0]["type"] == "ExecutionStarted"
    assert {line["execution_arn"] for line in lines} == {found["executionArn"]}
    assert ("in-the-output" in json.dumps(lines)) is kept
