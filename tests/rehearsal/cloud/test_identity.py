"""Who may call: keys, signatures, sessions, trust policies."""

import json
import urllib.error
import urllib.request
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from rehearsal.cloud.core.cloud import Cloud
from rehearsal.cloud.wire.types import AwsError, Credentials
from tests.keys import SECRET_KEY


def code_of(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def client(cloud: Cloud, service: str, key: str, secret: str, **more: Any) -> Any:
    more.setdefault("config", Config(retries={"max_attempts": 0}))
    return boto3.client(
        service,
        endpoint_url=cloud.url,
        region_name="eu-west-1",
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        **more,
    )


def make_role(cloud: Cloud, account: str, name: str, statement: dict[str, Any]) -> str:
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", **statement}]}
    iam = cloud.client("iam", account, "eu-west-1")
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(document))["Role"]["Arn"]
    return str(arn)


def test_administrator_key_is_its_account(cloud: Cloud, account: str) -> None:
    identity = cloud.client("sts", account, "eu-west-1").get_caller_identity()
    assert identity["Account"] == account
    assert identity["Arn"] == f"arn:aws:iam::{account}:user/administrator"


def test_accounts_do_not_see_each_other(cloud: Cloud, account: str, other_account: str) -> None:
    cloud.client("ssm", account, "eu-west-1").put_parameter(Name="/mine", Value="1", Type="String")
    with pytest.raises(ClientError) as error:
        cloud.client("ssm", other_account, "eu-west-1").get_parameter(Name="/mine")
    assert code_of(error) == "ParameterNotFound"


@pytest.mark.parametrize(
    ("service", "operation", "expected"),
    [
        ("iam", "list_roles", "InvalidClientTokenId"),
        ("ssm", "describe_parameters", "UnrecognizedClientException"),
        ("lambda", "list_functions", "UnrecognizedClientException"),
        ("s3", "list_buckets", "InvalidAccessKeyId"),
    ],
)
def test_unknown_key_is_refused_as_each_service_words_it(
    cloud: Cloud, service: str, operation: str, expected: str
) -> None:
    with pytest.raises(ClientError) as error:
        getattr(client(cloud, service, "AKIANOBODY", "x"), operation)()
    assert code_of(error) == expected
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


@pytest.mark.parametrize(
    ("service", "operation", "expected"),
    [("ssm", "describe_parameters", "InvalidSignatureException"), ("s3", "list_buckets", "SignatureDoesNotMatch")],
)
def test_wrong_secret_is_refused(cloud: Cloud, account: str, service: str, operation: str, expected: str) -> None:
    with pytest.raises(ClientError) as error:
        getattr(client(cloud, service, f"AKIA{account}", "wrong"), operation)()
    assert code_of(error) == expected


def test_request_without_signature_is_refused(cloud: Cloud) -> None:
    request = urllib.request.Request(f"{cloud.url}/", data=b"Action=ListRoles")
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(request)
    assert error.value.code == 403
    assert json.load(error.value)["__type"] == "MissingAuthenticationToken"


def test_body_changed_after_signing_is_refused(cloud: Cloud, account: str) -> None:
    ssm = client(cloud, "ssm", f"AKIA{account}", SECRET_KEY)

    def tamper(request: Any, **_: Any) -> None:
        request.body = request.body.replace(b"/a", b"/b")

    ssm.meta.events.register("before-send.ssm.GetParameter", tamper)
    with pytest.raises(ClientError) as error:
        ssm.get_parameter(Name="/a")
    assert code_of(error) == "InvalidSignatureException"


def test_user_key_acts_as_the_user(cloud: Cloud, account: str) -> None:
    iam = cloud.client("iam", account, "eu-west-1")
    user = iam.create_user(UserName="ann")["User"]
    key = iam.create_access_key(UserName="ann")["AccessKey"]
    sts = client(cloud, "sts", key["AccessKeyId"], key["SecretAccessKey"])
    assert sts.get_caller_identity()["Arn"] == user["Arn"]
    iam.delete_access_key(UserName="ann", AccessKeyId=key["AccessKeyId"])
    with pytest.raises(ClientError) as error:
        sts.get_caller_identity()
    assert code_of(error) == "InvalidClientTokenId"


def test_session_calls_as_its_role_and_is_counted_there(cloud: Cloud, account: str, other_account: str) -> None:
    arn = make_role(cloud, account, "deployer", {"Principal": {"AWS": f"arn:aws:iam::{other_account}:root"}})
    sts = cloud.client("sts", other_account, "eu-west-1")
    policy = {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"},
    }
    iam = cloud.client("iam", account, "eu-west-1")
    iam.put_role_policy(RoleName="deployer", PolicyName="list", PolicyDocument=json.dumps(policy))
    keys = sts.assume_role(RoleArn=arn, RoleSessionName="build-7")["Credentials"]
    session = Credentials(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
    me = cloud.client("sts", account, "eu-west-1", session).get_caller_identity()
    assert me["Arn"] == f"arn:aws:sts::{account}:assumed-role/deployer/build-7"
    assert me["Account"] == account
    cloud.client("s3", account, "eu-west-1", session).list_buckets()
    calls = cloud.ledger.snapshot()[arn]["calls"]
    assert calls == {"s3:ListAllMyBuckets": 1, "sts:GetCallerIdentity": 1}


def test_session_without_its_token_is_refused(cloud: Cloud, account: str) -> None:
    arn = make_role(cloud, account, "r", {"Principal": {"AWS": account}})
    keys = cloud.client("sts", account, "eu-west-1").assume_role(RoleArn=arn, RoleSessionName="ab")["Credentials"]
    with pytest.raises(ClientError) as error:
        client(cloud, "ssm", keys["AccessKeyId"], keys["SecretAccessKey"]).describe_parameters()
    assert code_of(error) == "UnrecognizedClientException"


def test_trust_policy_keeps_others_out(cloud: Cloud, account: str, other_account: str) -> None:
    arn = make_role(cloud, account, "r", {"Principal": {"AWS": account}})
    with pytest.raises(ClientError) as error:
        cloud.client("sts", other_account, "eu-west-1").assume_role(RoleArn=arn, RoleSessionName="ab")
    assert code_of(error) == "AccessDenied"
    assert "is not authorized to perform: sts:AssumeRole on resource: " + arn in str(error.value)


def test_external_id_is_asked_for(cloud: Cloud, account: str) -> None:
    condition = {"StringEquals": {"sts:ExternalId": "secret-7"}}
    arn = make_role(cloud, account, "r", {"Principal": {"AWS": account}, "Condition": condition})
    sts = cloud.client("sts", account, "eu-west-1")
    with pytest.raises(ClientError):
        sts.assume_role(RoleArn=arn, RoleSessionName="ab")
    assert sts.assume_role(RoleArn=arn, RoleSessionName="ab", ExternalId="secret-7")["Credentials"]


def test_service_assumes_only_what_trusts_it(cloud: Cloud, account: str, other_account: str) -> None:
    condition = {
        "StringEquals": {"aws:SourceAccount": account},
        "ArnLike": {"aws:SourceArn": f"arn:aws:lambda:eu-west-1:{account}:function:x-*"},
    }
    arn = make_role(cloud, account, "r", {"Principal": {"Service": "lambda.amazonaws.com"}, "Condition": condition})
    source = f"arn:aws:lambda:eu-west-1:{account}:function:x-predict"
    keys = cloud.assume_for_service(arn, "lambda.amazonaws.com", "x-predict", source_arn=source)
    assert cloud.client("sts", account, "eu-west-1", keys).get_caller_identity()["Account"] == account
    with pytest.raises(AwsError, match=r"Service: glue\.amazonaws\.com is not authorized"):
        cloud.assume_for_service(arn, "glue.amazonaws.com", "ab", source_arn=source)
    with pytest.raises(AwsError, match="AccessDenied"):
        cloud.assume_for_service(arn, "lambda.amazonaws.com", "ab", source_arn=source.replace("x-", "y-"))
    with pytest.raises(AwsError, match="AccessDenied"):
        cloud.assume_for_service(arn, "lambda.amazonaws.com", "ab", source_arn=source, source_account=other_account)


def test_role_that_does_not_exist_cannot_be_assumed(cloud: Cloud, account: str) -> None:
    with pytest.raises(AwsError, match="AccessDenied"):
        cloud.assume_for_service(f"arn:aws:iam::{account}:role/none", "lambda.amazonaws.com", "ab")


def test_presigned_url_opens_one_object(cloud: Cloud, account: str) -> None:
    s3 = client(cloud, "s3", f"AKIA{account}", SECRET_KEY, config=Config(signature_version="s3v4"))
    bucket = f"presigned-{account}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket=bucket, Key="a b/ü+1.txt", Body=b"hello")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "a b/ü+1.txt"})
    assert urllib.request.urlopen(url).read() == b"hello"
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(url.replace("1.txt", "2.txt"))
    assert error.value.code == 403
    put = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "new"})
    urllib.request.urlopen(urllib.request.Request(put, data=b"written", method="PUT", headers={"Content-Type": ""}))
    assert s3.get_object(Bucket=bucket, Key="new")["Body"].read() == b"written"


def test_denied_calls_are_counted_apart(cloud: Cloud, account: str, other_account: str) -> None:
    arn = make_role(cloud, account, "r", {"Principal": {"AWS": account}})
    with pytest.raises(ClientError):
        cloud.client("sts", other_account, "eu-west-1").assume_role(RoleArn=arn, RoleSessionName="ab")
    entry = cloud.ledger.snapshot()[f"arn:aws:iam::{other_account}:user/administrator"]
    assert (entry["calls"], entry["denied"]) == ({}, {"sts:AssumeRole": 1})
