"""The tuning job in place of the training job: trials, of which the best one's model goes on."""

import math

from contracts.tuning import WHOLE
from definitions.jobs import JOB_RETRIES, definition
from definitions.states import CATCH, State, Training, Tuning, path

_SEED = 0
"""With the same one, AWS tries more alike for the same data, and at random the same:
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_HyperParameterTuningJobConfig.html (RandomSeed)"""


def states(training: Training, tuning: Tuning) -> dict[str, State]:
    """`Train` and what makes its answer that of a training job."""
    return {"Train": _tune(training, tuning), "BestTrial": _best(training)}


def _tune(training: Training, tuning: Tuning) -> State:
    rounds = math.ceil(tuning.trials / tuning.parallel)
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::sagemaker:createHyperParameterTuningJob.sync",
        "Parameters": {
            # At most 32 characters, of which a project's name has 20: the first eight of the run's id.
            "HyperParameterTuningJobName.$": (
                f"States.Format('{training.names.name}-{{}}', States.ArrayGetItem(States.StringSplit($.run, '-'), 0))"
            ),
            "HyperParameterTuningJobConfig": {
                "Strategy": tuning.strategy.capitalize(),
                "HyperParameterTuningJobObjective": {
                    "Type": tuning.direction,
                    "MetricName": f"validation:{tuning.metric}",
                },
                "ResourceLimits": {
                    "MaxNumberOfTrainingJobs": tuning.trials,
                    "MaxParallelTrainingJobs": tuning.parallel,
                },
                "ParameterRanges": _ranges(tuning),
                "TrainingJobEarlyStoppingType": "Off",
                "RandomSeed": _SEED,
            },
            "TrainingJobDefinition": {
                "StaticHyperParameters": {
                    name: value for name, value in training.hyperparameters.items() if name not in tuning.ranges
                },
                **definition(training),
            },
        },
        "ResultSelector": {"job.$": "$.BestTrainingJob.TrainingJobName"},
        "ResultPath": "$.tuned",
        # What a trial needs beside its training, above all for its machines to start, is none of MaxRuntimeInSeconds.
        "TimeoutSeconds": rounds * (training.training.seconds + 600),
        "Retry": JOB_RETRIES,
        "Catch": CATCH,
        "Next": "BestTrial",
    }


def _ranges(tuning: Tuning) -> State:
    found: State = {"IntegerParameterRanges": [], "ContinuousParameterRanges": []}
    for name, (low, high) in tuning.ranges.items():
        kind = "IntegerParameterRanges" if name in WHOLE else "ContinuousParameterRanges"
        found[kind].append({"Name": name, "MinValue": low, "MaxValue": high, "ScalingType": "Auto"})
    return found


def _best(training: Training) -> State:
    """Where the best trial's artifact lies: a tuning job names its best trial, and not what that made.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_OutputDataConfig.html
    """
    artifact = path(training, "training/{}/output/model.tar.gz").removesuffix(")")
    return {
        "Type": "Pass",
        "Parameters": {"artifact.$": f"{artifact}, $.tuned.job)"},
        "ResultPath": "$.trained",
        "Next": "Compare",
    }
