"""SageMaker, Glue and EventBridge Scheduler: the pages of their operations below

https://docs.aws.amazon.com/sagemaker/latest/APIReference/, https://docs.aws.amazon.com/glue/latest/webapi/ and
https://docs.aws.amazon.com/scheduler/latest/APIReference/.
"""

import json
import re
from typing import Any

from rehearsal.cloud.core.api import AwsError, Call, request_rule, state_rule
from rehearsal.cloud.services.rules import tags

_S3 = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/.*)?")
_SERVERLESS_MEMORY = tuple(range(1024, 6145, 1024))
_CAPACITY_PERCENT = 50
_LONGEST_TRAINING = 28 * 86400
_GLUE_TIMEOUT = 10080


def _validation(text: str) -> AwsError:
    return AwsError("ValidationException", text)


# --- SageMaker -------------------------------------------------------------------------------------------------------


@request_rule("sagemaker", "CreateModel", "CreateEndpointConfig", "CreateEndpoint", "CreateTrainingJob",
              "CreateProcessingJob", "CreateModelPackageGroup", "CreateModelPackage", "CreateMonitoringSchedule",
              "CreateDataQualityJobDefinition", "CreateHyperParameterTuningJob", "AddTags")  # fmt: skip
def sagemaker_tags(call: Call) -> None:
    tags.check(call.params.get("Tags"), _validation)


@request_rule("sagemaker", "CreateModel")
def model(call: Call) -> None:
    params = call.params
    if params.get("PrimaryContainer") and params.get("Containers"):
        raise _validation("PrimaryContainer and Containers are mutually exclusive")
    if not params.get("PrimaryContainer") and not params.get("Containers"):
        raise _validation("Either PrimaryContainer or Containers must be given")
    for container in [params.get("PrimaryContainer") or {}, *(params.get("Containers") or ())]:
        if container.get("ModelDataUrl") and container.get("ModelDataSource"):
            raise _validation("ModelDataUrl and ModelDataSource are mutually exclusive")


@request_rule("sagemaker", "CreateEndpointConfig")
def endpoint_config(call: Call) -> None:
    params = call.params
    serverless = False
    for variant in params["ProductionVariants"]:
        given = variant.get("ServerlessConfig")
        if given is None:
            continue
        serverless = True
        if given["MemorySizeInMB"] not in _SERVERLESS_MEMORY:
            raise _validation(f"MemorySizeInMB must be one of {', '.join(map(str, _SERVERLESS_MEMORY))}")
        if variant.get("InstanceType") or variant.get("InitialInstanceCount"):
            raise _validation("ServerlessConfig is mutually exclusive with InstanceType and InitialInstanceCount")
    capture = params.get("DataCaptureConfig")
    if capture is not None:
        if serverless:
            raise _validation("Data capture is not supported for serverless endpoints")
        _uri(capture["DestinationS3Uri"], "DestinationS3Uri")


def _uri(text: str, name: str) -> None:
    if not _S3.fullmatch(text):
        raise _validation(f"{name} {text} is not a valid S3 URI")


@request_rule("sagemaker", "CreateEndpoint", "UpdateEndpoint")
def deployment(call: Call) -> None:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DeploymentConfig.html"""
    found = call.params.get("DeploymentConfig") or {}
    if found.get("BlueGreenUpdatePolicy") and found.get("RollingUpdatePolicy"):
        raise _validation("BlueGreenUpdatePolicy and RollingUpdatePolicy are mutually exclusive")
    traffic = (found.get("BlueGreenUpdatePolicy") or {}).get("TrafficRoutingConfiguration") or {}
    sizes = {"CANARY": "CanarySize", "LINEAR": "LinearStepSize"}
    for kind, member in sizes.items():
        if (traffic.get("Type") == kind) != (traffic.get(member) is not None) and traffic:
            raise _validation(f"{member} is required for traffic routing of type {kind}, and only for it")
        size = traffic.get(member)
        if size and size["Type"] == "CAPACITY_PERCENT" and not 1 <= size["Value"] <= _CAPACITY_PERCENT:
            raise _validation(f"{member} must be between 1 and {_CAPACITY_PERCENT} percent")
    alarms = [alarm["AlarmName"] for alarm in (found.get("AutoRollbackConfiguration") or {}).get("Alarms") or ()]
    if len(set(alarms)) < len(alarms):
        raise _validation("Alarm names must be unique")


@request_rule("sagemaker", "CreateTrainingJob")
def training(call: Call) -> None:
    params = call.params
    stopping = params.get("StoppingCondition") or {}
    longest, waits = stopping.get("MaxRuntimeInSeconds", 86400), stopping.get("MaxWaitTimeInSeconds")
    if longest > _LONGEST_TRAINING:
        raise _validation(f"MaxRuntimeInSeconds must be at most {_LONGEST_TRAINING}")
    if params.get("EnableManagedSpotTraining"):
        if waits is None or waits < longest:
            raise _validation("Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to "
                              "MaxRuntimeInSeconds")  # fmt: skip
    elif waits is not None:
        raise _validation("MaxWaitTimeInSeconds above 0 is supported only when EnableManagedSpotTraining is true")
    _uri(params["OutputDataConfig"]["S3OutputPath"], "S3OutputPath")
    for metric in params["AlgorithmSpecification"].get("MetricDefinitions") or ():
        try:
            groups = re.compile(metric["Regex"]).groups
        except re.error:
            groups = 0
        if not groups:
            raise _validation(f"The regular expression of metric {metric['Name']} is not valid: it needs a group")
    specification = params["AlgorithmSpecification"]
    if specification.get("TrainingImage") and specification.get("AlgorithmName"):
        raise _validation("TrainingImage and AlgorithmName are mutually exclusive")


@request_rule("sagemaker", "CreateProcessingJob")
def processing(call: Call) -> None:
    params = call.params
    inputs = [item["InputName"] for item in params.get("ProcessingInputs") or ()]
    outputs = [item["OutputName"] for item in (params.get("ProcessingOutputConfig") or {}).get("Outputs") or ()]
    for names, what in ((inputs, "input"), (outputs, "output")):
        if len(set(names)) < len(names):
            raise _validation(f"The names of processing {what}s must be unique")
    for item in params.get("ProcessingInputs") or ():
        if item.get("S3Input"):
            _uri(item["S3Input"]["S3Uri"], "S3Uri")
        if bool(item.get("S3Input")) == bool(item.get("DatasetDefinition")):
            raise _validation("A processing input has either an S3Input or a DatasetDefinition")


@request_rule("sagemaker", "CreateModelPackage")
def model_package(call: Call) -> None:
    params = call.params
    if bool(params.get("ModelPackageName")) == bool(params.get("ModelPackageGroupName")):
        raise _validation("Either ModelPackageName or ModelPackageGroupName must be given")
    if params.get("InferenceSpecification") and params.get("SourceAlgorithmSpecification"):
        raise _validation("InferenceSpecification and SourceAlgorithmSpecification are mutually exclusive")


# --- Glue ------------------------------------------------------------------------------------------------------------


def _glue(text: str) -> AwsError:
    return AwsError("InvalidInputException", text)


@request_rule("glue", "CreateJob")
def create_glue_job(call: Call) -> None:
    tags.check(call.params.get("Tags"), _glue)
    _glue_job(call.params)


@request_rule("glue", "UpdateJob")
def update_glue_job(call: Call) -> None:
    _glue_job(call.params["JobUpdate"])


@request_rule("glue", "StartJobRun")
def start_glue_job(call: Call) -> None:
    _capacity(call.params, None)


def _glue_job(job: dict[str, Any]) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_CreateJob.html"""
    kind = (job.get("Command") or {}).get("Name")
    _capacity(job, kind)
    if not 0 <= job.get("MaxRetries", 0) <= 10:
        raise _glue("MaxRetries must be between 0 and 10")
    if (job.get("ExecutionProperty") or {}).get("MaxConcurrentRuns", 1) < 1:
        raise _glue("MaxConcurrentRuns must be at least 1")
    version = job.get("GlueVersion")
    if version is not None and not re.fullmatch(r"\d+\.\d+", version):
        raise _glue(f"Glue version {version} is not valid")
    if job.get("ExecutionClass") == "FLEX" and (kind != "glueetl" or float(version or "0") < 3):
        raise _glue("The execution class FLEX needs the command glueetl and Glue version 3.0 or above")


def _capacity(job: dict[str, Any], kind: str | None) -> None:
    workers, number, most = job.get("WorkerType"), job.get("NumberOfWorkers"), job.get("MaxCapacity")
    if most is not None and (workers or number):
        raise _glue("Please do not set Max Capacity if using Worker Type and Number of Workers.")
    if (workers is None) != (number is None):
        raise _glue("WorkerType and NumberOfWorkers must be given together")
    if number is not None and number < 1:
        raise _glue("NumberOfWorkers must be at least 1")
    if kind == "pythonshell" and (workers or most not in (None, 0.0625, 1.0)):
        raise _glue("A Python shell job has a MaxCapacity of 0.0625 or 1, and no WorkerType")
    timeout = job.get("Timeout")
    if timeout is not None and not 1 <= timeout <= _GLUE_TIMEOUT:
        raise _glue(f"Timeout must be between 1 and {_GLUE_TIMEOUT} minutes")


# --- Scheduler -------------------------------------------------------------------------------------------------------


@request_rule("scheduler", "CreateSchedule", "UpdateSchedule")
def schedule(call: Call) -> None:
    params = call.params
    start, end = params.get("StartDate"), params.get("EndDate")
    if start is not None and end is not None and end <= start:
        raise _validation("The EndDate must be after the StartDate.")
    target = params["Target"]
    arn = target["Arn"]
    if not re.fullmatch(r"arn:[\w-]+:[\w-]+:[\w-]*:(\d{12})?:.+", arn):
        raise _validation(f"Provided Arn is not in correct format: {arn}")
    if not re.fullmatch(r"arn:[\w-]+:iam::\d{12}:role/.+", target["RoleArn"]):
        raise _validation(f"RoleArn is not in correct format: {target['RoleArn']}")
    service = arn.split(":")[2]
    members = {"events": "EventBridgeParameters", "kinesis": "KinesisParameters", "ecs": "EcsParameters"}
    for name, member in members.items():
        if (service == name) != bool(target.get(member)):
            raise _validation(f"{member} must be specified for targets of {name}, and only for them.")
    if service == "sqs" and arn.endswith(".fifo") and not target.get("SqsParameters"):
        raise _validation("MessageGroupId must be specified for a FIFO queue.")
    text = target.get("Input")
    if text is not None and service in ("states", "lambda", "events"):
        try:
            json.loads(re.sub(r"<aws\.scheduler\.[\w-]+>", "0", text))
        except ValueError:
            raise _validation("The Input of the target is not valid JSON.") from None


@state_rule("scheduler", "CreateSchedule", "UpdateSchedule")
def schedule_group(call: Call) -> None:
    name = call.params.get("GroupName", "default")
    groups = call.cloud.backend("scheduler", call.account, call.region).schedule_groups
    if name not in groups:
        raise AwsError("ResourceNotFoundException", f"Schedule group {name} does not exist.", 404)
    there = call.params["Name"] in groups[name].schedules
    if call.operation == "CreateSchedule" and there:
        raise AwsError("ConflictException", f"Schedule {call.params['Name']} already exists.", 409)
    if call.operation == "UpdateSchedule" and not there:
        raise AwsError("ResourceNotFoundException", f"Schedule {call.params['Name']} does not exist.", 404)


@request_rule("scheduler", "CreateScheduleGroup", "TagResource")
def schedule_tags(call: Call) -> None:
    tags.check(call.params.get("Tags"), _validation)
