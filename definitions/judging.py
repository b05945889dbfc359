"""The state machine that has a shift judged: the alias is read, the judge looks, and ten seconds later again.

It goes on where the build that began the shift has died. Input: `contracts.judging.Shift`.
"""

from typing import Any

SECONDS = 50 * 3600
"""CodeDeploy ends a deployment after 50 hours, and a build after 36: nothing is judged longer."""
SHIFT_LOOKS, BAKE_LOOKS = 1_200, 400
"""An execution's history holds 25,000 events, and a look takes 14 of them (two tasks with five, two other states with
two): https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html"""
LEAST_SECONDS = 10
_AROUND_MINUTES = 80
"""Beside its steps: both hooks (30), the time in which a person is asked (40), and some to spare."""


def every(steps_minutes: float) -> int:
    """Seconds between two looks while traffic moves, of a shift whose steps last so many minutes in all."""
    return max(LEAST_SECONDS, -int(-(steps_minutes + _AROUND_MINUTES) * 60 // SHIFT_LOOKS))


def bake_every(minutes: float) -> int:
    """Seconds between two looks at full traffic."""
    return max(LEAST_SECONDS, -int(-minutes * 60 // BAKE_LOOKS))


def state_machine(function: str, alias: str, judge_arn: str) -> dict[str, Any]:
    """In Amazon States Language (JSONPath). A look that fails is made again with the next one."""
    failed = [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Wait"}]
    return {
        "Comment": "Read the alias and have the judge look, until there is nothing more to look at",
        "StartAt": "Begin",
        "TimeoutSeconds": SECONDS,
        "States": {
            "Begin": {
                "Type": "Pass",
                "Parameters": {"shift.$": "$", "look": {"done": False, "wait.$": "$.every"}},
                "Next": "Read",
            },
            # By the service itself, so that nothing comes between the answer and the moment that is put down for it.
            "Read": {
                "Type": "Task",
                "Resource": "arn:aws:states:::aws-sdk:lambda:getAlias",
                "Parameters": {"FunctionName": function, "Name": alias},
                "ResultPath": "$.alias",
                "TimeoutSeconds": 60,
                "Catch": failed,
                "Next": "Look",
            },
            "Look": {
                "Type": "Task",
                "Resource": "arn:aws:states:::lambda:invoke",
                "Parameters": {
                    "FunctionName": judge_arn,
                    "Payload": {
                        "shift.$": "$.shift",
                        "alias.$": "$.alias",
                        "began.$": "$$.Execution.StartTime",
                        "now.$": "$$.State.EnteredTime",
                    },
                },
                "ResultSelector": {"done.$": "$.Payload.done", "wait.$": "$.Payload.wait"},
                "ResultPath": "$.look",
                "TimeoutSeconds": 90,
                "Catch": failed,
                "Next": "Done",
            },
            "Done": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.look.done", "BooleanEquals": True, "Next": "End"}],
                "Default": "Wait",
            },
            "Wait": {"Type": "Wait", "SecondsPath": "$.look.wait", "Next": "Read"},
            "End": {"Type": "Succeed"},
        },
    }
