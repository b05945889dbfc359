"""EventBridge Scheduler over the wire: what fires, with which input and as whom, and what is refused."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import pytest
from botocore.exceptions import ClientError

from rehearsal.cloud.authorization import needs
from rehearsal.cloud.core.cloud import Cloud
from rehearsal.cloud.services.scheduler import expressions, targets
from tests.rehearsal.cloud.test_events import REGION, Queue, until

OFF = {"Mode": "OFF"}


def role(cloud: Cloud, account: str, allowed: str = "*", trusted: str = "scheduler.amazonaws.com") -> str:
    """A role that the scheduler may take, for calls of SQS."""
    iam = cloud.client("iam", account, REGION)
    trust = {
        "Effect": "Allow", "Principal": {"Service": trusted}, "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": account}, "ArnLike": {
            "aws:SourceArn": f"arn:aws:scheduler:{REGION}:{account}:schedule-group/default",
        }},
    }  # fmt: skip
    arn: str = iam.create_role(
        RoleName="beat", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )["Role"]["Arn"]
    document = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": allowed}],
    }
    iam.put_role_policy(RoleName="beat", PolicyName="p", PolicyDocument=json.dumps(document))
    return arn


def test_a_schedule_calls_its_target_with_the_time_it_was_meant_for(cloud: Cloud, account: str) -> None:
    scheduler, queue = cloud.client("scheduler", account, REGION), Queue(cloud, account, allow=False)
    text = '{"scheduled": "<aws.scheduler.scheduled-time>", "attempt": <aws.scheduler.attempt-number>}'
    target = {"Arn": queue.arn, "RoleArn": role(cloud, account, queue.arn), "Input": text}
    before = cloud.clock.aws_now()
    scheduler.create_schedule(
        Name="hourly", ScheduleExpression="cron(15 * * * ? *)", FlexibleTimeWindow=OFF, Target=target
    )
    bodies = queue.bodies(2)
    scheduler.delete_schedule(Name="hourly")
    moments = sorted(datetime.fromisoformat(body["scheduled"]) for body in bodies)
    assert moments[0] > before
    assert moments[1] == moments[0] + timedelta(hours=1), "each beat, by AWS's calendar, and none twice"
    assert {(moment.minute, moment.second) for moment in moments} == {(15, 0)}
    assert all(body["attempt"] == 1 for body in bodies)
    found = cloud.ledger.snapshot()[f"arn:aws:iam::{account}:role/beat"]
    assert found["calls"]["sqs:SendMessage"] >= 2


def test_a_refused_call_is_made_again_and_counted(cloud: Cloud, account: str) -> None:
    scheduler, queue = cloud.client("scheduler", account, REGION), Queue(cloud, account, allow=False)
    target = {
        "Arn": queue.arn, "RoleArn": role(cloud, account, f"{queue.arn}x"),
        "Input": '{"n": <aws.scheduler.attempt-number>}',
        "RetryPolicy": {"MaximumRetryAttempts": 50, "MaximumEventAgeInSeconds": 86400},
    }  # fmt: skip
    scheduler.create_schedule(Name="s", ScheduleExpression="rate(1 minute)", FlexibleTimeWindow=OFF, Target=target)
    metrics = cloud.client("cloudwatch", account, REGION)

    def counted() -> set[str]:
        return {item["MetricName"] for item in metrics.list_metrics(Namespace="AWS/Scheduler")["Metrics"]}

    assert until(lambda: "TargetErrorCount" in counted())
    scheduler.update_schedule(
        Name="s", ScheduleExpression="rate(1 minute)", FlexibleTimeWindow=OFF, Target=target, State="DISABLED"
    )
    queue.sqs.set_queue_attributes(QueueUrl=queue.url, Attributes={"Policy": json.dumps({
        "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
            "Action": "sqs:SendMessage", "Resource": queue.arn,
        }],
    })})  # fmt: skip
    cloud.client("iam", account, REGION).put_role_policy(
        RoleName="beat", PolicyName="p", PolicyDocument=json.dumps({
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": queue.arn}],
        }),
    )  # fmt: skip
    assert queue.bodies(1)[0]["n"] > 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"ScheduleExpression": "rate(1 hours)"}, "ValidationException"),
        ({"ScheduleExpression": "cron(0 * * * *)"}, "ValidationException"),
        ({"ScheduleExpressionTimezone": "Europe/Nowhere"}, "ValidationException"),
        ({"FlexibleTimeWindow": {"Mode": "FLEXIBLE"}}, "ValidationException"),
        ({"StartDate": datetime(2031, 1, 1, tzinfo=UTC)}, "NotImplemented"),
        ({"ActionAfterCompletion": "DELETE"}, "NotImplemented"),
        ({"Arn": "arn:aws:scheduler:::aws-sdk:sqs:sendMessage"}, "NotImplemented"),
        ({"DeadLetterConfig": {"Arn": "arn:aws:sqs:eu-west-1:123456789012:dead"}}, "NotImplemented"),
        ({"RoleArn": "nobody"}, "ValidationException"),
    ],
)
def test_what_would_not_be_done_is_refused(cloud: Cloud, account: str, change: dict[str, Any], code: str) -> None:
    target = {"Arn": f"arn:aws:sqs:{REGION}:{account}:q", "RoleArn": role(cloud, account)}
    target |= {key: value for key, value in change.items() if key in ("Arn", "RoleArn", "DeadLetterConfig")}
    target["RoleArn"] = target["RoleArn"].replace("nobody", f"arn:aws:iam::{account}:role/nobody")
    rest = {key: value for key, value in change.items() if key not in target}
    request = {"Name": "s", "ScheduleExpression": "rate(1 hour)", "FlexibleTimeWindow": OFF, "Target": target, **rest}
    with pytest.raises(ClientError) as error:
        cloud.client("scheduler", account, REGION).create_schedule(**request)
    assert error.value.response["Error"]["Code"] == code


def test_a_role_of_another_service_is_refused(cloud: Cloud, account: str) -> None:
    target = {
        "Arn": f"arn:aws:sqs:{REGION}:{account}:q",
        "RoleArn": role(cloud, account, trusted="events.amazonaws.com"),
    }
    with pytest.raises(ClientError, match="must allow AWS EventBridge Scheduler to assume the role"):
        cloud.client("scheduler", account, REGION).create_schedule(
            Name="s", ScheduleExpression="rate(1 hour)", FlexibleTimeWindow=OFF, Target=target
        )


def test_a_schedule_is_allowed_by_its_name() -> None:
    call = mock.Mock(params={"Name": "s"}, operation="CreateSchedule", region=REGION, account="1", action="a")
    (need,) = needs._scheduler(call)
    assert need.resource == f"arn:aws:scheduler:{REGION}:1:schedule/default/s"


def test_times() -> None:
    noon = datetime(2026, 7, 1, 12, tzinfo=UTC)
    assert expressions.parse("cron(30 9 * * ? *)", "Europe/Berlin").after(noon, noon) == datetime(
        2026, 7, 2, 7, 30, tzinfo=UTC
    )
    assert expressions.parse("rate(2 hours)", "UTC").after(noon + timedelta(hours=3), noon) == noon + timedelta(hours=4)
    once = expressions.parse("at(2026-07-01T15:00:00)", "Europe/Berlin")
    assert once.after(noon, noon) == datetime(2026, 7, 1, 13, tzinfo=UTC)
    assert once.after(datetime(2026, 7, 1, 13, tzinfo=UTC), noon) is None


def test_context_attributes_are_plain_text() -> None:
    assert targets.filled('{"a": "at <aws.scheduler.scheduled-time>!"}', {"scheduled-time": "T"}) == '{"a": "at T!"}'
