"""Entry point of the outcome: `functions.outcome.handler.handle`.

| environment variable | meaning |
|---|---|
| `PACKAGE_GROUP` | model package group |
| `DEPLOYMENT`    | the pipeline's action that deploys to production |
| `POINTER`       | parameter in production's account that records the release it serves |
| `POINTER_ROLE`  | ARN of the role there that may read it |

Event: EventBridge's `CodePipeline Action Execution State Change`, of the approval or of that action.
Answer: `{"package": <ARN>, "status": "Approved" | "Rejected"}`, or `{"ignored": <why>}`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

import boto3

from contracts.packages import decided_after, decision
from functions.outcome.decide import Outcome, outcome
from functions.shared.log import log
from functions.shared.registry import package_of_run
from functions.shared.serving import is_of_run, look_up


def handle(event: dict[str, Any], _context: Any) -> dict[str, str]:
    """Lambda's entry point."""
    environment = os.environ

    def serves(run: str) -> bool:
        return is_of_run(look_up(environment, run), run)

    return keep(boto3.client("sagemaker"), event, environment, serves)


def keep(
    sagemaker: Any, event: Mapping[str, Any], environment: Mapping[str, str], serves: Callable[[str], bool]
) -> dict[str, str]:
    """Write down what became of the run's model; `serves` tells whether production has recorded a run's release."""
    found = outcome(event, environment["DEPLOYMENT"], serves)
    if found is None:
        return _ignored("it decides nothing", event["detail"]["execution-id"])
    package = package_of_run(sagemaker, environment["PACKAGE_GROUP"], found.run)
    if package is None:
        return _ignored("the run has registered no model", found.run)
    return _write(sagemaker, package, found)


def _write(sagemaker: Any, package: Mapping[str, Any], found: Outcome) -> dict[str, str]:
    if decided_after(package, found.at):
        return _ignored("something later was written down already", found.run)
    sagemaker.update_model_package(**decision(package, found.status, found.why, found.at))
    arn = package["ModelPackageArn"]
    log("INFO", found.why, run=found.run, package=arn, status=found.status)
    return {"package": arn, "status": found.status}


def _ignored(why: str, run: str) -> dict[str, str]:
    log("INFO", f"nothing written down: {why}", run=run)
    return {"ignored": why}
