"""The training workflow in Amazon States Language (JSONPath).

Input: `{"run", "reason", "commit", "code", "data": {"key", "version"}}` (docs/architecture.md).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contracts.names import DELIVERY, Names

State = dict[str, Any]

_FUNCTION_RETRIES = [
    {
        "ErrorEquals": [
            "Lambda.ServiceException",
            "Lambda.AWSLambdaException",
            "Lambda.SdkClientException",
            "Lambda.TooManyRequestsException",
        ],
        "IntervalSeconds": 2,
        "BackoffRate": 2,
        "MaxAttempts": 5,
        "JitterStrategy": "FULL",
    }
]
# Throttled starts have started nothing; a job that failed is not tried again under its name.
_JOB_RETRIES = [
    {
        "ErrorEquals": ["SageMaker.ThrottlingException", "ThrottlingException"],
        "IntervalSeconds": 10,
        "BackoffRate": 2,
        "MaxAttempts": 6,
        "JitterStrategy": "FULL",
    }
]
_GLUE_RETRIES = [
    {
        "ErrorEquals": ["Glue.ConcurrentRunsExceededException", "Glue.ThrottlingException", "ThrottlingException"],
        "IntervalSeconds": 30,
        "BackoffRate": 2,
        "MaxAttempts": 6,
        "JitterStrategy": "FULL",
    }
]
_CATCH = [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Caught"}]


@dataclass(frozen=True)
class Machines:
    """Machines of one kind of job; `seconds` is when it is given up."""

    instance_type: str
    instance_count: int
    volume_gb: int
    seconds: int


@dataclass(frozen=True)
class Training:
    """What the workflow is made of. `dataset` is the dataset's schema as JSON text."""

    names: Names
    key_arn: str
    xgboost_image: str
    monitor_image: str
    hyperparameters: Mapping[str, str]
    dataset: str
    evaluation_arguments: Sequence[str]
    features_seconds: int
    training: Machines
    evaluation: Machines
    baseline: Machines


def state_machine(training: Training) -> State:
    """The whole workflow."""
    return {
        "Comment": "Validate data, make features, baseline and train, evaluate, gate, register, write the manifest",
        "StartAt": "Validate",
        "States": {
            "Validate": _function(training, "validate", {"run.$": "$.run", "data.$": "$.data"}, "$.data", "Features"),
            "Features": _features(training),
            "Learn": _parallel(training),
            "Evaluate": _evaluate(training),
            "Gate": _function(
                training,
                "gate",
                {
                    "run.$": "$.run",
                    "reason.$": "$.reason",
                    "evaluation.$": _path(training, "evaluation/evaluation.json"),
                },
                "$.gate",
                "Passed",
            ),
            "Passed": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.gate.passed", "BooleanEquals": True, "Next": "Register"}],
                "Default": "Rejected",
            },
            "Rejected": {"Type": "Fail", "Error": "GateRejected", "CausePath": "$.gate.reason"},
            "Register": _function(
                training,
                "register",
                _registration(
                    training,
                    {
                        "evaluation.$": _path(training, "evaluation/evaluation.json"),
                    },
                ),
                "$.registered",
                "Manifest",
            ),
            "Manifest": _function(
                training,
                "manifest",
                _registration(
                    training,
                    {
                        "golden.$": _path(training, "evaluation/golden.json"),
                        "package.$": "$.registered.package",
                    },
                ),
                "$.release",
                None,
            ),
            **_failures(),
        },
    }


def _failures() -> dict[str, State]:
    """From a task's error to the sentence that its function or job left, where it left one.

    A state may not fail with a name that begins with `States.`, which is what the jobs' errors are called: those get
    names of their own. An error that timed out has no cause.
    """
    told = {"errorMessage": "FunctionFailed", "FailureReason": "JobFailed", "ErrorMessage": "FeaturesFailed"}
    fails: dict[str, State] = {
        name: {"Type": "Fail", "Error": name, "CausePath": f"$.told.{member}"} for member, name in told.items()
    }
    # What a function raises has a name that says more than that it failed.
    fails["FunctionFailed"] = {"Type": "Fail", "ErrorPath": "$.error.Error", "CausePath": "$.told.errorMessage"}
    return {
        "Caught": {
            "Type": "Choice",
            "Choices": [
                {"Not": {"Variable": "$.error.Cause", "IsPresent": True}, "Next": "WithoutCause"},
                {"Variable": "$.error.Cause", "StringMatches": "{*}", "Next": "Tell"},
            ],
            "Default": "Failed",
        },
        "Tell": {
            "Type": "Pass",
            "Parameters": {
                "error.$": "$.error",
                "told.$": "States.StringToJson($.error.Cause)",
            },
            "Next": "WhatWasTold",
        },
        "WhatWasTold": {
            "Type": "Choice",
            "Choices": [
                {
                    # A comparison with what is not there ends the workflow by itself.
                    "And": [
                        {"Variable": f"$.told.{member}", "IsPresent": True},
                        {"Variable": f"$.told.{member}", "IsString": True},
                    ],
                    "Next": name,
                }
                for member, name in told.items()
            ],
            "Default": "Failed",
        },
        **fails,
        "Failed": {
            "Type": "Fail",
            "Error": "WorkflowFailed",
            "CausePath": "States.Format('{}: {}', $.error.Error, $.error.Cause)",
        },
        "WithoutCause": {
            "Type": "Fail",
            "Error": "WorkflowFailed",
            "CausePath": "States.Format('{}, without any cause', $.error.Error)",
        },
    }


def _path(training: Training, tail: str) -> str:
    """Address in the run's folder, as an intrinsic of the workflow."""
    return f"States.Format('s3://{training.names.artifacts_bucket}/runs/{{}}/{tail}', $.run)"


def _job(training: Training, purpose: str) -> str:
    """A job's name: `{name}-{purpose}-{run}`, at most 63 characters."""
    return f"States.Format('{training.names.name}-{purpose}-{{}}', $.run)"


def _then(following: str | None) -> State:
    return {"Next": following} if following else {"End": True}


_ANSWERS = {
    "validate": ("uri", "version", "rows", "bad_rows", "sha256", "input"),
    "gate": ("passed", "reason", "metrics", "champion", "distribution"),
    "register": ("package",),
    "manifest": ("manifest", "sha256", "id", "summary"),
}


def _function(
    training: Training, purpose: str, payload: Mapping[str, Any], result: str, following: str | None
) -> State:
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": training.names.function_arn(DELIVERY, purpose), "Payload": dict(payload)},
        "ResultSelector": {f"{member}.$": f"$.Payload.{member}" for member in _ANSWERS[purpose]},
        "ResultPath": result,
        "TimeoutSeconds": 900,
        "Retry": _FUNCTION_RETRIES,
        "Catch": _CATCH,
        **_then(following),
    }


def _registration(training: Training, more: Mapping[str, Any]) -> State:
    return {
        "run.$": "$.run",
        "reason.$": "$.reason",
        "commit.$": "$.commit",
        "artifact.$": "$.learned.artifact",
        "image": training.xgboost_image,
        "baseline": {
            "statistics.$": _path(training, "baseline/statistics.json"),
            "constraints.$": _path(training, "baseline/constraints.json"),
        },
        "data.$": "$.data",
        "gate.$": "$.gate",
        **more,
    }


def _features(training: Training) -> State:
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::glue:startJobRun.sync",
        "Parameters": {
            "JobName": f"{training.names.name}-features",
            "Arguments": {
                "--RUN.$": "$.run",
                "--INPUT.$": "$.data.input",
                "--OUTPUT.$": _path(training, "features"),
                "--SQL.$": "States.Format('{}/features.sql', $.code)",
                "--DATASET": training.dataset,
            },
        },
        "ResultPath": None,
        "TimeoutSeconds": training.features_seconds,
        "Retry": _GLUE_RETRIES,
        "Catch": _CATCH,
        "Next": "Learn",
    }


def _parallel(training: Training) -> State:
    return {
        "Type": "Parallel",
        "Branches": [
            {"StartAt": "Baseline", "States": {"Baseline": _baseline(training)}},
            {"StartAt": "Train", "States": {"Train": _train(training)}},
        ],
        "ResultSelector": {"artifact.$": "$[1].ModelArtifacts.S3ModelArtifacts"},
        "ResultPath": "$.learned",
        "Catch": _CATCH,
        "Next": "Evaluate",
    }


def _resources(training: Training, machines: Machines) -> State:
    return {
        "InstanceType": machines.instance_type,
        "InstanceCount": machines.instance_count,
        "VolumeSizeInGB": machines.volume_gb,
        "VolumeKmsKeyId": training.key_arn,
    }


def _input(name: str, uri: str, folder: str) -> State:
    return {
        "InputName": name,
        "S3Input": {
            "S3Uri.$": uri,
            "LocalPath": f"/opt/ml/processing/{folder}",
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
            "S3DataDistributionType": "FullyReplicated",
        },
    }


def _output(training: Training, name: str, folder: str, tail: str) -> State:
    return {
        "KmsKeyId": training.key_arn,
        "Outputs": [
            {
                "OutputName": name,
                "S3Output": {
                    "S3Uri.$": _path(training, tail),
                    "LocalPath": f"/opt/ml/processing/{folder}",
                    "S3UploadMode": "EndOfJob",
                },
            }
        ],
    }


def _processing(training: Training, machines: Machines, parameters: State) -> State:
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::sagemaker:createProcessingJob.sync",
        "Parameters": {
            "RoleArn": training.names.role_arn(DELIVERY, "processing"),
            "ProcessingResources": {"ClusterConfig": _resources(training, machines)},
            "StoppingCondition": {"MaxRuntimeInSeconds": machines.seconds},
            **parameters,
        },
        "TimeoutSeconds": machines.seconds + 600,
        "Retry": _JOB_RETRIES,
    }


def _baseline(training: Training) -> State:
    source = "/opt/ml/processing/input/baseline_dataset_input"
    state = _processing(
        training,
        training.baseline,
        {
            "ProcessingJobName.$": _job(training, "base"),
            "AppSpecification": {"ImageUri": training.monitor_image},
            "ProcessingInputs": [
                _input("baseline_dataset_input", _path(training, "features/baseline"), "input/baseline_dataset_input")
            ],
            "ProcessingOutputConfig": _output(training, "monitoring_output", "output", "baseline"),
            "Environment": {
                "dataset_format": '{"csv": {"header": true, "output_columns_position": "START"}}',
                "dataset_source": source,
                "output_path": "/opt/ml/processing/output",
                "publish_cloudwatch_metrics": "Disabled",
            },
        },
    )
    return {**state, "End": True}


def _train(training: Training) -> State:
    def channel(name: str) -> State:
        return {
            "ChannelName": name,
            "ContentType": "text/csv",
            "InputMode": "File",
            "DataSource": {
                "S3DataSource": {
                    "S3DataType": "S3Prefix",
                    "S3Uri.$": _path(training, f"features/{name}"),
                    "S3DataDistributionType": "FullyReplicated",
                }
            },
        }

    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::sagemaker:createTrainingJob.sync",
        "Parameters": {
            "TrainingJobName.$": _job(training, "train"),
            "RoleArn": training.names.role_arn(DELIVERY, "training"),
            "AlgorithmSpecification": {"TrainingImage": training.xgboost_image, "TrainingInputMode": "File"},
            "HyperParameters": dict(training.hyperparameters),
            "InputDataConfig": [channel("train"), channel("validation")],
            "OutputDataConfig": {"S3OutputPath.$": _path(training, "training"), "KmsKeyId": training.key_arn},
            "ResourceConfig": _resources(training, training.training),
            "StoppingCondition": {"MaxRuntimeInSeconds": training.training.seconds},
        },
        "TimeoutSeconds": training.training.seconds + 600,
        "Retry": _JOB_RETRIES,
        "End": True,
    }


def _evaluate(training: Training) -> State:
    inputs = [
        _input("model", "$.learned.artifact", "model"),
        _input("test", _path(training, "features/test"), "test"),
        _input("code", "States.Format('{}/evaluate.py', $.code)", "code"),
    ]
    state = _processing(
        training,
        training.evaluation,
        {
            "ProcessingJobName.$": _job(training, "eval"),
            "AppSpecification": {
                "ImageUri": training.xgboost_image,
                "ContainerEntrypoint": ["python3", "/opt/ml/processing/code/evaluate.py"],
                "ContainerArguments": list(training.evaluation_arguments),
            },
            "ProcessingInputs": inputs,
            "ProcessingOutputConfig": _output(training, "evaluation", "evaluation", "evaluation"),
        },
    )
    return {**state, "ResultPath": None, "Catch": _CATCH, "Next": "Gate"}
