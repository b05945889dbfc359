"""Calls that one service makes of another: faults, validation, policies and the ledger see them like requests.

It does not show that every such call is made in this way: what a service does over a client under a role is a request.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from rehearsal.cloud.core.cloud import Cloud
from rehearsal.cloud.core.ports import Place
from rehearsal.cloud.services import sns
from rehearsal.cloud.wire.types import AwsError, for_service
from tests.rehearsal.cloud.lambda_support import eventually, make_function, make_role
from tests.rehearsal.cloud.test_apigateway import deploy
from tests.rehearsal.cloud.test_events import Queue
from tests.rehearsal.cloud.test_faults import ask, inject, struck

REGION = "eu-west-1"
FAILURE = {"code": "InternalError", "message": "on purpose", "status": 500}
ECHO = "def handler(event, context):\n    print('called', flush=True)\n    return event\n"


@pytest.fixture(autouse=True)
def no_fault_stays(cloud: Cloud) -> Iterator[None]:
    yield
    ask(cloud, "DELETE")


def ledger(cloud: Cloud, principal: str) -> dict[str, Any]:
    return dict(cloud.ledger.snapshot().get(principal, {"calls": {}, "denied": {}}))


def calls(cloud: Cloud, principal: str, action: str) -> int:
    return int(ledger(cloud, principal)["calls"].get(action, 0))


def mails(cloud: Cloud, account: str) -> list[Any]:
    return [mail for mail in sns.outbox(cloud) if mail["account"] == account and mail["subject"] != sns.CONFIRM]


def topic(cloud: Cloud, account: str, *services: str) -> str:
    """A topic with a subscriber, whose policy lets services publish beside the owner's alarms."""
    client = cloud.client("sns", account, REGION)
    arn = str(client.create_topic(Name="news")["TopicArn"])
    client.subscribe(TopicArn=arn, Protocol="email", Endpoint="a@example.org")
    sns.confirm_all(cloud, account)
    if services:
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": list(services)},
            "Action": "sns:Publish",
            "Resource": arn,
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        client.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=policy)
    return arn


def alarm(cloud: Cloud, account: str, arn: str) -> Any:
    client = cloud.client("cloudwatch", account, REGION)
    client.put_metric_alarm(
        AlarmName="a", Namespace="N", MetricName="m", Statistic="Sum", Period=86400, EvaluationPeriods=1, Threshold=1,
        ComparisonOperator="GreaterThanThreshold", AlarmActions=[arn], OKActions=[arn],
    )  # fmt: skip
    return client


def actions_of(client: Any) -> list[str]:
    found = client.describe_alarm_history(AlarmName="a", HistoryItemType="Action")["AlarmHistoryItems"]
    return [item["HistorySummary"] for item in found]


def test_on_publish_stops_an_alarms_mail(cloud: Cloud, account: str) -> None:
    arn = topic(cloud, account)
    client = alarm(cloud, account, arn)
    before = calls(cloud, "cloudwatch.amazonaws.com", "sns:Publish")
    inject(cloud, "sns", "Publish", match={"TopicArn": account}, error=FAILURE, times=1)
    client.set_alarm_state(AlarmName="a", StateValue="ALARM", StateReason="r")
    (summary,) = eventually(lambda: actions_of(client))
    assert summary == f"Failed to execute action {arn}. Received error: on purpose"
    assert mails(cloud, account) == []
    assert struck(cloud) == [1]
    client.set_alarm_state(AlarmName="a", StateValue="OK", StateReason="r")
    (mail,) = eventually(lambda: mails(cloud, account))
    assert mail["subject"] == f'OK: "a" in {REGION}'
    assert calls(cloud, "cloudwatch.amazonaws.com", "sns:Publish") == before + 2


def test_on_invoke_stops_the_apis_call(cloud: Cloud, account: str) -> None:
    api = deploy(cloud, account)
    assert api.ask("/predict")[0] == 200
    before = calls(cloud, "apigateway.amazonaws.com", "lambda:InvokeFunction")
    # Not to be mistaken for a caller's own call: only the API is meant.
    inject(cloud, "lambda", "Invoke", principal=r"^apigateway\.amazonaws\.com$", error=FAILURE, times=1)
    status, body, _ = api.ask("/predict")
    assert (status, body) == (500, {"message": "Internal server error"})
    assert struck(cloud) == [1]
    assert api.ask("/predict")[0] == 200
    assert calls(cloud, "apigateway.amazonaws.com", "lambda:InvokeFunction") == before + 2


def test_on_invoke_stops_an_api_that_has_a_role(cloud: Cloud, account: str) -> None:
    role = make_role(cloud, account, "api", "apigateway.amazonaws.com")
    arn = f"arn:aws:lambda:{REGION}:{account}:function:predict:live"
    uri = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{arn}/invocations"
    integration = {"type": "aws_proxy", "httpMethod": "POST", "uri": uri, "credentials": role}
    api = deploy(cloud, account, grant=False, **{"x-amazon-apigateway-integration": integration})
    assert api.ask("/predict")[0] == 200
    inject(cloud, "lambda", "Invoke", principal=":assumed-role/api/", error=FAILURE, times=1)
    assert api.ask("/predict")[0] == 500
    assert api.ask("/predict")[0] == 200
    assert calls(cloud, role, "lambda:InvokeFunction") == 3


@pytest.mark.parametrize(
    ("kind", "service", "operation", "action"),
    [
        ("sqs", "sqs", "SendMessage", "sqs:SendMessage"),
        ("sns", "sns", "Publish", "sns:Publish"),
        ("lambda", "lambda", "Invoke", "lambda:InvokeFunction"),
        ("states", "stepfunctions", "StartExecution", "states:StartExecution"),
    ],
)
def test_on_a_rules_target_is_a_failed_invocation(
    cloud: Cloud, account: str, kind: str, service: str, operation: str, action: str
) -> None:
    target, who = TARGETS[kind](cloud, account)
    events = cloud.client("events", account, REGION)
    events.put_rule(Name="r", EventPattern=json.dumps({"source": ["mine"]}))
    dead = Queue(cloud, account, "dead")
    events.put_targets(Rule="r", Targets=[{**target, "Id": "1", "DeadLetterConfig": {"Arn": dead.arn}}])
    before = calls(cloud, who, action)
    # The dead-letter queue is none of it.
    match = {"QueueUrl": "/q$"} if kind == "sqs" else {}
    inject(cloud, service, operation, match=match, error=FAILURE, times=1)
    events.put_events(Entries=[{"Source": "mine", "DetailType": "t", "Detail": '{"n": 1}'}])
    assert [event["detail"] for event in dead.bodies()] == [{"n": 1}]
    assert struck(cloud) == [1]
    # A sent dead letter is a call of the same service principal.
    assert calls(cloud, who, action) == before + (2 if kind == "sqs" else 1)


def _queue(cloud: Cloud, account: str) -> tuple[dict[str, Any], str]:
    return {"Arn": Queue(cloud, account).arn}, "events.amazonaws.com"


def _topic(cloud: Cloud, account: str) -> tuple[dict[str, Any], str]:
    return {"Arn": topic(cloud, account, "events.amazonaws.com")}, "events.amazonaws.com"


def _function(cloud: Cloud, account: str, service: str = "events") -> tuple[dict[str, Any], str]:
    arn = make_function(cloud, account, "f", ECHO)["FunctionArn"]
    cloud.client("lambda", account, REGION).add_permission(
        FunctionName="f", StatementId="s", Action="lambda:InvokeFunction", Principal=f"{service}.amazonaws.com"
    )
    return {"Arn": arn}, f"{service}.amazonaws.com"


def _machine(cloud: Cloud, account: str) -> tuple[dict[str, Any], str]:
    role = make_role(cloud, account, "starts", "events.amazonaws.com", "states.amazonaws.com")
    definition = {"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}
    arn = cloud.client("stepfunctions", account, REGION).create_state_machine(
        name="m", definition=json.dumps(definition), roleArn=role
    )["stateMachineArn"]
    return {"Arn": arn, "RoleArn": role}, role


TARGETS = {"sqs": _queue, "sns": _topic, "lambda": _function, "states": _machine}


def test_on_invoke_stops_a_buckets_notification(cloud: Cloud, account: str) -> None:
    target, who = _function(cloud, account, "s3")
    s3 = cloud.client("s3", account, REGION)
    bucket = f"data-{account}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    wanted = {"LambdaFunctionArn": target["Arn"], "Events": ["s3:ObjectCreated:*"]}
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"LambdaFunctionConfigurations": [wanted]}
    )
    inject(cloud, "lambda", "Invoke", principal=r"^s3\.amazonaws\.com$", error=FAILURE, times=1)
    s3.put_object(Bucket=bucket, Key="first", Body=b"1")
    assert eventually(lambda: struck(cloud) == [1])
    s3.put_object(Bucket=bucket, Key="second", Body=b"2")
    assert eventually(lambda: len(lines(cloud, account, "f")) == 1)
    assert calls(cloud, who, "lambda:InvokeFunction") >= 2


def lines(cloud: Cloud, account: str, name: str) -> list[str]:
    """What a function has printed."""
    groups = cloud.backend("logs", account, REGION).groups
    group = groups.get(f"/aws/lambda/{name}")
    streams = list(group.streams.values()) if group else []
    return [event.message for stream in streams for event in list(stream.events) if event.message == "called"]


def test_on_send_stops_a_functions_destination(cloud: Cloud, account: str) -> None:
    role = make_role(cloud, account, "f-role", "lambda.amazonaws.com")
    make_function(cloud, account, "f", ECHO, Role=role)
    queue = Queue(cloud, account)
    client = cloud.client("lambda", account, REGION)
    client.put_function_event_invoke_config(
        FunctionName="f", DestinationConfig={"OnSuccess": {"Destination": queue.arn}}
    )
    inject(cloud, "sqs", "SendMessage", principal=":assumed-role/f-role/f$", error=FAILURE, times=1)
    client.invoke(FunctionName="f", InvocationType="Event", Payload=b'{"n": 1}')
    assert eventually(lambda: struck(cloud) == [1])
    client.invoke(FunctionName="f", InvocationType="Event", Payload=b'{"n": 2}')
    assert [body["requestPayload"] for body in queue.bodies()] == [{"n": 2}]
    assert calls(cloud, role, "sqs:SendMessage") == 2


def test_on_put_log_events_loses_a_functions_log(cloud: Cloud, account: str) -> None:
    role = make_role(cloud, account, "f-role", "lambda.amazonaws.com")
    make_function(cloud, account, "f", ECHO, Role=role)
    client = cloud.client("lambda", account, REGION)
    inject(cloud, "logs", "PutLogEvents", principal=":assumed-role/f-role/f$", error=FAILURE, times=1)
    client.invoke(FunctionName="f", Payload=b"{}")
    assert eventually(lambda: struck(cloud) == [1])
    client.invoke(FunctionName="f", Payload=b"{}")
    assert eventually(lambda: lines(cloud, account, "f") == ["called"])
    assert calls(cloud, role, "logs:CreateLogStream") == 1


def test_free_calls_are_validated_and_decided_by_policies(cloud: Cloud, account: str, other_account: str) -> None:
    place, events = Place(account, REGION), for_service("events.amazonaws.com", account, "arn:aws:events:::rule/r")
    queue = Queue(cloud, account)
    url = f"{cloud.url}/{account}/q"
    with pytest.raises(AwsError, match="Value null at 'messageBody'") as invalid:
        cloud.perform(events, place, "sqs", "SendMessage", {"QueueUrl": url})
    assert invalid.value.code == "InvalidParameterValue"
    answer = cloud.perform(events, place, "sqs", "SendMessage", {"QueueUrl": url, "MessageBody": '"x"'})
    assert len(answer["MessageId"]) == 36
    assert queue.bodies() == ["x"]
    arn = topic(cloud, account, "s3.amazonaws.com")
    for who, action, params in [
        (for_service("events.amazonaws.com", account), "sns:Publish", {"TopicArn": arn, "Message": "m"}),
        (for_service("s3.amazonaws.com", account), "sqs:SendMessage", {"QueueUrl": url, "MessageBody": "m"}),
        # The queue lets in what acts for its own account.
        (for_service("events.amazonaws.com", other_account), "sqs:SendMessage", {"QueueUrl": url, "MessageBody": "m"}),
    ]:
        denied = ledger(cloud, who.arn)["denied"].get(action, 0)
        service, _, operation = action.partition(":")
        resource = arn if service == "sns" else queue.arn
        with pytest.raises(AwsError) as refused:
            cloud.perform(who, place, service, operation, params)
        assert refused.value.message == f"the policy of {resource} does not let {who.arn} do {action}"
        assert refused.value.code == {"sns": "AuthorizationError", "sqs": "AccessDenied"}[service]
        assert ledger(cloud, who.arn)["denied"][action] == denied + 1
