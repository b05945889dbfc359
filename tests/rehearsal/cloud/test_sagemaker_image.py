"""What a job in the XGBoost image can import, and the project's analyzer as such a job, over the wire."""

import io
import json
import zipfile
from datetime import UTC, datetime
from typing import Any

import pytest

from rehearsal.cloud.core.cloud import Cloud
from tests.rehearsal.cloud.sagemaker_world import XGBOOST, World, wait
from tests.rehearsal.cloud.test_events import Queue

LOCAL = "/opt/ml/processing"


@pytest.fixture
def world(cloud: Cloud, account: str, region: str) -> World:
    return World(cloud, account, region)


_MODULES = "numpy xgboost boto3 pandas json duckdb pulumi moto own"
_SCRIPT = f"""
import importlib, json, sys
found = {{}}
for name in {_MODULES!r}.split():
    try:
        importlib.import_module(name)
        found[name] = "there"
    except ModuleNotFoundError as error:
        found[name] = str(error)
json.dump(found, open("{LOCAL}/output/found.json", "w"))
"""


def _input(name: str, uri: str) -> dict[str, Any]:
    source = {"S3Uri": uri, "LocalPath": f"{LOCAL}/{name}", "S3DataType": "S3Prefix", "S3InputMode": "File"}
    return {"InputName": name, "S3Input": source}


def _output(uri: str) -> dict[str, Any]:
    target = {"S3Uri": uri, "LocalPath": f"{LOCAL}/output", "S3UploadMode": "EndOfJob"}
    return {"Outputs": [{"OutputName": "reports", "S3Output": target}]}


def test_a_job_imports_what_the_image_has_and_nothing_else(world: World) -> None:
    world.put("code/job.py", _SCRIPT)
    world.put("code/own.py", "")
    job = world.process(
        "imports",
        AppSpecification={"ImageUri": XGBOOST, "ContainerEntrypoint": ["python3", f"{LOCAL}/code/job.py"]},
        ProcessingInputs=[_input("code", world.uri("code"))],
        ProcessingOutputConfig=_output(world.uri("out")),
    )
    assert job["ProcessingJobStatus"] == "Completed", job
    found = json.loads(world.get(world.uri("out/found.json")))
    assert {name for name, said in found.items() if said == "there"} == {
        "numpy", "xgboost", "boto3", "pandas", "json", "own",
    }  # fmt: skip
    assert found["duckdb"] == "No module named 'duckdb'"


def _archive() -> bytes:
    """The product's analyzer, made as the product makes it; the rehearsal itself knows nothing of it."""
    from functions.shared.analyzer import archive
    from operate import ROOT

    return archive(ROOT)


def _captured(values: list[float]) -> str:
    sides = {
        "endpointInput": {"observedContentType": "text/csv", "mode": "INPUT", "data": ",".join(map(str, values[1:]))},
        "endpointOutput": {"observedContentType": "text/csv", "mode": "OUTPUT", "data": str(values[0])},
    }
    data = {side: {**content, "encoding": "CSV"} for side, content in sides.items()}
    metadata = {"eventId": "e", "inferenceId": "i", "inferenceTime": "2026-11-21T03:00:00Z"}
    return json.dumps({"captureData": data, "eventMetadata": metadata, "eventVersion": "0"})


def test_the_analyzer_runs_in_the_image_and_publishes_more_metrics_than_fit_uncompressed(world: World) -> None:
    """Eighty columns: botocore compresses PutMetricData beyond 10 KB by itself. And the job's end is an event."""
    assert zipfile.ZipFile(io.BytesIO(_archive())).testzip() is None
    s3 = world.s3
    s3.put_object(Bucket=world.bucket, Key="code/analyzer.zip", Body=_archive())
    names = [f"column_{index:02d}" for index in range(80)]
    numbers = [[float(row * 7 % 100 + column) for column in range(80)] for row in range(200)]
    world.put("capture/a.jsonl", "".join(f"{_captured(row)}\n" for row in numbers))
    features = [
        {
            "name": name, "inferred_type": "Integral",
            "numerical_statistics": {
                "common": {"num_present": 200, "num_missing": 0}, "mean": 0.0, "sum": 0.0, "std_dev": 0.0, "min": 0.0,
                "max": 0.0, "distribution": {"kll": {"buckets": [], "sketch": {"parameters": {}, "data": [
                    [row[column] + 500 * (column == 3) for row in numbers],
                ]}}},
            },
        }
        for column, name in enumerate(names)
    ]  # fmt: skip
    wanted = [{"name": name, "inferred_type": "Integral", "completeness": 1.0} for name in names]
    world.put("baseline/statistics.json", json.dumps({"version": 0.0, "features": features}))
    world.put("baseline/constraints.json", json.dumps({"version": 0.0, "features": wanted}))
    queue, events = Queue(world.cloud, world.account, "ends"), world.client("events")
    pattern = {
        "source": ["aws.sagemaker"], "detail-type": ["SageMaker Processing Job State Change"],
        "detail": {"ProcessingJobName": [{"prefix": "p-monitor-"}], "ProcessingJobStatus": ["Completed"]},
    }  # fmt: skip
    events.put_rule(Name="ends", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="ends", Targets=[{"Id": "1", "Arn": queue.arn}])
    arguments = {
        "service": "p", "release": "r", "endpoint": "e", "start": "2026-11-21T03:00:00Z", "end": "2026-11-21T04:00:00Z",
        "least": "30", "limit": "0.2",
    }  # fmt: skip
    job = world.process(
        "p-monitor-1",
        AppSpecification={
            "ImageUri": XGBOOST,
            "ContainerEntrypoint": ["python3", f"{LOCAL}/code/analyzer.zip"],
            "ContainerArguments": [part for name, value in arguments.items() for part in (f"--{name}", value)],
        },
        ProcessingInputs=[_input(name, world.uri(name)) for name in ("code", "capture", "baseline")],
        ProcessingOutputConfig=_output(world.uri("reports")),
    )
    assert job["ProcessingJobStatus"] == "Completed", job
    assert queue.bodies()[0]["detail"]["ProcessingJobName"] == "p-monitor-1"
    summary = json.loads(world.get(world.uri("reports/summary.json")))
    assert (summary["records"], summary["drifted"]) == (200, ["column_03"])
    assert summary["sentence"].encode() in world.get(world.uri("reports/summary.txt"))
    found = world.client("cloudwatch").list_metrics(Namespace="Glidepath/Monitor")["Metrics"]
    assert sum(metric["MetricName"] == "Drift" for metric in found) == 80
    assert any(metric["MetricName"] == "Analyses" for metric in found)


def test_capture_is_filed_by_the_calendar_that_schedules_run_by(world: World) -> None:
    world.train("t")
    artifact = world.sagemaker.describe_training_job(TrainingJobName="t")["ModelArtifacts"]["S3ModelArtifacts"]
    world.endpoint("e", artifact, DataCaptureConfig=world.capture())
    before = world.cloud.clock.aws_now()
    world.predict("e", [[1.0, 2.0, 3.0]])
    keys = wait(lambda: world.keys("capture/"), bool)
    filed = datetime.strptime("/".join(keys[0].split("/")[-5:-1]), "%Y/%m/%d/%H").replace(tzinfo=UTC)
    hour = before.replace(minute=0, second=0, microsecond=0)
    assert 0 <= (filed - hour).total_seconds() <= 3600
