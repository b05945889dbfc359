"""Every resource type through its whole life against moto: one case per type, the same questions to each."""

from __future__ import annotations

import base64
import functools
import io
import itertools
import json
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from rehearsal.provider import types
from rehearsal.provider.values import Asset
from tests.rehearsal.provider.harness import Engine, Resource, unknowns

Values = dict[str, Any]
ACCOUNT = "123456789012"


def policy(action: str, resource: str = "*", principal: Any = None) -> str:
    statement: Values = {"Sid": "One", "Effect": "Allow", "Action": action, "Resource": resource}
    if principal:
        statement["Principal"] = principal
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def trust(service: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def code(text: str) -> Asset:
    return Asset("archive", {"hash": text, "assets": {"index.py": Asset("asset", {"hash": text, "text": text})}})


@functools.cache
def model_archive() -> str:
    """A tiny XGBoost model as SageMaker's training leaves it, in base64."""
    import numpy
    import xgboost

    data = xgboost.DMatrix(numpy.array([[0.0], [1.0]]), label=numpy.array([0.0, 1.0]))
    text = bytes(xgboost.train({"max_depth": 1}, data, 1).save_raw("ubj"))
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        entry = tarfile.TarInfo("xgboost-model")
        entry.size = len(text)
        archive.addfile(entry, io.BytesIO(text))
    return base64.b64encode(packed.getvalue()).decode()


@dataclass
class World:
    """What a case may build on: an engine, and a maker of the resources it needs first."""

    engine: Engine
    unique: str

    numbers: Iterator[int] = field(default_factory=itertools.count)

    def make(self, token: str, **inputs: Any) -> Resource:
        return self.engine.create(token, f"{self.unique}-{next(self.numbers)}", inputs)

    def bucket(self) -> str:
        return str(self.make("aws:s3/bucket:Bucket").get("bucket"))

    def role(self, service: str = "lambda.amazonaws.com") -> str:
        return str(self.make("aws:iam/role:Role", assumeRolePolicy=trust(service)).get("arn"))

    def topic(self) -> str:
        return str(self.make("aws:sns/topic:Topic").get("arn"))

    def queue(self) -> Resource:
        return self.make("aws:sqs/queue:Queue")

    def function(self) -> Resource:
        return self.make("aws:lambda/function:Function", **self.function_inputs(), publish=True)

    def function_inputs(self) -> Values:
        return {"code": code("v1"), "handler": "index.handler", "runtime": "python3.12", "role": self.role()}

    def alarm(self) -> str:
        return self.make("aws:cloudwatch/metricAlarm:MetricAlarm", **ALARM).id

    def log_group(self) -> Resource:
        return self.make("aws:cloudwatch/logGroup:LogGroup")

    def rest_api(self) -> str:
        return self.make("aws:apigateway/restApi:RestApi", body=openapi("/p")).id

    def rest_api_that_logs(self) -> str:
        self.logging_role()
        return self.rest_api()

    def stage(self) -> Values:
        self.logging_role()
        api = self.rest_api()
        deployment = self.make("aws:apigateway/deployment:Deployment", restApi=api).id
        self.make("aws:apigateway/stage:Stage", restApi=api, deployment=deployment, stageName="live")
        return {"restApi": api, "stageName": "live"}

    def logging_role(self) -> None:
        """A stage may log only once the account has a role for it."""
        self.make("aws:apigateway/account:Account", cloudwatchRoleArn=self.role("apigateway.amazonaws.com"))

    def model(self) -> str:
        role, primary = self.model_parts()
        return str(self.make("aws:sagemaker/model:Model", executionRoleArn=role, primaryContainer=primary).get("name"))

    def model_parts(self) -> tuple[str, Values]:
        """A role that may read a model artifact, and the container that names it."""
        role, bucket = self.role("sagemaker.amazonaws.com"), self.bucket()
        self.make("aws:s3/bucketObjectv2:BucketObjectv2", bucket=bucket, key="m.tar.gz", contentBase64=model_archive())
        grant = policy("s3:GetObject", f"arn:aws:s3:::{bucket}/*")
        self.make("aws:iam/rolePolicy:RolePolicy", role=role.rpartition("/")[2], policy=grant)
        return role, {"image": IMAGE, "modelDataUrl": f"s3://{bucket}/m.tar.gz"}

    def endpoint_configuration(self) -> str:
        return str(self.make("aws:sagemaker/endpointConfiguration:EndpointConfiguration", **variants(self)).get("name"))


ALARM = {
    "comparisonOperator": "GreaterThanThreshold",
    "evaluationPeriods": 1,
    "metricName": "Errors",
    "namespace": "N",
    "period": 60,
    "statistic": "Sum",
    "threshold": 0,
}
IMAGE = "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:1.7-1"


def openapi(path: str) -> str:
    operation: Values = {"responses": {"200": {"description": "ok"}}}
    function = f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:f"
    uri = f"arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/{function}/invocations"
    integration = {"type": "aws_proxy", "httpMethod": "POST", "uri": uri}
    operation["x-amazon-apigateway-integration"] = integration
    return json.dumps({"openapi": "3.0.1", "info": {"title": "t", "version": "1"}, "paths": {path: {"get": operation}}})


def variants(world: World, count: int = 1) -> Values:
    return {
        "productionVariants": [
            {
                "variantName": "main",
                "modelName": world.model(),
                "instanceType": "ml.m5.large",
                "initialInstanceCount": count,
                "initialVariantWeight": 1,
            }
        ],
        "dataCaptureConfig": {
            "enableCapture": True,
            "initialSamplingPercentage": 100,
            "destinationS3Uri": "s3://bucket/capture",
            "captureOptions": [{"captureMode": "Input"}, {"captureMode": "Output"}],
        },
        "tags": {"a": "b"},
    }


@dataclass
class Case:
    """Inputs of one type; `change` updates in place, `replace` needs a new resource (None: nothing does)."""

    token: str
    inputs: Callable[[World], Values]
    change: Values | None = None
    replace: Values | None = None
    lasting: bool = False  # Deleting resets it; there is always one.
    unimportable: bool = False  # Its id does not say all that an import needs.
    extra: Values = field(default_factory=dict)


def case(token: str, inputs: Callable[[World], Values], kind: str = "", **rest: Any) -> Any:
    name = token.rsplit("/", 1)[0].removeprefix("aws:") + token.rsplit(":", 1)[1]
    return pytest.param(Case(token, inputs, **rest), id=f"{name} {kind}".strip())


S3_CASES = [
    case(
        "aws:s3/bucket:Bucket",
        lambda w: {"tags": {"a": "b"}},
        change={"tags": {"c": "d"}},
        replace={"bucket": "another-b"},
    ),
    case(
        "aws:s3/bucketVersioning:BucketVersioning",
        lambda w: {"bucket": w.bucket(), "versioningConfiguration": {"status": "Enabled"}},
        change={"versioningConfiguration": {"status": "Suspended"}},
        replace={"bucket": "other"},
        lasting=True,
    ),
    case(
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
        lambda w: {
            "bucket": w.bucket(),
            "rules": [
                {
                    "applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": "alias/x"},
                    "bucketKeyEnabled": True,
                }
            ],
        },
        change={"rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}]},
    ),
    case(
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
        lambda w: {"bucket": w.bucket(), "blockPublicAcls": True, "blockPublicPolicy": True},
        change={"blockPublicAcls": True, "restrictPublicBuckets": True},
    ),
    case(
        "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
        lambda w: {"bucket": w.bucket(), "rule": {"objectOwnership": "BucketOwnerEnforced"}},
        change={"rule": {"objectOwnership": "BucketOwnerPreferred"}},
    ),
    case(
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
        lambda w: {
            "bucket": w.bucket(),
            "rules": [
                {
                    "id": "old",
                    "status": "Enabled",
                    "filter": {"prefix": "runs/"},
                    "expiration": {"days": 30},
                    "noncurrentVersionExpiration": {"noncurrentDays": 7},
                },
                {"id": "all", "status": "Enabled", "abortIncompleteMultipartUpload": {"daysAfterInitiation": 7}},
            ],
        },
        change={"rules": [{"id": "old", "status": "Enabled", "expiration": {"days": 10}}]},
    ),
    case(
        "aws:s3/bucketPolicy:BucketPolicy",
        lambda w: {"bucket": w.bucket(), "policy": policy("s3:GetObject", "arn:aws:s3:::*/*", {"AWS": ACCOUNT})},
        change={"policy": policy("s3:PutObject", "arn:aws:s3:::*/*", {"AWS": ACCOUNT})},
    ),
    case(
        "aws:s3/bucketNotification:BucketNotification",
        lambda w: {"bucket": w.bucket(), "eventbridge": True},
        change={"eventbridge": False, "queues": [{"queueArn": "$queue", "events": ["s3:ObjectCreated:*"], "id": "q"}]},
        lasting=True,
    ),
    case(
        "aws:s3/bucketLogging:BucketLogging",
        lambda w: (lambda b: {"bucket": b, "targetBucket": b, "targetPrefix": "log/"})(log_bucket(w)),
        change={"targetPrefix": "other/"},
    ),
    case(
        "aws:s3/bucketObjectv2:BucketObjectv2",
        lambda w: {"bucket": w.bucket(), "key": "k/v.json", "content": "{}", "contentType": "application/json"},
        change={"content": '{"a": 1}', "tags": {"x": "y"}},
        replace={"key": "k/w.json"},
    ),
    case(
        "aws:s3/bucketObject:BucketObject",
        lambda w: {"bucket": w.bucket(), "key": "a.zip", "source": code("zip")},
        change={"source": code("other")},
        replace={"key": "b.zip"},
        unimportable=True,
    ),
]


def log_bucket(world: World) -> str:
    bucket = world.bucket()
    grant = policy("s3:PutObject", f"arn:aws:s3:::{bucket}/*", {"Service": "logging.s3.amazonaws.com"})
    world.make("aws:s3/bucketPolicy:BucketPolicy", bucket=bucket, policy=grant)
    return bucket


IDENTITY_CASES = [
    case(
        "aws:iam/role:Role",
        lambda w: {"assumeRolePolicy": trust("lambda.amazonaws.com"), "description": "d", "tags": {"a": "b"}},
        change={"assumeRolePolicy": trust("glue.amazonaws.com"), "maxSessionDuration": 7200, "tags": {"c": "d"}},
        replace={"path": "/other/"},
    ),
    case(
        "aws:iam/rolePolicy:RolePolicy",
        lambda w: {"role": w.role().rpartition("/")[2], "policy": policy("s3:GetObject")},
        change={"policy": policy("s3:PutObject")},
        replace={"role": "other"},
    ),
    case(
        "aws:iam/policy:Policy",
        lambda w: {"policy": policy("s3:GetObject"), "tags": {"a": "b"}},
        change={"policy": policy("s3:PutObject"), "tags": {}},
        replace={"description": "new"},
    ),
    case(
        "aws:iam/openIdConnectProvider:OpenIdConnectProvider",
        lambda w: {"url": "https://ci.example.com", "clientIdLists": ["sts.amazonaws.com"], "tags": {"a": "b"}},
        change={"clientIdLists": ["sts.amazonaws.com", "zother"], "tags": {"c": "d"}},
        replace={"url": "https://other.example.com"},
    ),
    case(
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        lambda w: {
            "role": w.role().rpartition("/")[2],
            "policyArn": str(w.make("aws:iam/policy:Policy", policy=policy("s3:GetObject")).get("arn")),
        },
        replace={"role": "other"},
    ),
    case(
        "aws:kms/key:Key",
        lambda w: {"description": "d", "enableKeyRotation": True, "deletionWindowInDays": 7, "tags": {"a": "b"}},
        change={"description": "e", "policy": policy("kms:*", "*", {"AWS": f"arn:aws:iam::{ACCOUNT}:root"})},
        replace={"keyUsage": "SIGN_VERIFY", "customerMasterKeySpec": "RSA_2048"},
    ),
    case(
        "aws:kms/alias:Alias",
        lambda w: {"name": f"alias/{w.unique}", "targetKeyId": str(w.make("aws:kms/key:Key").get("arn"))},
        replace={"name": "alias/another"},
    ),
    case(
        "aws:scheduler/schedule:Schedule",
        lambda w: {
            "scheduleExpression": "rate(1 hour)",
            "flexibleTimeWindow": {"mode": "OFF"},
            "target": {"arn": w.queue().get("arn"), "roleArn": w.role("scheduler.amazonaws.com"), "input": '{"a": 1}'},
        },
        change={"scheduleExpression": "rate(2 hours)"},
        replace={"name": "new"},
    ),
    case(
        "aws:secretsmanager/secret:Secret",
        lambda w: {"description": "d", "recoveryWindowInDays": 0, "tags": {"a": "b"}},
        change={"description": "e", "tags": {"c": "d"}},
        replace={"name": "new"},
    ),
    case(
        "aws:secretsmanager/secretVersion:SecretVersion",
        lambda w: {"secretId": w.make("aws:secretsmanager/secret:Secret").id, "secretString": "s"},
        replace={"secretString": "t"},
        lasting=True,
    ),
    case(
        "aws:ssm/parameter:Parameter",
        lambda w: {"name": f"/{w.unique}/p", "type": "String", "value": "v", "tags": {"a": "b"}},
        change={"value": "w", "tags": {"c": "d"}},
        replace={"name": "/other/p"},
    ),
]
MESSAGE_CASES = [
    case(
        "aws:sns/topic:Topic",
        lambda w: {"displayName": "d", "kmsMasterKeyId": "alias/aws/sns", "tags": {"a": "b"}},
        change={"displayName": "e"},
        replace={"name": "new"},
    ),
    case(
        "aws:sns/topicPolicy:TopicPolicy",
        lambda w: (lambda t: {"arn": t, "policy": policy("sns:Publish", t, {"Service": "events.amazonaws.com"})})(
            w.topic()
        ),
        change={"policy": policy("sns:Publish", "*", {"Service": "codepipeline.amazonaws.com"})},
        lasting=True,
    ),
    case(
        "aws:sns/topicSubscription:TopicSubscription",
        lambda w: {"topic": w.topic(), "protocol": "email", "endpoint": "a@example.com"},
        change={"filterPolicy": '{"a": ["b"]}'},
        replace={"endpoint": "b@example.com"},
        # Nobody has confirmed it: it goes with its topic only.
        lasting=True,
    ),
    case(
        "aws:sqs/queue:Queue",
        lambda w: {"visibilityTimeoutSeconds": 60, "sqsManagedSseEnabled": True, "tags": {"a": "b"}},
        change={"visibilityTimeoutSeconds": 90},
        replace={"name": "new"},
    ),
    case(
        "aws:sqs/queuePolicy:QueuePolicy",
        lambda w: (lambda q: {"queueUrl": q.id, "policy": policy("sqs:SendMessage", q.get("arn"), {"AWS": ACCOUNT})})(
            w.queue()
        ),
        change={"policy": policy("sqs:ReceiveMessage", "*", {"AWS": ACCOUNT})},
    ),
    case(
        "aws:cloudwatch/eventBus:EventBus",
        lambda w: {"tags": {"a": "b"}},
        change={"tags": {"c": "d"}},
        replace={"name": "n"},
    ),
    case(
        "aws:cloudwatch/eventBusPolicy:EventBusPolicy",
        lambda w: (
            lambda b: {
                "eventBusName": b.get("name"),
                "policy": policy("events:PutEvents", b.get("arn"), {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}),
            }
        )(w.make("aws:cloudwatch/eventBus:EventBus")),
        change={"policy": policy("events:PutEvents", "*", {"AWS": f"arn:aws:iam::{ACCOUNT}:root"})},
    ),
    case(
        "aws:cloudwatch/eventRule:EventRule",
        lambda w: {
            "eventBusName": w.make("aws:cloudwatch/eventBus:EventBus").get("name"),
            "eventPattern": '{"source": ["aws.s3"]}',
        },
        "of another bus",
        change={"eventPattern": '{"source": ["aws.ec2"]}'},
        replace={"eventBusName": "default"},
    ),
    case(
        "aws:cloudwatch/eventTarget:EventTarget",
        lambda w: (
            lambda rule: {
                "rule": rule.get("name"),
                "eventBusName": rule.get("eventBusName"),
                "arn": w.queue().get("arn"),
            }
        )(
            w.make(
                "aws:cloudwatch/eventRule:EventRule",
                eventBusName=w.make("aws:cloudwatch/eventBus:EventBus").get("name"),
                eventPattern='{"source": ["aws.s3"]}',
            )
        ),
        "of another bus",
        replace={"eventBusName": "default"},
        unimportable=True,
    ),
    case(
        "aws:cloudwatch/eventRule:EventRule",
        lambda w: {"eventPattern": '{"source": ["aws.s3"]}', "description": "d", "tags": {"a": "b"}},
        change={"eventPattern": '{"source": ["aws.ec2"]}', "state": "DISABLED"},
        replace={"name": "new"},
    ),
    case(
        "aws:cloudwatch/eventTarget:EventTarget",
        lambda w: {
            "rule": w.make("aws:cloudwatch/eventRule:EventRule", eventPattern='{"source": ["aws.s3"]}').get("name"),
            "arn": w.queue().get("arn"),
            "inputTransformer": {"inputPaths": {"a": "$.detail"}, "inputTemplate": '{"b": <a>}'},
            "retryPolicy": {"maximumRetryAttempts": 2, "maximumEventAgeInSeconds": 60},
        },
        change={"inputTransformer": {"inputTemplate": '"x"'}},
        replace={"rule": "other"},
        unimportable=True,
    ),
]
WATCH_CASES = [
    case(
        "aws:cloudwatch/logGroup:LogGroup",
        lambda w: {"retentionInDays": 7, "tags": {"a": "b"}},
        change={"retentionInDays": 30},
        replace={"name": "new"},
    ),
    case(
        "aws:cloudwatch/metricAlarm:MetricAlarm",
        lambda w: {
            **ALARM,
            "dimensions": {"Service": "s", "Version": "1"},
            "alarmActions": [w.topic()],
            "treatMissingData": "notBreaching",
            "tags": {"a": "b"},
        },
        change={"threshold": 5},
        replace={"name": "new"},
    ),
    case(
        "aws:cloudwatch/compositeAlarm:CompositeAlarm",
        lambda w: {"alarmName": f"{w.unique}-c", "alarmRule": f"ALARM({w.alarm()})", "tags": {"a": "b"}},
        change={"alarmDescription": "d"},
        replace={"alarmName": "new"},
    ),
    case(
        "aws:cloudwatch/dashboard:Dashboard",
        lambda w: {"dashboardName": f"{w.unique}-d", "dashboardBody": '{"widgets": []}'},
        change={"dashboardBody": '{"widgets": [{"type": "text", "properties": {"markdown": "x"}}]}'},
        replace={"dashboardName": "new"},
    ),
]
SERVE_CASES = [
    case(
        "aws:lambda/function:Function",
        lambda w: {
            **w.function_inputs(),
            "publish": True,
            "timeout": 10,
            "tags": {"a": "b"},
            "environment": {"variables": {"NAME": "b"}},
        },
        change={"timeout": 20, "environment": {"variables": {"NAME": "c"}}},
        replace={"name": "new"},
    ),
    case(
        "aws:lambda/alias:Alias",
        lambda w: {"functionName": w.function().get("name"), "functionVersion": "1", "name": "live"},
        change={"description": "d"},
        replace={"name": "new"},
    ),
    case(
        "aws:lambda/permission:Permission",
        lambda w: {
            "function": w.function().get("name"),
            "action": "lambda:InvokeFunction",
            "principal": "apigateway.amazonaws.com",
            "sourceArn": "arn:aws:execute-api:eu-west-1:123456789012:abc/*",
            "sourceAccount": ACCOUNT,
        },
        replace={"principal": "events.amazonaws.com"},
        unimportable=True,
    ),
    case(
        "aws:apigateway/restApi:RestApi",
        lambda w: {
            "body": openapi("/a"),
            "description": "d",
            "tags": {"a": "b"},
            "endpointConfiguration": {"types": "REGIONAL"},
        },
        change={"body": openapi("/b"), "description": "e"},
    ),
    case(
        "aws:apigateway/deployment:Deployment",
        lambda w: {"restApi": w.rest_api(), "triggers": {"hash": "1"}},
        replace={"triggers": {"hash": "2"}},
        unimportable=True,
    ),
    case(
        "aws:apigateway/stage:Stage",
        lambda w: (
            lambda api: {
                "restApi": api,
                "deployment": w.make("aws:apigateway/deployment:Deployment", restApi=api).id,
                "stageName": "live",
                "xrayTracingEnabled": True,
                "accessLogSettings": {"destinationArn": w.log_group().get("arn"), "format": "$context.requestId"},
                "variables": {"a": "b"},
            }
        )(w.rest_api_that_logs()),
        change={"description": "d", "variables": {"a": "c"}},
        replace={"stageName": "other"},
        unimportable=True,
    ),
    case(
        "aws:apigateway/methodSettings:MethodSettings",
        lambda w: {**w.stage(), "methodPath": "*/*", "settings": {"metricsEnabled": True, "throttlingRateLimit": 10}},
        change={"settings": {"metricsEnabled": True, "throttlingRateLimit": 20, "loggingLevel": "ERROR"}},
        unimportable=True,
    ),
    case(
        "aws:apigateway/account:Account",
        lambda w: {"cloudwatchRoleArn": w.role("apigateway.amazonaws.com")},
        lasting=True,
    ),
    case("aws:apigateway/apiKey:ApiKey", lambda w: {"tags": {"a": "b"}}, change={"description": "e"}),
    case(
        "aws:apigateway/usagePlan:UsagePlan",
        lambda w: (
            lambda s: {
                "apiStages": [{"apiId": s["restApi"], "stage": s["stageName"]}],
                "throttleSettings": {"burstLimit": 10, "rateLimit": 5},
                "quotaSettings": {"limit": 100, "period": "DAY"},
            }
        )(w.stage()),
        change={"description": "d", "throttleSettings": {"burstLimit": 20, "rateLimit": 5}},
    ),
    case(
        "aws:apigateway/usagePlanKey:UsagePlanKey",
        lambda w: {
            "usagePlanId": w.make("aws:apigateway/usagePlan:UsagePlan").id,
            "keyId": w.make("aws:apigateway/apiKey:ApiKey").id,
            "keyType": "API_KEY",
        },
        replace={"keyId": "other"},
        unimportable=True,
    ),
    case(
        "aws:apigateway/restApiPolicy:RestApiPolicy",
        lambda w: {"restApiId": w.rest_api(), "policy": policy("execute-api:Invoke", "*", {"AWS": ACCOUNT})},
        change={"policy": policy("execute-api:Invoke", "execute-api:/*", {"AWS": ACCOUNT})},
    ),
]
ROAD_CASES = [
    case(
        "aws:sagemaker/model:Model",
        lambda w: model_inputs(w),
        change={"tags": {"c": "d"}},
        replace={"enableNetworkIsolation": False},
    ),
    case(
        "aws:sagemaker/endpointConfiguration:EndpointConfiguration",
        variants,
        change={"tags": {"c": "d"}},
        replace={"kmsKeyArn": "arn:aws:kms:eu-west-1:123456789012:key/x"},
    ),
    case(
        "aws:sagemaker/modelPackageGroup:ModelPackageGroup",
        lambda w: {"modelPackageGroupName": f"{w.unique}-g", "modelPackageGroupDescription": "d", "tags": {"a": "b"}},
        change={"tags": {"c": "d"}},
        replace={"modelPackageGroupDescription": "e"},
    ),
    case(
        "aws:sagemaker/notebookInstanceLifecycleConfiguration:NotebookInstanceLifecycleConfiguration",
        lambda w: {"onStart": "ZWNobyBoaQ=="},
        replace={"name": "new"},
    ),
    case(
        "aws:sagemaker/notebookInstance:NotebookInstance",
        lambda w: {"instanceType": "ml.t3.medium", "roleArn": w.role("sagemaker.amazonaws.com"), "tags": {"a": "b"}},
        replace={"name": "new"},
    ),
    case(
        "aws:codedeploy/application:Application",
        lambda w: {"computePlatform": "Lambda", "tags": {"a": "b"}},
        replace={"computePlatform": "ECS"},
    ),
    case(
        "aws:codedeploy/deploymentConfig:DeploymentConfig",
        lambda w: {
            "computePlatform": "Lambda",
            "trafficRoutingConfig": {"type": "TimeBasedCanary", "timeBasedCanary": {"interval": 5, "percentage": 10}},
        },
        replace={"trafficRoutingConfig": {"type": "AllAtOnce"}},
    ),
    case(
        "aws:codedeploy/deploymentGroup:DeploymentGroup",
        lambda w: {
            "appName": w.make("aws:codedeploy/application:Application", computePlatform="Lambda").get("name"),
            "deploymentGroupName": "predict",
            "serviceRoleArn": w.role("codedeploy.amazonaws.com"),
            "deploymentConfigName": "CodeDeployDefault.LambdaAllAtOnce",
            "deploymentStyle": {"deploymentOption": "WITH_TRAFFIC_CONTROL", "deploymentType": "BLUE_GREEN"},
            "alarmConfiguration": {"enabled": True, "alarms": [w.alarm()]},
            "autoRollbackConfiguration": {
                "enabled": True,
                "events": ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM"],
            },
            "tags": {"a": "b"},
        },
        change={"autoRollbackConfiguration": {"enabled": True, "events": ["DEPLOYMENT_FAILURE"]}},
        unimportable=True,
    ),
    case(
        "aws:codebuild/project:Project",
        lambda w: {
            "serviceRole": w.role("codebuild.amazonaws.com"),
            "artifacts": {"type": "CODEPIPELINE"},
            "source": {"type": "CODEPIPELINE", "buildspec": "version: 0.2"},
            "environment": {
                "computeType": "BUILD_GENERAL1_SMALL",
                "image": "aws/codebuild/amazonlinux2-x86_64-standard:5.0",
                "type": "LINUX_CONTAINER",
                "environmentVariables": [{"name": "A", "value": "b"}],
            },
            "logsConfig": {"cloudwatchLogs": {"groupName": "g"}},
            "buildTimeout": 30,
            "tags": {"a": "b"},
        },
        change={"buildTimeout": 40},
        replace={"name": "new"},
    ),
    case(
        "aws:codecommit/repository:Repository",
        lambda w: {"repositoryName": f"{w.unique}-r", "description": "d"},
    ),
    case(
        "aws:codeconnections/connection:Connection",
        lambda w: {"providerType": "GitHub", "tags": {"a": "b"}},
        replace={"providerType": "GitLab"},
    ),
    case(
        "aws:codepipeline/pipeline:Pipeline",
        lambda w: {
            "roleArn": w.role("codepipeline.amazonaws.com"),
            "pipelineType": "V2",
            "executionMode": "QUEUED",
            "artifactStores": [{"location": w.bucket(), "type": "S3"}],
            "variables": [{"name": "REASON", "defaultValue": "commit", "description": "why"}],
            "stages": [stage("Source", "S3", "Source", w), stage("Approve", "Manual", "Approval", w)],
            "tags": {"a": "b"},
        },
        change={"variables": [{"name": "REASON", "defaultValue": "manual"}]},
        replace={"name": "new"},
    ),
    case(
        "aws:appautoscaling/target:Target",
        lambda w: scaled(w) | {"minCapacity": 1, "maxCapacity": 4},
        change={"maxCapacity": 6},
        replace={"resourceId": "endpoint/x/variant/other"},
        unimportable=True,
    ),
    case(
        "aws:appautoscaling/policy:Policy",
        lambda w: {
            **scaling_target(w),
            "policyType": "TargetTrackingScaling",
            "targetTrackingScalingPolicyConfiguration": {
                "targetValue": 750,
                "scaleInCooldown": 60,
                "predefinedMetricSpecification": {"predefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
            },
        },
        replace={"name": "new"},
        unimportable=True,
    ),
    case(
        "aws:glue/job:Job",
        lambda w: {
            "roleArn": w.role("glue.amazonaws.com"),
            "command": {"scriptLocation": "s3://b/s.py", "pythonVersion": "3"},
            "glueVersion": "5.0",
            "workerType": "G.1X",
            "numberOfWorkers": 2,
            "defaultArguments": {"--a": "b"},
            "executionProperty": {"maxConcurrentRuns": 2},
            "tags": {"a": "b"},
        },
        change={"numberOfWorkers": 4, "timeout": 60, "tags": {"c": "d"}},
        replace={"name": "new"},
    ),
    case(
        "aws:glue/securityConfiguration:SecurityConfiguration",
        lambda w: {
            "encryptionConfiguration": {
                "cloudwatchEncryption": {"cloudwatchEncryptionMode": "DISABLED"},
                "jobBookmarksEncryption": {"jobBookmarksEncryptionMode": "DISABLED"},
                "s3Encryption": {"s3EncryptionMode": "SSE-KMS", "kmsKeyArn": str(w.make("aws:kms/key:Key").get("arn"))},
            }
        },
        replace={"name": "new"},
    ),
    case(
        "aws:sfn/stateMachine:StateMachine",
        lambda w: {
            "roleArn": w.role("states.amazonaws.com"),
            "definition": '{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}',
            "loggingConfiguration": {
                "level": "ALL",
                "includeExecutionData": True,
                "logDestination": f"{w.log_group().get('arn')}:*",
            },
            "tags": {"a": "b"},
        },
        change={"definition": '{"StartAt": "B", "States": {"B": {"Type": "Pass", "End": true}}}'},
        replace={"name": "new"},
    ),
]


def model_inputs(world: World) -> Values:
    role, primary = world.model_parts()
    return {
        "executionRoleArn": role,
        "primaryContainer": {**primary, "environment": {"NAME": "b"}},
        "enableNetworkIsolation": True,
        "tags": {"a": "b"},
    }


def stage(name: str, provider: str, category: str, world: World) -> Values:
    action: Values = {"name": name, "category": category, "owner": "AWS", "provider": provider, "version": "1"}
    if category == "Source":
        settings = {"S3Bucket": world.bucket(), "S3ObjectKey": "source.zip", "PollForSourceChanges": "false"}
        action |= {"configuration": settings, "outputArtifacts": ["code"], "namespace": "Source"}
    return {"name": name, "actions": [action]}


def scaled(world: World) -> Values:
    config = world.endpoint_configuration()
    endpoint = world.make("aws:sagemaker/endpoint:Endpoint", endpointConfigName=config).id
    return {
        "resourceId": f"endpoint/{endpoint}/variant/main",
        "scalableDimension": "sagemaker:variant:DesiredInstanceCount",
        "serviceNamespace": "sagemaker",
    }


def scaling_target(world: World) -> Values:
    where = scaled(world)
    world.make("aws:appautoscaling/target:Target", **where, minCapacity=1, maxCapacity=4)
    return where


ALL_CASES = ROAD_CASES + S3_CASES + IDENTITY_CASES + MESSAGE_CASES + WATCH_CASES + SERVE_CASES


@pytest.mark.parametrize("case", ALL_CASES)
def test_life_of_a_resource(case: Case, engine: Engine, unique: str) -> None:
    """Preview, create, read, no diff, import, update, replace decision, delete."""
    live(case, World(engine, unique))


def live(case: Case, world: World) -> None:
    engine, kind = world.engine, types.find(case.token)
    inputs = case.inputs(world)
    name = f"{world.unique}-it"
    planned = engine.preview(case.token, name, inputs)
    assert unknowns(planned) >= {key for key in kind.schema.computed if key not in kind.schema.inputs} - {"tagsAll"}
    made = engine.create(case.token, name, inputs)
    assert made.id
    assert not unknowns(made.outputs)
    settled(engine, made, inputs)
    if not case.unimportable:
        imported = engine.import_(case.token, name, made.id)
        assert imported.id == made.id
        assert engine.diff(imported, made.inputs | inputs).replaces == []
    if case.change is not None:
        change = {key: world.queue().get("arn") if value == "$queue" else value for key, value in case.change.items()}
        change = (
            json.loads(json.dumps(change).replace('"$queue"', json.dumps(queue_arn(world))))
            if uses_queue(change)
            else change
        )
        wanted = inputs | change
        found = engine.diff(made, wanted)
        assert set(found.changed) == {key for key in change if change[key] != inputs.get(key)}
        assert found.replaces == []
        replanned = engine.update(made, wanted, preview=True)
        made = engine.update(made, wanted)
        for key, value in replanned.outputs.items():
            if key not in unknowns(replanned.outputs) and isinstance(wanted.get(key), (str, int)):
                assert made.outputs[key] == value, key
        settled(engine, made, wanted)
        inputs = wanted
    if case.replace is not None:
        assert engine.diff(made, inputs | case.replace).replaces
    engine.delete(made)
    if not case.lasting:
        assert engine.read(made).id == ""
        engine.delete(made)


def uses_queue(change: Values) -> bool:
    return "$queue" in json.dumps(change, default=str)


def queue_arn(world: World) -> str:
    return str(world.queue().get("arn"))


def settled(engine: Engine, made: Resource, inputs: Values) -> None:
    """A second `up` changes nothing, and a refresh finds no drift."""
    assert engine.diff(made, inputs).changed == []
    again = engine.read(made)
    assert again.inputs == made.inputs
    assert again.outputs == made.outputs
    assert again.id == made.id
