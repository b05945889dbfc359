"""An environment's dashboard."""

from collections.abc import Mapping, Sequence
from typing import Any

from definitions.health import METRICS, Watched, stability_index

_WIDTH, _HEIGHT = 12, 6


def dashboard(
    region: str,
    watched: Watched,
    alarms: Sequence[str],
    shares: Sequence[float],
    least_rows: int,
    drift: Sequence[list[Any]] = (),
) -> dict[str, Any]:
    """Requests, model health, latency, endpoint, predictions, drift, and the state of the alarms.

    `alarms` are ARNs, `drift` the lines of its widget.
    """
    service = ["Service", watched.service]
    api = ["ApiName", watched.api, "Stage", watched.stage]
    widgets: list[tuple[str, str, list[list[Any]]]] = [
        (
            "Requests",
            "Sum",
            [[METRICS, name, *service] for name in ("Requests", "CallerErrors", "ModelErrors")],
        ),
        (
            "Latency (ms)",
            "p99",
            [
                [METRICS, "Latency", *service, {"stat": "p50", "label": "model p50"}],
                [METRICS, "Latency", *service, {"label": "model p99"}],
                ["AWS/ApiGateway", "Latency", *api, {"label": "API p99"}],
            ],
        ),
        ("Endpoint", "Sum", _of_variants(watched, ("Invocations", "Invocation5XXErrors"))),
        (
            "Function and API",
            "Sum",
            [
                ["AWS/Lambda", "Errors", "FunctionName", watched.function],
                ["AWS/Lambda", "Throttles", "FunctionName", watched.function],
                ["AWS/ApiGateway", "5XXError", *api],
            ],
        ),
        ("Predictions", "p50", [[METRICS, "Predictions", *service, {"stat": stat}] for stat in ("p10", "p50", "p90")]),
    ]
    if len(watched.variants) > 1 or watched.shadow:
        widgets.append(("Variants: p99 of the model's time (µs)", "p99", _of_variants(watched, ("ModelLatency",))))
    if len(watched.variants) > 1:
        widgets.append(("Variants: predictions", "p50", _predictions(watched)))
    if shares:
        widgets.append(("Prediction shift (stability index)", "Sum", _shift(watched, shares, least_rows)))
    if drift:
        widgets.append(("Drift of the data (distance from the baseline)", "Maximum", list(drift)))
    placed = [_widget(region, number, *widget) for number, widget in enumerate(widgets)]
    below = (len(widgets) + 1) // 2 * _HEIGHT
    states = {"title": "Alarms", "alarms": list(alarms)}
    return {"widgets": [*placed, {"type": "alarm", "x": 0, "y": below, "width": 24, "height": 4, "properties": states}]}


def _of_variants(watched: Watched, metrics: Sequence[str]) -> list[list[Any]]:
    """What SageMaker counts for each variant, side by side, the shadow last."""
    names = [*watched.variants, *([watched.shadow] if watched.shadow else [])]
    several = len(names) > 1
    return [
        [
            "AWS/SageMaker", metric, "EndpointName", watched.endpoint, "VariantName", name,
            *([{"label": f"{name} {metric}"}] if several else []),
        ]
        for metric in metrics
        for name in names
    ]  # fmt: skip


def _predictions(watched: Watched) -> list[list[Any]]:
    """What each variant of an A/B test predicts."""
    version = ["Service", watched.service, "Version", watched.version]
    return [[METRICS, "Predictions", *version, "Variant", name, {"label": name}] for name in watched.variants]


def _shift(watched: Watched, shares: Sequence[float], least_rows: int) -> list[list[Any]]:
    """The alarm's own expressions over the serving version's bins; only the index is shown."""
    version = ["Service", watched.service, "Version", watched.version]
    bins: list[list[Any]] = [
        [METRICS, f"Bin{number}", *version, {"id": f"bin{number}", "visible": False}] for number in range(len(shares))
    ]
    expressions: list[list[Any]] = [
        [{"id": name, "expression": text, "label": name, "visible": name == "psi"}]
        for name, text in stability_index(shares, least_rows)
    ]
    return [*bins, *expressions]


def _widget(region: str, number: int, title: str, stat: str, metrics: list[list[Any]]) -> Mapping[str, Any]:
    return {
        "type": "metric",
        "x": number % 2 * _WIDTH,
        "y": number // 2 * _HEIGHT,
        "width": _WIDTH,
        "height": _HEIGHT,
        "properties": {"title": title, "region": region, "stat": stat, "period": 60, "metrics": metrics},
    }
