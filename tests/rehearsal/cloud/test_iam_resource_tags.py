"""`aws:ResourceTag/…` has the value that the resource carries, so a policy may bind by it."""

from typing import Any

import pytest

from rehearsal.cloud.core.cloud import Cloud
from tests.rehearsal.cloud.iam_cases import allow
from tests.rehearsal.cloud.test_iam_enforcement import World, refusal

TEAM = {"StringEquals": {"aws:ResourceTag/team": "models"}}


@pytest.fixture
def world(cloud: Cloud, account: str) -> World:
    return World(cloud, account)


def _queue(world: World, name: str, tags: dict[str, str]) -> str:
    return str(world.admin("sqs").create_queue(QueueName=name, tags=tags)["QueueUrl"])


def test_a_queue_by_its_tag(world: World) -> None:
    world.let(allow("sqs:SendMessage", "*", Condition=TEAM))
    ours, theirs = _queue(world, "ours", {"Team": "models"}), _queue(world, "theirs", {"Team": "sales"})
    bare = _queue(world, "bare", {})
    worker = world.worker("sqs")
    worker.send_message(QueueUrl=ours, MessageBody="x")
    for url in (theirs, bare):
        code, message = refusal(worker.send_message, QueueUrl=url, MessageBody="x")
        assert "AccessDenied" in code
        assert "sqs:SendMessage" in message


def test_a_tag_that_is_changed_counts_at_once(world: World) -> None:
    world.let(allow("sqs:SendMessage", "*", Condition=TEAM))
    url = _queue(world, "moving", {"team": "sales"})
    refusal(world.worker("sqs").send_message, QueueUrl=url, MessageBody="x")
    world.admin("sqs").tag_queue(QueueUrl=url, Tags={"team": "models"})
    world.worker("sqs").send_message(QueueUrl=url, MessageBody="x")


@pytest.mark.parametrize("key", ["aws:ResourceTag/team", "AWS:resourcetag/TEAM", "kms:ResourceTag/team"])
def test_a_key_by_its_tag_in_every_spelling(world: World, key: str) -> None:
    world.let(allow("kms:DescribeKey", "*", Condition={"StringEquals": {key: "models"}}))
    kms = world.admin("kms")
    ours = kms.create_key(Tags=[{"TagKey": "team", "TagValue": "models"}])["KeyMetadata"]["KeyId"]
    theirs = kms.create_key()["KeyMetadata"]["KeyId"]
    worker = world.worker("kms")
    worker.describe_key(KeyId=ours)
    assert refusal(worker.describe_key, KeyId=theirs)[0] == "AccessDeniedException"


def test_another_service_s_key_says_nothing(world: World) -> None:
    world.let(allow("sqs:SendMessage", "*", Condition={"StringEquals": {"kms:ResourceTag/team": "models"}}))
    url = _queue(world, "other", {"team": "models"})
    refusal(world.worker("sqs").send_message, QueueUrl=url, MessageBody="x")


def test_a_role_by_its_tag(world: World) -> None:
    world.let(allow("iam:GetRole", "*", Condition={"StringEquals": {"iam:ResourceTag/team": "models"}}))
    worker = world.worker("iam")
    refusal(worker.get_role, RoleName="worker")
    world.iam.tag_role(RoleName="worker", Tags=[{"Key": "team", "Value": "models"}])
    assert worker.get_role(RoleName="worker")["Role"]["RoleName"] == "worker"


def test_a_log_group_by_its_tag(world: World) -> None:
    world.let(allow(["logs:CreateLogStream", "logs:PutLogEvents"], "*", Condition=TEAM))
    logs: Any = world.admin("logs")
    logs.create_log_group(logGroupName="/ours", tags={"team": "models"})
    logs.create_log_group(logGroupName="/theirs")
    worker = world.worker("logs")
    worker.create_log_stream(logGroupName="/ours", logStreamName="a")
    worker.put_log_events(
        logGroupName="/ours", logStreamName="a", logEvents=[{"timestamp": 1_790_000_000_000, "message": "x"}]
    )
    refusal(worker.create_log_stream, logGroupName="/theirs", logStreamName="a")


def test_buckets_have_no_such_key(world: World) -> None:
    world.make_bucket()
    world.admin("s3").put_bucket_tagging(Bucket=world.bucket, Tagging={"TagSet": [{"Key": "team", "Value": "models"}]})
    world.let(allow("s3:GetObject", world.objects, Condition=TEAM))
    assert refusal(world.worker("s3").get_object, Bucket=world.bucket, Key="runs/1/model")[0] == "AccessDenied"
