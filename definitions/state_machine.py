"""The training workflow in Amazon States Language (JSONPath).

Input: `{"run", "reason", "commit", "code", "data": {"key", "version"}}` (docs/architecture.md).
"""

from collections.abc import Mapping
from typing import Any

from contracts.names import DELIVERY
from definitions.jobs import evaluate, features, train
from definitions.states import CATCH, SQL, State, Training, path, then
from definitions.tuning import states as tuned

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
_ANSWERS = {
    "validate": ("uri", "version", "plan"),
    "champion": ("package", "artifact", "problem", "release", "sha256", "split", "edges"),
    "gate": ("passed", "reason", "metrics", "champion", "distribution", "pair"),
    "register": ("package",),
    "manifest": ("manifest", "sha256", "id", "summary"),
}


def state_machine(training: Training) -> State:
    """The whole workflow."""
    return {
        "Comment": "Validate data, find the champion, make features, train, evaluate, gate, register, manifest",
        "StartAt": "Validate",
        "States": {
            # The whole input, so that it can be checked as a whole.
            "Validate": _function(training, "validate", {"input.$": "$"}, "$.data", "Champion"),
            "Champion": _function(training, "champion", {"run.$": "$.run"}, "$.champion", "Features"),
            "Features": features(training),
            **(tuned(training, training.tuning) if training.tuning else {"Train": train(training)}),
            "Compare": {
                "Type": "Choice",
                "Choices": [
                    {"Variable": "$.champion.artifact", "IsString": True, "Next": "EvaluateBoth"},
                ],
                "Default": "Evaluate",
            },
            "Evaluate": evaluate(training),
            "EvaluateBoth": evaluate(training, "$.champion.artifact"),
            "Gate": _function(
                training,
                "gate",
                {
                    "run.$": "$.run",
                    "reason.$": "$.reason",
                    "evaluation.$": path(training, "evaluation/evaluation.json"),
                    "champion.$": "$.champion",
                    "data.$": "$.data",
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
                        "evaluation.$": path(training, "evaluation/evaluation.json"),
                        "features.$": path(training, "features"),
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
                        "golden.$": path(training, "evaluation/golden.json"),
                        "sql.$": SQL,
                        "features.$": path(training, "features"),
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
    causes = {"errorMessage": "FunctionFailed", "FailureReason": "JobFailed", "ErrorMessage": "FeaturesFailed"}
    fails: dict[str, State] = {
        name: {"Type": "Fail", "Error": name, "CausePath": f"$.reported.{member}"} for member, name in causes.items()
    }
    # What a function raises has a name that says more than that it failed.
    fails["FunctionFailed"] = {"Type": "Fail", "ErrorPath": "$.error.Error", "CausePath": "$.reported.errorMessage"}
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
                "reported.$": "States.StringToJson($.error.Cause)",
            },
            "Next": "WhatWasTold",
        },
        "WhatWasTold": {
            "Type": "Choice",
            "Choices": [
                {
                    # A comparison with what is not there ends the workflow by itself.
                    "And": [
                        {"Variable": f"$.reported.{member}", "IsPresent": True},
                        {"Variable": f"$.reported.{member}", "IsString": True},
                    ],
                    "Next": name,
                }
                for member, name in causes.items()
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
        "Catch": CATCH,
        **then(following),
    }


def _registration(training: Training, more: Mapping[str, Any]) -> State:
    return {
        "run.$": "$.run",
        "reason.$": "$.reason",
        "commit.$": "$.commit",
        "artifact.$": "$.trained.artifact",
        "image": training.xgboost_image,
        "baseline": {
            "statistics.$": path(training, "baseline/statistics.json"),
            "constraints.$": path(training, "baseline/constraints.json"),
        },
        "data.$": "$.data",
        "gate.$": "$.gate",
        **more,
    }
