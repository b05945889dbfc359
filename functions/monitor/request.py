"""The request for an hour's processing job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contracts.monitoring import ARCHIVE, stamp
from functions.monitor.window import Release, Window

_FOLDER = "/opt/ml/processing"


def request(release: Release, window: Window, code: str, environment: Mapping[str, str]) -> dict[str, Any]:
    """Input of CreateProcessingJob. `code` is the address of the analyzer's archive."""
    bucket = environment["CAPTURE_BUCKET"]
    return {
        "ProcessingJobName": window.job(release),
        "RoleArn": environment["ROLE_ARN"],
        "AppSpecification": {
            "ImageUri": environment["IMAGE_URI"],
            "ContainerEntrypoint": ["python3", f"{_FOLDER}/code/{ARCHIVE}"],
            "ContainerArguments": _arguments(release, window, environment),
        },
        "ProcessingInputs": [
            _input("capture", f"s3://{bucket}/{window.captured(release)}", "capture"),
            _input("statistics", environment["STATISTICS_URI"], "baseline/statistics"),
            _input("constraints", environment["CONSTRAINTS_URI"], "baseline/constraints"),
            _input("code", code, "code"),
        ],
        "ProcessingOutputConfig": {
            "KmsKeyId": environment["KEY_ARN"],
            "Outputs": [_output(f"s3://{bucket}/{window.reports(release)}")],
        },
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceType": environment["INSTANCE_TYPE"],
                "InstanceCount": 1,
                "VolumeSizeInGB": int(environment["VOLUME_GB"]),
                "VolumeKmsKeyId": environment["KEY_ARN"],
            }
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": int(environment["SECONDS"])},
    }


def _arguments(release: Release, window: Window, environment: Mapping[str, str]) -> list[str]:
    values = {
        "service": release.service,
        "release": release.id,
        "endpoint": release.endpoint,
        "start": stamp(window.start),
        "end": stamp(window.end),
        "least": environment["LEAST_RECORDS"],
        "limit": environment["DRIFT_LIMIT"],
    }
    if environment.get("CLASSES"):
        values["classes"] = environment["CLASSES"]
    # The job compares what it was given: between a look of this function's and the job's there would be time.
    hashes = {f"{name}-sha256": environment.get(f"{name.upper()}_SHA256", "") for name in ("statistics", "constraints")}
    values |= {name: value for name, value in hashes.items() if value}
    return [part for name, value in values.items() for part in (f"--{name}", value)]


def _input(name: str, uri: str, folder: str) -> dict[str, Any]:
    return {
        "InputName": name,
        "S3Input": {
            "S3Uri": uri.rstrip("/"),
            "LocalPath": f"{_FOLDER}/{folder}",
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
            "S3DataDistributionType": "FullyReplicated",
        },
    }


def _output(uri: str) -> dict[str, Any]:
    target = {"S3Uri": uri.rstrip("/"), "LocalPath": f"{_FOLDER}/output", "S3UploadMode": "EndOfJob"}
    return {"OutputName": "reports", "S3Output": target}
