"""SageMaker: what internal/service/sagemaker/*.go refuses before it calls AWS."""

from __future__ import annotations

from typing import Any

from rehearsal.provider.rules.vocabulary import (
    Enums,
    Rules,
    Test,
    Values,
    arn,
    at_least,
    between,
    both,
    conflict,
    enum,
    items,
    length,
    one_of,
    pattern,
)  # fmt: skip


def _name(longest: int) -> Test:
    """validate.go: validName (63 characters) and validPrefix (26 fewer, which terraform appends)."""

    def test(name: str, value: Any, _: Enums) -> str | None:
        if not isinstance(value, str):
            return None
        if len(value) > longest:
            return f'"{name}" cannot be longer than {longest} characters: "{value}"'
        if value.startswith("-"):
            return f'"{name}" cannot begin with a hyphen: "{value}"'
        return LETTERS(name, value, _)

    return test


LETTERS = pattern(r"[0-9A-Za-z-]+", "only alphanumeric characters and hyphens allowed")
NAME, PREFIX = _name(63), _name(37)
# validate.go: validImage, validHTTPSOrS3URI.
IMAGE: Test = both(pattern(r".*\S.*", "no whitespace allowed"), length(0, 255))
DATA_URL: Test = both(pattern(r"(https|s3)://([^/]+)/?(.*)", "must be HTTPS or Amazon S3 URI"), length(0, 1024))
ROOM = between(1, 512)
WAIT, TIMEOUT = between(0, 3600), between(600, 14400)
VARIANT: dict[str, Test] = {
    "initialInstanceCount": at_least(1),
    "initialVariantWeight": at_least(0),
    "instanceType": enum("sagemaker", "ProductionVariantInstanceType"),
    "variantName": NAME,
    "volumeSizeInGb": ROOM,
    "modelName": NAME,
    "containerStartupHealthCheckTimeoutInSeconds": between(60, 3600),
    "modelDataDownloadTimeoutInSeconds": between(60, 3600),
    "serverlessConfig.maxConcurrency": between(1, 200),
    "serverlessConfig.memorySizeInMb": one_of(1024, 2048, 3072, 4096, 5120, 6144),
}


def _variants() -> dict[str, Test]:
    groups = ("productionVariants", "shadowProductionVariants")
    return {f"{group}.{name}": test for group in groups for name, test in VARIANT.items()}


def _headers(given: Values) -> list[tuple[str, str]]:
    """endpoint_configuration.go: a capture header names csv or json types (found at plan time)."""
    capture = given.get("dataCaptureConfig")
    header = capture.get("captureContentTypeHeader") if isinstance(capture, dict) else None
    if not isinstance(header, dict) or header.get("csvContentTypes") or header.get("jsonContentTypes"):
        return []
    why = "one of `csv_content_types,json_content_types` must be specified"
    return [("dataCaptureConfig.captureContentTypeHeader", why)]


def _one_way_to_deploy(given: Values) -> list[tuple[str, str]]:
    """endpoint.go: exactly one of blue_green_update_policy and rolling_update_policy."""
    deployment = given.get("deploymentConfig")
    if not isinstance(deployment, dict):
        return []
    ways = [name for name in ("blueGreenUpdatePolicy", "rollingUpdatePolicy") if deployment.get(name) is not None]
    if len(ways) == 1:
        return []
    return [("deploymentConfig", "only one of `blue_green_update_policy,rolling_update_policy` can be specified")]


def _cron_or_now(name: str, value: Any, _: Enums) -> str | None:
    """monitoring_schedule.go."""
    if not isinstance(value, str) or value == "NOW" or (value.startswith("cron(") and value.endswith(")")):
        return None
    return f"invalid value for {name} (must be a cron expression or NOW), got {value}"


RULES = {
    "aws:sagemaker/dataQualityJobDefinition:DataQualityJobDefinition": Rules(
        "sagemaker/data_quality_job_definition.go",
        {
            "name": NAME,
            "roleArn": arn,
            "dataQualityAppSpecification.imageUri": IMAGE,
            "dataQualityJobInput.endpointInput.endpointName": NAME,
            "dataQualityJobInput.endpointInput.localPath": both(
                length(1, 1024), pattern(r"/opt/ml/processing/.*", "must start with `/opt/ml/processing`")
            ),
            "dataQualityJobInput.endpointInput.s3DataDistributionType": one_of("FullyReplicated", "ShardedByS3Key"),
            "dataQualityJobInput.endpointInput.s3InputMode": one_of("Pipe", "File"),
            "dataQualityJobOutputConfig.monitoringOutputs.s3Output.s3UploadMode": one_of("Continuous", "EndOfJob"),
            "dataQualityJobOutputConfig.kmsKeyId": length(0, 2048),
            "jobResources.clusterConfig.instanceCount": at_least(1),
            "jobResources.clusterConfig.instanceType": enum("sagemaker", "ProcessingInstanceType"),
            "jobResources.clusterConfig.volumeKmsKeyId": arn,
            "jobResources.clusterConfig.volumeSizeInGb": ROOM,
            "stoppingCondition.maxRuntimeInSeconds": between(1, 3600),
        },
    ),
    "aws:sagemaker/endpoint:Endpoint": Rules(
        "sagemaker/endpoint.go",
        {
            "name": NAME,
            "endpointConfigName": NAME,
            "deploymentConfig.blueGreenUpdatePolicy.maximumExecutionTimeoutInSeconds": TIMEOUT,
            "deploymentConfig.blueGreenUpdatePolicy.terminationWaitInSeconds": WAIT,
            "deploymentConfig.blueGreenUpdatePolicy.trafficRoutingConfiguration.waitIntervalInSeconds": WAIT,
            "deploymentConfig.rollingUpdatePolicy.maximumExecutionTimeoutInSeconds": TIMEOUT,
            "deploymentConfig.rollingUpdatePolicy.waitIntervalInSeconds": WAIT,
        },
        (_one_way_to_deploy,),
    ),
    "aws:sagemaker/endpointConfiguration:EndpointConfiguration": Rules(
        "sagemaker/endpoint_configuration.go",
        {
            "name": NAME,
            "namePrefix": PREFIX,
            "executionRoleArn": arn,
            "kmsKeyArn": arn,
            "dataCaptureConfig.captureOptions": items(1, 2),
            "dataCaptureConfig.captureOptions.captureMode": one_of("Input", "Output", "InputAndOutput"),
            "dataCaptureConfig.destinationS3Uri": both(
                pattern(r"(https|s3)://([^/])/?(.*)", "must be a S3 or https URI"), length(1, 512)
            ),
            "dataCaptureConfig.initialSamplingPercentage": between(0, 100),
            "productionVariants": items(1, 10),
            "shadowProductionVariants": items(1, 10),
            **_variants(),
        },
        (_headers, conflict("name", "namePrefix")),
    ),
    "aws:sagemaker/model:Model": Rules(
        "sagemaker/model.go",
        {
            "name": NAME,
            "executionRoleArn": arn,
            "primaryContainer.containerHostname": NAME,
            "primaryContainer.image": IMAGE,
            "primaryContainer.mode": one_of("SingleModel", "MultiModel"),
            "primaryContainer.modelDataUrl": DATA_URL,
            "containers.image": IMAGE,
            "containers.mode": one_of("SingleModel", "MultiModel"),
            "containers.modelDataUrl": DATA_URL,
            "inferenceExecutionConfig.mode": one_of("Serial", "Direct"),
        },
    ),
    "aws:sagemaker/modelPackageGroup:ModelPackageGroup": Rules(
        "sagemaker/model_package_group.go",
        {"modelPackageGroupDescription": length(1, 1024), "modelPackageGroupName": NAME},
    ),
    "aws:sagemaker/monitoringSchedule:MonitoringSchedule": Rules(
        "sagemaker/monitoring_schedule.go",
        {
            "name": NAME,
            "monitoringScheduleConfig.monitoringJobDefinitionName": NAME,
            "monitoringScheduleConfig.monitoringType": one_of(
                "DataQuality", "ModelQuality", "ModelBias", "ModelExplainability"
            ),
            "monitoringScheduleConfig.scheduleConfig.scheduleExpression": both(length(1, 256), _cron_or_now),
        },
    ),
    "aws:sagemaker/notebookInstance:NotebookInstance": Rules(
        "sagemaker/notebook_instance.go",
        {
            "name": NAME,
            "additionalCodeRepositories": items(0, 3),
            "directInternetAccess": one_of("Enabled", "Disabled"),
            "instanceType": enum("sagemaker", "InstanceType"),
            "platformIdentifier": pattern(
                r"notebook-(al1-v1|al2-v1|al2-v2|al2-v3|al2023-v1)", "a platform of notebooks"
            ),
            "roleArn": arn,
            "rootAccess": one_of("Enabled", "Disabled"),
        },
    ),
}
