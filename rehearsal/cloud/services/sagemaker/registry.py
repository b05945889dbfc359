"""The model registry: package groups and versioned packages with an approval."""

import re
from typing import Any

from rehearsal.cloud.core.api import AwsError, Call, Event, operation
from rehearsal.cloud.services.sagemaker import state, tags
from rehearsal.cloud.services.sagemaker.inputs import refuse, split_uri

GROUP = "model-package-group"
PACKAGE = "model-package"
_NOT_UPDATED = ("AdditionalInferenceSpecificationsToAdd", "ClientToken", "ModelCard", "ModelLifeCycle",
                "ModelPackageRegistrationType")  # fmt: skip
_PACKAGE_ARN = re.compile(r"arn:aws:sagemaker:[a-z0-9-]+:\d{12}:model-package/([^/]+)/(\d+)")


@operation("sagemaker", "CreateModelPackageGroup")
def create_group(call: Call) -> dict[str, Any]:
    params, name = call.params, call.params["ModelPackageGroupName"]
    groups = state.records(call, GROUP)
    arn = state.call_arn(call, GROUP, name)
    if name in groups:
        raise state.invalid(f"Model Package Group already exists: {arn}")
    groups[name] = {
        "ModelPackageGroupName": name, "ModelPackageGroupArn": arn, "ModelPackageGroupStatus": "Completed",
        "ModelPackageGroupDescription": params.get("ModelPackageGroupDescription"),
        "CreationTime": call.cloud.clock.now(), "CreatedBy": {}, "_arn": arn, "_tags": tags.given(call), "_last": 0,
        "_policy": None,
    }  # fmt: skip
    return {"ModelPackageGroupArn": arn}


@operation("sagemaker", "DescribeModelPackageGroup")
def describe_group(call: Call) -> dict[str, Any]:
    group = _group(call)
    return {key: value for key, value in group.items() if value is not None}


@operation("sagemaker", "DeleteModelPackageGroup")
def delete_group(call: Call) -> dict[str, Any]:
    group = _group(call)
    if _packages(call, group["ModelPackageGroupName"]):
        raise AwsError(
            "ConflictException",
            f"Cannot delete Model Package Group {group['_arn']}: it still has model packages; delete them first.",
        )
    del state.records(call, GROUP)[group["ModelPackageGroupName"]]
    return {}


@operation("sagemaker", "ListModelPackageGroups")
def list_groups(call: Call) -> dict[str, Any]:
    found, token = state.page(
        call, state.records(call, GROUP).values(), name=lambda item: item["ModelPackageGroupName"]
    )
    summaries = [{key: value for key, value in item.items() if value is not None} for item in found]
    return state.with_token({"ModelPackageGroupSummaryList": summaries}, token)


@operation("sagemaker", "PutModelPackageGroupPolicy")
def put_policy(call: Call) -> dict[str, Any]:
    group = _group(call)
    group["_policy"] = call.params["ResourcePolicy"]
    return {"ModelPackageGroupArn": group["_arn"]}


@operation("sagemaker", "GetModelPackageGroupPolicy")
def get_policy(call: Call) -> dict[str, Any]:
    group = _group(call)
    if group["_policy"] is None:
        raise state.invalid(f"Cannot find Resource Policy for: {group['_arn']}")
    return {"ResourcePolicy": group["_policy"]}


@operation("sagemaker", "DeleteModelPackageGroupPolicy")
def delete_policy(call: Call) -> dict[str, Any]:
    get_policy(call)
    _group(call)["_policy"] = None
    return {}


def _group(call: Call, name: str | None = None) -> state.Record:
    given = name or call.params["ModelPackageGroupName"]
    wanted = given.rsplit("/", 1)[-1]
    for known, group in state.records(call, GROUP).items():
        if known.lower() == wanted.lower():
            return group
    raise state.invalid(f"ModelPackageGroup {state.call_arn(call, GROUP, wanted)} does not exist.")


def _packages(call: Call, group: str) -> list[state.Record]:
    return [item for item in state.records(call, PACKAGE).values() if item["ModelPackageGroupName"] == group]


@operation("sagemaker", "CreateModelPackage")
def create_package(call: Call) -> dict[str, Any]:
    params = call.params
    refuse("ModelPackageGroupName" not in params, "a model package without a group")
    refuse(params.get("SourceAlgorithmSpecification"), "SourceAlgorithmSpecification: give InferenceSpecification")
    refuse(params.get("ValidationSpecification"), "ValidationSpecification")
    group = _group(call, params["ModelPackageGroupName"])
    for container in params.get("InferenceSpecification", {}).get("Containers", []):
        if "ModelDataUrl" in container:
            _check_artifact(call, container["ModelDataUrl"])
    with state.lock:
        group["_last"] += 1
        version = group["_last"]
        now = call.cloud.clock.now()
        name = group["ModelPackageGroupName"]
        arn = f"arn:aws:sagemaker:{call.region}:{call.account}:{PACKAGE}/{name.lower()}/{version}"
        package = state.records(call, PACKAGE)[arn] = {
            "ModelApprovalStatus": "PendingManualApproval",
            **{key: value for key, value in params.items() if key not in ("Tags", "ClientToken")},
            "ModelPackageName": f"{name}/{version}", "ModelPackageGroupName": name, "ModelPackageVersion": version,
            "ModelPackageArn": arn, "ModelPackageStatus": "Completed", "CreationTime": now,
            "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
            "_arn": arn, "_tags": tags.given(call),
        }  # fmt: skip
    _announce(call, package)
    return {"ModelPackageArn": arn}


def _check_artifact(call: Call, url: str) -> None:
    bucket, key = split_uri(url)
    client = call.cloud.client("s3", call.account, call.region, None)
    try:
        client.head_object(Bucket=bucket, Key=key)
    except client.exceptions.ClientError as error:
        raise state.invalid(
            f"Could not find model data at {url}. Please ensure that there is an object there."
        ) from error


@operation("sagemaker", "DescribeModelPackage")
def describe_package(call: Call) -> dict[str, Any]:
    return _package(call, call.params["ModelPackageName"])


@operation("sagemaker", "UpdateModelPackage")
def update_package(call: Call) -> dict[str, Any]:
    params = call.params
    for member in _NOT_UPDATED:
        refuse(member in params, f"UpdateModelPackage's {member}")
    package = _package(call, params["ModelPackageArn"])
    with state.lock:
        for key in ("ModelApprovalStatus", "ApprovalDescription", "InferenceSpecification", "SourceUri"):
            if key in params:
                package[key] = params[key]
        properties = {**package.get("CustomerMetadataProperties", {}), **params.get("CustomerMetadataProperties", {})}
        for key in params.get("CustomerMetadataPropertiesToRemove", []):
            properties.pop(key, None)
        if properties:
            package["CustomerMetadataProperties"] = properties
        package["LastModifiedTime"] = call.cloud.clock.now()
    if "ModelApprovalStatus" in params:
        _announce(call, package)
    return {"ModelPackageArn": package["_arn"]}


@operation("sagemaker", "DeleteModelPackage")
def delete_package(call: Call) -> dict[str, Any]:
    package = _package(call, call.params["ModelPackageName"])
    del state.records(call, PACKAGE)[package["_arn"]]
    return {}


@operation("sagemaker", "ListModelPackages")
def list_packages(call: Call) -> dict[str, Any]:
    params = call.params
    packages = list(state.records(call, PACKAGE).values())
    if "ModelPackageGroupName" in params:
        packages = _packages(call, _group(call)["ModelPackageGroupName"])
    if "ModelApprovalStatus" in params:
        packages = [item for item in packages if item["ModelApprovalStatus"] == params["ModelApprovalStatus"]]
    # AWS sorts by creation time, ascending, unless asked otherwise; versions made within one tick keep their order.
    packages.sort(key=lambda item: item["ModelPackageVersion"])
    call.params = {"SortOrder": "Ascending", **params}
    found, token = state.page(call, packages, name=lambda item: item["ModelPackageName"])
    summaries = [{**item, "ModelPackageDescription": item.get("ModelPackageDescription", "")} for item in found]
    return state.with_token({"ModelPackageSummaryList": summaries}, token)


def _package(call: Call, name: str) -> state.Record:
    match = _PACKAGE_ARN.fullmatch(name)
    if match is None:
        raise state.invalid(f"Invalid model package {name}: expected the ARN of a versioned package")
    package = state.records(call, PACKAGE).get(name)
    if package is None:
        raise state.invalid(f"ModelPackage {name} does not exist.")
    return package


def _announce(call: Call, package: state.Record) -> None:
    members = (
        "ModelPackageName", "ModelPackageGroupName", "ModelPackageVersion", "ModelPackageArn", "ModelPackageStatus",
        "ModelApprovalStatus",
    )  # fmt: skip
    detail = {key: package[key] for key in members}
    event = Event("aws.sagemaker", "SageMaker Model Package State Change", detail, [package["_arn"]])
    call.cloud.put_event(call.place, event)
