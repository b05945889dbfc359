"""Entry point of the trigger: `functions.trigger.handler.handle`.

| environment variable | meaning |
|---|---|
| `PIPELINE_NAME` | pipeline to start |
| `DATA_PREFIX`   | optional, default `datasets/`: what starts a run below it, and what waits: contracts/datasets.py |
| `SOURCE_KEY`    | key of the source archive; leave out where the source is a repository |
| `TOPIC_ARN`     | topic where people are told of a file that is of no kind that is read, or waits for its set |
| `ARTIFACTS_BUCKET` | bucket where it is written down what they were told |
| `SOURCE_ACTION` | optional, default `Source`: name of the pipeline's source action |

Event: EventBridge's S3 `Object Created`, or CodeCommit's state change of a branch.
Answer: `{"execution": <id>}`, or `{"ignored": <key>}`, with `{"told": <sentence>}` where people were told.
"""

from __future__ import annotations

import os
from typing import Any

import boto3

from functions.shared.log import log
from functions.trigger.notice import notice, tell
from functions.trigger.start import commit_request, start_request


def handle(event: dict[str, Any], _context: Any) -> dict[str, str]:
    """Lambda's entry point."""
    detail = event["detail"]
    if event.get("source") == "aws.codecommit":
        return _start(commit_request(detail, os.environ), detail["commitId"])
    key = detail["object"]["key"]
    request = start_request(detail, os.environ)
    if request is None:
        return _ignore(detail, key)
    return _start(request, key)


def _ignore(detail: dict[str, Any], key: str) -> dict[str, str]:
    s3 = boto3.client("s3")
    words = notice(s3, detail, os.environ.get("DATA_PREFIX", "datasets/"))
    told = bool(words) and tell(s3, boto3.client("sns"), words, detail, os.environ)
    log("WARNING" if words else "INFO", "nothing to start", key=key, reason=words)
    return {"ignored": key, **({"told": words} if told else {})}


def _start(request: dict[str, Any], key: str) -> dict[str, str]:
    execution = boto3.client("codepipeline").start_pipeline_execution(**request)["pipelineExecutionId"]
    log("INFO", "started", key=key, execution=execution)
    return {"execution": execution}
