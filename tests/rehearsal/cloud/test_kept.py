"""What moto may answer by itself, and that all else is refused, over the wire too."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from rehearsal.cloud.core import registry
from rehearsal.cloud.core.cloud import Cloud
from rehearsal.cloud.core.kept import KEPT, READS, is_kept, refuse_unless_kept
from rehearsal.cloud.wire import protocol
from rehearsal.cloud.wire.types import AwsError

# moto answers success for all of these, and nothing happens.
PRETENDED = [
    "athena:StartQueryExecution", "batch:SubmitJob", "bedrock-runtime:InvokeModel", "codebuild:StartBuildBatch",
    "codepipeline:RollbackStage", "ec2:RunInstances", "ecs:RunTask", "emr:RunJobFlow", "events:StartReplay",
    "glue:StartCrawler", "lambda:CreateEventSourceMapping", "lambda:CreateFunctionUrlConfig", "logs:PutMetricFilter",
    "logs:PutSubscriptionFilter", "logs:StartQuery", "rds:CreateDBInstance", "s3:PutBucketReplication",
    "sagemaker:CreateTransformJob", "sagemaker:StartPipelineExecution",
    "secretsmanager:RotateSecret", "ssm:SendCommand", "ssm:StartAutomationExecution", "textract:DetectDocumentText",
]  # fmt: skip


@pytest.mark.parametrize("action", PRETENDED)
def test_what_moto_only_pretends_is_refused(action: str) -> None:
    service, _, operation = action.partition(":")
    with pytest.raises(AwsError, match=f"the rehearsal does not implement {action}") as error:
        refuse_unless_kept(service, operation)
    assert (error.value.code, error.value.status) == ("NotImplemented", 501)


@pytest.mark.parametrize(
    ("client", "operation", "arguments"),
    [
        ("ec2", "run_instances", {"ImageId": "ami-12345678", "MinCount": 1, "MaxCount": 1}),
        ("lambda", "create_function_url_config", {"FunctionName": "f", "AuthType": "NONE"}),
        ("dynamodb", "list_tables", {}),
    ],
)
def test_a_client_gets_501(cloud: Cloud, account: str, client: str, operation: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(ClientError, match="the rehearsal does not implement") as error:
        getattr(cloud.client(client, account, "eu-west-1"), operation)(**arguments)
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert error.value.response["Error"]["Code"] == "NotImplemented"


def test_reads_come_with_their_service() -> None:
    assert is_kept("sqs", "SendMessage")
    assert is_kept("sqs", "GetQueueUrl")
    assert not is_kept("sqs", "StartMessageMoveTask")
    assert not is_kept("dynamodb", "GetItem")


@pytest.mark.parametrize("service", sorted(KEPT))
def test_every_entry_names_operations_that_are_there_and_not_ours(service: str) -> None:
    names = set(protocol.service_model(service).operation_names)
    operations = KEPT[service].operations
    assert operations <= names
    assert not {name for name in operations if name.startswith(READS)}
    assert not {name for name in operations if (service, name) in registry.operations}
