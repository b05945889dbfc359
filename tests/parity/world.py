"""The things that the calls of `facts.yaml` name, made once."""

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from rehearsal.environment import access_key
from tests.keys import SECRET_KEY

REGION = "eu-west-1"
_EVENT = {
    "id": "1", "source": "own", "detail-type": "t", "account": "1", "time": "2026-01-01T00:00:00Z", "region": REGION,
    "resources": [],
}  # fmt: skip


def _allow(**elements: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **elements}]})


class World:
    """Clients that check nothing themselves, and the names of what they made."""

    def __init__(self, url: str, account: str) -> None:
        self._url, self._account = url, account
        self._clients: dict[str, Any] = {}
        self.names: dict[str, Any] = {"account": account}
        self._make()

    def client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = boto3.client(
                service,
                region_name=REGION,
                endpoint_url=self._url,
                aws_access_key_id=access_key(self._account),
                aws_secret_access_key=SECRET_KEY,
                config=Config(parameter_validation=False, retries={"total_max_attempts": 1}),
            )
        return self._clients[service]

    def call(self, action: str, parameters: Mapping[str, Any]) -> tuple[int, str, dict[str, Any]]:
        """Status, error code (empty for none) and answer of `service.Operation`."""
        service, _, operation = action.partition(".")
        client = self.client(service)
        method = next(name for name, api in client.meta.method_to_api_mapping.items() if api == operation)
        try:
            answer = getattr(client, method)(**self._filled(parameters))
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            return status, str(error.response["Error"]["Code"]), {}
        return answer["ResponseMetadata"]["HTTPStatusCode"], "", answer

    def _filled(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._filled(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._filled(item) for item in value]
        if not isinstance(value, str) or "${" not in value:
            return value
        for name, known in self.names.items():
            if value == f"${{{name}}}":
                return known
            if isinstance(known, str):
                value = value.replace(f"${{{name}}}", known)
        return value

    def _make(self) -> None:
        makers: tuple[Callable[[], None], ...] = (
            self._texts, self._roles, self._messaging, self._keys, self._kept, self._function, self._api, self._machine,
        )  # fmt: skip
        for make in makers:
            make()

    def _texts(self) -> None:
        detail = {"state": {"name": "up"}, "n": 5, "ip": "10.0.0.1"}
        self.names |= {
            "event": json.dumps(_EVENT | {"detail": detail}),
            "joined": json.dumps(_EVENT | {"detail": {"state.name": "up"}}),
            "big": "x" * 262145,
            "big_detail": json.dumps({"x": "x" * 262145}),
            "big_parameter": "x" * 4097,
            "big_policy": _allow(
                Action="s3:GetObject", Resource=[f"arn:aws:s3:::{number:0100}" for number in range(120)]
            ),
            "allow_all": _allow(Action="*", Resource="*"),
            "locked_out": _allow(Action="kms:Encrypt", Resource="*", Principal={"AWS": "*"}),
            "trust": _allow(Action="sts:AssumeRole", Principal={"Service": "lambda.amazonaws.com"}),
        }

    def _roles(self) -> None:
        iam = self.client("iam")
        services = {"Service": ["lambda.amazonaws.com", "states.amazonaws.com"]}
        trust = _allow(Action="sts:AssumeRole", Principal=services)
        self.names["role"] = iam.create_role(RoleName="role", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        root = _allow(Action=["sts:AssumeRole", "sts:TagSession"], Principal={"AWS": self._account})
        made = iam.create_role(RoleName="user-role", AssumeRolePolicyDocument=root)
        self.names["user_role"] = made["Role"]["Arn"]

    def _messaging(self) -> None:
        sqs, sns, events = self.client("sqs"), self.client("sns"), self.client("events")
        queue = sqs.create_queue(QueueName="queue")["QueueUrl"]
        arn = f"arn:aws:sqs:{REGION}:{self._account}:queue"
        topic = sns.create_topic(Name="topic")["TopicArn"]
        subscription = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)["SubscriptionArn"]
        events.put_rule(Name="rule", EventPattern='{"source": ["nobody"]}')
        self.names |= {
            "queue": queue, "queue_arn": arn, "topic": topic, "subscription": subscription, "rule": "rule",
        }  # fmt: skip

    def _keys(self) -> None:
        kms = self.client("kms")
        for name in ("key", "disabled_key"):
            self.names[name] = kms.create_key()["KeyMetadata"]["KeyId"]
        kms.disable_key(KeyId=self.names["disabled_key"])

    def _kept(self) -> None:
        self.client("secretsmanager").create_secret(Name="secret", SecretString="kept")
        self.client("ssm").put_parameter(Name="/parameter", Value="a", Type="String")
        self.client("logs").create_log_group(logGroupName="group")
        self.client("cloudwatch").put_metric_alarm(
            AlarmName="alarm", ComparisonOperator="GreaterThanThreshold", EvaluationPeriods=1, Threshold=1.0,
            MetricName="m", Namespace="n", Statistic="Sum", Period=60,
        )  # fmt: skip
        bucket = f"parity-{self._account}"
        where = {"LocationConstraint": REGION}
        self.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration=where)
        self.names["bucket"] = bucket

    def _function(self) -> None:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("app.py", "def handler(event, context):\n    return event\n")
        made = self.client("lambda").create_function(
            FunctionName="function", Role=self.names["role"], Runtime="python3.12", Handler="app.handler",
            Code={"ZipFile": buffer.getvalue()},
        )  # fmt: skip
        self.names |= {"zip": buffer.getvalue(), "function_arn": made["FunctionArn"]}

    def _api(self) -> None:
        made = self.client("apigateway").create_rest_api(name="api")
        self.names |= {"api": made["id"], "resource": made["rootResourceId"]}

    def _machine(self) -> None:
        definition = json.dumps({"StartAt": "end", "States": {"end": {"Type": "Succeed"}}})
        made = self.client("stepfunctions").create_state_machine(
            name="machine", roleArn=self.names["role"], definition=definition
        )
        self.names |= {"machine": definition, "machine_arn": made["stateMachineArn"]}
