"""An environment's dashboard."""

from collections.abc import Sequence
from typing import Any

METRICS = "Glidepath"
"""Namespace of the handler's metrics."""


def dashboard(
    region: str, service: str, endpoint: str, function: str, api: str, alarms: Sequence[str]
) -> dict[str, Any]:
    """Requests, model health, latency, endpoint, and the state of the alarms. `alarms` are ARNs."""
    variant = ["EndpointName", endpoint, "VariantName", "live"]
    return {
        "widgets": [
            _widget(
                region,
                0,
                0,
                "Requests",
                "Sum",
                [
                    [METRICS, "Predictions", "Service", service],
                    [METRICS, "CallerErrors", "Service", service],
                    [METRICS, "ModelErrors", "Service", service],
                ],
            ),
            _widget(
                region,
                12,
                0,
                "Latency (ms)",
                "p99",
                [
                    [METRICS, "Latency", "Service", service],
                    ["AWS/ApiGateway", "Latency", "ApiName", api, "Stage", "live"],
                ],
            ),
            _widget(
                region,
                0,
                6,
                "Endpoint",
                "Sum",
                [
                    ["AWS/SageMaker", "Invocations", *variant],
                    ["AWS/SageMaker", "Invocation5XXErrors", *variant],
                ],
            ),
            _widget(
                region,
                12,
                6,
                "Function",
                "Sum",
                [
                    ["AWS/Lambda", "Errors", "FunctionName", function],
                    ["AWS/Lambda", "Throttles", "FunctionName", function],
                ],
            ),
            {
                "type": "alarm",
                "x": 0,
                "y": 12,
                "width": 24,
                "height": 4,
                "properties": {"title": "Alarms", "alarms": list(alarms)},
            },
        ]
    }


def _widget(region: str, x: int, y: int, title: str, stat: str, metrics: list[list[str]]) -> dict[str, Any]:
    return {
        "type": "metric",
        "x": x,
        "y": y,
        "width": 12,
        "height": 6,
        "properties": {"title": title, "region": region, "stat": stat, "period": 60, "metrics": metrics},
    }
