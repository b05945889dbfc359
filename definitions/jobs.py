"""The training workflow's jobs: features, training and evaluation, which makes the baseline too."""

from collections.abc import Mapping

from contracts.monitoring import ARCHIVE
from contracts.names import DELIVERY
from definitions.states import CATCH, SQL, Machines, State, Training, path

# Throttled starts have started nothing; a job that failed is not tried again under its name.
JOB_RETRIES = [
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
                "--PLAN.$": "$.data.plan",
                "--OUTPUT.$": path(training, "features"),
                "--SQL.$": SQL,
                "--SPLIT_KEY": training.names.split_key,
                "--CHAMPION.$": "States.JsonToString($.champion.split)",
            },
        },
        "ResultPath": None,
        "TimeoutSeconds": training.features_seconds,
        "Retry": _GLUE_RETRIES,
        "Catch": CATCH,
        "Next": "Train",
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


def _outputs(training: Training, folders: Mapping[str, str]) -> State:
    """What a job leaves in its folders, by the place in the run's folder where it goes."""
    return {
        "KmsKeyId": training.key_arn,
        "Outputs": [
            {
                "OutputName": tail,
                "S3Output": {
                    "S3Uri.$": path(training, tail),
                    "LocalPath": f"/opt/ml/processing/{folder}",
                    "S3UploadMode": "EndOfJob",
                },
            }
            for tail, folder in folders.items()
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
        "Retry": JOB_RETRIES,
    }


def _stopping(training: Training, machines: Machines) -> State:
    """When a training is given up, and on which terms its machines are bought.

    Algorithms that do not checkpoint may wait for an hour at most, so the job says where its checkpoints go:
    https://docs.aws.amazon.com/sagemaker/latest/dg/model-managed-spot-training.html
    """
    limits = {"MaxRuntimeInSeconds": machines.seconds}
    if machines.spot_seconds is None:
        return {"StoppingCondition": limits}
    return {
        "EnableManagedSpotTraining": True,
        "StoppingCondition": {**limits, "MaxWaitTimeInSeconds": machines.spot_seconds},
        "CheckpointConfig": {"S3Uri.$": path(training, "checkpoints")},
    }


def _channels(training: Training) -> list[State]:
    """Of several instances each gets some of the training's files, and all of the validation's, so that all of them
    stop at once: https://docs.aws.amazon.com/sagemaker/latest/dg/xgboost.html (distributed training)."""
    shared = "ShardedByS3Key" if training.training.instance_count > 1 else "FullyReplicated"
    return [
        {
            "ChannelName": name,
            "ContentType": "text/csv",
            "InputMode": "File",
            "DataSource": {
                "S3DataSource": {
                    "S3DataType": "S3Prefix",
                    "S3Uri.$": path(training, f"features/{name}/"),
                    "S3DataDistributionType": distribution,
                }
            },
        }
        for name, distribution in (("train", shared), ("validation", "FullyReplicated"))
    ]


def definition(training: Training) -> State:
    """What a training job is, alone or as a trial of a tuning job, but for its hyperparameters.

    Inputs and outputs are SageMaker's to move; what runs on the data reaches nothing else, but for the other instances:
    https://docs.aws.amazon.com/sagemaker/latest/dg/mkt-algo-model-internet-free.html
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTrainingJob.html (EnableNetworkIsolation)
    """
    machines = training.training
    return {
        "RoleArn": training.names.role_arn(DELIVERY, "training"),
        "AlgorithmSpecification": {"TrainingImage": training.xgboost_image, "TrainingInputMode": "File"},
        "EnableNetworkIsolation": True,
        **({"EnableInterContainerTrafficEncryption": True} if machines.instance_count > 1 else {}),
        "InputDataConfig": _channels(training),
        "OutputDataConfig": {"S3OutputPath.$": path(training, "training"), "KmsKeyId": training.key_arn},
        "ResourceConfig": _resources(training, machines),
        **_stopping(training, machines),
    }


def train(training: Training) -> State:
    """The training job: features in, model out."""
    machines = training.training
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::sagemaker:createTrainingJob.sync",
        "Parameters": {
            "TrainingJobName.$": _job(training, "train"),
            "HyperParameters": dict(training.hyperparameters),
            **definition(training),
        },
        "ResultSelector": {"artifact.$": "$.ModelArtifacts.S3ModelArtifacts"},
        "ResultPath": "$.trained",
        "TimeoutSeconds": (machines.spot_seconds or machines.seconds) + 600,
        "Retry": JOB_RETRIES,
        "Catch": CATCH,
        "Next": "Compare",
    }


def evaluate(training: Training, champion: str = "") -> State:
    """The processing job that evaluates the model, and the champion whose artifact lies at `champion`, if any."""
    inputs = [
        _input("model", "$.trained.artifact", "model"),
        _input("test", path(training, "features/test/"), "test"),
        _input("baseline", path(training, "features/baseline/"), "baseline"),
        _input("code", "States.Format('{}/evaluate.py', $.code)", "code"),
        _input("analyzer", f"States.Format('{{}}/{ARCHIVE}', $.code)", "analyzer"),
    ]
    arguments = [*training.evaluation_arguments, "--baseline", "/opt/ml/processing/baseline"]
    if champion:
        inputs.append(_input("champion", champion, "champion"))
        inputs.append(_input("pairs", path(training, "features/champion/"), "pairs"))
        arguments += ["--champion", "/opt/ml/processing/champion", "--pairs", "/opt/ml/processing/pairs"]
    # At most 8 edges of 24 characters; AWS takes 256:
    # https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateProcessingJob.html
    environment = {"Environment": {"CHAMPION_EDGES.$": "$.champion.edges"}} if champion else {}
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
            # The code is the commit's, which nobody has approved yet: it gets data, and neither role nor network.
            "NetworkConfig": {"EnableNetworkIsolation": True},
            **environment,
            "ProcessingInputs": inputs,
            "ProcessingOutputConfig": _outputs(training, {"evaluation": "evaluation", "baseline": "reports"}),
        },
    )
    return {**state, "ResultPath": None, "Catch": CATCH, "Next": "Gate"}
