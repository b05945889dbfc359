"""A hook before traffic that only starts the judge: golden records and replay need an endpoint.

Of the environment variables of `functions.before_traffic.handler` it reads `FUNCTION_NAME`, `MANIFEST_URI`,
`MANIFEST_SHA256`, `JUDGE_ARN`, `JUDGE_SECONDS`, `BAKE_SECONDS` and `BAKE_MINUTES`.
"""

from __future__ import annotations

import os
from typing import Any

import boto3

from contracts.release import parse_release
from functions.before_traffic.judged import start_judge
from functions.before_traffic.serving import read_serving
from functions.shared.hook import read_deployment, report
from functions.shared.store import read_verified


def handle(event: dict[str, str], _context: Any) -> dict[str, str]:
    """Lambda's entry point."""
    codedeploy, environment = boto3.client("codedeploy"), os.environ

    def check(deployment_id: str) -> str:
        name = environment["FUNCTION_NAME"]
        deployment = read_deployment(codedeploy, deployment_id, name)
        uri, sha256 = environment["MANIFEST_URI"], environment["MANIFEST_SHA256"]
        release = parse_release(read_verified(boto3.client("s3"), uri, sha256, "the deployment"))
        serving = read_serving(boto3.client("lambda"), name, deployment.current)
        return start_judge(boto3.client("stepfunctions"), environment, deployment, release, serving)

    return report(codedeploy, event, check)
