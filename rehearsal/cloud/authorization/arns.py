"""Which resources an operation works on: from its parameters to their ARNs.

A template such as `model/{ModelName}` stands for `arn:aws:sagemaker:<region>:<account>:model/<ModelName>`. A parameter
that holds an ARN already is taken as it is, a list gives one resource for each item, and a template whose parameter is
not in the request gives none. Operations that are in no table are asked for on `*`, which only a statement on `*`
allows.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

_FIELD = re.compile(r"(\{(/?)([^}]+)\})")
Table = Mapping[str, tuple[str, ...]]


def _by_operation(*rows: tuple[str, str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for operations, template in rows:
        for name in operations.split():
            found[name] = (*found.get(name, ()), template)
    return found


def _crud(noun: str, template: str, verbs: str = "Create Delete Describe Update") -> tuple[str, str]:
    return " ".join(verb + noun for verb in verbs.split()), template


_SAGEMAKER = _by_operation(
    _crud("Model", "model/{ModelName}"),
    _crud("EndpointConfig", "endpoint-config/{EndpointConfigName}"),
    _crud("Endpoint", "endpoint/{EndpointName}"),
    ("CreateEndpoint UpdateEndpoint", "endpoint-config/{EndpointConfigName}"),
    ("UpdateEndpointWeightsAndCapacities InvokeEndpoint InvokeEndpointAsync", "endpoint/{EndpointName}"),
    ("InvokeEndpointWithResponseStream", "endpoint/{EndpointName}"),
    _crud("TrainingJob", "training-job/{TrainingJobName}", "Create Describe Stop Delete Update"),
    _crud(
        "HyperParameterTuningJob",
        "hyper-parameter-tuning-job/{HyperParameterTuningJobName}",
        "Create Describe Stop Delete ListTrainingJobsFor",
    ),
    _crud("ProcessingJob", "processing-job/{ProcessingJobName}", "Create Describe Stop Delete"),
    _crud("TransformJob", "transform-job/{TransformJobName}", "Create Describe Stop"),
    _crud("DataQualityJobDefinition", "data-quality-job-definition/{JobDefinitionName}"),
    _crud("ModelQualityJobDefinition", "model-quality-job-definition/{JobDefinitionName}"),
    _crud("ModelBiasJobDefinition", "model-bias-job-definition/{JobDefinitionName}"),
    _crud("ModelExplainabilityJobDefinition", "model-explainability-job-definition/{JobDefinitionName}"),
    _crud(
        "MonitoringSchedule", "monitoring-schedule/{MonitoringScheduleName}", "Create Delete Describe Update Start Stop"
    ),
    _crud("ModelPackageGroup", "model-package-group/{ModelPackageGroupName}"),
    ("PutModelPackageGroupPolicy GetModelPackageGroupPolicy", "model-package-group/{ModelPackageGroupName}"),
    ("DeleteModelPackageGroupPolicy", "model-package-group/{ModelPackageGroupName}"),
    ("CreateModelPackage", "model-package/{ModelPackageGroupName}/*"),
    ("CreateModelPackage", "model-package/{ModelPackageName}"),
    ("ListModelPackages", "model-package/{ModelPackageGroupName}/*"),
    ("DescribeModelPackage DeleteModelPackage", "model-package/{ModelPackageName}"),
    ("UpdateModelPackage", "{ModelPackageArn}"),
    _crud("NotebookInstance", "notebook-instance/{NotebookInstanceName}", "Create Delete Describe Update Start Stop"),
    ("AddTags DeleteTags ListTags", "{ResourceArn}"),
)
_CODEBUILD = _by_operation(
    ("CreateProject UpdateProject DeleteProject", "project/{name}"),
    ("BatchGetProjects", "project/{names}"),
    ("StartBuild ListBuildsForProject InvalidateProjectCache StartBuildBatch", "project/{projectName}"),
)
_CODEPIPELINE = _by_operation(
    ("CreatePipeline UpdatePipeline", "{pipeline.name}"),
    ("GetPipeline StartPipelineExecution DeletePipeline GetPipelineState", "{name}"),
    ("GetPipelineExecution ListPipelineExecutions StopPipelineExecution ListActionExecutions", "{pipelineName}"),
    ("RetryStageExecution DisableStageTransition EnableStageTransition RollbackStage", "{pipelineName}/{stageName}"),
    ("PutApprovalResult", "{pipelineName}/{stageName}/{actionName}"),
    ("TagResource UntagResource ListTagsForResource", "{resourceArn}"),
)
_CODEDEPLOY = _by_operation(
    _crud("Application", "application:{applicationName}", "Create Delete Get Update"),
    ("GetApplicationRevision RegisterApplicationRevision", "application:{applicationName}"),
    ("ListApplicationRevisions ListDeploymentGroups", "application:{applicationName}"),
    _crud("DeploymentGroup", "deploymentgroup:{applicationName}/{deploymentGroupName}", "Create Delete Get"),
    ("UpdateDeploymentGroup", "deploymentgroup:{applicationName}/{currentDeploymentGroupName}"),
    ("CreateDeployment ListDeployments", "deploymentgroup:{applicationName}/{deploymentGroupName}"),
    ("BatchGetDeploymentGroups", "deploymentgroup:{applicationName}/{deploymentGroupNames}"),
    _crud("DeploymentConfig", "deploymentconfig:{deploymentConfigName}", "Create Delete Get"),
    ("TagResource UntagResource ListTagsForResource", "{ResourceArn}"),
)
_STATES = _by_operation(
    ("CreateStateMachine", "stateMachine:{name}"),
    ("UpdateStateMachine DeleteStateMachine DescribeStateMachine StartExecution", "{stateMachineArn}"),
    ("StartSyncExecution ListExecutions ListStateMachineVersions PublishStateMachineVersion", "{stateMachineArn}"),
    ("DescribeExecution StopExecution GetExecutionHistory", "{executionArn}"),
    ("DescribeStateMachineForExecution RedriveExecution", "{executionArn}"),
    ("TagResource UntagResource ListTagsForResource", "{resourceArn}"),
)
_GLUE = _by_operation(
    ("CreateJob", "job/{Name}"),
    ("UpdateJob DeleteJob GetJob StartJobRun GetJobRun GetJobRuns BatchStopJobRun", "job/{JobName}"),
    ("TagResource UntagResource", "{ResourceArn}"),
    ("GetTags", "{ResourceArn}"),
)
_LOGS = _by_operation(
    ("CreateLogStream DeleteLogStream PutLogEvents", "log-group:{logGroupName}:log-stream:{logStreamName}"),
    ("GetLogEvents", "log-group:{logGroupName}:log-stream:{logStreamName}"),
    ("CreateLogGroup DeleteLogGroup AssociateKmsKey DisassociateKmsKey", "log-group:{logGroupName}:log-stream:"),
    ("PutRetentionPolicy DeleteRetentionPolicy DescribeLogStreams", "log-group:{logGroupName}:log-stream:"),
    ("FilterLogEvents PutMetricFilter DeleteMetricFilter", "log-group:{logGroupName}:log-stream:"),
    ("DescribeMetricFilters PutSubscriptionFilter DescribeSubscriptionFilters", "log-group:{logGroupName}:log-stream:"),
    ("DeleteSubscriptionFilter ListTagsLogGroup", "log-group:{logGroupName}:log-stream:"),
    ("TagResource UntagResource ListTagsForResource", "{resourceArn}"),
)
_EVENTS = _by_operation(
    ("PutRule DeleteRule DescribeRule EnableRule DisableRule", "rule/{EventBusName}/{Name}"),
    ("PutTargets RemoveTargets ListTargetsByRule", "rule/{EventBusName}/{Rule}"),
    ("PutEvents", "event-bus/{Entries[].EventBusName}"),
    ("CreateEventBus DeleteEventBus DescribeEventBus", "event-bus/{Name}"),
    ("PutPermission RemovePermission", "event-bus/{EventBusName}"),
    ("TagResource UntagResource ListTagsForResource", "{ResourceARN}"),
)
_SNS = _by_operation(
    ("CreateTopic", "{Name}"),
    ("DeleteTopic GetTopicAttributes SetTopicAttributes Publish PublishBatch Subscribe", "{TopicArn}"),
    ("AddPermission RemovePermission ListSubscriptionsByTopic ConfirmSubscription", "{TopicArn}"),
    ("TagResource UntagResource ListTagsForResource", "{ResourceArn}"),
)
_SSM = _by_operation(
    ("PutParameter GetParameter DeleteParameter GetParameterHistory LabelParameterVersion", "parameter{/Name}"),
    ("GetParameters DeleteParameters", "parameter{/Names}"),
    ("GetParametersByPath", "parameter{/Path}"),
    ("AddTagsToResource RemoveTagsFromResource ListTagsForResource", "parameter{/ResourceId}"),
)
_CLOUDWATCH = _by_operation(
    ("PutMetricAlarm PutCompositeAlarm DescribeAlarmHistory SetAlarmState", "alarm:{AlarmName}"),
    ("DeleteAlarms DescribeAlarms EnableAlarmActions DisableAlarmActions", "alarm:{AlarmNames}"),
    ("PutDashboard GetDashboard", "arn:aws:cloudwatch::{:account}:dashboard/{DashboardName}"),
    ("DeleteDashboards", "arn:aws:cloudwatch::{:account}:dashboard/{DashboardNames}"),
    ("TagResource UntagResource ListTagsForResource", "{ResourceARN}"),
)
_CODECOMMIT = _by_operation(
    ("GetRepository GetBranch GetCommit CreateBranch CreateCommit PutFile DeleteRepository", "{repositoryName}"),
    ("CreateRepository GetFile ListBranches GetFolder GetUploadArchiveStatus UploadArchive", "{repositoryName}"),
)
_AUTOSCALING = _by_operation(
    (
        "RegisterScalableTarget DeregisterScalableTarget PutScalingPolicy DeleteScalingPolicy",
        "scalable-target/{ScalableTargetId}",
    ),
    ("TagResource UntagResource ListTagsForResource", "{ResourceARN}"),
)
_CONNECTIONS = _by_operation(
    ("CreateConnection", "connection/*"),
    ("GetConnection DeleteConnection UseConnection", "{ConnectionArn}"),
    ("TagResource UntagResource ListTagsForResource", "{ResourceArn}"),
)

TABLES: dict[str, tuple[str, Table]] = {
    "sagemaker": ("sagemaker", _SAGEMAKER),
    "sagemaker-runtime": ("sagemaker", _SAGEMAKER),
    "codebuild": ("codebuild", _CODEBUILD),
    "codepipeline": ("codepipeline", _CODEPIPELINE),
    "codedeploy": ("codedeploy", _CODEDEPLOY),
    "stepfunctions": ("states", _STATES),
    "glue": ("glue", _GLUE),
    "logs": ("logs", _LOGS),
    "events": ("events", _EVENTS),
    "sns": ("sns", _SNS),
    "ssm": ("ssm", _SSM),
    "cloudwatch": ("cloudwatch", _CLOUDWATCH),
    "codecommit": ("codecommit", _CODECOMMIT),
    "application-autoscaling": ("application-autoscaling", _AUTOSCALING),
    "codeconnections": ("codeconnections", _CONNECTIONS),
    "codestar-connections": ("codestar-connections", _CONNECTIONS),
    "execute-api": ("execute-api", {"Invoke": ("{resourceArn}",)}),
}
"""botocore's service → the service part of its ARNs, and the templates of its operations."""


def resources(service: str, operation: str, params: Mapping[str, Any], region: str, account: str) -> list[str]:
    """The ARNs an operation works on; empty where its table has none or the request names none."""
    prefix, table = TABLES.get(service, (service, {}))
    start = f"arn:aws:{prefix}:{region}:{account}:"
    found: list[str] = []
    for template in table.get(operation, ()):
        for text in expand(template, params, account):
            found.append(text if text.startswith("arn:") else start + text)
    return found


def expand(template: str, params: Mapping[str, Any], account: str) -> list[str]:
    """A template's texts: none where a parameter is missing, several where one is a list."""
    texts = [template]
    for whole, slash, path in _FIELD.findall(template):
        values = [account] if path == ":account" else [str(value) for value in _values(params, path)]
        arns = [value for value in values if value.startswith("arn:")]
        if arns:
            return arns
        texts = [text.replace(whole, _slashed(value) if slash else value) for text in texts for value in values]
    return texts


def _slashed(name: str) -> str:
    return "/" + name.strip("/") if name.strip("/") else "/"


def _values(params: Mapping[str, Any], path: str) -> Iterator[Any]:
    name, _, rest = path.partition(".")
    value = params.get(name.removesuffix("[]"))
    if value is None:
        return
    for item in value if isinstance(value, list) else [value]:
        if rest:
            yield from _values(item, rest) if isinstance(item, Mapping) else ()
        else:
            yield item
