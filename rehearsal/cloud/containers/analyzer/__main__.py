"""The analyzer's contract: everything it needs is in environment variables, everything it says is in files.

`dataset_format`, `dataset_source`, `output_path`, `publish_cloudwatch_metrics`; for a monitoring run also
`baseline_constraints`, `baseline_statistics`, `start_time`, `end_time`, `sagemaker_endpoint_name`,
`sagemaker_monitoring_schedule_name`.
"""

import json
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rehearsal.cloud.containers.analyzer.dataset import DataError, load
from rehearsal.cloud.containers.analyzer.statistics import constraints, statistics
from rehearsal.cloud.containers.analyzer.violations import drift_distances, violations

_OPT = Path("/opt/ml")
_UNSUPPORTED = ("record_preprocessor_script", "post_analytics_processor_script")


def main(env: Mapping[str, str]) -> int:
    """Analyze; returns the exit code."""
    try:
        analyze(env)
    except (DataError, KeyError, json.JSONDecodeError) as error:
        text = f"Error: missing {error}" if isinstance(error, KeyError) else f"Error: {error}"
        print(text, flush=True)
        _say(env, text)
        return 255
    return 0


def analyze(env: Mapping[str, str]) -> None:
    """Write statistics.json and constraints.json; with a baseline also constraint_violations.json and metrics."""
    for name in _UNSUPPORTED:
        if env.get(name):
            raise DataError(f"not implemented by the rehearsal: {name}")
    output = Path(env["output_path"])
    output.mkdir(parents=True, exist_ok=True)
    baseline = _json(env.get("baseline_constraints"))
    names = [feature["name"] for feature in baseline["features"]] if baseline else None
    data = load(json.loads(env["dataset_format"]), Path(env["dataset_source"]), names)
    found = statistics(data)
    (output / "statistics.json").write_text(json.dumps(found, indent=2))
    (output / "constraints.json").write_text(json.dumps(constraints(found, data), indent=2))
    if baseline is None:
        _say(env, "Completed: Job completed successfully with no violations.")
        return
    baseline_statistics = _json(env.get("baseline_statistics"))
    distances = drift_distances(baseline_statistics, found, baseline)
    broken = violations(baseline, found, data, distances)
    (output / "constraint_violations.json").write_text(json.dumps({"violations": broken}, indent=2))
    if env.get("publish_cloudwatch_metrics") == "Enabled" and _emits(baseline):
        _metrics(env, found, distances)
    print(f"{len(broken)} violations in {found['dataset']['item_count']} records", flush=True)
    if broken:
        _say(env, f"CompletedWithViolations: Job completed successfully with {len(broken)} violations.")
    else:
        _say(env, "Completed: Job completed successfully with no violations.")


def _emits(baseline: dict[str, Any]) -> bool:
    return bool(baseline.get("monitoring_config", {}).get("emit_metrics", "Enabled") == "Enabled")


def _json(path: str | None) -> dict[str, Any] | None:
    if not path:
        return None
    content: dict[str, Any] = json.loads(Path(path).read_text())
    return content


def _say(env: Mapping[str, str], text: str) -> None:
    folder = Path(env.get("output_message_directory", _OPT / "output"))
    if folder.is_dir():
        (folder / "message").write_text(text)


def _metrics(env: Mapping[str, str], found: dict[str, Any], distances: Mapping[str, float]) -> None:
    """One JSON line a metric, for the platform to publish."""
    values: dict[str, float] = {f"feature_baseline_drift_{name}": distance for name, distance in distances.items()}
    for feature in found["features"]:
        name, numbers = feature["name"], feature.get("numerical_statistics")
        common = (numbers or feature["string_statistics"])["common"]
        values |= {f"feature_non_null_{name}": common["num_present"], f"feature_null_{name}": common["num_missing"]}
        if numbers and common["num_present"]:
            values |= {f"feature_{key}_{name}": numbers[key] for key in ("mean", "sum", "std_dev", "min", "max")}
    dimensions = [
        {"Name": "Endpoint", "Value": env["sagemaker_endpoint_name"]},
        {"Name": "MonitoringSchedule", "Value": env["sagemaker_monitoring_schedule_name"]},
    ]
    stamp = datetime.now(UTC).isoformat()
    lines = (
        json.dumps({"MetricName": name, "Timestamp": stamp, "Dimensions": dimensions, "Value": value})
        for name, value in sorted(values.items())
    )
    folder = Path(env["cloudwatch_metrics_directory"])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cloudwatch_metrics.jsonl").write_text("".join(f"{line}\n" for line in lines))


if __name__ == "__main__":
    sys.exit(main(os.environ))
