"""An engine writes its whole state hundreds of times: former versions are kept small, and read as they were."""

import json
import time

import pytest
from botocore.exceptions import ClientError

from rehearsal.cloud.core.cloud import Cloud
from rehearsal.cloud.services.s3 import Packed

REGION = "eu-west-1"


def state(number: int) -> bytes:
    resources = [{"urn": f"urn:pulumi:prod::own::kind::name-{index}", "version": number} for index in range(2000)]
    return json.dumps({"checkpoint": resources}).encode()


def test_former_versions_are_packed_and_answered_as_they_were(cloud: Cloud, account: str) -> None:
    s3, name = cloud.client("s3", account, REGION), f"bucket-{account}"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    ids = [s3.put_object(Bucket=name, Key="state.json", Body=state(number))["VersionId"] for number in range(4)]
    kept = cloud.backend("s3", account, REGION).buckets[name].keys.getlist("state.json")
    deadline = time.monotonic() + 10
    while not all(isinstance(version._value_buffer, Packed) for version in kept[:-1]):
        assert time.monotonic() < deadline, "former versions are packed while nobody waits for it"
        time.sleep(0.01)
    *former, newest = [version._value_buffer for version in kept]
    assert not isinstance(newest, Packed)
    assert all(len(each._packed) < len(state(0)) / 8 for each in former)
    for number, version in enumerate(ids):
        found = s3.get_object(Bucket=name, Key="state.json", VersionId=version)
        assert (found["Body"].read(), found["ContentLength"]) == (state(number), len(state(number)))
    part = s3.get_object(Bucket=name, Key="state.json", VersionId=ids[0], Range="bytes=10-19")
    assert part["Body"].read() == state(0)[10:20]
    s3.delete_object(Bucket=name, Key="state.json", VersionId=ids[3])
    assert s3.get_object(Bucket=name, Key="state.json")["Body"].read() == state(2)


def test_small_objects_stay_as_they_are(cloud: Cloud, account: str) -> None:
    s3, name = cloud.client("s3", account, REGION), f"bucket-{account}"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    for body in (b"one", b"two"):
        s3.put_object(Bucket=name, Key="pointer.json", Body=body)
    kept = cloud.backend("s3", account, REGION).buckets[name].keys.getlist("pointer.json")
    assert [isinstance(version._value_buffer, Packed) for version in kept] == [False, False]


def test_a_copy_that_asks_for_nothing_to_be_there_is_made_once(cloud: Cloud, account: str) -> None:
    s3, name = cloud.client("s3", account, REGION), f"bucket-{account}"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    for body in (b"one", b"two"):
        s3.put_object(Bucket=name, Key=f"{body.decode()}", Body=body)
    once = {"Bucket": name, "Key": "copy", "IfNoneMatch": "*"}
    s3.copy_object(**once, CopySource={"Bucket": name, "Key": "one"})
    with pytest.raises(ClientError, match="PreconditionFailed"):
        s3.copy_object(**once, CopySource={"Bucket": name, "Key": "two"})
    assert s3.get_object(Bucket=name, Key="copy")["Body"].read() == b"one"
    s3.delete_object(Bucket=name, Key="copy")
    s3.copy_object(**once, CopySource={"Bucket": name, "Key": "two"})
    assert s3.get_object(Bucket=name, Key="copy")["Body"].read() == b"two"
