"""Topics and buckets that invoke functions: with the function's permission, or not at all."""

import json
import time
from typing import Any

import pytest

from rehearsal.cloud.core.cloud import Cloud
from tests.rehearsal.cloud.lambda_support import REGION, eventually, make_function

KEEP = "import json\ndef handler(event, context):\n    print('GOT ' + json.dumps(event))"


@pytest.fixture
def function(cloud: Cloud, account: str) -> str:
    return str(make_function(cloud, account, "keep", KEEP)["FunctionArn"])


def permit(cloud: Cloud, account: str, service: str, source: str) -> None:
    cloud.client("lambda", account, REGION).add_permission(
        FunctionName="keep", StatementId=service, Action="lambda:InvokeFunction", Principal=f"{service}.amazonaws.com",
        SourceArn=source,
    )  # fmt: skip


def events(cloud: Cloud, account: str) -> list[dict[str, Any]]:
    """What the function was invoked with."""
    logs = cloud.client("logs", account, REGION)
    try:
        found = logs.filter_log_events(logGroupName="/aws/lambda/keep")["events"]
    except logs.exceptions.ResourceNotFoundException:
        return []
    return [json.loads(item["message"][4:]) for item in found if item["message"].startswith("GOT ")]


def test_a_topic_invokes_its_subscriber(cloud: Cloud, account: str, function: str) -> None:
    client = cloud.client("sns", account, REGION)
    topic = client.create_topic(Name="drift")["TopicArn"]
    client.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=function)
    client.publish(TopicArn=topic, Subject="early", Message="nobody may hear this")
    permit(cloud, account, "sns", topic)
    client.publish(
        TopicArn=topic, Subject="Drift", Message='{"feature": "distance"}',
        MessageAttributes={"kind": {"DataType": "String", "StringValue": "alarm"}},
    )  # fmt: skip
    (event,) = eventually(lambda: events(cloud, account))
    (record,) = event["Records"]
    assert record["EventSource"] == "aws:sns"
    assert record["EventSubscriptionArn"].startswith(topic)
    assert (record["Sns"]["TopicArn"], record["Sns"]["Subject"]) == (topic, "Drift")
    assert json.loads(record["Sns"]["Message"]) == {"feature": "distance"}


def test_a_bucket_invokes_for_what_its_configuration_names(cloud: Cloud, account: str, function: str) -> None:
    s3 = cloud.client("s3", account, REGION)
    bucket = f"invoking-{account}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    permit(cloud, account, "s3", f"arn:aws:s3:::{bucket}")
    rule = {
        "LambdaFunctionArn": function, "Events": ["s3:ObjectCreated:*"],
        "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "datasets/"}]}},
    }  # fmt: skip
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"LambdaFunctionConfigurations": [rule]}
    )
    s3.put_object(Bucket=bucket, Key="other/x.csv", Body=b"a")
    version = s3.put_object(Bucket=bucket, Key="datasets/x.csv", Body=b"a")["VersionId"]
    (event,) = eventually(lambda: events(cloud, account))
    (record,) = event["Records"]
    assert record["eventName"] == "ObjectCreated:Put"
    assert (record["s3"]["bucket"]["name"], record["s3"]["object"]["key"]) == (bucket, "datasets/x.csv")
    assert record["s3"]["object"]["versionId"] == version


def test_without_permission_nothing_is_invoked(cloud: Cloud, account: str, function: str) -> None:
    client = cloud.client("sns", account, REGION)
    topic = client.create_topic(Name="mute")["TopicArn"]
    other = client.create_topic(Name="heard")["TopicArn"]
    permit(cloud, account, "sns", other)
    for name in (topic, other):
        client.subscribe(TopicArn=name, Protocol="lambda", Endpoint=function)
        client.publish(TopicArn=name, Message=name)
    eventually(lambda: events(cloud, account))
    time.sleep(0.2)
    assert [event["Records"][0]["Sns"]["Message"] for event in events(cloud, account)] == [other]
