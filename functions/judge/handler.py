"""Entry point of the judge of a shift: `functions.judge.handler.handle`.

| environment variable | meaning |
|---|---|
| `FUNCTION_NAME`, `ALIAS` | the predict function, and what callers reach |
| `SERVICE`, `METRIC_NAMESPACE` | whose metrics are read, and where `Evidence` is published |
| `CAPTURE_BUCKET`, `KEY_ARN` | where the record is kept |
| `APPLICATION`, `GROUP` | CodeDeploy's, for the return of a release that fails its bake |
| `BAKE_MINUTES` | how long a release is judged at full traffic; 0: not |
| `ON_SILENCE`     | `accept` or `return`: what follows where a person who was asked says nothing |

Event: from the state machine that the hook before traffic starts (`definitions/judging.py`), every ten seconds:
`{"shift", "alias", "began", "now"}`, the first as `contracts.judging.read_shift` reads it, `alias` as Lambda's GetAlias
answers, `now` the moment of that answer, `began` that of the execution's start. Answer: `{"done": bool, "wait": s}`.

Calls `codedeploy:GetDeployment`, `cloudwatch:GetMetricData`, `cloudwatch:PutMetricData`, `s3:ListBucket`,
`s3:GetObject` and `s3:PutObject` (its records, and the manifest at the first look); `sagemaker:DescribeEndpoint` and
`codedeploy:CreateDeployment` where a bake fails, `codedeploy:PutLifecycleEventHookExecutionStatus` where a question has
had no answer.
"""

from __future__ import annotations

import os
from datetime import datetime
from typing import Any

import boto3

from contracts.judging import read_shift
from functions.judge.clients import Clients
from functions.judge.judging import judge

_CLIENTS = Clients.of(boto3, os.environ)


def handle(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """The state machine's entry point."""
    began, now = (datetime.fromisoformat(event[name]).timestamp() for name in ("began", "now"))
    return judge(_CLIENTS, read_shift(event["shift"]), event["alias"], began, now)._asdict()
