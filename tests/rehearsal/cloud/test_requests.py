"""What is asked: validation, protocols, refusals, and S3's details."""

import base64
import hashlib
import json
import urllib.error
import urllib.request
from typing import Any

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from rehearsal.cloud.core.cloud import Cloud
from rehearsal.cloud.wire import protocol, validation
from tests.keys import SECRET_KEY

REGION = "eu-west-1"


def unchecked(cloud: Cloud, service: str, account: str) -> Any:
    """A client that leaves all validation to the other side."""
    return boto3.client(
        service,
        endpoint_url=cloud.url,
        region_name=REGION,
        aws_access_key_id=f"AKIA{account}",
        aws_secret_access_key=SECRET_KEY,
        config=Config(parameter_validation=False, retries={"max_attempts": 0}),
    )


def post_json(cloud: Cloud, account: str, service: str, target: str, body: bytes) -> tuple[int, dict[str, Any]]:
    """A signed request with a body that no SDK would send."""
    headers = {"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.1"}
    request = AWSRequest("POST", f"{cloud.url}/", headers=headers, data=body)
    SigV4Auth(Credentials(f"AKIA{account}", SECRET_KEY), service, REGION).add_auth(request)
    try:
        raw = urllib.request.Request(f"{cloud.url}/", data=body, headers=dict(request.headers.items()))
        with urllib.request.urlopen(raw) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


@pytest.mark.parametrize(
    ("service", "operation", "params", "code", "text"),
    [
        ("iam", "create_role", {"RoleName": "a b", "AssumeRolePolicyDocument": "{}"}, "ValidationError", "Value 'a b' at 'roleName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]+"),  # noqa: E501
        ("iam", "create_role", {"RoleName": "a"}, "ValidationError", "Value null at 'assumeRolePolicyDocument' failed to satisfy constraint: Member must not be null"),  # noqa: E501
        ("ssm", "put_parameter", {"Name": "/a", "Value": "x", "Type": "Text"}, "ValidationException", "Member must satisfy enum value set: [String, StringList, SecureString]"),  # noqa: E501
        ("sagemaker", "create_model", {"ModelName": "m" * 64, "ExecutionRoleArn": "arn:aws:iam::1:role/x"}, "ValidationException", "at 'modelName' failed to satisfy constraint: Member must"),  # noqa: E501
        ("lambda", "create_function", {"FunctionName": "f", "Role": "arn:aws:iam::123456789012:role/r", "Code": {"ZipFile": b"x"}, "Timeout": 0}, "ValidationException", "Value '0' at 'timeout' failed to satisfy constraint: Member must have value greater than or equal to 1"),  # noqa: E501
        ("kms", "create_key", {"Tags": [{"TagKey": "", "TagValue": "x"}]}, "ValidationException", "at 'tags.1.member.tagKey' failed to satisfy constraint: Member must have length greater than or equal to 1"),  # noqa: E501
    ],
)  # fmt: skip
def test_broken_constraints_are_worded_as_aws_words_them(
    cloud: Cloud, account: str, service: str, operation: str, params: dict[str, Any], code: str, text: str
) -> None:
    with pytest.raises(ClientError) as error:
        getattr(unchecked(cloud, service, account), operation)(**params)
    details = error.value.response["Error"]
    assert details["Code"] == code
    assert "validation error" in details["Message"]
    assert text in details["Message"]


def test_every_broken_constraint_is_named(cloud: Cloud, account: str) -> None:
    with pytest.raises(ClientError, match="4 validation errors detected: "):
        unchecked(cloud, "iam", account).create_role(RoleName="a b", Path="x", AssumeRolePolicyDocument="")


@pytest.mark.parametrize(
    ("body", "code", "text"),
    [
        (b'{"Name": "/a", "Nmae": 1}', "ValidationException", "Unknown parameter: 'Nmae'"),
        (b'{"Name": 5}', "SerializationException", "NUMBER_VALUE can not be converted to string at 'Name'"),
        (b'{"Name": "/a", "WithDecryption": "yes"}', "SerializationException", "STRING_VALUE can not be"),
        (b'{"Name": ', "SerializationException", "not valid JSON"),
    ],
)
def test_malformed_bodies_are_refused(cloud: Cloud, account: str, body: bytes, code: str, text: str) -> None:
    status, answer = post_json(cloud, account, "ssm", "AmazonSSM.GetParameter", body)
    assert status == 400
    assert answer["__type"].endswith(code)
    assert text in (answer.get("message") or answer["Message"])


def test_unknown_operation_is_named(cloud: Cloud, account: str) -> None:
    status, answer = post_json(cloud, account, "ssm", "AmazonSSM.GetNothing", b"{}")
    assert status == 404
    assert "AmazonSSM.GetNothing" in (answer.get("message") or answer["Message"])


def test_every_pattern_of_the_services_used_can_be_checked() -> None:
    for service in ("iam", "lambda", "sagemaker", "codepipeline", "events", "kms", "logs", "ssm", "stepfunctions"):
        model = protocol.service_model(service)
        for name in model.shape_names:
            pattern = model.shape_for(name).metadata.get("pattern")
            if pattern:
                validation._pattern(pattern)
    assert not validation.untranslatable


@pytest.mark.parametrize(
    ("service", "operation", "params"),
    [
        ("textract", "detect_document_text", {"Document": {"Bytes": b"x"}}),
        ("athena", "start_query_execution", {"QueryString": "select 1"}),
        ("budgets", "describe_budgets", {"AccountId": "123456789012"}),
        ("ssm", "start_automation_execution", {"DocumentName": "AWS-RunShellScript"}),
    ],
)
def test_what_is_not_executed_is_refused(
    cloud: Cloud, account: str, service: str, operation: str, params: dict[str, Any]
) -> None:
    with pytest.raises(ClientError) as error:
        getattr(unchecked(cloud, service, account), operation)(**params)
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert f"the rehearsal does not implement {service}:" in str(error.value)


def make_bucket(cloud: Cloud, account: str) -> tuple[Any, str]:
    s3 = cloud.client("s3", account, REGION)
    name = f"bucket-{account}"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    return s3, name


def test_checksum_is_kept_and_checked(cloud: Cloud, account: str) -> None:
    s3, bucket = make_bucket(cloud, account)
    body = b"model" * 1000
    expected = base64.b64encode(hashlib.sha256(body).digest()).decode()
    assert s3.put_object(Bucket=bucket, Key="m", Body=body, ChecksumAlgorithm="SHA256")["ChecksumSHA256"] == expected
    for read in (s3.head_object, s3.get_object):
        assert read(Bucket=bucket, Key="m", ChecksumMode="ENABLED")["ChecksumSHA256"] == expected
    assert s3.get_object(Bucket=bucket, Key="m")["Body"].read() == body
    with pytest.raises(ClientError) as error:
        s3.put_object(Bucket=bucket, Key="n", Body=body, ChecksumSHA256=base64.b64encode(b"0" * 32).decode())
    assert error.value.response["Error"]["Code"] == "BadDigest"
    with pytest.raises(ClientError):
        s3.head_object(Bucket=bucket, Key="n")


def test_objects_of_every_size_are_kept_over_one_connection(cloud: Cloud, account: str) -> None:
    _, bucket = make_bucket(cloud, account)
    config = Config(max_pool_connections=1, read_timeout=5, retries={"max_attempts": 0})
    keys = {"aws_access_key_id": f"AKIA{account}", "aws_secret_access_key": SECRET_KEY}
    s3 = boto3.client("s3", endpoint_url=cloud.url, region_name=REGION, config=config, **keys)
    for number, body in enumerate((b"", b"x", b"", b"y" * (1 << 20))):
        s3.put_object(Bucket=bucket, Key=str(number), Body=body)
        assert s3.get_object(Bucket=bucket, Key=str(number))["Body"].read() == body
    s3.put_object(Bucket=bucket, Key="none")
    assert s3.head_object(Bucket=bucket, Key="none")["ContentLength"] == 0


def test_versions_are_kept_apart(cloud: Cloud, account: str) -> None:
    s3, bucket = make_bucket(cloud, account)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(Bucket=bucket, Key="d", Body=b"1")["VersionId"]
    second = s3.put_object(Bucket=bucket, Key="d", Body=b"2")["VersionId"]
    assert s3.get_object(Bucket=bucket, Key="d", VersionId=first)["Body"].read() == b"1"
    listed = s3.list_object_versions(Bucket=bucket)["Versions"]
    assert {(item["VersionId"], item["IsLatest"]) for item in listed} == {(first, False), (second, True)}


def test_encryption_headers_are_kept(cloud: Cloud, account: str) -> None:
    s3, bucket = make_bucket(cloud, account)
    key = cloud.client("kms", account, REGION).create_key()["KeyMetadata"]["Arn"]
    s3.put_object(Bucket=bucket, Key="d", Body=b"1", ServerSideEncryption="aws:kms", SSEKMSKeyId=key)
    head = s3.head_object(Bucket=bucket, Key="d")
    assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", key)


def test_multipart_upload_of_a_large_object(cloud: Cloud, account: str) -> None:
    s3, bucket = make_bucket(cloud, account)
    upload = s3.create_multipart_upload(Bucket=bucket, Key="big")["UploadId"]
    parts = []
    for number, body in ((1, b"a" * (6 << 20)), (2, b"b")):
        answer = s3.upload_part(Bucket=bucket, Key="big", UploadId=upload, PartNumber=number, Body=body)
        parts.append({"PartNumber": number, "ETag": answer["ETag"]})
    s3.complete_multipart_upload(Bucket=bucket, Key="big", UploadId=upload, MultipartUpload={"Parts": parts})
    assert s3.head_object(Bucket=bucket, Key="big")["ContentLength"] == (6 << 20) + 1


def test_inventory_names_what_is_left_and_nothing_of_aws(cloud: Cloud, account: str) -> None:
    from rehearsal.cloud.gateway.inventory import live

    assert live(cloud, account) == {}
    _, bucket = make_bucket(cloud, account)
    kms = cloud.client("kms", account, REGION)
    key = kms.create_key()["KeyMetadata"]
    kms.list_aliases()
    ssm = cloud.client("ssm", account, REGION)
    ssm.put_parameter(Name="/p", Value="1", Type="String")
    events = cloud.client("events", account, REGION)
    events.put_rule(Name="tick", ScheduleExpression="rate(1 day)")
    assert live(cloud, account) == {
        "events": [f"arn:aws:events:{REGION}:{account}:rule/tick"],
        "kms": [key["Arn"]],
        "s3": [bucket],
        "ssm": ["/p"],
    }
    cloud.client("s3", account, REGION).delete_bucket(Bucket=bucket)
    kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
    ssm.delete_parameter(Name="/p")
    events.delete_rule(Name="tick")
    assert live(cloud, account) == {}


def test_a_large_body_that_the_sdk_compresses_is_read(cloud: Cloud, account: str) -> None:
    """boto3 does so by itself: the metrics of a monitored model with five features are large enough."""
    watch = unchecked(cloud, "cloudwatch", account)
    sent: list[Any] = []
    watch.meta.events.register("before-send.cloudwatch.*", lambda request, **_: sent.append(request.headers))
    data = [{"MetricName": f"feature_{n}_of_many_{'x' * 40}", "Value": float(n)} for n in range(200)]
    watch.put_metric_data(Namespace="Large", MetricData=data)
    assert sent[0]["Content-Encoding"] in ("gzip", b"gzip")
    pages = watch.get_paginator("list_metrics").paginate(Namespace="Large")
    assert len([metric for page in pages for metric in page["Metrics"]]) == 200


def test_an_object_keeps_the_encoding_that_it_was_given(cloud: Cloud, account: str) -> None:
    """What S3 stores with Content-Encoding gzip stays packed: the encoding is the object's, not the request's."""
    s3 = unchecked(cloud, "s3", account)
    s3.create_bucket(Bucket=f"packed-{account}", CreateBucketConfiguration={"LocationConstraint": REGION})
    body = b"\x1f\x8b not for the server to unpack"
    s3.put_object(Bucket=f"packed-{account}", Key="k", Body=body, ContentEncoding="gzip")
    assert s3.get_object(Bucket=f"packed-{account}", Key="k")["Body"].read() == body


def test_nobody_is_answered_once_aws_time_has_stopped(
    cloud: Cloud, account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No alarm would speak any more: a rehearsal must not end well then."""
    monkeypatch.setattr(cloud.clock, "failure", "RuntimeError: broken")
    with pytest.raises(ClientError, match=r"AWS's time has stopped \(RuntimeError: broken\)") as caught:
        unchecked(cloud, "sts", account).get_caller_identity()
    assert caught.value.response["ResponseMetadata"]["RetryAttempts"] == 0
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(cloud.url + "/_aws/execute-api/x/live/predict")
    assert b"time has stopped" in refused.value.read()
    with urllib.request.urlopen(cloud.url + "/_rehearsal/health") as answer:
        assert answer.status == 200
