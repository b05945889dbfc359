"""What AWS refuses of a tuning job of built-in XGBoost, and what is not executed here.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateHyperParameterTuningJob.html and the pages of its
members; the algorithm's own table: https://docs.aws.amazon.com/sagemaker/latest/dg/xgboost-tuning.html
"""

from collections.abc import Mapping
from typing import Any

from rehearsal.cloud.containers.hyperparameters import CHECKS, MAXIMISED, METRICS, HyperparameterError
from rehearsal.cloud.services.sagemaker import state
from rehearsal.cloud.services.sagemaker.inputs import refuse

_WHOLE = frozenset({"num_round", "max_depth"})
_PARTS = frozenset(
    {"eta", "gamma", "min_child_weight", "subsample", "colsample_bytree", "colsample_bylevel", "colsample_bynode",
     "lambda", "alpha"}
)  # fmt: skip
_EXECUTED = ("Bayesian", "Random")


def check(params: Mapping[str, Any]) -> None:
    """Raises AwsError: a ValidationException, or 501."""
    config, definition = params["HyperParameterTuningJobConfig"], params.get("TrainingJobDefinition")
    refuse(params.get("WarmStartConfig"), "warm start of tuning jobs")
    refuse(params.get("TrainingJobDefinitions"), "several TrainingJobDefinitions")
    refuse(params.get("Autotune"), "Autotune")
    refuse(config["Strategy"] not in _EXECUTED, f"Strategy {config['Strategy']}")
    refuse(config.get("TuningJobCompletionCriteria"), "TuningJobCompletionCriteria")
    refuse(config.get("TrainingJobEarlyStoppingType", "Off") != "Off", "early stopping of trials")
    if definition is None:
        raise state.invalid("A tuning job must have a TrainingJobDefinition")
    for member in ("HyperParameterTuningResourceConfig", "HyperParameterRanges", "TuningObjective"):
        refuse(definition.get(member), f"{member} of a training job definition")
    refuse(definition.get("EnableManagedSpotTraining"), "managed spot training of trials")
    refuse(definition.get("CheckpointConfig"), "checkpoints of trials")
    if "ResourceConfig" not in definition:
        raise state.invalid("A TrainingJobDefinition must have a ResourceConfig")
    _limits(config["ResourceLimits"])
    _objective(config.get("HyperParameterTuningJobObjective"))
    _ranges(config.get("ParameterRanges") or {}, definition.get("StaticHyperParameters", {}))


def _limits(limits: Mapping[str, int]) -> None:
    refuse("MaxRuntimeInSeconds" in limits, "MaxRuntimeInSeconds of a tuning job")
    most, parallel = limits.get("MaxNumberOfTrainingJobs"), limits["MaxParallelTrainingJobs"]
    if most is None:
        raise state.invalid("ResourceLimits must have a MaxNumberOfTrainingJobs")
    if parallel > most:
        raise state.invalid(f"MaxParallelTrainingJobs {parallel} must not exceed MaxNumberOfTrainingJobs {most}")


def _objective(objective: Mapping[str, str] | None) -> None:
    if objective is None:
        raise state.invalid("HyperParameterTuningJobObjective is required")
    part, _, metric = objective["MetricName"].partition(":")
    if part != "validation" or metric not in METRICS:
        raise state.invalid(f"The objective metric {objective['MetricName']} is none of the algorithm's metrics")
    if (objective["Type"] == "Maximize") != (metric in MAXIMISED):
        raise state.invalid(f"The objective metric {objective['MetricName']} cannot be of type {objective['Type']}")


def _ranges(ranges: Mapping[str, Any], static: Mapping[str, str]) -> None:
    refuse(ranges.get("CategoricalParameterRanges"), "CategoricalParameterRanges")
    refuse(ranges.get("AutoParameters"), "AutoParameters")
    whole, parts = ranges.get("IntegerParameterRanges") or [], ranges.get("ContinuousParameterRanges") or []
    names = [each["Name"] for each in (*whole, *parts)]
    if not names:
        raise state.invalid("A tuning job needs at least one hyperparameter range")
    if len(set(names)) < len(names) or set(names) & static.keys():
        raise state.invalid(f"Hyperparameters {sorted(names)} must be given once, as a range or as a static value")
    for kind, found, known in (("integer", whole, _WHOLE), ("continuous", parts, _PARTS)):
        for each in found:
            if each["Name"] not in known:
                raise state.invalid(f"The hyperparameter {each['Name']} is not tunable as {kind} of this algorithm")
            refuse(each.get("ScalingType", "Auto") not in ("Auto", "Linear"), f"ScalingType {each.get('ScalingType')}")
            _ends(each)
    if "num_round" not in (*names, *static):
        raise state.invalid("The required hyperparameter num_round is missing")


def _ends(given: Mapping[str, str]) -> None:
    name, low, high = given["Name"], given["MinValue"], given["MaxValue"]
    try:
        for end in (low, high):
            CHECKS[name](name, end)
    except HyperparameterError as error:
        raise state.invalid(f"The range of {name} is not the algorithm's: {error}") from None
    if not float(low) < float(high):
        raise state.invalid(f"The range of {name} must have a MinValue {low} below its MaxValue {high}")
