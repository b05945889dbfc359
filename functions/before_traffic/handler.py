"""Entry point of the hook before traffic: `functions.before_traffic.handler.handle`.

| environment variable | meaning |
|---|---|
| `FUNCTION_NAME` | name of the predict function |
| `GOLDEN_URI`    | `s3://…/golden.json` of the release |
| `GOLDEN_SHA256` | SHA-256 that the manifest vouches for; none for releases from before that |
| `RELEASE_ID`    | id of the release that must answer |
| `VARIANT`       | optional: the release's own variant, which the records are sent to |
| `OTHER_VARIANTS` | optional: JSON list of `{"variant", "release", "golden", "sha256"}`, proven in the same way |
| `MANIFEST_URI`, `MANIFEST_SHA256` | the release's manifest: its features, and the pair that the evaluation measured |
| `CAPTURE_BUCKET`, `CAPTURE_PREFIX` | where callers' requests of the serving release are captured |
| `REPLAY`        | how many of them are replayed, and within which bounds (`callers.read_limits`) |
| `JUDGE_ARN`     | optional: the state machine that has the shift judged |
| `JUDGE_SECONDS`, `BAKE_SECONDS` | with it: seconds between two looks, while traffic moves and afterwards |
| `BAKE_MINUTES`  | with it: how long it looks at full traffic |

First the golden records, then callers' requests: what fails on the former needs no callers to be found. At the end the
judge of the shift is started.

Event: CodeDeploy's `{"DeploymentId", "LifecycleEventHookExecutionId"}`. Calls `codedeploy:GetDeployment`,
`codedeploy:PutLifecycleEventHookExecutionStatus`, `lambda:InvokeFunction` and `lambda:GetFunctionConfiguration` (on
versions), `s3:GetObject`, `s3:ListBucket`, `states:StartExecution`.
"""

from __future__ import annotations

import os
import time
from typing import Any

import boto3
from botocore.config import Config

from contracts.release import parse_release
from functions.before_traffic.callers import Clients, Time, read_limits, replay_callers
from functions.before_traffic.judged import start_judge
from functions.before_traffic.replay import replay
from functions.before_traffic.serving import read_serving
from functions.shared.golden import read_golden
from functions.shared.hook import read_deployment, report
from functions.shared.store import read_verified
from functions.shared.variants import subjects

# The function that is asked has 29 seconds; no answer after that means none will come.
_READ_SECONDS, _ATTEMPTS = 35, 2
_CLIENT_CONFIG = Config(read_timeout=_READ_SECONDS, retries={"mode": "standard", "total_max_attempts": _ATTEMPTS})
# What must remain of the hook's time when a record is sent: its slowest answer, and the report.
_RESERVE_SECONDS = _READ_SECONDS * _ATTEMPTS + 20


def handle(event: dict[str, str], context: Any) -> dict[str, str]:
    """Lambda's entry point."""
    codedeploy = boto3.client("codedeploy")

    def left() -> float:
        return float(context.get_remaining_time_in_millis()) / 1000 - _RESERVE_SECONDS

    def check(deployment_id: str) -> str:
        function_name = os.environ["FUNCTION_NAME"]
        deployment = read_deployment(codedeploy, deployment_id, function_name)
        s3, client = boto3.client("s3"), boto3.client("lambda", config=_CLIENT_CONFIG)
        golden = [
            replay(client, function_name, deployment, golden, subject, left)
            for subject in subjects(os.environ)
            for golden in (read_golden(s3, subject.golden_uri, subject.golden_sha256),)
        ]
        bucket, prefix = os.environ["CAPTURE_BUCKET"], os.environ["CAPTURE_PREFIX"]
        clients = Clients(client, s3, function_name, bucket, prefix, os.environ.get("VARIANT"))
        manifest = read_verified(s3, os.environ["MANIFEST_URI"], os.environ["MANIFEST_SHA256"], "the deployment")
        serving = read_serving(client, function_name, deployment.current)
        limits = read_limits(os.environ["REPLAY"])
        clock = Time(time.monotonic, left)
        release = parse_release(manifest)
        callers = replay_callers(clients, deployment, release, serving, limits, clock)
        judge = start_judge(boto3.client("stepfunctions"), os.environ, deployment, release, serving)
        return " ".join(filter(None, [*golden, callers, judge]))

    return report(codedeploy, event, check)
