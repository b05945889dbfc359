"""Entry point of the hook after traffic: `functions.after_traffic.handler.handle`.

| environment variable | meaning |
|---|---|
| `FUNCTION_NAME`  | name of the predict function |
| `GOLDEN_URI`     | `s3://…/golden.json` of the release |
| `GOLDEN_SHA256`  | SHA-256 that the manifest vouches for; none for releases from before that |
| `ENDPOINT_NAME`  | endpoint of the release |
| `CAPTURE_BUCKET` | bucket of the data capture |
| `CAPTURE_PREFIX` | prefix in it (`capture`) |
| `RELEASE_ID`     | id of the release |
| `VARIANT`        | optional: the release's own variant; only what that captured counts |
| `OTHER_VARIANTS` | optional: JSON list of `{"variant", "release", "golden", "sha256"}`, looked for in the same way |
| `CAPTURE_PERCENTAGE` | optional, default 100: below that, one captured golden request is enough |
| `WAIT_SECONDS`   | optional, default 600: how long to wait for the capture; bounded by the function's own timeout |
| `ON_INCONCLUSIVE`, `ON_SILENCE` | where shifts are judged: what follows from no clear verdict (`verdict.Policy`) |
| `VERDICT_SECONDS`, `KEY_ARN` | where shifts are judged: how long to wait for the verdict; key of the capture bucket |

Event: CodeDeploy's `{"DeploymentId", "LifecycleEventHookExecutionId"}`. Calls `codedeploy:GetDeployment`,
`codedeploy:PutLifecycleEventHookExecutionStatus`, `s3:ListBucket` and `s3:GetObject`, `s3:PutObject` for a question.
"""

from __future__ import annotations

import os
import time
from typing import Any

import boto3

from functions.after_traffic.check import check_golden
from functions.after_traffic.verdict import ask, await_verdict, follow, read_policy
from functions.shared.capture import CaptureSearch
from functions.shared.golden import read_golden
from functions.shared.hook import Deployment, read_deployment, report
from functions.shared.variants import Subject, subjects

# What must remain of the function's time to report that the capture did not come.
_RESERVE_SECONDS = 10


def handle(event: dict[str, str], context: Any) -> dict[str, str]:
    """Lambda's entry point."""
    codedeploy = boto3.client("codedeploy")

    def check(deployment_id: str) -> str:
        s3 = boto3.client("s3")
        environment = os.environ
        deployment = read_deployment(codedeploy, deployment_id, environment["FUNCTION_NAME"])
        percentage = int(environment.get("CAPTURE_PERCENTAGE", "100"))

        def left() -> float:
            return float(context.get_remaining_time_in_millis()) / 1000 - _RESERVE_SECONDS

        def found(subject: Subject) -> str:
            golden = read_golden(s3, subject.golden_uri, subject.golden_sha256)
            search = CaptureSearch(
                s3,
                environment["CAPTURE_BUCKET"],
                environment["CAPTURE_PREFIX"],
                environment["ENDPOINT_NAME"],
                deployment.created,
                # A shadow captures a copy of every request, with an answer of its own.
                subject.variant,
            )
            wait = min(float(environment.get("WAIT_SECONDS", "600")), left())
            return check_golden(search, golden, subject.scope(deployment.id), wait, percentage, time.sleep)

        captured = " ".join(map(found, subjects(environment)))
        return f"{captured} {verdict(deployment, left())}".rstrip()

    def verdict(deployment: Deployment, seconds: float) -> str:
        if "ON_INCONCLUSIVE" not in os.environ or deployment.returning or not deployment.stepwise:
            return ""
        s3, bucket, key = boto3.client("s3"), os.environ["CAPTURE_BUCKET"], os.environ["KEY_ARN"]
        wait = min(float(os.environ["VERDICT_SECONDS"]), seconds)
        outcome, sentence = await_verdict(s3, bucket, deployment.id, wait, time.sleep)
        hook = event["LifecycleEventHookExecutionId"]
        return follow(
            outcome, sentence, read_policy(os.environ), lambda text: ask(s3, bucket, key, deployment.id, hook, text)
        )

    return report(codedeploy, event, check)
