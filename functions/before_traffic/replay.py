"""Replaying golden records through one version of the predict function."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from functions.shared.golden import Golden, Record, check_answer, inference_ids
from functions.shared.hook import Deployment, HookError
from functions.shared.variants import VARIANT_HEADER, Subject


def replay(
    client: Any,
    function_name: str,
    deployment: Deployment,
    golden: Golden,
    subject: Subject,
    left: Callable[[], float],
) -> str:
    """Send every record; the sentence that says all went well. Raises HookError naming the first failures.

    `client` is a boto3 Lambda client; `left` says for how many seconds another record may still be sent: a hook that
    is cut off reports nothing, and CodeDeploy would wait for an hour.
    """
    problems: list[str] = []
    ids = inference_ids(golden, subject.scope(deployment.id))
    for index, record in enumerate(golden.records):
        if left() <= 0:
            failed = f", {len(problems)} of them failed" if problems else ""
            raise HookError(
                f"Version {deployment.version}{_place(subject)} is too slow: time ran out after {index} of"
                f" {len(golden.records)} golden records{failed}."
            )
        event = proxy_event(record, ids[index], subject.variant)
        answer = client.invoke(
            FunctionName=function_name, Qualifier=deployment.version, Payload=json.dumps(event).encode()
        )
        problem = _problem(answer, golden, record, subject.release)
        if problem:
            problems.append(f"record {index}: {problem}")
    if problems:
        raise HookError(
            f"{len(problems)} of {len(golden.records)} golden records failed on version {deployment.version}"
            f"{_place(subject)}: " + "; ".join(problems[:3])
        )
    return (
        f"Version {deployment.version} answered all {len(golden.records)} golden records of release"
        f" {subject.release}{_place(subject)}."
    )


def _place(subject: Subject) -> str:
    return f" in variant {subject.variant}" if subject.suffix else ""


def proxy_event(record: Record, request_id: str, variant: str | None = None) -> dict[str, Any]:
    """The request as API Gateway would pass it on, without an API's id; it asks for one variant of several."""
    headers = {"content-type": "application/json", "x-glidepath-inference-id": request_id}
    return {
        "resource": "/predict",
        "path": "/predict",
        "httpMethod": "POST",
        "headers": {**headers, **({VARIANT_HEADER: variant} if variant else {})},
        "requestContext": {"requestId": request_id, "stage": "before-traffic"},
        "body": json.dumps({"instances": [record.features]}),
        "isBase64Encoded": False,
    }


def _problem(answer: dict[str, Any], golden: Golden, record: Record, release: str) -> str | None:
    payload = answer["Payload"].read().decode()
    if answer.get("FunctionError"):
        return f"the function failed ({payload[:300]})"
    try:
        response = json.loads(payload)
        status, body = response["statusCode"], response["body"]
        document = json.loads(body)
    except (ValueError, KeyError, TypeError):
        return f"the function's answer is not a proxy response ({payload[:300]})"
    if status != 200:
        return f"status {status} ({body[:300]})"
    return check_answer(golden, record, document, release)
