"""Variants as the stack's config names them, and how each of them does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from contracts.errors import UserError

_VARIANTS, _SHADOW = "glidepath:variants", "glidepath:shadow"
_PERIOD = 60


@dataclass(frozen=True)
class Configured:
    """A variant of the config: its name, the address of its manifest, and the lines of the file that name it."""

    name: str
    manifest: str
    shadow: bool
    lines: tuple[int, int]


@dataclass(frozen=True)
class Figures:
    """What one variant did: counts, and the model's time in milliseconds (None without a request)."""

    requests: float
    caller_errors: float
    errors: float
    p50: float | None
    p99: float | None


def configured(path: Path) -> dict[str, Configured]:
    """Variants and shadow of a stack's config file, by name. Raises UserError for a file that cannot be read so."""
    try:
        text = path.read_text(encoding="utf-8")
        tree = yaml.compose(text)
        config = (yaml.safe_load(text) or {}).get("config") or {}
        items = [
            *zip(config.get(_VARIANTS) or [], _nodes(tree, _VARIANTS), strict=True),
            *zip([config[_SHADOW]] if config.get(_SHADOW) else [], _nodes(tree, _SHADOW), strict=True),
        ]
        shadow = len(items) - 1 if config.get(_SHADOW) else -1
        found = [
            Configured(
                str(item.get("name") or ("shadow" if number == shadow else f"variant-{number + 1}")),
                str(item["manifest"]),
                number == shadow,
                _lines(node),
            )
            for number, (item, node) in enumerate(items)
        ]
    except FileNotFoundError:
        raise UserError(f"{path.name} does not exist", "name a stack that has a config file") from None
    except (yaml.YAMLError, KeyError, AttributeError, TypeError, ValueError) as error:
        raise UserError(f"{path.name} names variants in a way that cannot be read: {error}", "fix the file") from None
    return {item.name: item for item in found}


def leave_out(path: Path, name: str) -> None:
    """Rewrite a copy of the config without a variant. Comments are lost: never give it a file of the checkout."""
    variant = configured(path)[name]
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    config = document["config"]
    if variant.shadow:
        del config[_SHADOW]
    else:
        names = [str(item.get("name") or f"variant-{number}") for number, item in enumerate(config[_VARIANTS], 1)]
        # Names are given to those without one by their place: one that goes must not rename the others.
        kept = [{**item, "name": name} for item, name in zip(config[_VARIANTS], names, strict=True)]
        config[_VARIANTS] = [item for item in kept if item["name"] != variant.name]
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")


def take_out(path: Path, variant: Configured) -> str:
    """The sentence that says which lines a person must change."""
    first, last = variant.lines
    lines = path.read_text(encoding="utf-8").splitlines()[first - 1 : last]
    shown = "\n".join(f"  {number:>4}  {line}" for number, line in enumerate(lines, start=first))
    where = f"line {first}" if first == last else f"lines {first} to {last}"
    return f"take {variant.name} out of {path.name}, {where}, and commit that:\n{shown}"


def serving(sagemaker: Any, endpoint: str) -> dict[str, dict[str, Any]]:
    """Variant → what DescribeEndpoint says of it, shadows too. Raises UserError for an endpoint that does not serve."""
    described = sagemaker.describe_endpoint(EndpointName=endpoint)
    if described["EndpointStatus"] not in ("InService", "Updating"):
        raise UserError(f"endpoint {endpoint} is {described['EndpointStatus']}", "wait until it serves")
    variants = [*described.get("ProductionVariants", []), *described.get("ShadowProductionVariants", [])]
    return {variant["VariantName"]: variant for variant in variants}


def figures(cloudwatch: Any, endpoint: str, variants: Sequence[str], hours: float) -> dict[str, Figures]:
    """Each variant's own figures of the last hours, as SageMaker counts them."""
    end = datetime.now(UTC) + timedelta(minutes=1)
    queries = [
        _query(f"m{place}x{number}", endpoint, variant, metric, stat, hours)
        for place, variant in enumerate(variants)
        for number, (metric, stat) in enumerate(_METRICS)
    ]
    answer = cloudwatch.get_metric_data(
        MetricDataQueries=queries, StartTime=end - timedelta(hours=hours, minutes=1), EndTime=end
    )
    values = {result["Id"]: result["Values"] for result in answer["MetricDataResults"]}
    return {
        variant: _figures([values.get(f"m{place}x{number}", []) for number in range(len(_METRICS))])
        for place, variant in enumerate(variants)
    }


_METRICS = (
    ("Invocations", "Sum"),
    ("Invocation4XXErrors", "Sum"),
    ("Invocation5XXErrors", "Sum"),
    ("ModelLatency", "p50"),
    ("ModelLatency", "p99"),
)


def _query(name: str, endpoint: str, variant: str, metric: str, stat: str, hours: float) -> dict[str, Any]:
    dimensions = [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": variant}]
    wanted = {"Namespace": "AWS/SageMaker", "MetricName": metric, "Dimensions": dimensions}
    # One period over all of it, so that a percentile is that of all requests, and no mean of percentiles.
    period = max(_PERIOD, int(hours * 3600 // _PERIOD + 2) * _PERIOD)
    return {"Id": name, "MetricStat": {"Metric": wanted, "Period": period, "Stat": stat}}


def _figures(values: Sequence[Sequence[float]]) -> Figures:
    requests, caller_errors, errors = (float(sum(found)) for found in values[:3])
    p50, p99 = (max(found) / 1000 if found else None for found in values[3:])
    return Figures(requests, caller_errors, errors, p50, p99)


def table(rows: Sequence[Mapping[str, str]]) -> str:
    """Rows side by side under their names."""
    names = list(rows[0])
    widths = {name: max(len(name), *(len(row[name]) for row in rows)) for name in names}
    lines = [names, *([row[name] for name in names] for row in rows)]
    return "\n".join(
        "  ".join(cell.ljust(widths[name]) for name, cell in zip(names, line, strict=True)).rstrip() for line in lines
    )


def row(
    name: str, serves: Mapping[str, Any], shadow: bool, found: Figures, release: Mapping[str, Any]
) -> dict[str, str]:
    """One variant in words; `release` is its manifest."""
    metrics = release["metrics"]
    low, high = metrics["ci"]
    return {
        "variant": f"{name} (shadow)" if shadow else name,
        "release": str(release["id"]),
        "weight": f"{serves['CurrentWeight']:g}",
        "instances": str(serves["CurrentInstanceCount"]),
        "requests": f"{found.requests:,.0f}",
        "4xx": f"{found.caller_errors:,.0f}",
        "5xx": f"{found.errors:,.0f}",
        "p50": _milliseconds(found.p50),
        "p99": _milliseconds(found.p99),
        str(metrics["name"]): f"{metrics['value']:.3g} ({low:.3g} to {high:.3g})",
    }


def _milliseconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} ms"


def _nodes(tree: yaml.Node | None, key: str) -> list[yaml.Node]:
    """The nodes of the variants under a key of the config."""
    found = _member(_member(tree, "config"), key)
    if found is None:
        return []
    return list(found.value) if isinstance(found, yaml.SequenceNode) else [found]


def _member(node: yaml.Node | None, key: str) -> yaml.Node | None:
    if not isinstance(node, yaml.MappingNode):
        return None
    return next((value for name, value in node.value if name.value == key), None)


def _lines(node: yaml.Node) -> tuple[int, int]:
    """First and last line, counted from 1."""
    return node.start_mark.line + 1, _last(node) + 1


def _last(node: yaml.Node) -> int:
    """Where a block really ends: its own mark is at the beginning of what follows."""
    if isinstance(node, yaml.MappingNode) and not node.flow_style:
        return max(_last(value) for _, value in node.value)
    if isinstance(node, yaml.SequenceNode) and not node.flow_style:
        return max(_last(value) for value in node.value)
    return int(node.end_mark.line)
