"""Types of resources in words, and what each of them means to those who are served."""

import re
from dataclasses import dataclass

from preview.model import Danger

_WORDS = {
    "pulumi-python:dynamic/glidepath:TrafficShift": "traffic shift",
    "aws:apigateway/restApi:RestApi": "REST API",
    "aws:apigateway/apiKey:ApiKey": "API key",
    "aws:apigateway/stage:Stage": "API stage",
    "aws:apigateway/deployment:Deployment": "API deployment",
    "aws:apigateway/methodSettings:MethodSettings": "API method settings",
    "aws:apigateway/account:Account": "API Gateway account settings",
    "aws:iam/policy:Policy": "managed policy",
    "aws:iam/rolePolicy:RolePolicy": "role policy",
    "aws:lambda/alias:Alias": "alias",
    "aws:kms/alias:Alias": "key alias",
    "aws:appautoscaling/target:Target": "autoscaling target",
    "aws:appautoscaling/policy:Policy": "autoscaling policy",
    "aws:ssm/parameter:Parameter": "parameter",
    "aws:sagemaker/model:Model": "model",
    "aws:sagemaker/endpoint:Endpoint": "serving endpoint",
    "aws:cloudwatch/metricAlarm:MetricAlarm": "alarm",
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": "composite alarm",
}


@dataclass(frozen=True)
class Stakes:
    """What it means when a resource of a type is deleted, replaced or changed.

    `loss` is said of a deletion, and of a replacement where what was kept in it does not survive one.
    """

    deleted: Danger
    replaced: Danger
    changed: Danger
    loss: str = ""
    lost_by_replacement: bool = False


def _data(loss: str) -> Stakes:
    return Stakes(Danger.LOST, Danger.LOST, Danger.SERVING, loss, lost_by_replacement=True)


def _watcher(loss: str) -> Stakes:
    return Stakes(Danger.WATCHING, Danger.GONE, Danger.WATCHING, loss)


_LOST, _SERVING, _GONE, _CHANGE = Danger.LOST, Danger.SERVING, Danger.GONE, Danger.CHANGE
_URL = "the URL that callers use ends"
_SCALING = Stakes(_SERVING, _CHANGE, _CHANGE, "load no longer scales it")
_PLAIN = Stakes(_GONE, _GONE, _CHANGE)
# Of the same danger, what stands first is reported first.
_STAKES = {
    "aws:s3/bucket:Bucket": _data("its objects are lost"),
    "aws:kms/key:Key": _data("what it encrypts can no longer be read"),
    "aws:secretsmanager/secret:Secret": _data("its value is lost"),
    "aws:sagemaker/modelPackageGroup:ModelPackageGroup": _data("its registered models are lost"),
    "aws:sagemaker/endpoint:Endpoint": Stakes(_LOST, _SERVING, _SERVING, "nothing predicts any more"),
    "aws:sagemaker/endpointConfiguration:EndpointConfiguration": Stakes(_GONE, _SERVING, _SERVING),
    "aws:lambda/alias:Alias": Stakes(_LOST, _LOST, _SERVING, "callers reach no version any more"),
    "pulumi-python:dynamic/glidepath:TrafficShift": Stakes(_GONE, _SERVING, _SERVING),
    "aws:apigateway/restApi:RestApi": Stakes(_LOST, _LOST, _SERVING, _URL, lost_by_replacement=True),
    "aws:apigateway/stage:Stage": Stakes(_LOST, _SERVING, _SERVING, _URL),
    "aws:ssm/parameter:Parameter": Stakes(_SERVING, _SERVING, _CHANGE, "which release serves is forgotten"),
    "aws:appautoscaling/target:Target": _SCALING,
    "aws:appautoscaling/policy:Policy": _SCALING,
    "aws:cloudwatch/metricAlarm:MetricAlarm": _watcher("nobody hears of it any more"),
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": _watcher("nobody hears of it any more"),
    "aws:sagemaker/monitoringSchedule:MonitoringSchedule": _watcher("drift is no longer looked for"),
    "aws:scheduler/schedule:Schedule": _watcher("what it starts is no longer started"),
    "aws:sagemaker/dataQualityJobDefinition:DataQualityJobDefinition": Stakes(
        Danger.WATCHING, _CHANGE, _CHANGE, "drift is no longer looked for"
    ),
    "aws:codedeploy/deploymentGroup:DeploymentGroup": _watcher("nothing rolls a bad release back"),
    "aws:sns/topic:Topic": _watcher("alarms reach nobody"),
    "aws:sns/topicSubscription:TopicSubscription": _watcher("somebody no longer hears of alarms"),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": Stakes(
        Danger.POWER, _CHANGE, Danger.POWER, "the bucket can be made public"
    ),
}
_RANKS = {name: number for number, name in enumerate(_STAKES, 1)}


def stakes(type: str) -> Stakes:
    """What is at stake with a type."""
    return _STAKES.get(type, _PLAIN)


def rank(type: str) -> int:
    """Which type is reported first where the danger is the same."""
    return _RANKS.get(type, len(_RANKS) + 1)


def kind(type: str) -> str:
    """A type in words: `aws:sagemaker/endpointConfiguration:EndpointConfiguration` is an endpoint configuration."""
    if type in _WORDS:
        return _WORDS[type]
    last = type.rpartition(":")[2]
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", last).lower()
    return f"component {last}" if is_component(type) else words


def is_component(type: str) -> bool:
    """Whether it only groups others."""
    return type.startswith("glidepath:") or (
        type.count(":") == 2 and "/" not in type and not type.startswith("pulumi:")
    )
