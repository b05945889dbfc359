"""The training workflow's jobs: features, baseline, training and evaluation."""

from contracts.names import DELIVERY
from definitions.states import CATCH, Machines, State, Training, path

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


def _job(training: Training, purpose: str) -> str:
    """A job's name: `{name}-{purpose}-{run}`, at most 63 characters."""
    return f"States.Format('{training.names.name}-{purpose}-{{}}', $.run)"


def features(training: Training) -> State:
    """The Glue job: features of the run's data."""
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::glue:startJobRun.sync",
        "Parameters": {
            "JobName": f"{training.names.name}-features",
            "Arguments": {
                "--RUN.$": "$.run",
                "--INPUT.$": "$.data.input",
                "--OUTPUT.$": path(training, "features"),
                "--SQL.$": "States.Format('{}/features.sql', $.code)",
                "--DATASET": training.dataset,
            },
        },
        "ResultPath": None,
        "TimeoutSeconds": training.features_seconds,
        "Retry": _GLUE_RETRIES,
        "Catch": CATCH,
        "Next": "Learn",
    }


def parallel(training: Training, find_champion: State) -> State:
    """Baseline, training and the search for the champion, at the same time."""
    return {
        "Type": "Parallel",
        "Branches": [
            {"StartAt": "Baseline", "States": {"Baseline": _baseline(training)}},
            {"StartAt": "Train", "States": {"Train": _train(training)}},
            {"StartAt": "Champion", "States": {"Champion": find_champion}},
        ],
        "ResultSelector": {"artifact.$": "$[1].ModelArtifacts.S3ModelArtifacts", "champion.$": "$[2]"},
        "ResultPath": "$.learned",
        "Catch": CATCH,
        "Next": "Compare",
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
                    "S3Uri.$": path(training, tail),
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
                _input("baseline_dataset_input", path(training, "features/baseline"), "input/baseline_dataset_input")
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
                    "S3Uri.$": path(training, f"features/{name}"),
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
            "OutputDataConfig": {"S3OutputPath.$": path(training, "training"), "KmsKeyId": training.key_arn},
            "ResourceConfig": _resources(training, training.training),
            "StoppingCondition": {"MaxRuntimeInSeconds": training.training.seconds},
        },
        "TimeoutSeconds": training.training.seconds + 600,
        "Retry": _JOB_RETRIES,
        "End": True,
    }


def evaluate(training: Training, champion: str = "") -> State:
    """The processing job that evaluates the model, and the champion whose artifact lies at `champion`, if any."""
    inputs = [
        _input("model", "$.learned.artifact", "model"),
        _input("test", path(training, "features/test"), "test"),
        _input("code", "States.Format('{}/evaluate.py', $.code)", "code"),
    ]
    arguments = list(training.evaluation_arguments)
    if champion:
        inputs.append(_input("champion", champion, "champion"))
        arguments += ["--champion", "/opt/ml/processing/champion"]
    state = _processing(
        training,
        training.evaluation,
        {
            "ProcessingJobName.$": _job(training, "eval"),
            "AppSpecification": {
                "ImageUri": training.xgboost_image,
                "ContainerEntrypoint": ["python3", "/opt/ml/processing/code/evaluate.py"],
                "ContainerArguments": arguments,
            },
            "ProcessingInputs": inputs,
            "ProcessingOutputConfig": _output(training, "evaluation", "evaluation", "evaluation"),
        },
    )
    return {**state, "ResultPath": None, "Catch": CATCH, "Next": "Gate"}
