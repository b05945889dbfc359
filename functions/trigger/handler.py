"""Entry point of the trigger: `functions.trigger.handler.handle`.

| environment variable | meaning |
|---|---|
| `PIPELINE_NAME` | pipeline to start |
| `DATA_PREFIX`   | optional, default `datasets/`: a new `.csv` or `.csv.gz` below it starts a run with that version |
| `SOURCE_KEY`    | key of the source archive; leave out where the source is a repository |
| `SOURCE_ACTION` | optional, default `Source`: name of the pipeline's source action |

Event: EventBridge's S3 `Object Created`, or CodeCommit's state change of a branch.
Answer: `{"execution": <id>}`, or `{"ignored": <key>}`.
"""

from __future__ import annotations

import os
from typing import Any

import boto3

from functions.shared.log import log
from functions.trigger.start import commit_request, start_request


def handle(event: dict[str, Any], _context: Any) -> dict[str, str]:
    """Lambda's entry point."""
    detail = event["detail"]
    if event.get("source") == "aws.codecommit":
        return _start(commit_request(detail, os.environ), detail["commitId"])
    key = detail["object"]["key"]
    request = start_request(detail, os.environ)
    if request is None:
        log("INFO", "nothing to start", key=key)
        return {"ignored": key}
    return _start(request, key)


def _start(request: dict[str, Any], key: str) -> dict[str, str]:
    execution = boto3.client("codepipeline").start_pipeline_execution(**request)["pipelineExecutionId"]
    log("INFO", "started", key=key, execution=execution)
    return {"execution": execution}
