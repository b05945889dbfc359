"""What the real provider refuses before it calls AWS is refused in check: no request is made here."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rehearsal.provider import rules, types
from rehearsal.provider.errors import Failures
from rehearsal.provider.lifecycle import Lifecycle, Naming
from rehearsal.provider.session import Session
from rehearsal.provider.values import UNKNOWN, Secret

Values = dict[str, Any]
ROLE = "arn:aws:iam::123456789012:role/r"
URN = "urn:pulumi:test::project::{}::it"
LOG, ALARM, TOPIC = "aws:cloudwatch/logGroup:LogGroup", "aws:cloudwatch/metricAlarm:MetricAlarm", "aws:sns/topic:Topic"
IAM, GLUE, BUILD = "aws:iam/role:Role", "aws:glue/job:Job", "aws:codebuild/project:Project"
PIPELINE, FUNCTION = "aws:codepipeline/pipeline:Pipeline", "aws:lambda/function:Function"
VERSIONING, PLAN = "aws:s3/bucketVersioning:BucketVersioning", "aws:apigateway/usagePlan:UsagePlan"
GROUP, KEY = "aws:codedeploy/deploymentGroup:DeploymentGroup", "aws:apigateway/apiKey:ApiKey"
CONNECTION = "aws:codeconnections/connection:Connection"
OIDC = "aws:iam/openIdConnectProvider:OpenIdConnectProvider"
CONFIG = "aws:sagemaker/endpointConfiguration:EndpointConfiguration"
DEFINITION = "aws:sagemaker/dataQualityJobDefinition:DataQualityJobDefinition"
MODEL, NOTEBOOK = "aws:sagemaker/model:Model", "aws:sagemaker/notebookInstance:NotebookInstance"
KMS, PARAMETER, POLICY = "aws:kms/key:Key", "aws:ssm/parameter:Parameter", "aws:iam/policy:Policy"
MACHINE, SUBSCRIPTION = "aws:sfn/stateMachine:StateMachine", "aws:sns/topicSubscription:TopicSubscription"
RULE, TARGET = "aws:cloudwatch/eventRule:EventRule", "aws:cloudwatch/eventTarget:EventTarget"
LAMBDA_ALIAS, PERMISSION = "aws:lambda/alias:Alias", "aws:lambda/permission:Permission"

ALARMED = {
    "comparisonOperator": "GreaterThanThreshold",
    "evaluationPeriods": 1,
    "metricName": "Errors",
    "namespace": "AWS/Lambda",
    "period": 60,
    "statistic": "Sum",
    "threshold": 1,
}
QUERY = {"id": "m", "metric": {"metricName": "E", "namespace": "N", "period": 60, "stat": "p99"}, "returnData": True}
MATH = {"comparisonOperator": "GreaterThanThreshold", "evaluationPeriods": 1, "threshold": 1, "metricQueries": [QUERY]}
TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})
JOB = {"command": {"scriptLocation": "s3://b/s.py"}, "roleArn": ROLE}
PROJECT = {
    "artifacts": {"type": "NO_ARTIFACTS"},
    "environment": {"computeType": "BUILD_GENERAL1_SMALL", "image": "i", "type": "LINUX_CONTAINER"},
    "serviceRole": ROLE,
    "source": {"type": "NO_SOURCE", "buildspec": "version: 0.2"},
}
ACTION = {"name": "a", "category": "Build", "owner": "AWS", "provider": "CodeBuild", "version": "1"}
PIPED = {
    "artifactStores": [{"location": "b", "type": "S3"}],
    "roleArn": ROLE,
    "stages": [{"name": "A", "actions": [ACTION]}, {"name": "B", "actions": [ACTION]}],
}
CODED = {"s3Bucket": "b", "s3Key": "k", "handler": "index.handler", "runtime": "python3.12", "role": ROLE}
GROUPED = {"appName": "a", "deploymentGroupName": "g", "serviceRoleArn": ROLE}
CONFIGURED = {"productionVariants": [{"modelName": "m", "instanceType": "ml.m5.large", "initialInstanceCount": 1}]}
CAPTURE = {
    "captureOptions": [{"captureMode": "Input"}],
    "destinationS3Uri": "s3://bucket/capture",
    "initialSamplingPercentage": 100,
}
CLUSTER = {"instanceCount": 1, "instanceType": "ml.m5.large", "volumeSizeInGb": 20}
DEFINED: Values = {
    "roleArn": ROLE,
    "dataQualityAppSpecification": {"imageUri": "image:1"},
    "dataQualityJobInput": {"endpointInput": {"endpointName": "e"}},
    "dataQualityJobOutputConfig": {"monitoringOutputs": {"s3Output": {"s3Uri": "s3://b/o"}}},
    "jobResources": {"clusterConfig": CLUSTER},
}
VERSIONED = {"bucket": "b", "versioningConfiguration": {"status": "Enabled"}}
QUOTA = {"quotaSettings": {"limit": 10, "period": "DAY"}}
SIGN_IN = {"url": "https://token.example.com", "clientIdLists": ["sts.amazonaws.com"], "thumbprintLists": ["a" * 40]}
NOTED = {"instanceType": "ml.t3.medium", "roleArn": ROLE}
MODELLED = {"executionRoleArn": ROLE, "primaryContainer": {"image": "image:1", "modelDataUrl": "s3://b/m.tar.gz"}}
SUBSCRIBED = {"topic": "arn:aws:sns:eu-west-1:123456789012:t", "protocol": "email", "endpoint": "a@b"}
ASL = {"definition": "{}", "roleArn": ROLE}
TARGETED = {"rule": "r", "arn": "arn:aws:sqs:eu-west-1:123456789012:q"}
RULED = {"scheduleExpression": "rate(1 hour)"}
ALIASED = {"functionName": "f", "functionVersion": "1"}
ALLOWED = {"action": "lambda:InvokeFunction", "function": "f", "principal": "sns.amazonaws.com"}

GOOD: list[tuple[str, Values]] = [
    (LOG, {}), (ALARM, ALARMED), (ALARM, MATH), (TOPIC, {}), (IAM, {"assumeRolePolicy": TRUST}), (GLUE, JOB),
    (BUILD, PROJECT), (PIPELINE, PIPED), (FUNCTION, CODED), (GROUP, GROUPED), (CONFIG, CONFIGURED),
    (CONFIG, CONFIGURED | {"dataCaptureConfig": CAPTURE}), (DEFINITION, DEFINED), (VERSIONING, VERSIONED),
    (PLAN, QUOTA), (KEY, {"value": "k" * 20}), (CONNECTION, {"providerType": "GitHub"}), (OIDC, SIGN_IN),
    (NOTEBOOK, NOTED), (MODEL, MODELLED), (KMS, {"deletionWindowInDays": 7}),
    (PARAMETER, {"type": "String", "value": "v"}), (SUBSCRIPTION, SUBSCRIBED), (MACHINE, ASL), (RULE, RULED),
    (TARGET, TARGETED), (LAMBDA_ALIAS, ALIASED), (PERMISSION, ALLOWED),
]  # fmt: skip

# Each with the property that is refused, and what is said of it.
BAD: list[tuple[str, Values, str, str]] = [
    (LOG, {"retentionInDays": 100}, "retentionInDays", "expected retention_in_days to be one of"),
    (LOG, {"retentionInDays": "31"}, "retentionInDays", "got 31"),
    (LOG, {"kmsKeyId": "alias/key"}, "kmsKeyId", "is an invalid ARN: arn: invalid prefix"),
    (LOG, {"name": "a b"}, "name", "alphanumerics"),
    (ALARM, ALARMED | {"period": 45}, "period", "divisible by 60"),
    (ALARM, ALARMED | {"comparisonOperator": "Greater"}, "comparisonOperator", "GreaterThanThreshold"),
    (ALARM, ALARMED | {"comparisonOperator": None}, "comparisonOperator", "missing"),
    (ALARM, ALARMED | {"evaluationPeriods": 0}, "evaluationPeriods", "at least (1)"),
    (ALARM, ALARMED | {"treatMissingData": "maybe"}, "treatMissingData", "notBreaching"),
    (ALARM, ALARMED | {"statistic": None}, "statistic", "must be set"),
    (ALARM, ALARMED | {"statistic": "p99"}, "statistic", "SampleCount"),
    (ALARM, MATH | {"metricName": "Errors", "statistic": "Sum"}, "metricQueries", "conflicts with metric_name"),
    (ALARM, MATH | {"metricQueries": [QUERY | {"expression": "m*2"}]}, "metricQueries[0]", "both"),
    (ALARM, MATH | {"metricQueries": [QUERY, {"id": "n", "period": 45}]}, "metricQueries[1].period", "got 45"),
    (ALARM, ALARMED | {"alarmActions": [ROLE] * 6}, "alarmActions", "5 item maximum"),
    (ALARM, ALARMED | {"alarmActions": ["topic"]}, "alarmActions", "invalid ARN"),
    (IAM, {"assumeRolePolicy": "not json"}, "assumeRolePolicy", "invalid JSON policy"),
    (IAM, {"assumeRolePolicy": ""}, "assumeRolePolicy", "empty string"),
    (IAM, {"assumeRolePolicy": TRUST, "description": "d" * 1001}, "description", "(0 - 1000)"),
    (IAM, {"assumeRolePolicy": TRUST, "description": "a \u201cword\u201d"}, "description", "regular expression"),
    (IAM, {"assumeRolePolicy": TRUST, "maxSessionDuration": 43201}, "maxSessionDuration", "(3600 - 43200)"),
    (POLICY, {"policy": "not json"}, "policy", "invalid JSON policy"),
    (TOPIC, {"policy": "[]"}, "policy", "not an object"),
    (TOPIC, {"name": "a b"}, "name", "[0-9A-Za-z_-]{1,256}"),
    (TOPIC, {"name": "a", "fifoTopic": True}, "name", "fifo"),
    (TOPIC, {"contentBasedDeduplication": True}, "contentBasedDeduplication", "FIFO"),
    (TOPIC, {"tracingConfig": "On"}, "tracingConfig", "PassThrough"),
    (GLUE, JOB | {"timeout": 0}, "timeout", "at least (1)"),
    (GLUE, JOB | {"maxRetries": 11}, "maxRetries", "(0 - 10)"),
    (GLUE, JOB | {"workerType": "G.3X", "numberOfWorkers": 1}, "workerType", "G.1X"),
    (GLUE, JOB | {"maxCapacity": 1, "workerType": "G.1X"}, "maxCapacity", "conflicts with worker_type"),
    (GLUE, {"command": JOB["command"], "roleArn": "role"}, "roleArn", "invalid ARN"),
    (GLUE, JOB | {"command": {"scriptLocation": "s", "pythonVersion": "4"}}, "command.pythonVersion", "3.9"),
    (BUILD, PROJECT | {"buildTimeout": 3}, "buildTimeout", "(5 - 2160), got 3"),
    (BUILD, PROJECT | {"queuedTimeout": 481}, "queuedTimeout", "(5 - 480)"),
    (BUILD, PROJECT | {"source": {"type": "SVN"}}, "source.type", "CODEPIPELINE"),
    (KMS, {"deletionWindowInDays": 3}, "deletionWindowInDays", "(7 - 30), got 3"),
    (KMS, {"keyUsage": "LOCK"}, "keyUsage", "ENCRYPT_DECRYPT"),
    (KMS, {"rotationPeriodInDays": 100}, "rotationPeriodInDays", "enable_key_rotation"),
    (PIPELINE, PIPED | {"stages": []}, "stages", "requires 2 item minimum, but config has only 0"),
    (PIPELINE, PIPED | {"stages": PIPED["stages"][:1]}, "stages", "only 1"),
    (
        PIPELINE,
        PIPED | {"stages": [*PIPED["stages"], {"name": "C", "actions": [ACTION | {"provider": "Make"}]}]},
        "stages[2].actions[0].provider",
        "CodeBuild",
    ),
    (FUNCTION, CODED | {"runtime": "python9.9"}, "runtime", "got python9.9"),
    (FUNCTION, CODED | {"timeout": 901}, "timeout", "(1 - 900)"),
    (FUNCTION, CODED | {"memorySize": 100}, "memorySize", "(128 - 10240)"),
    (FUNCTION, CODED | {"architectures": ["arm64", "x86_64"]}, "architectures", "1 item maximum"),
    (FUNCTION, CODED | {"name": "f" * 65}, "name", "64"),
    (FUNCTION, CODED | {"layers": ["layer"]}, "layers", "invalid ARN"),
    (LAMBDA_ALIAS, ALIASED | {"name": "12"}, "name", "alias"),
    (PERMISSION, ALLOWED | {"action": "s3:GetObject"}, "action", "valid action"),
    (PERMISSION, ALLOWED | {"sourceAccount": "1234"}, "sourceAccount", "12 digits"),
    (VERSIONING, {"bucket": "b", "versioningConfiguration": {"status": "On"}}, "versioningConfiguration.status", "Ena"),
    (GROUP, GROUPED | {"alarmConfiguration": {"alarms": list("abcdefghijk")}}, "alarmConfiguration.alarms", "10 item"),
    (GROUP, GROUPED | {"serviceRoleArn": "role"}, "serviceRoleArn", "invalid ARN"),
    (PLAN, {"quotaSettings": {"limit": 10, "period": "YEAR"}}, "quotaSettings.period", '["DAY" "WEEK" "MONTH"]'),
    (PLAN, {"quotaSettings": {"limit": 0, "period": "DAY"}}, "quotaSettings.limit", "at least (1)"),
    (PLAN, {"quotaSettings": {"limit": 1, "period": "WEEK", "offset": 7}}, "quotaSettings.offset", "between 0 and 6"),
    (KEY, {"value": "short"}, "value", "(20 - 128), got short"),
    (CONNECTION, {"name": "c" * 40, "providerType": "GitHub"}, "name", "(1 - 32)"),
    (CONNECTION, {"providerType": "SourceForge"}, "providerType", "GitHub"),
    (OIDC, SIGN_IN | {"url": "http://token.example.com"}, "url", "https"),
    (OIDC, SIGN_IN | {"thumbprintLists": ["short"]}, "thumbprintLists", "(40 - 40)"),
    (
        CONFIG,
        CONFIGURED | {"dataCaptureConfig": CAPTURE | {"initialSamplingPercentage": 101}},
        "dataCaptureConfig.initialSamplingPercentage",
        "(0 - 100), got 101",
    ),
    (
        CONFIG,
        CONFIGURED | {"dataCaptureConfig": CAPTURE | {"captureContentTypeHeader": {}}},
        "dataCaptureConfig.captureContentTypeHeader",
        "csv_content_types",
    ),
    (
        CONFIG,
        {"productionVariants": [{"modelName": "m", "instanceType": "ml.m9.huge", "initialInstanceCount": 1}]},
        "productionVariants[0].instanceType",
        "got ml.m9.huge",
    ),
    (CONFIG, {"productionVariants": []}, "productionVariants", "requires 1 item minimum"),
    (DEFINITION, DEFINED | {"stoppingCondition": {"maxRuntimeInSeconds": 3660}},
     "stoppingCondition.maxRuntimeInSeconds",
     "expected max_runtime_in_seconds to be in the range (1 - 3600), got 3660"),
    (DEFINITION, DEFINED | {"jobResources": {"clusterConfig": CLUSTER | {"volumeSizeInGb": 513}}},
     "jobResources.clusterConfig.volumeSizeInGb", "(1 - 512), got 513"),
    (DEFINITION, DEFINED | {"jobResources": {"clusterConfig": CLUSTER | {"instanceType": "ml.huge"}}},
     "jobResources.clusterConfig.instanceType", "got ml.huge"),
    (NOTEBOOK, NOTED | {"instanceType": "t3.medium"}, "instanceType", "got t3.medium"),
    (MODEL, MODELLED | {"name": "m" * 64}, "name", '"name" cannot be longer than 63 characters'),
    (MODEL, MODELLED | {"name": "under_score"}, "name", "only alphanumeric characters and hyphens"),
    (MODEL, MODELLED | {"primaryContainer": {"image": "i", "modelDataUrl": "/m"}},
     "primaryContainer.modelDataUrl", "S3"),
    (PARAMETER, {"type": "Text", "value": "v"}, "type", "SecureString"),
    (PARAMETER, {"type": "String", "value": "v", "tier": "Gold"}, "tier", "Intelligent-Tiering"),
    (SUBSCRIPTION, SUBSCRIBED | {"protocol": "fax"}, "protocol", "email-json"),
    (SUBSCRIPTION, SUBSCRIBED | {"filterPolicy": "{"}, "filterPolicy", "invalid JSON"),
    (MACHINE, ASL | {"type": "FAST"}, "type", "EXPRESS"),
    (RULE, {"name": "r"}, "eventPattern", "event_pattern,schedule_expression"),
    (RULE, {"eventPattern": "{"}, "eventPattern", "invalid JSON"),
    (RULE, RULED | {"name": "r" * 65}, "name", "(1 - 64)"),
    (TARGET, TARGETED | {"input": "text"}, "input", "invalid JSON"),
    (TARGET, TARGETED | {"input": "{}", "inputPath": "$"}, "input", "conflicts with input_path"),
]  # fmt: skip


@pytest.fixture
def lifecycle(monkeypatch: pytest.MonkeyPatch) -> Lifecycle:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    return Lifecycle(Session({"region": "eu-west-1", "accessKey": "AKIA123456789012", "secretKey": "s"}))


def check(lifecycle: Lifecycle, token: str, inputs: Values, logical: str = "it") -> Values:
    given = {key: value for key, value in inputs.items() if value is not None}
    return lifecycle.check(token, URN.format(token), {}, given, Naming(logical))


@pytest.mark.parametrize(("token", "inputs"), GOOD)
def test_what_the_provider_takes_passes(lifecycle: Lifecycle, token: str, inputs: Values) -> None:
    assert check(lifecycle, token, inputs)


@pytest.mark.parametrize(("token", "inputs", "path", "words"), BAD)
def test_what_the_provider_refuses_is_refused(
    lifecycle: Lifecycle, token: str, inputs: Values, path: str, words: str
) -> None:
    with pytest.raises(Failures) as caught:
        check(lifecycle, token, inputs)
    found = dict(caught.value.failures)
    assert path in found
    assert words in found[path]


@pytest.mark.parametrize(
    ("token", "inputs", "longest", "words"),
    [
        (MODEL, MODELLED, 55, "cannot be longer than 63"),
        (CONFIG, CONFIGURED, 55, "cannot be longer than 63"),
        (TOPIC, {}, 72, "plus 7 random chars is longer than maximum length 80"),
        (RULE, RULED, 56, "plus 7 random chars is longer than maximum length 64"),
        ("aws:kms/alias:Alias", {"targetKeyId": "k"}, 224, "is longer than maximum length 238"),
        (IAM, {"assumeRolePolicy": TRUST}, 56, "is longer than maximum length 64"),
        (FUNCTION, CODED, 56, "is longer than maximum length 64"),
        (CONNECTION, {"providerType": "GitHub"}, 24, "is longer than maximum length 32"),
    ],
)
def test_a_name_that_is_too_long_is_refused_and_not_cut(
    lifecycle: Lifecycle, token: str, inputs: Values, longest: int, words: str
) -> None:
    made = check(lifecycle, token, inputs, "n" * longest)
    assert "n" * longest + "-" in made["name"]
    with pytest.raises(Failures) as caught:
        check(lifecycle, token, inputs, "n" * (longest + 1))
    assert words in str(caught.value)


def test_automatic_names_are_made_as_pulumi_makes_them(lifecycle: Lifecycle) -> None:
    assert check(lifecycle, "aws:kms/alias:Alias", {"targetKeyId": "k"})["name"].startswith("alias/it-")
    config = "aws:codedeploy/deploymentConfig:DeploymentConfig"
    assert check(lifecycle, config, {"computePlatform": "Lambda"})["deploymentConfigName"].startswith("it_")


def test_what_is_not_known_yet_is_left_alone(lifecycle: Lifecycle) -> None:
    given = ALARMED | {"period": UNKNOWN, "comparisonOperator": UNKNOWN, "alarmActions": [UNKNOWN]}
    assert check(lifecycle, ALARM, given)["period"] is UNKNOWN


def test_a_secret_is_not_printed(lifecycle: Lifecycle) -> None:
    with pytest.raises(Failures) as caught:
        check(lifecycle, KEY, {"value": Secret("hush")})
    assert "hush" not in str(caught.value)


def test_every_rule_names_its_source_and_a_property_that_exists() -> None:
    for token in types.all_tokens():
        found = rules.find(token)
        for path in found.tests:
            properties = types.find(token).schema.inputs
            assert found.source.endswith(".go")
            for part in path.split("."):
                assert part in properties, (token, path)
                kind = properties[part].type
                while kind.kind == "list":
                    kind = kind.items[0]
                properties = kind.properties() if kind.kind == "object" else {}
