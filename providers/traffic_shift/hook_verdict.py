"""Why a traffic hook refused: CodeDeploy only hears that it did, the reason stands in the hook's log."""

import json
import time
from typing import Any

# Log lines can be searched a little after they were written.
_PATIENCE_SECONDS = 10.0


def verdict(logs: Any, function: str, deployment: str) -> str:
    """The hook's reason against this deployment; empty where its log holds none, as when it could not start.

    `logs` is a boto3 CloudWatch Logs client, `function` the hook's name.
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        found = _reason(logs, function, deployment)
        if found or time.monotonic() > deadline:
            return found
        time.sleep(1)


def _reason(logs: Any, function: str, deployment: str) -> str:
    from botocore.exceptions import ClientError

    request = {"logGroupName": f"/aws/lambda/{function}", "filterPattern": f'"{deployment}"'}
    try:
        while True:
            page = logs.filter_log_events(**request)
            reasons = (_of_line(event["message"], deployment) for event in page["events"])
            found = next(filter(None, reasons), "")
            if found or "nextToken" not in page:
                return found
            request["nextToken"] = page["nextToken"]
    except ClientError:
        # What CodeDeploy says must be reported even where the log cannot be read.
        return ""


def _of_line(text: str, deployment: str) -> str:
    try:
        line = json.loads(text)
    except ValueError:
        return ""
    if not isinstance(line, dict) or line.get("deployment") != deployment or line.get("level") != "ERROR":
        return ""
    return str(line.get("message") or "")
