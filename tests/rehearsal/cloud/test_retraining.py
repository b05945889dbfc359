"""The retraining's own role is enough, and not too much: its function against a gateway that enforces policies.

The pipeline is a small one with the real one's variables. The function's code runs here, with the role's keys.
"""

import io
import json
import zipfile
from datetime import UTC, datetime
from typing import Any

import pytest

from components.function import ROOT, RUNTIME
from components.packaging import closure
from contracts.monitoring import DETAIL_TYPE, SOURCE
from contracts.names import DELIVERY, Names
from contracts.retraining import LEDGER_KEY, start_key, trained_key
from definitions.roles.delivery import roles
from definitions.roles.delivery_account import Delivery
from definitions.roles.statements import document
from functions.retrain.handler import retrain
from functions.retrain.ledger import Ledger, parse_ledger
from rehearsal.cloud.core.cloud import Cloud
from tests.functions.retrain import support
from tests.rehearsal.cloud.lambda_support import REGION, eventually, make_role
from tests.rehearsal.cloud.test_buses import ENV, Road

ROWS = b"a,b\n1,2\n"


class Place:
    """Buckets, a pipeline, and the role as the program declares it."""

    def __init__(self, cloud: Cloud, account: str, environment: str) -> None:
        self.cloud = cloud
        self.account = account
        self.names = Names("glidepath", REGION, {DELIVERY: account, ENV: environment})
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
        policy = document(*record.statements(Delivery(self.names, key, key, key)))
        iam.put_role_policy(RoleName=record.name, PolicyName="work", PolicyDocument=json.dumps(policy))
        return str(arn), {action for statement in policy["Statement"] for action in statement["Action"]}

    def put(self, key: str = "collected/a.csv") -> str:
        version: str = self.s3.put_object(Bucket=self.names.data_bucket, Key=key, Body=ROWS)["VersionId"]
        return version

    def ask(self, event: dict[str, Any], **environment: str) -> dict[str, str]:
        """The function, as Lambda runs it."""
        keys = self.cloud.assume_for_service(self.role, "lambda.amazonaws.com", "retrain", source_account=self.account)
        s3, pipelines = (self.cloud.client(name, self.account, REGION, keys) for name in ("s3", "codepipeline"))
        given = {**self.variables(), "COOLDOWN_MINUTES": "0", **environment}
        return retrain(s3, pipelines, event, given, datetime.now(UTC))

    def variables(self) -> dict[str, str]:
        """What the function is told."""
        places = {"DATA_BUCKET": self.names.data_bucket, "ARTIFACTS_BUCKET": self.names.artifacts_bucket}
        return {**support.ENVIRONMENT, **places}

    def function(self) -> str:
        """The function itself, as the program packs it; its ARN."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for file in closure(ROOT, "retrain"):
                archive.write(ROOT / file, file)
        made = self.cloud.client("lambda", self.account, REGION).create_function(
            FunctionName="glidepath-retrain", Role=self.role, Runtime=RUNTIME, Timeout=60,
            Handler="functions.retrain.handler.handle", Environment={"Variables": self.variables()},
            Code={"ZipFile": buffer.getvalue()},
        )  # fmt: skip
        return str(made["FunctionArn"])

    def runs(self) -> list[dict[str, Any]]:
        """Runs that retraining began."""
        client = self.cloud.client("codepipeline", self.account, REGION)
        found: list[dict[str, Any]] = []
        for run in client.list_pipeline_executions(pipelineName=self.names.name)["pipelineExecutionSummaries"]:
            given = {"pipelineName": self.names.name, "pipelineExecutionId": run["pipelineExecutionId"]}
            variables = client.get_pipeline_execution(**given)["pipelineExecution"].get("variables", [])
            if {"name": "REASON", "resolvedValue": "drift"} in variables:
                found.append(run)
        return found

    def ledger(self) -> Ledger:
        """What the function remembers."""
        place = {"Bucket": self.names.artifacts_bucket, "Key": LEDGER_KEY}
        if not self.s3.list_objects_v2(Bucket=place["Bucket"], Prefix=LEDGER_KEY).get("KeyCount"):
            return Ledger()
        return parse_ledger(self.s3.get_object(**place)["Body"].read().decode())

    def stop(self, run: str) -> None:
        client = self.cloud.client("codepipeline", self.account, REGION)
        client.stop_pipeline_execution(pipelineName=self.names.name, pipelineExecutionId=run, abandon=True)


@pytest.fixture
def place(cloud: Cloud, account: str, other_account: str) -> Place:
    return Place(cloud, account, other_account)


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


def test_two_alarms_at_once_in_another_account_start_one_run_and_the_next_event_none(place: Place) -> None:
    """The whole way: CloudWatch's events, both rules, bus, the function's own archive in Lambda, the pipeline."""
    version = place.put()
    road = Road(place.cloud, place.names)
    road.arrive(function=place.function())
    road.announce()
    for feature in ("distance", "passengers"):
        road.alarm(f"glidepath-prod-drift-{feature}", "OK")
    watch = road.client("cloudwatch", ENV)
    for feature in ("distance", "passengers"):
        watch.set_alarm_state(AlarmName=f"glidepath-prod-drift-{feature}", StateValue="ALARM", StateReason="drift")
    eventually(lambda: len(place.ledger().decisions) >= 2, seconds=60)
    (run,) = place.runs()
    (known,) = place.ledger().runs
    assert (known.execution, known.version) == (run["pipelineExecutionId"], version)
    assert {decision.brake for decision in place.ledger().decisions} <= {"", "running", "repeated"}
    # Drift that lasts asks again: the run has ended, and the cooldown has not.
    place.stop(run["pipelineExecutionId"])
    decided = len(place.ledger().decisions)
    detail = json.dumps(support.drift()["detail"])
    road.client("events", ENV).put_events(Entries=[{"Source": SOURCE, "DetailType": DETAIL_TYPE, "Detail": detail}])
    eventually(lambda: len(place.ledger().decisions) > decided, seconds=60)
    assert place.ledger().decisions[-1].brake == "cooldown"
    assert len(place.runs()) == 1
    for role in (place.role, road.role):
        assert place.cloud.ledger.snapshot()[role]["refusals"] == []
