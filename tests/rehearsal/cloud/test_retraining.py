"""The retraining's own role is enough, and not too much: its function against a gateway that enforces policies.

The pipeline is a small one with the real one's variables. The function's code runs here, with the role's keys.
"""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.names import DELIVERY, Names
from contracts.retraining import start_key, trained_key
from definitions.roles.delivery import roles
from definitions.roles.delivery_account import Delivery
from definitions.roles.statements import document
from functions.retrain.handler import retrain
from rehearsal.cloud.core.cloud import Cloud
from tests.functions.retrain import support
from tests.rehearsal.cloud.lambda_support import REGION, make_role
from tests.rehearsal.cloud.test_buses import ENV

ROWS = b"a,b\n1,2\n"


class Place:
    """Buckets, a pipeline, and the role as the program declares it."""

    def __init__(self, cloud: Cloud, account: str) -> None:
        self.cloud = cloud
        self.account = account
        self.names = Names("glidepath", REGION, {DELIVERY: account, ENV: account})
        self.s3 = cloud.client("s3", account, REGION)
        for name in (self.names.data_bucket, self.names.artifacts_bucket):
            self.s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
            self.s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        self.s3.put_object(Bucket=self.names.data_bucket, Key="source/source.zip", Body=b"no zip")
        key = cloud.client("kms", account, REGION).create_key()["KeyMetadata"]["Arn"]
        for name in (self.names.data_bucket, self.names.artifacts_bucket):
            rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
            self.s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [rule]})
        self._pipeline()
        client = cloud.client("codepipeline", account, REGION)
        found = client.list_pipeline_executions(pipelineName=self.names.name)["pipelineExecutionSummaries"]
        for run in found:  # a new pipeline starts by itself
            self.stop(run["pipelineExecutionId"])
        self.role, self.granted = self._role(key)

    def _pipeline(self) -> None:
        """It waits for a person, so that a run goes on for as long as a test wants."""
        source = {
            "name": "Source", "actionTypeId": {"category": "Source", "owner": "AWS", "provider": "S3", "version": "1"},
            "configuration": {
                "S3Bucket": self.names.data_bucket, "S3ObjectKey": "source/source.zip", "PollForSourceChanges": "false",
            },
            "outputArtifacts": [{"name": "source"}],
        }  # fmt: skip
        kind = {"category": "Approval", "owner": "AWS", "provider": "Manual", "version": "1"}
        variables = [{"name": name, "defaultValue": "latest"} for name in ("REASON", "DATA_KEY", "DATA_VERSION")]
        pipe = make_role(self.cloud, self.account, "pipe", "codepipeline.amazonaws.com")
        self.cloud.client("codepipeline", self.account, REGION).create_pipeline(
            pipeline={
                "name": self.names.name, "roleArn": pipe, "pipelineType": "V2", "executionMode": "QUEUED",
                "artifactStore": {"type": "S3", "location": self.names.artifacts_bucket}, "variables": variables,
                "stages": [
                    {"name": "Source", "actions": [source]},
                    {"name": "Ask", "actions": [{"name": "Ask", "actionTypeId": kind}]},
                ],
            }
        )  # fmt: skip

    def _role(self, key: str) -> tuple[str, set[str]]:
        record = roles(self.names)["retrain"]
        iam = self.cloud.client("iam", self.account, REGION)
        arn = iam.create_role(RoleName=record.name, AssumeRolePolicyDocument=json.dumps(record.trust))["Role"]["Arn"]
        policy = document(*record.statements(Delivery(self.names, key)))
        iam.put_role_policy(RoleName=record.name, PolicyName="work", PolicyDocument=json.dumps(policy))
        return str(arn), {action for statement in policy["Statement"] for action in statement["Action"]}

    def put(self, key: str = "collected/a.csv") -> str:
        version: str = self.s3.put_object(Bucket=self.names.data_bucket, Key=key, Body=ROWS)["VersionId"]
        return version

    def ask(self, event: dict[str, Any], **environment: str) -> dict[str, str]:
        """The function, as Lambda runs it."""
        keys = self.cloud.assume_for_service(self.role, "lambda.amazonaws.com", "retrain", source_account=self.account)
        s3, pipelines = (self.cloud.client(name, self.account, REGION, keys) for name in ("s3", "codepipeline"))
        places = {"DATA_BUCKET": self.names.data_bucket, "ARTIFACTS_BUCKET": self.names.artifacts_bucket}
        given = {**support.ENVIRONMENT, **places, "COOLDOWN_MINUTES": "0", **environment}
        return retrain(s3, pipelines, event, given, datetime.now(UTC))

    def stop(self, run: str) -> None:
        client = self.cloud.client("codepipeline", self.account, REGION)
        client.stop_pipeline_execution(pipelineName=self.names.name, pipelineExecutionId=run, abandon=True)


@pytest.fixture
def place(cloud: Cloud, account: str) -> Place:
    return Place(cloud, account)


def test_the_role_is_enough_for_all_that_the_function_does(place: Place) -> None:
    version = place.put()
    answer = place.ask(support.alarm("e1"))
    found = place.cloud.client("codepipeline", place.account, REGION).get_pipeline_execution(
        pipelineName=place.names.name, pipelineExecutionId=answer["execution"]
    )["pipelineExecution"]
    variables = {item["name"]: item["resolvedValue"] for item in found["variables"]}
    assert variables == {"REASON": "drift", "DATA_KEY": "collected/a.csv", "DATA_VERSION": version}
    proof = place.s3.get_object(Bucket=place.names.artifacts_bucket, Key=start_key(answer["execution"]))
    assert json.loads(proof["Body"].read()) == {"reason": "drift", "key": "collected/a.csv", "version": version}

    assert place.ask(support.alarm("e2", feature="passengers"))["brake"] == "running"
    place.stop(answer["execution"])
    uri = f"s3://{place.names.data_bucket}/collected/a.csv"
    place.s3.put_object(Bucket=place.names.artifacts_bucket, Key=trained_key(uri, version), Body=b"{}")
    assert place.ask(support.drift("e3"))["brake"] == "same-data"
    place.put("collected/b.csv")
    assert "execution" in place.ask(support.schedule("e4"), DATA_DAYS="7")
    window = place.s3.list_objects_v2(Bucket=place.names.data_bucket, Prefix="windows/")["Contents"]
    assert [item["Size"] for item in window] == [len(b"a,b\n1,2\n1,2\n")]

    entry = place.cloud.ledger.snapshot()[place.role]
    assert entry["refusals"] == []
    logs = {"logs:CreateLogStream", "logs:PutLogEvents", "xray:PutTelemetryRecords", "xray:PutTraceSegments"}
    assert place.granted - set(entry["calls"]) - logs == {"s3:AbortMultipartUpload"}
