"""The seam for faults: what it applies to, in whose words, and what it leaves alone."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from rehearsal.cloud.core.cloud import Cloud
from tests.keys import SECRET_KEY

REGION = "eu-west-1"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
}


def ask(cloud: Cloud, method: str, path: str = "", body: Any = None) -> tuple[int, Any]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{cloud.url}/_rehearsal/faults{path}", data=data, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def inject(cloud: Cloud, service: str, operation: str, **fault: Any) -> str:
    status, answer = ask(cloud, "POST", body={"service": service, "operation": operation, **fault})
    assert status == 201, answer
    return str(answer["id"])


def struck(cloud: Cloud) -> list[int]:
    return [fault["struck"] for fault in ask(cloud, "GET")[1]]


def client(cloud: Cloud, account: str, service: str, attempts: int = 1) -> Any:
    return boto3.client(
        service,
        endpoint_url=cloud.url,
        region_name=REGION,
        aws_access_key_id=f"AKIA{account}",
        aws_secret_access_key=SECRET_KEY,
        config=Config(retries={"total_max_attempts": attempts, "mode": "standard"}),
    )


@pytest.fixture(autouse=True)
def no_fault_stays(cloud: Cloud) -> Iterator[None]:
    yield
    ask(cloud, "DELETE")


@pytest.mark.parametrize(
    ("service", "operation", "method", "params"),
    [
        ("ssm", "PutParameter", "put_parameter", {"Name": "/a", "Value": "1", "Type": "String"}),  # JSON
        ("s3", "DeleteBucket", "delete_bucket", {"Bucket": "struck"}),  # REST and XML
        ("sns", "CreateTopic", "create_topic", {"Name": "a"}),  # query
        ("lambda", "GetFunction", "get_function", {"FunctionName": "a"}),  # REST and JSON
        ("sqs", "CreateQueue", "create_queue", {"QueueName": "a"}),  # JSON with query-compatible codes
        ("cloudwatch", "PutMetricData", "put_metric_data", {"Namespace": "a", "MetricData": [{"MetricName": "m"}]}),
    ],
)
def test_the_error_comes_in_the_services_own_protocol(
    cloud: Cloud, account: str, service: str, operation: str, method: str, params: dict[str, Any]
) -> None:
    error = {"code": "ServiceUnavailable", "message": "Please reduce your request rate.", "status": 503}
    inject(cloud, service, operation, error=error)
    with pytest.raises(ClientError) as raised:
        getattr(client(cloud, account, service), method)(**params)
    assert raised.value.response["Error"]["Code"] == "ServiceUnavailable"
    assert raised.value.response["Error"]["Message"] == "Please reduce your request rate."
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
    assert struck(cloud) == [1]


def test_an_object_that_cannot_be_read_is_an_error_without_body_for_head(cloud: Cloud, account: str) -> None:
    inject(cloud, "s3", "HeadObject", error={"code": "AccessDenied", "status": 403})
    with pytest.raises(ClientError) as raised:
        client(cloud, account, "s3").head_object(Bucket="b", Key="k")
    assert raised.value.response["Error"]["Code"] == "403"


def test_sdks_retry_a_throttled_call_until_it_passes(cloud: Cloud, account: str) -> None:
    fault = inject(cloud, "ssm", "PutParameter", error={"code": "ThrottlingException", "message": "Rate"}, times=2)
    client(cloud, account, "ssm", attempts=3).put_parameter(Name="/a", Value="1", Type="String")
    assert client(cloud, account, "ssm").get_parameter(Name="/a")["Parameter"]["Value"] == "1"
    [listed] = ask(cloud, "GET")[1]
    assert listed == {
        "id": fault,
        "service": "ssm",
        "operation": "PutParameter",
        "error": {"code": "ThrottlingException", "message": "Rate", "status": 400},
        "times": 2,
        "struck": 2,
    }


def test_a_struck_call_changes_nothing(cloud: Cloud, account: str) -> None:
    inject(cloud, "ssm", "PutParameter", error={"code": "InternalServerError", "status": 500}, times=1)
    with pytest.raises(ClientError, match="InternalServerError"):
        client(cloud, account, "ssm").put_parameter(Name="/a", Value="1", Type="String")
    assert client(cloud, account, "ssm").describe_parameters()["Parameters"] == []


def test_only_what_matches_is_struck(cloud: Cloud, account: str) -> None:
    ssm = client(cloud, account, "ssm")
    match = {"Name": "^/prod/", "Tags.0.Value": "b$"}
    inject(cloud, "ssm", "PutParameter", match=match, error={"code": "InternalServerError", "status": 500})
    common = {"Value": "1", "Type": "String"}
    ssm.put_parameter(Name="/dev/a", Tags=[{"Key": "k", "Value": "b"}], **common)
    ssm.put_parameter(Name="/prod/a", **common)
    ssm.put_parameter(Name="/prod/b", Tags=[{"Key": "k", "Value": "c"}], **common)
    with pytest.raises(ClientError, match="InternalServerError"):
        ssm.put_parameter(Name="/prod/c", Tags=[{"Key": "k", "Value": "b"}], **common)
    assert struck(cloud) == [1]


def test_one_principal_alone_can_be_struck(cloud: Cloud, account: str, other_account: str) -> None:
    inject(cloud, "sts", "GetCallerIdentity", principal=f":{account}:", error={"code": "InternalFailure"})
    assert client(cloud, other_account, "sts").get_caller_identity()["Account"] == other_account
    with pytest.raises(ClientError, match="InternalFailure"):
        client(cloud, account, "sts").get_caller_identity()


def test_a_late_answer_is_the_right_one(cloud: Cloud, account: str) -> None:
    inject(cloud, "sts", "GetCallerIdentity", delay=0.3, times=1)
    started = time.monotonic()
    assert client(cloud, account, "sts").get_caller_identity()["Account"] == account
    assert time.monotonic() - started >= 0.3
    assert struck(cloud) == [1]


def test_the_ledger_holds_what_policies_said_and_not_what_a_fault_pretends(cloud: Cloud, account: str) -> None:
    iam = client(cloud, account, "iam")
    role = iam.create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    statement = {"Effect": "Allow", "Action": "ssm:GetParameter", "Resource": "*"}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    iam.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=json.dumps(document))
    keys = client(cloud, account, "sts").assume_role(RoleArn=role, RoleSessionName="session")["Credentials"]
    ssm = boto3.client(
        "ssm", endpoint_url=cloud.url, region_name=REGION,
        aws_access_key_id=keys["AccessKeyId"], aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )  # fmt: skip
    inject(cloud, "ssm", "GetParameter", error={"code": "AccessDeniedException", "message": "not you"})
    inject(cloud, "ssm", "PutParameter", error={"code": "InternalServerError", "message": "never seen"})
    with pytest.raises(ClientError, match="not you"):
        ssm.get_parameter(Name="/a")
    # What IAM refuses never gets as far as the fault.
    with pytest.raises(ClientError, match="not authorized to perform: ssm:PutParameter"):
        ssm.put_parameter(Name="/a", Value="1", Type="String")
    assert struck(cloud) == [1, 0]
    entry = cloud.ledger.snapshot()[role]
    assert entry["calls"] == {"ssm:GetParameter": 1}
    assert entry["denied"] == {"ssm:PutParameter": 1}


def test_a_call_of_a_stranger_is_not_struck(cloud: Cloud, account: str) -> None:
    inject(cloud, "sts", "GetCallerIdentity", error={"code": "InternalFailure"})
    stranger = boto3.client(
        "sts", endpoint_url=cloud.url, region_name=REGION, aws_access_key_id="AKIAnobody", aws_secret_access_key="x"
    )
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        stranger.get_caller_identity()
    assert struck(cloud) == [0]


def test_the_first_fault_applies_and_the_next_one_after_it(cloud: Cloud, account: str) -> None:
    sts = client(cloud, account, "sts")
    for code in ("First", "Second"):
        inject(cloud, "sts", "GetCallerIdentity", error={"code": code}, times=1)
    for code in ("First", "Second"):
        with pytest.raises(ClientError, match=code):
            sts.get_caller_identity()
    assert sts.get_caller_identity()["Account"] == account


def test_faults_are_removed_one_by_one_or_all(cloud: Cloud, account: str) -> None:
    first = inject(cloud, "sts", "GetCallerIdentity", error={"code": "First"})
    second = inject(cloud, "sts", "GetCallerIdentity", error={"code": "Second"})
    assert ask(cloud, "DELETE", f"/{first}") == (200, {"removed": 1})
    assert ask(cloud, "DELETE", f"/{first}") == (404, {"error": f"there is no fault '{first}'"})
    assert [fault["id"] for fault in ask(cloud, "GET")[1]] == [second]
    assert ask(cloud, "DELETE") == (200, {"removed": 1})
    assert client(cloud, account, "sts").get_caller_identity()["Account"] == account


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ([], "a fault is a JSON object"),
        ({}, "None:None is no operation that botocore knows"),
        ({"service": "sagemaker", "operation": "CreateEndpont"}, "sagemaker:CreateEndpont is no operation that botocore knows"),  # noqa: E501
        ({"service": "sage", "operation": "CreateEndpoint"}, "sage:CreateEndpoint is no operation that botocore knows"),
        ({"service": "sts", "operation": "GetCallerIdentity"}, "a fault needs an error or a delay"),
        ({"service": "sts", "operation": "GetCallerIdentity", "errors": {}}, "a fault has no member 'errors'; it has delay, error, match, operation, principal, service, times"),  # noqa: E501
        ({"service": "sts", "operation": "GetCallerIdentity", "error": {"code": ""}}, "error is {'code': ''}, and must be {code, message, status}"),  # noqa: E501
        ({"service": "sts", "operation": "GetCallerIdentity", "error": {"code": "A", "status": 200}}, "error.status is 200, and must be 400 to 599"),  # noqa: E501
        ({"service": "sts", "operation": "GetCallerIdentity", "delay": -1}, "delay is -1, and must be above 0 and at most 900 seconds"),  # noqa: E501
        ({"service": "sts", "operation": "GetCallerIdentity", "delay": 1, "times": 0}, "times is 0, and must be a whole number from 1"),  # noqa: E501
        ({"service": "ssm", "operation": "GetParameter", "delay": 1, "match": {"Nmae": "x"}}, "ssm:GetParameter has no parameter 'Nmae'"),  # noqa: E501
        ({"service": "ssm", "operation": "GetParameter", "delay": 1, "match": {"Name": "("}}, "'(' is no regular expression: missing ), unterminated subpattern at position 0"),  # noqa: E501
    ],
)  # fmt: skip
def test_a_fault_that_could_never_strike_is_refused(cloud: Cloud, fault: Any, sentence: str) -> None:
    assert ask(cloud, "POST", body=fault) == (400, {"error": sentence})
    assert ask(cloud, "GET") == (200, [])
