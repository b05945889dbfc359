"""Asking one version of the predict function, by its number, and reading its answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from functions.shared.variants import VARIANT_HEADER


class AskError(Exception):
    """No usable answer; the message says why."""


def ask(
    client: Any,
    function_name: str,
    version: str,
    features: Mapping[str, float | None],
    inference_id: str,
    variant: str | None = None,
) -> dict[str, Any]:
    """The body of the answer to one row. `client` is a boto3 Lambda client. Raises AskError."""
    event = proxy_event(features, inference_id, variant)
    answer = client.invoke(FunctionName=function_name, Qualifier=version, Payload=json.dumps(event).encode())
    payload = answer["Payload"].read().decode()
    if answer.get("FunctionError"):
        raise AskError(f"the function failed ({payload[:300]})")
    try:
        response = json.loads(payload)
        status, body = response["statusCode"], response["body"]
        document = json.loads(body)
    except (ValueError, KeyError, TypeError):
        raise AskError(f"the function's answer is not a proxy response ({payload[:300]})") from None
    if status == 200 and not isinstance(document, dict):
        raise AskError(f"the function's answer is no object ({body[:300]})")
    if status != 200:
        raise AskError(f"status {status} ({body[:300]})")
    answered: dict[str, Any] = document
    return answered


def proxy_event(features: Mapping[str, float | None], request_id: str, variant: str | None = None) -> dict[str, Any]:
    """The request as API Gateway would pass it on, without an API's id; it asks for one variant of several."""
    headers = {"content-type": "application/json", "x-glidepath-inference-id": request_id}
    return {
        "resource": "/predict",
        "path": "/predict",
        "httpMethod": "POST",
        "headers": {**headers, **({VARIANT_HEADER: variant} if variant else {})},
        "requestContext": {"requestId": request_id, "stage": "before-traffic"},
        "body": json.dumps({"instances": [dict(features)]}),
        "isBase64Encoded": False,
    }
