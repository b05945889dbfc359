"""Executions of a monitoring schedule: which captured files, which job, what came out."""

import json
import re
import uuid
from datetime import datetime, timedelta
from typing import Any

from werkzeug.wrappers import Request, Response

from rehearsal.cloud.compute import objects as s3
from rehearsal.cloud.compute.jobs import Job
from rehearsal.cloud.core.api import AwsError, Cloud, route
from rehearsal.cloud.services.sagemaker import processing, state
from rehearsal.cloud.services.sagemaker.deployment import Deployment

SCHEDULE = "monitoring-schedule"
METRICS = "aws/sagemaker/Endpoints/data-metrics"
_CRON = re.compile(r"cron\(0 (?P<hour>\*|[01]?\d|2[0-3])(?:/(?P<every>[1-9]|1\d|2[0-4]))? \? \* \* \*\)")
_HOUR = 3600
_POLL_SECONDS = 0.25
_LOCAL = "/opt/ml/processing"
_INPUT = "endpoint_input_1"


def parse_period(expression: str) -> tuple[int, int] | None:
    """First hour of the day and hours between runs, or None for an expression that SageMaker does not take."""
    match = _CRON.fullmatch(expression)
    if match is None:
        return None
    if match["hour"] == "*":
        return None if match["every"] else (0, 1)
    return int(match["hour"]), int(match["every"] or 24)


def watch(cloud: Cloud, account: str, region: str, schedule: state.Record) -> None:
    """Run the schedule on a thread, until it is changed, stopped or deleted."""
    cloud.background(
        _loop, cloud, account, region, schedule, schedule["_generation"],
        name=f"schedule {schedule['MonitoringScheduleName']}",
    )  # fmt: skip


def _loop(cloud: Cloud, account: str, region: str, schedule: state.Record, generation: int) -> None:
    expression = schedule["MonitoringScheduleConfig"]["ScheduleConfig"]["ScheduleExpression"]
    period = parse_period(expression)
    if period is None:
        execute(cloud, account, region, schedule)
        schedule["MonitoringScheduleStatus"] = "Stopped"
        return
    while True:
        due = _next(cloud.clock.aws_now(), *period)
        while cloud.clock.aws_now() < due:
            if not cloud.clock.pause(_POLL_SECONDS) or schedule["_generation"] != generation:
                return
        execute(cloud, account, region, schedule)


def _next(now: datetime, first: int, every: int) -> datetime:
    """The next full hour at which the schedule runs."""
    hour = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    while (hour.hour - first) % every if every < 24 else hour.hour != first:
        hour += timedelta(hours=1)
    return hour


def execute(cloud: Cloud, account: str, region: str, schedule: state.Record) -> state.Record:
    """Run one execution to its end; returns its summary."""
    name = schedule["MonitoringScheduleName"]
    definition_name = schedule["MonitoringScheduleConfig"]["MonitoringJobDefinitionName"]
    now = cloud.clock.now()
    execution: state.Record = {
        "MonitoringScheduleName": name, "ScheduledTime": now, "CreationTime": now, "LastModifiedTime": now,
        "MonitoringExecutionStatus": "InProgress", "EndpointName": schedule["EndpointName"],
        "MonitoringJobDefinitionName": definition_name, "MonitoringType": "DataQuality",
    }  # fmt: skip
    schedule["_executions"].append(execution)
    definitions = state.table(cloud, account, region, "data-quality-job-definition")
    try:
        status, reason = _execute(cloud, account, region, schedule, definitions[definition_name], execution, now)
    except (AwsError, s3.TransferError) as error:
        status, reason = "Failed", f"ClientError: {error}"
    except Exception as error:
        status, reason = "Failed", f"InternalServerError: {type(error).__name__}: {error}"
        raise
    finally:
        if reason:
            execution["FailureReason"] = reason[:1024]
        execution |= {"LastModifiedTime": cloud.clock.now(), "MonitoringExecutionStatus": status}
    return execution


def _execute(
    cloud: Cloud,
    account: str,
    region: str,
    schedule: state.Record,
    definition: state.Record,
    execution: state.Record,
    now: datetime,
) -> tuple[str, str]:
    endpoint = state.table(cloud, account, region, "endpoint").get(schedule["EndpointName"])
    serving: Deployment | None = endpoint["_serving"] if endpoint else None
    if serving is None or serving.capture is None:
        return "Failed", f"Endpoint {schedule['EndpointName']} does not serve, or captures nothing."
    serving.capture.flush()
    window = _window(cloud, schedule, now)
    credentials = cloud.assume_for_service(
        definition["RoleArn"], state.PRINCIPAL, "SageMaker", source_arn=schedule["_arn"]
    )
    client = cloud.client("s3", account, region, credentials)
    objects = _captured(client, serving, schedule, window[0])
    if not objects:
        return "Failed", "Job inputs had no data"
    schedule["_seen"] |= {uri for uri, _ in objects}
    schedule["_window_end"] = window[1]
    request = _request(cloud, schedule, definition, serving, objects, window)
    job = processing.start(cloud, account, region, request, finished=_publish)
    execution["ProcessingJobArn"] = job["_arn"]
    while job["ProcessingJobStatus"] in ("InProgress", "Stopping"):
        if not cloud.clock.pause(0.05):
            return "Stopped", ""
    if job["ProcessingJobStatus"] != "Completed":
        return job["ProcessingJobStatus"], job.get("FailureReason", "")
    violated = job.get("ExitMessage", "").startswith("CompletedWithViolations")
    return ("CompletedWithViolations" if violated else "Completed"), ""


def _window(cloud: Cloud, schedule: state.Record, now: datetime) -> tuple[datetime, datetime]:
    """From the end of the last window that had data, else one period ago, until now: in real time."""
    last: datetime | None = schedule["_window_end"]
    if last is not None:
        return last, now
    expression = schedule["MonitoringScheduleConfig"]["ScheduleConfig"]["ScheduleExpression"]
    _, hours = parse_period(expression) or (0, 1)
    return min(schedule["CreationTime"], now - timedelta(seconds=cloud.clock.scaled(hours * _HOUR))), now


def _captured(client: Any, serving: Deployment, schedule: state.Record, start: datetime) -> list[tuple[str, str]]:
    """URI and relative path of the files written since `start` that no execution has seen, by production variant."""
    assert serving.capture is not None
    destination = serving.capture.describe()["DestinationS3Uri"].rstrip("/")
    found = []
    for variant in serving.production:
        bucket, prefix = s3.split(f"{destination}/{schedule['EndpointName']}/{variant.name}/")
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for item in page.get("Contents", []):
                uri = f"s3://{bucket}/{item['Key']}"
                # S3 stamps whole seconds, so the start's own second counts too; what was seen is left out by name.
                if uri not in schedule["_seen"] and item["LastModified"] >= start.replace(microsecond=0):
                    found.append((uri, f"{variant.name}/{item['Key'][len(prefix) :]}"))
    return found


def _request(
    cloud: Cloud,
    schedule: state.Record,
    definition: state.Record,
    serving: Deployment,
    objects: list[tuple[str, str]],
    window: tuple[datetime, datetime],
) -> dict[str, Any]:
    assert serving.capture is not None
    baseline = definition["DataQualityBaselineConfig"]
    endpoint_input = definition["DataQualityJobInput"]["EndpointInput"]
    source = endpoint_input["LocalPath"].rstrip("/")
    inputs = [_input(_INPUT, objects[0][0].rsplit("/", 1)[0], source)]
    env = {
        "dataset_format": json.dumps(
            {"sagemakerCaptureJson": {"captureIndexNames": ["endpointInput", "endpointOutput"]}}
        ),
        "dataset_source": source,
        # Only where the definition asks for it, as the documentation's sample of a job definition has it.
        "publish_cloudwatch_metrics": "Disabled",
        "cloudwatch_metrics_directory": "/opt/ml/output/metrics/cloudwatch",
        "sagemaker_endpoint_name": schedule["EndpointName"],
        "sagemaker_monitoring_schedule_name": schedule["MonitoringScheduleName"],
        "start_time": window[0].strftime("%Y-%m-%dT%H:%M:%SZ"),
        "end_time": window[1].strftime("%Y-%m-%dT%H:%M:%SZ"),
        **definition["DataQualityAppSpecification"].get("Environment", {}),
    }
    for kind in ("constraints", "statistics"):
        resource = baseline.get(f"{kind.capitalize()}Resource")
        if resource:
            local = f"{_LOCAL}/baseline/{kind}"
            inputs.append(_input(kind, resource["S3Uri"], local))
            env[f"baseline_{kind}"] = f"{local}/{resource['S3Uri'].rsplit('/', 1)[-1]}"
    hour = cloud.clock.aws_now().strftime("%Y/%m/%d/%H")
    outputs = []
    for number, output in enumerate(definition["DataQualityJobOutputConfig"]["MonitoringOutputs"], 1):
        target = output["S3Output"]
        uri = f"{target['S3Uri'].rstrip('/')}/{schedule['EndpointName']}/{schedule['MonitoringScheduleName']}/{hour}"
        env["output_path"] = target["LocalPath"]
        outputs.append({"OutputName": f"monitoring_output_{number}", "S3Output": {**target, "S3Uri": uri}})
    output_config: dict[str, Any] = {"Outputs": outputs}
    if definition["DataQualityJobOutputConfig"].get("KmsKeyId"):
        output_config["KmsKeyId"] = definition["DataQualityJobOutputConfig"]["KmsKeyId"]
    return {
        "ProcessingJobName": f"model-monitoring-{window[1]:%Y%m%d%H%M}-{uuid.uuid4().hex[:24]}",
        "RoleArn": definition["RoleArn"],
        "AppSpecification": {"ImageUri": definition["DataQualityAppSpecification"]["ImageUri"]},
        "ProcessingResources": definition["JobResources"],
        "ProcessingInputs": inputs,
        "ProcessingOutputConfig": output_config,
        "StoppingCondition": definition.get("StoppingCondition", {"MaxRuntimeInSeconds": _HOUR}),
        "Environment": env,
        "MonitoringScheduleArn": schedule["_arn"],
        "_objects": {_INPUT: objects},
    }


def _input(name: str, uri: str, local: str) -> dict[str, Any]:
    source = {"S3Uri": uri, "LocalPath": local, "S3DataType": "S3Prefix", "S3InputMode": "File"}
    return {"InputName": name, "AppManaged": False, "S3Input": source}


def _publish(run: Job, job: state.Record) -> None:
    """Send what the container left as metrics, with the keys of the job's role."""
    file = run.root / "output" / "metrics" / "cloudwatch" / "cloudwatch_metrics.jsonl"
    if not file.is_file():
        return
    data = [json.loads(line) for line in file.read_text().splitlines()]
    client = run.client("cloudwatch")
    for start in range(0, len(data), 500):
        client.put_metric_data(Namespace=METRICS, MetricData=data[start : start + 500])


@route("/_rehearsal/monitoring/run", methods=["POST"])
def run_now(cloud: Cloud, request: Request, **_: Any) -> Response:
    """Run a schedule at once: `?schedule=<name or ARN>`; answers the execution's summary. Rehearsal only."""
    wanted = request.args.get("schedule", "")
    for account, region, _ in cloud.stores(state.SERVICE):
        for schedule in list(state.table(cloud, account, region, SCHEDULE).values()):
            if wanted in (schedule["MonitoringScheduleName"], schedule["_arn"]):
                return _json(execute(cloud, account, region, schedule))
    return _json({"error": f"no monitoring schedule is called {wanted!r}"}, 404)


def _json(value: Any, status: int = 200) -> Response:
    return Response(json.dumps(value, default=str), status=status, content_type="application/json")
