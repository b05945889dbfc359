"""The state machine that has a shift judged: the alias is read, the judge looks, and ten seconds later again.

It goes on where the build that began the shift has died. Input: `contracts.judging.Shift`.
"""

from typing import Any

SECONDS = 50 * 3600
"""CodeDeploy ends a deployment after 50 hours, and a build after 36: nothing is judged longer."""
LOOKS = 1_700
"""An execution's history holds 25,000 events, and a look takes 14 of them (two tasks with five, two other states with
two): https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html"""
LEAST_SECONDS = 10


def every(minutes: float) -> int:
    """Seconds between two looks at a deployment that may last so many minutes."""
    return max(LEAST_SECONDS, -int(-minutes * 60 // LOOKS))


def state_machine(function: str, alias: str, judge_arn: str) -> dict[str, Any]:
    """In Amazon States Language (JSONPath). A look that fails is made again with the next one."""
    failed = [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Wait"}]
    return {
        "Comment": "Read the alias and have the judge look, until there is nothing more to look at",
        "StartAt": "Begin",
        "TimeoutSeconds": SECONDS,
        "States": {
            "Begin": {"Type": "Pass", "Parameters": {"shift.$": "$"}, "Next": "Read"},
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
                    "Payload": {"shift.$": "$.shift", "alias.$": "$.alias", "now.$": "$$.State.EnteredTime"},
                },
                "ResultSelector": {"done.$": "$.Payload.done"},
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
            "Wait": {"Type": "Wait", "SecondsPath": "$.shift.every", "Next": "Read"},
            "End": {"Type": "Succeed"},
        },
    }
