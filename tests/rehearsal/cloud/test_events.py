"""EventBridge, S3 events and mail, over the wire."""

import json
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from rehearsal.cloud.core.cloud import Cloud
from rehearsal.cloud.core.ports import LogLines, Place
from rehearsal.cloud.services import sns
from rehearsal.cloud.services.cloudwatch.operations import metrics_of
from rehearsal.cloud.services.cloudwatch.series import Sample, key_of

REGION = "eu-west-1"


def until(condition: Callable[[], Any], seconds: float = 60) -> Any:
    """Wait for something to be true; its value, or the last falsy one."""
    deadline = time.monotonic() + seconds
    while not (value := condition()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return value


class Queue:
    """A queue that EventBridge may send to."""

    def __init__(self, cloud: Cloud, account: str, name: str = "q", allow: bool = True) -> None:
        self.sqs = cloud.client("sqs", account, REGION)
        self.url = self.sqs.create_queue(QueueName=name)["QueueUrl"]
        self.arn = f"arn:aws:sqs:{REGION}:{account}:{name}"
        self.received: list[str] = []
        if allow:
            statement = {
                "Effect": "Allow",
                "Principal": {"Service": "events.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": self.arn,
                "Condition": {"StringEquals": {"aws:SourceAccount": account}},
            }
            policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
            self.sqs.set_queue_attributes(QueueUrl=self.url, Attributes={"Policy": policy})

    def bodies(self, count: int = 1) -> list[Any]:
        def enough() -> bool:
            for message in self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages", []):
                self.received.append(json.loads(message["Body"]))
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
            return len(self.received) >= count

        until(enough)
        return self.received


def test_new_object_reaches_the_queue_with_its_version(cloud: Cloud, account: str) -> None:
    s3, events, queue = (
        cloud.client("s3", account, REGION),
        cloud.client("events", account, REGION),
        Queue(cloud, account),
    )
    bucket = f"data-{account}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket=bucket, Key="datasets/before.csv", Body=b"not announced yet")
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}})
    pattern = {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {"bucket": {"name": [bucket]}, "object": {"key": [{"prefix": "datasets/"}]}},
    }
    events.put_rule(Name="data", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="data", Targets=[{"Id": "1", "Arn": queue.arn}])
    s3.put_object(Bucket=bucket, Key="other/x.csv", Body=b"ignored")
    put = s3.put_object(Bucket=bucket, Key="datasets/x y.csv", Body=b"abc")
    (event,) = queue.bodies()
    assert event["account"] == account
    assert event["resources"] == [f"arn:aws:s3:::{bucket}"]
    assert event["detail"]["reason"] == "PutObject"
    item = event["detail"]["object"]
    assert (item["key"], item["size"]) == ("datasets/x y.csv", 3)
    assert (item["version-id"], item["etag"]) == (put["VersionId"], put["ETag"].strip('"'))


def test_input_transformer_and_input_path(cloud: Cloud, account: str) -> None:
    events, queue = cloud.client("events", account, REGION), Queue(cloud, account)
    events.put_rule(Name="r", EventPattern=json.dumps({"source": ["mine"], "detail": {"n": [{"numeric": [">", 5]}]}}))
    transformer = {
        "InputPathsMap": {"n": "$.detail.n", "who": "$.detail.who"},
        "InputTemplate": '{"text": "n is <n> for <who>", "n": <n>}',
    }
    targets = [
        {"Id": "1", "Arn": queue.arn, "InputTransformer": transformer},
        {"Id": "2", "Arn": queue.arn, "InputPath": "$.detail.list[1]"},
    ]
    assert events.put_targets(Rule="r", Targets=targets)["FailedEntryCount"] == 0
    for n in (5, 6):
        detail = json.dumps({"n": n, "who": 'a "b"', "list": ["x", {"y": 1}]})
        answer = events.put_events(Entries=[{"Source": "mine", "DetailType": "t", "Detail": detail}])
        assert answer["FailedEntryCount"] == 0
    found = sorted(map(json.dumps, queue.bodies(2)))
    assert [json.loads(item) for item in found] == [{"text": 'n is 6 for a "b"', "n": 6}, {"y": 1}]


def test_queue_without_permission_gets_nothing_and_the_failure_is_counted(cloud: Cloud, account: str) -> None:
    events, queue = cloud.client("events", account, REGION), Queue(cloud, account, allow=False)
    dead = Queue(cloud, account, "dead")
    events.put_rule(Name="r", EventPattern='{"source": ["mine"]}')
    events.put_targets(Rule="r", Targets=[{"Id": "1", "Arn": queue.arn, "DeadLetterConfig": {"Arn": dead.arn}}])
    events.put_events(Entries=[{"Source": "mine", "DetailType": "t", "Detail": "{}"}])
    assert dead.bodies()[0]["source"] == "mine"
    metrics = cloud.client("cloudwatch", account, REGION).list_metrics(Namespace="AWS/Events")["Metrics"]
    assert [item["MetricName"] for item in metrics] == ["FailedInvocations"]
    assert not queue.sqs.receive_message(QueueUrl=queue.url).get("Messages")


def test_bad_entries_fail_one_by_one(cloud: Cloud, account: str) -> None:
    entries = [
        {"Source": "aws.s3", "DetailType": "t", "Detail": "{}"},
        {"Source": "mine", "DetailType": "t", "Detail": "[1"},
        {"Source": "mine", "DetailType": "t", "Detail": "{}"},
    ]
    answer = cloud.client("events", account, REGION).put_events(Entries=entries)
    codes = [entry.get("ErrorCode") for entry in answer["Entries"]]
    assert codes == ["NotAuthorizedForSourceException", "MalformedDetail", None]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"EventPattern": '{"source": "mine"}'}, "InvalidEventPatternException"),
        ({"EventPattern": '{"source": [{"prefixx": "a"}]}'}, "InvalidEventPatternException"),
        ({"ScheduleExpression": "rate(1 minutes)"}, "ValidationException"),
        ({"ScheduleExpression": "cron(0 12 * * * *)"}, "ValidationException"),
        ({}, "ValidationException"),
    ],
)
def test_rules_that_could_never_fire_are_refused(
    cloud: Cloud, account: str, arguments: dict[str, str], code: str
) -> None:
    with pytest.raises(ClientError) as error:
        cloud.client("events", account, REGION).put_rule(Name="r", **arguments)
    assert error.value.response["Error"]["Code"] == code


def test_schedule_fires_on_the_scaled_clock(cloud: Cloud, account: str) -> None:
    events, queue = cloud.client("events", account, REGION), Queue(cloud, account)
    events.put_rule(Name="tick", ScheduleExpression="rate(2 minutes)")
    events.put_targets(Rule="tick", Targets=[{"Id": "1", "Arn": queue.arn, "Input": '{"tick": true}'}])
    assert queue.bodies(2)[:2] == [{"tick": True}, {"tick": True}]
    events.disable_rule(Name="tick")


def test_event_crosses_accounts_only_with_permission(cloud: Cloud, account: str, other_account: str) -> None:
    here, there = cloud.client("events", account, REGION), cloud.client("events", other_account, REGION)
    queue = Queue(cloud, other_account)
    there.put_rule(Name="in", EventPattern='{"source": ["mine"]}')
    there.put_targets(Rule="in", Targets=[{"Id": "1", "Arn": queue.arn}])
    bus = f"arn:aws:events:{REGION}:{other_account}:event-bus/default"
    here.put_rule(Name="out", EventPattern='{"source": ["mine"]}')
    here.put_targets(Rule="out", Targets=[{"Id": "1", "Arn": bus}])
    entry = {"Source": "mine", "DetailType": "t", "Detail": '{"n": 1}'}
    with pytest.raises(ClientError) as error:
        here.put_events(Entries=[{**entry, "EventBusName": bus}])
    assert error.value.response["Error"]["Code"] == "AccessDeniedException"
    there.put_permission(StatementId="in", Action="events:PutEvents", Principal=account)
    here.put_events(Entries=[{**entry, "Detail": '{"n": 2}'}])
    (event,) = queue.bodies()
    assert (event["account"], event["detail"]) == (account, {"n": 2})


def test_mail_lies_in_the_outbox_in_full(cloud: Cloud, account: str) -> None:
    client = cloud.client("sns", account, REGION)
    topic = client.create_topic(Name="approval")["TopicArn"]
    client.subscribe(TopicArn=topic, Protocol="email", Endpoint="ann@example.com")
    assert sns.confirm_all(cloud, account) == 1
    client.publish(TopicArn=topic, Subject="Release 7", Message="please look")
    asked, mail = [mail for mail in sns.outbox(cloud) if mail["account"] == account]
    assert asked["subject"] == sns.CONFIRM
    assert (mail["to"], mail["subject"], mail["message"]) == ("ann@example.com", "Release 7", "please look")


def test_an_address_gets_nothing_before_it_has_confirmed(cloud: Cloud, account: str) -> None:
    client = cloud.client("sns", account, REGION)
    topic = client.create_topic(Name="approval")["TopicArn"]
    answer = client.subscribe(TopicArn=topic, Protocol="email", Endpoint="ann@example.com")
    assert answer["SubscriptionArn"] == "pending confirmation"
    arn = client.subscribe(
        TopicArn=topic, Protocol="email", Endpoint="ann@example.com", ReturnSubscriptionArn=True
    )["SubscriptionArn"]  # fmt: skip
    attributes = client.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    assert attributes["PendingConfirmation"] == "true"
    listed = client.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert [item["SubscriptionArn"] for item in listed] == ["PendingConfirmation"]
    client.publish(TopicArn=topic, Message="lost")
    with pytest.raises(ClientError, match="Cannot unsubscribe a subscription that is pending confirmation"):
        client.unsubscribe(SubscriptionArn=arn)
    with pytest.raises(ClientError, match="Invalid token"):
        client.confirm_subscription(TopicArn=topic, Token="no")
    (asked,) = [mail for mail in sns.outbox(cloud) if mail["account"] == account]
    token = asked["message"].rpartition(" ")[2]
    assert client.confirm_subscription(TopicArn=topic, Token=token)["SubscriptionArn"] == arn
    client.publish(TopicArn=topic, Message="heard")
    assert [mail["message"] for mail in sns.outbox(cloud) if mail["account"] == account][1:] == ["heard"]
    listed = client.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert [item["SubscriptionArn"] for item in listed] == [arn]
    assert client.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]["PendingConfirmation"] == "false"


def test_alarm_goes_off_notifies_its_topic_and_recovers(cloud: Cloud, account: str) -> None:
    """The data point stays in the alarm's window for six seconds: a busy machine may pause the evaluation that long."""
    watch, events, queue = (
        cloud.client("cloudwatch", account, REGION),
        cloud.client("events", account, REGION),
        Queue(cloud, account),
    )
    client = cloud.client("sns", account, REGION)
    topic = client.create_topic(Name="alarms")["TopicArn"]
    client.subscribe(TopicArn=topic, Protocol="email", Endpoint="ann@example.com")
    assert sns.confirm_all(cloud, account) == 1
    events.put_rule(Name="r", EventPattern='{"source": ["aws.cloudwatch"], "detail": {"state": {"value": ["ALARM"]}}}')
    events.put_targets(Rule="r", Targets=[{"Id": "1", "Arn": queue.arn}])
    metric = {"Namespace": "Glidepath", "MetricName": "Errors", "Dimensions": [{"Name": "Version", "Value": "2"}]}
    watch.put_metric_alarm(
        AlarmName="errors", **metric, Period=60, EvaluationPeriods=30, DatapointsToAlarm=1, Threshold=0,
        Statistic="Sum", ComparisonOperator="GreaterThanThreshold", TreatMissingData="notBreaching",
        AlarmActions=[topic],
    )  # fmt: skip
    watch.put_composite_alarm(AlarmName="any", AlarmRule='ALARM("errors") OR FALSE')

    def states() -> dict[str, str]:
        found = watch.describe_alarms(AlarmTypes=["MetricAlarm", "CompositeAlarm"])
        return {a["AlarmName"]: a["StateValue"] for a in found["MetricAlarms"] + found["CompositeAlarms"]}

    assert until(lambda: states() == {"errors": "OK", "any": "OK"})
    stamp = int(time.time() * 1000)
    directive = {
        "Namespace": "Glidepath",
        "Dimensions": [["Version"]],
        "Metrics": [{"Name": "Errors", "Unit": "Count"}],
    }
    document = {"_aws": {"Timestamp": stamp, "CloudWatchMetrics": [directive]}, "Version": "2", "Errors": 3}
    cloud.log(Place(account, REGION), LogLines("/aws/lambda/predict", "s", [json.dumps(document)]))
    (event,) = queue.bodies()[:1]
    assert event["detail"]["alarmName"] in ("errors", "any")
    assert until(lambda: [m for m in sns.outbox(cloud) if m["account"] == account][1:])
    (mail,) = [m for m in sns.outbox(cloud) if m["account"] == account][1:]
    assert mail["subject"] == f'ALARM: "errors" in {REGION}'
    assert json.loads(mail["message"])["NewStateReason"].count("greater than the threshold (0.0)") == 1
    assert until(lambda: states() == {"errors": "OK", "any": "OK"})
    history = watch.describe_alarm_history(AlarmName="errors", HistoryItemType="StateUpdate")["AlarmHistoryItems"]
    # The state before the first look: whoever asks for it may come too late to see it.
    assert history[-1]["HistorySummary"] == "Alarm updated from INSUFFICIENT_DATA to OK"
    (risen,) = [item for item in history if item["HistorySummary"] == "Alarm updated from OK to ALARM"]
    data = json.loads(risen["HistoryData"])
    assert (data["oldState"]["stateValue"], data["newState"]["stateValue"]) == ("OK", "ALARM")
    assert data["newState"]["stateReason"].count("greater than the threshold (0.0)") == 1
    later = risen["Timestamp"] + timedelta(milliseconds=1)
    found = watch.describe_alarm_history(AlarmName="errors", HistoryItemType="StateUpdate", StartDate=later)
    assert risen not in found["AlarmHistoryItems"]
    found = watch.describe_alarm_history(AlarmName="errors", EndDate=risen["Timestamp"] - timedelta(hours=1))
    assert found["AlarmHistoryItems"] == []


def test_a_long_period_is_looked_at_every_minute(cloud: Cloud, account: str) -> None:
    """The last half hour counts, wherever the clock stands: here parts of two aligned periods.

    Both parts lie in it for almost five seconds: a busy machine may pause the evaluation that long.
    """
    watch = cloud.client("cloudwatch", account, REGION)
    width = cloud.clock.scaled(1800)
    watch.put_metric_alarm(
        AlarmName="rows", Namespace="N", MetricName="Rows", Period=1800, Statistic="Sum", EvaluationPeriods=1,
        Threshold=100, ComparisonOperator="GreaterThanOrEqualToThreshold", TreatMissingData="notBreaching",
    )  # fmt: skip

    def alarm() -> str:
        return str(watch.describe_alarms(AlarmNames=["rows"])["MetricAlarms"][0]["StateValue"])

    assert until(lambda: alarm() == "OK")
    # Sixty rows on either side of a boundary of aligned periods: neither of them holds a hundred.
    boundary = (time.time() // width + 1) * width
    for stamp in (boundary - width / 10, boundary + width / 10):
        metrics_of(cloud, account, REGION).add(key_of("N", "Rows", {}), Sample(stamp, 1, 60, 60, 60, "None"))
    assert until(lambda: alarm() == "ALARM", seconds=60)
    assert until(lambda: alarm() == "OK", seconds=60)


def test_an_alarm_takes_ten_metrics(cloud: Cloud, account: str) -> None:
    stat = {"Metric": {"Namespace": "N", "MetricName": "M"}, "Period": 60, "Stat": "Sum"}
    metrics = [{"Id": f"m{n}", "MetricStat": stat, "ReturnData": False} for n in range(11)]
    with pytest.raises(ClientError, match="at most 10 metrics and 10 expressions"):
        cloud.client("cloudwatch", account, REGION).put_metric_alarm(
            AlarmName="a", EvaluationPeriods=1, Threshold=1, ComparisonOperator="GreaterThanThreshold",
            Metrics=[{"Id": "e", "Expression": "m0"}, *metrics],
        )  # fmt: skip


def test_composite_alarms_are_shown_only_when_asked_for(cloud: Cloud, account: str) -> None:
    watch = cloud.client("cloudwatch", account, REGION)
    watch.put_composite_alarm(AlarmName="any", AlarmRule="FALSE")
    assert watch.describe_alarms(AlarmNames=["any"]).get("CompositeAlarms", []) == []
    assert watch.describe_alarms(AlarmNames=["any"], AlarmTypes=["CompositeAlarm"])["CompositeAlarms"]


def test_percentiles_are_computed(cloud: Cloud, account: str) -> None:
    watch = cloud.client("cloudwatch", account, REGION)
    watch.put_metric_data(
        Namespace="N",
        MetricData=[{"MetricName": "L", "Values": [float(n) for n in range(1, 101)], "Unit": "Milliseconds"}],
    )
    window = {"StartTime": time.time() - 600, "EndTime": time.time() + 60}
    query = {"Id": "q", "MetricStat": {"Metric": {"Namespace": "N", "MetricName": "L"}, "Period": 3600, "Stat": "p99"}}
    (result,) = watch.get_metric_data(MetricDataQueries=[query], **window)["MetricDataResults"]
    assert result["Values"] == [pytest.approx(99.01)]
    (point,) = watch.get_metric_statistics(
        Namespace="N", MetricName="L", Period=3600, Statistics=["Average", "SampleCount"], **window
    )["Datapoints"]
    assert (point["Average"], point["SampleCount"]) == (50.5, 100)


@pytest.mark.parametrize(
    ("expression", "reason"),
    [("RUNNING_SUM(m)", "does not evaluate RUNNING_SUM"), ("m +", "cannot be read"), ("x + 1", "do not exist")],
)
def test_alarm_on_math_that_is_not_understood_is_refused(
    cloud: Cloud, account: str, expression: str, reason: str
) -> None:
    stat = {"Metric": {"Namespace": "N", "MetricName": "M"}, "Period": 60, "Stat": "Sum"}
    with pytest.raises(ClientError, match=reason):
        cloud.client("cloudwatch", account, REGION).put_metric_alarm(
            AlarmName="a", EvaluationPeriods=1, Threshold=1, ComparisonOperator="GreaterThanThreshold",
            Metrics=[{"Id": "e", "Expression": expression}, {"Id": "m", "MetricStat": stat, "ReturnData": False}],
        )  # fmt: skip
