"""A hook after traffic that only waits for the verdict: what was captured needs an endpoint.

Of the environment variables of `functions.after_traffic.handler` it reads `CAPTURE_BUCKET`, `WAIT_SECONDS`,
`ON_INCONCLUSIVE` and `ON_SILENCE`.
"""

from __future__ import annotations

import os
import time
from typing import Any

import boto3

from functions.after_traffic.verdict import await_verdict, follow, read_policy
from functions.shared.hook import report

_LOOK_SECONDS = 0.5
"""Between two looks for the verdict: the real hook's five would be minutes of a clock that runs so fast."""


def handle(event: dict[str, str], _context: Any) -> dict[str, str]:
    """Lambda's entry point."""

    def check(deployment_id: str) -> str:
        s3, environment = boto3.client("s3"), os.environ
        bucket, seconds = environment["CAPTURE_BUCKET"], float(environment["WAIT_SECONDS"])
        said = await_verdict(s3, bucket, deployment_id, seconds, lambda _: time.sleep(_LOOK_SECONDS))
        return follow(*said, read_policy(environment), _ask)

    return report(boto3.client("codedeploy"), event, check)


def _ask(sentence: str) -> None:
    raise NotImplementedError(f"nobody is asked on this road: {sentence}")
