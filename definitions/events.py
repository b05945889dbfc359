"""Patterns of rules: a branch moves, a model is approved or not, drift crosses to the tooling account by its bus."""

from typing import Any

from contracts.monitoring import DETAIL_TYPE, SOURCE, drift_alarms
from contracts.names import Names
from definitions.roles.statements import Document, document

Pattern = dict[str, Any]


def moved(repository_arn: str, branch: str) -> Pattern:
    """A branch of a CodeCommit repository has a new commit.

    https://docs.aws.amazon.com/codecommit/latest/userguide/monitoring-events.html (referenceCreated, referenceUpdated)
    """
    return {
        "source": ["aws.codecommit"],
        "detail-type": ["CodeCommit Repository State Change"],
        "resources": [repository_arn],
        "detail": {
            "event": ["referenceCreated", "referenceUpdated"],
            "referenceType": ["branch"],
            "referenceName": [branch],
        },
    }


def outcome_pattern(names: Names, deployment: str) -> Pattern:
    """What becomes of a run's model: its approval fails, or the action ends that brings it to production.

    An approval fails where a person rejects it and where nobody answers in time.
    https://docs.aws.amazon.com/codepipeline/latest/userguide/detect-state-changes-cloudwatch-events.html
    """
    return {
        "source": ["aws.codepipeline"],
        "detail-type": ["CodePipeline Action Execution State Change"],
        "detail": {
            "pipeline": [names.name],
            "$or": [
                {"type": {"category": ["Approval"]}, "state": ["FAILED"]},
                {"action": [deployment], "state": ["FAILED", "SUCCEEDED"]},
            ],
        },
    }


def alarm_pattern(names: Names, env: str) -> Pattern:
    """A drift alarm of the environment goes off. It speaks once, when its state changes."""
    return {
        "source": ["aws.cloudwatch"],
        "account": [names.accounts[env]],
        "detail-type": ["CloudWatch Alarm State Change"],
        "detail": {"alarmName": [{"prefix": drift_alarms(names.stack(env))}], "state": {"value": ["ALARM"]}},
    }


def lasting_pattern(names: Names, env: str) -> Pattern:
    """The monitor found drift again. It speaks after each analysis, for as long as drift lasts."""
    return {
        "source": [SOURCE],
        "account": [names.accounts[env]],
        "detail-type": [DETAIL_TYPE],
        "detail": {"env": [env]},
    }


def arriving_pattern(names: Names, env: str) -> Pattern:
    """Either of them, where it arrives: events keep the account that they are from."""
    found = [alarm_pattern(names, env), lasting_pattern(names, env)]
    alternatives = [{key: value for key, value in pattern.items() if key != "account"} for pattern in found]
    return {"account": [names.accounts[env]], "$or": alternatives}


def announcing_rules(names: Names, env: str) -> dict[str, Pattern]:
    """The rules on an environment's default bus: name → pattern."""
    prefix = f"{names.stack(env)}-drift"
    return {f"{prefix}-alarm": alarm_pattern(names, env), f"{prefix}-lasting": lasting_pattern(names, env)}


def bus_policy(names: Names) -> Document:
    """Exactly the environments' accounts may put events on the bus, and of each exactly its rules for drift.

    As in eb-event-bus-example-policy-restrict-rule of EventBridge's guide. A rule's role can be assumed for those
    rules alone, so it needs no condition of its own here; and who calls PutEvents by hand has no rule to show.
    """
    environments = names.environments
    rules = [names.arn("events", f"rule/{rule}", env) for env in environments for rule in announcing_rules(names, env)]
    return document(
        {
            "Sid": "EnvironmentsAnnounce",
            "Effect": "Allow",
            "Principal": {"AWS": sorted({names.root(env) for env in environments})},
            "Action": "events:PutEvents",
            "Resource": names.retrain_bus_arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": rules}},
        }
    )
