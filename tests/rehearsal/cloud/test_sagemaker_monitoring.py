"""Processing and monitoring: baseline, schedule, violations and metrics, with the analyzer really run."""

import json
from datetime import timedelta
from typing import Any

import pytest
from werkzeug.test import Client

from rehearsal.cloud.core.cloud import Cloud
from rehearsal.cloud.process.running import RunningCloud
from rehearsal.environment import TOKEN_HEADER, token
from tests.keys import SECRET_KEY
from tests.rehearsal.cloud.sagemaker_world import ANALYZER, CLUSTER, XGBOOST, World, csv, refused, rows, wait

LOCAL = "/opt/ml/processing"
NAMES = ["total", "minutes", "passengers", "distance"]


@pytest.fixture
def world(cloud: Cloud, account: str, region: str) -> World:
    return World(cloud, account, region)


def script(world: World, name: str, text: str, arguments: list[str] | None = None, **more: Any) -> dict[str, Any]:
    return world.process(
        name,
        **more,
        AppSpecification={
            "ImageUri": XGBOOST, "ContainerEntrypoint": ["python3", f"{LOCAL}/input/code/run.py"],
            **({"ContainerArguments": arguments} if arguments else {}),
        },
        Environment={"WORD": "hello"},
        ProcessingInputs=[
            _input("code", world.put(f"{name}/code/run.py", text), f"{LOCAL}/input/code"),
        ],
        ProcessingOutputConfig={"Outputs": [_output("out", world.uri(f"{name}/out"), f"{LOCAL}/output")]},
    )  # fmt: skip


def _input(name: str, uri: str, local: str) -> dict[str, Any]:
    source = {"S3Uri": uri, "LocalPath": local, "S3DataType": "S3Prefix", "S3InputMode": "File"}
    return {"InputName": name, "S3Input": source}


def _output(name: str, uri: str, local: str) -> dict[str, Any]:
    return {"OutputName": name, "S3Output": {"S3Uri": uri, "LocalPath": local, "S3UploadMode": "EndOfJob"}}


def test_a_script_finds_its_inputs_and_leaves_its_outputs(world: World) -> None:
    text = "import os, sys; open('/opt/ml/processing/output/a.txt', 'w').write(os.environ['WORD'] + ' ' + sys.argv[1])"
    job = script(world, "good", text, ["world"])
    assert job["ProcessingJobStatus"] == "Completed", job.get("FailureReason")
    assert world.get(world.uri("good/out/a.txt")) == b"hello world"


def test_a_script_without_a_network_has_neither_keys_nor_services(world: World) -> None:
    text = "import os; open('/opt/ml/processing/output/a', 'w').write(' '.join(sorted(os.environ)))"
    job = script(world, "alone", text, NetworkConfig={"EnableNetworkIsolation": True})
    assert job["ProcessingJobStatus"] == "Completed", job.get("FailureReason")
    names = world.get(world.uri("alone/out/a")).decode().split()
    assert {name for name in names if name.startswith("AWS_")} == {"AWS_DEFAULT_REGION", "AWS_REGION"}


def test_a_script_acts_as_the_jobs_role(world: World) -> None:
    text = (
        "import boto3; open('/opt/ml/processing/output/a', 'w').write(boto3.client('sts').get_caller_identity()['Arn'])"
    )
    job = script(world, "who", text)
    assert job["ProcessingJobStatus"] == "Completed", job.get("FailureReason")
    assert ":assumed-role/job/" in world.get(world.uri("who/out/a")).decode()


def test_a_failing_script_fails_the_job_and_uploads_nothing(world: World) -> None:
    job = script(world, "bad", "open('/opt/ml/processing/output/a', 'w').write('x')\nraise SystemExit('no test rows')")
    assert job["ProcessingJobStatus"] == "Failed"
    assert "no test rows" in job["ExitMessage"]
    assert job["FailureReason"].startswith("AlgorithmError: ")
    assert world.keys("bad/out") == []


def baseline(world: World) -> None:
    text = ",".join(NAMES).encode() + b"\n" + csv(rows(500))
    job = world.process(
        "baseline",
        AppSpecification={"ImageUri": ANALYZER},
        Environment={
            "dataset_format": '{"csv": {"header": true}}', "dataset_source": f"{LOCAL}/input/baseline",
            "output_path": f"{LOCAL}/output", "publish_cloudwatch_metrics": "Disabled",
        },
        ProcessingInputs=[_input("data", world.put("baseline/in/data.csv", text), f"{LOCAL}/input/baseline")],
        ProcessingOutputConfig={"Outputs": [_output("out", world.uri("baseline/out"), f"{LOCAL}/output")]},
    )  # fmt: skip
    assert job["ProcessingJobStatus"] == "Completed", job.get("FailureReason")


def test_the_baseline_has_the_monitors_layout(world: World) -> None:
    baseline(world)
    statistics = json.loads(world.get(world.uri("baseline/out/statistics.json")))
    assert statistics["dataset"]["item_count"] == 500
    distance = statistics["features"][3]
    assert (distance["name"], distance["inferred_type"]) == ("distance", "Fractional")
    numbers = distance["numerical_statistics"]
    values = [line[3] for line in rows(500)]
    assert numbers["common"] == {"num_present": 500, "num_missing": 0}
    assert numbers["mean"] == pytest.approx(sum(values) / 500)
    assert (numbers["min"], numbers["max"]) == (min(values), max(values))
    assert sum(bucket["count"] for bucket in numbers["distribution"]["kll"]["buckets"]) == 500
    constraints = json.loads(world.get(world.uri("baseline/out/constraints.json")))
    assert [feature["name"] for feature in constraints["features"]] == NAMES
    assert constraints["features"][3]["num_constraints"] == {"is_non_negative": True}
    assert constraints["monitoring_config"]["distribution_constraints"]["comparison_method"] == "Robust"


@pytest.fixture
def watched(world: World, model_archive: bytes) -> World:
    """An endpoint with capture, a baseline and a schedule that does not run by itself."""
    baseline(world)
    world.endpoint("live", world.put("model/model.tar.gz", model_archive), DataCaptureConfig=world.capture())
    define(world, "quality", {"publish_cloudwatch_metrics": "Enabled"})
    # Stopped at once, and half a day away until then: its own hour cannot come, however slow the machine is. What
    # starts its executions is the rehearsal's own route, which asks for no status.
    far = (world.cloud.clock.aws_now() + timedelta(hours=12)).hour
    schedule(world, "watch", f"cron(0 {far} ? * * *)")
    world.sagemaker.stop_monitoring_schedule(MonitoringScheduleName="watch")
    return world


def define(world: World, name: str, environment: dict[str, str]) -> None:
    world.sagemaker.create_data_quality_job_definition(
        JobDefinitionName=name, RoleArn=world.role, JobResources=CLUSTER,
        DataQualityAppSpecification={"ImageUri": ANALYZER, "Environment": environment},
        DataQualityBaselineConfig={
            "ConstraintsResource": {"S3Uri": world.uri("baseline/out/constraints.json")},
            "StatisticsResource": {"S3Uri": world.uri("baseline/out/statistics.json")},
        },
        DataQualityJobInput={"EndpointInput": {"EndpointName": "live", "LocalPath": f"{LOCAL}/input/endpoint"}},
        DataQualityJobOutputConfig={
            "MonitoringOutputs": [{"S3Output": {"S3Uri": world.uri("reports"), "LocalPath": f"{LOCAL}/output"}}]
        },
    )  # fmt: skip


def schedule(world: World, name: str, expression: str, definition: str = "quality") -> None:
    world.sagemaker.create_monitoring_schedule(
        MonitoringScheduleName=name,
        MonitoringScheduleConfig={
            "ScheduleConfig": {"ScheduleExpression": expression}, "MonitoringJobDefinitionName": definition,
            "MonitoringType": "DataQuality",
        },
    )  # fmt: skip


def test_a_new_account_gets_no_model_monitor(world: World, watched: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world.cloud, "new_accounts", True)
    with refused(world.sagemaker, "AccessDeniedException", "no longer open to new customers"):
        schedule(world, "another", "cron(0 * ? * * *)")
    definition = world.sagemaker.describe_data_quality_job_definition(JobDefinitionName="quality")
    shape = world.sagemaker.meta.service_model.operation_model("CreateDataQualityJobDefinition").input_shape
    again = {member: definition[member] for member in shape.members if member in definition}
    with refused(world.sagemaker, "AccessDeniedException", "no longer open to new customers"):
        world.sagemaker.create_data_quality_job_definition(**again | {"JobDefinitionName": "another"})


def run(running: RunningCloud, world: World, name: str = "watch") -> dict[str, Any]:
    arn = world.sagemaker.describe_monitoring_schedule(MonitoringScheduleName=name)["MonitoringScheduleArn"]
    assert running._gateway is not None
    answer = Client(running._gateway).post(
        "/_rehearsal/monitoring/run", headers={TOKEN_HEADER: token(SECRET_KEY)}, query_string={"schedule": arn}
    )
    assert answer.status_code == 200, answer.text
    summary: dict[str, Any] = json.loads(answer.text)
    return summary


def ask(world: World, shift: float) -> None:
    for line in rows(300, seed=5, shift=shift):
        world.predict("live", [line[1:]])


def test_the_same_data_breaks_nothing_and_drifted_data_does(running_cloud: RunningCloud, watched: World) -> None:
    assert run(running_cloud, watched)["FailureReason"] == "Job inputs had no data"
    ask(watched, 0.0)
    same = run(running_cloud, watched)
    assert same["MonitoringExecutionStatus"] == "Completed", _report(watched)
    ask(watched, 30.0)
    drifted = run(running_cloud, watched)
    assert drifted["MonitoringExecutionStatus"] == "CompletedWithViolations"
    found = {(item["feature_name"], item["constraint_check_type"]) for item in _report(watched)}
    assert ("distance", "baseline_drift_check") in found
    assert ("minutes", "baseline_drift_check") not in found
    values = watched.client("cloudwatch").list_metrics(Namespace="aws/sagemaker/Endpoints/data-metrics")["Metrics"]
    drift = next(item for item in values if item["MetricName"] == "feature_baseline_drift_distance")
    assert {item["Name"]: item["Value"] for item in drift["Dimensions"]} == {
        "Endpoint": "live", "MonitoringSchedule": "watch",
    }  # fmt: skip
    executions = watched.sagemaker.list_monitoring_executions(MonitoringScheduleName="watch")
    statuses = [item["MonitoringExecutionStatus"] for item in executions["MonitoringExecutionSummaries"]]
    assert statuses == ["CompletedWithViolations", "Completed", "Failed"]


def test_metrics_are_written_only_where_the_definition_asks_for_them(
    running_cloud: RunningCloud, watched: World
) -> None:
    define(watched, "silent", {})
    far = (watched.cloud.clock.aws_now() + timedelta(hours=12)).hour
    schedule(watched, "unheard", f"cron(0 {far} ? * * *)", "silent")
    ask(watched, 0.0)
    assert run(running_cloud, watched, "unheard")["MonitoringExecutionStatus"] == "Completed"
    found = watched.client("cloudwatch").list_metrics(Namespace="aws/sagemaker/Endpoints/data-metrics")["Metrics"]
    assert not [item for item in found if {"Name": "MonitoringSchedule", "Value": "unheard"} in item["Dimensions"]]


def _report(world: World) -> list[dict[str, str]]:
    keys = [key for key in world.keys("reports/live/watch/") if key.endswith("constraint_violations.json")]
    found: list[dict[str, str]] = json.loads(world.get(world.uri(sorted(keys)[-1])))["violations"]
    return found


def test_the_clock_runs_the_schedule(watched: World) -> None:
    ask(watched, 0.0)
    schedule(watched, "often", "cron(0 * ? * * *)")
    found = wait(
        lambda: watched.sagemaker.list_monitoring_executions(MonitoringScheduleName="often", StatusEquals="Completed")[
            "MonitoringExecutionSummaries"
        ],
        bool,
        60,
    )
    assert found[0]["ProcessingJobArn"]


def test_bad_schedules_are_refused(watched: World) -> None:
    with refused(watched.sagemaker, "ValidationException", "rate(1 hour)"):
        schedule(watched, "bad", "rate(1 hour)")
    with refused(watched.sagemaker, "ValidationException", "monitoring schedules"):
        watched.sagemaker.delete_endpoint(EndpointName="live")
    with refused(watched.sagemaker, "ResourceNotFound"):
        watched.sagemaker.describe_monitoring_schedule(MonitoringScheduleName="never")
