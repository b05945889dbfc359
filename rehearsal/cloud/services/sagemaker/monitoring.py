"""Monitoring: data-quality definitions and the schedules that run the analyzer over captured data."""

from typing import Any

from rehearsal.cloud.core.api import AwsError, Call, operation
from rehearsal.cloud.services.sagemaker import images, models, state, tags
from rehearsal.cloud.services.sagemaker.executions import SCHEDULE, parse_period, watch
from rehearsal.cloud.services.sagemaker.inputs import refuse, split_uri

DEFINITION = "data-quality-job-definition"


# "Amazon SageMaker Model Monitor is no longer open to new customers":
# https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-availability-change.html
# No public source shows what the refused call answers. The code and the sentence are ours.
_CLOSED = "Amazon SageMaker Model Monitor is no longer open to new customers."


def _refuse_new_customers(call: Call) -> None:
    if call.cloud.new_accounts:
        raise AwsError("AccessDeniedException", _CLOSED)


@operation("sagemaker", "CreateDataQualityJobDefinition")
def create_definition(call: Call) -> dict[str, Any]:
    _refuse_new_customers(call)
    params, name = call.params, call.params["JobDefinitionName"]
    definitions = state.records(call, DEFINITION)
    arn = state.call_arn(call, DEFINITION, name)
    if name in definitions:
        raise AwsError("ResourceInUse", f"Job definition already exists ({arn})")
    state.check_role(call, params["RoleArn"], arn)
    _check_application(call, params["DataQualityAppSpecification"])
    source = params["DataQualityJobInput"].get("EndpointInput")
    refuse(source is None, "a data-quality job without EndpointInput")
    assert source is not None
    refuse(source.get("S3InputMode", "File") != "File", "S3InputMode other than File")
    models.find(call, "endpoint", source["EndpointName"], "endpoint")
    baseline = params.get("DataQualityBaselineConfig", {})
    refuse(baseline.get("BaseliningJobName"), "BaseliningJobName: give ConstraintsResource and StatisticsResource")
    refuse(not baseline.get("ConstraintsResource"), "a data-quality job without ConstraintsResource")
    for resource in ("ConstraintsResource", "StatisticsResource"):
        if resource in baseline:
            split_uri(baseline[resource]["S3Uri"])
    for output in params["DataQualityJobOutputConfig"]["MonitoringOutputs"]:
        split_uri(output["S3Output"]["S3Uri"])
    definitions[name] = {
        **{key: value for key, value in params.items() if key != "Tags"},
        "JobDefinitionArn": arn,
        "CreationTime": call.cloud.clock.now(),
        "_arn": arn,
        "_tags": tags.given(call),
    }
    return {"JobDefinitionArn": arn}


def _check_application(call: Call, application: dict[str, Any]) -> None:
    images.repository(application["ImageUri"], call.region, (images.ANALYZER,))
    for member in (
        "ContainerEntrypoint", "ContainerArguments", "RecordPreprocessorSourceUri", "PostAnalyticsProcessorSourceUri"
    ):  # fmt: skip
        refuse(application.get(member), f"{member} of a data-quality job")


@operation("sagemaker", "DescribeDataQualityJobDefinition")
def describe_definition(call: Call) -> dict[str, Any]:
    return _definition(call, call.params["JobDefinitionName"])


@operation("sagemaker", "DeleteDataQualityJobDefinition")
def delete_definition(call: Call) -> dict[str, Any]:
    name = call.params["JobDefinitionName"]
    _definition(call, name)
    used = [
        schedule["MonitoringScheduleName"] for schedule in state.records(call, SCHEDULE).values()
        if schedule["MonitoringScheduleConfig"]["MonitoringJobDefinitionName"] == name
    ]  # fmt: skip
    if used:
        raise state.invalid(f"Job definition {name} is used by monitoring schedule {', '.join(used)}.")
    del state.records(call, DEFINITION)[name]
    return {}


@operation("sagemaker", "ListDataQualityJobDefinitions")
def list_definitions(call: Call) -> dict[str, Any]:
    wanted = call.params.get("EndpointName")
    found, token = state.page(
        call,
        [item for item in state.records(call, DEFINITION).values() if wanted in (None, _endpoint(item))],
        name=lambda item: item["JobDefinitionName"],
    )
    summaries = [
        {
            "MonitoringJobDefinitionName": item["JobDefinitionName"],
            "MonitoringJobDefinitionArn": item["_arn"],
            "CreationTime": item["CreationTime"],
            "EndpointName": _endpoint(item),
        }
        for item in found
    ]
    return state.with_token({"JobDefinitionSummaries": summaries}, token)


def _definition(call: Call, name: str) -> state.Record:
    definition = state.records(call, DEFINITION).get(name)
    if definition is None:
        raise state.not_found(f"Could not find job definition {state.call_arn(call, DEFINITION, name)}.")
    return definition


def _endpoint(definition: state.Record) -> str:
    return str(definition["DataQualityJobInput"]["EndpointInput"]["EndpointName"])


@operation("sagemaker", "CreateMonitoringSchedule")
def create_schedule(call: Call) -> dict[str, Any]:
    _refuse_new_customers(call)
    params, name = call.params, call.params["MonitoringScheduleName"]
    schedules = state.records(call, SCHEDULE)
    arn = state.call_arn(call, SCHEDULE, name)
    if name in schedules:
        raise AwsError("ResourceInUse", f"Monitoring schedule already exists ({arn})")
    definition = _check_schedule(call, params["MonitoringScheduleConfig"])
    now = call.cloud.clock.now()
    schedule = schedules[name] = {
        "MonitoringScheduleName": name, "MonitoringScheduleArn": arn, "MonitoringScheduleStatus": "Scheduled",
        "MonitoringType": "DataQuality", "MonitoringScheduleConfig": params["MonitoringScheduleConfig"],
        "EndpointName": _endpoint(definition), "CreationTime": now, "LastModifiedTime": now,
        "_arn": arn, "_tags": tags.given(call), "_executions": [], "_generation": 0, "_window_end": None,
        "_seen": set(),
    }  # fmt: skip
    watch(call.cloud, call.account, call.region, schedule)
    return {"MonitoringScheduleArn": arn}


def _check_schedule(call: Call, config: dict[str, Any]) -> state.Record:
    refuse("MonitoringJobDefinition" in config, "an inline MonitoringJobDefinition: name a data-quality definition")
    if config.get("MonitoringType", "DataQuality") != "DataQuality":
        refuse(True, f"MonitoringType {config['MonitoringType']}")
    if "MonitoringJobDefinitionName" not in config:
        raise state.invalid("MonitoringJobDefinitionName is required")
    definition = _definition(call, config["MonitoringJobDefinitionName"])
    expression = config.get("ScheduleConfig", {}).get("ScheduleExpression")
    if expression is None:
        raise state.invalid("ScheduleConfig with a ScheduleExpression is required")
    if parse_period(expression) is None and expression != "NOW":
        raise state.invalid(
            f"ScheduleExpression {expression!r} is not supported: expected cron(0 * ? * * *), cron(0 <hour> ? * * *),"
            " cron(0 <hour>/<hours> ? * * *) or NOW"
        )
    endpoint = models.find(call, "endpoint", _endpoint(definition), "endpoint")
    serving = endpoint["_serving"]
    if serving is None or serving.capture is None or not serving.capture.enabled:
        raise state.invalid(f"Data capture is not enabled for endpoint {endpoint['EndpointName']}.")
    return definition


@operation("sagemaker", "UpdateMonitoringSchedule")
def update_schedule(call: Call) -> dict[str, Any]:
    schedule = _schedule(call)
    config = call.params["MonitoringScheduleConfig"]
    definition = _check_schedule(call, config)
    schedule |= {
        "MonitoringScheduleConfig": config, "EndpointName": _endpoint(definition),
        "LastModifiedTime": call.cloud.clock.now(), "_generation": schedule["_generation"] + 1,
    }  # fmt: skip
    if schedule["MonitoringScheduleStatus"] == "Scheduled":
        watch(call.cloud, call.account, call.region, schedule)
    return {"MonitoringScheduleArn": schedule["_arn"]}


@operation("sagemaker", "StopMonitoringSchedule")
def stop_schedule(call: Call) -> dict[str, Any]:
    schedule = _schedule(call)
    _change(call, schedule, "Stopped")
    return {}


@operation("sagemaker", "StartMonitoringSchedule")
def start_schedule(call: Call) -> dict[str, Any]:
    schedule = _schedule(call)
    if schedule["MonitoringScheduleStatus"] != "Scheduled":
        _change(call, schedule, "Scheduled")
        watch(call.cloud, call.account, call.region, schedule)
    return {}


def _change(call: Call, schedule: state.Record, status: str) -> None:
    schedule |= {
        "MonitoringScheduleStatus": status, "LastModifiedTime": call.cloud.clock.now(),
        "_generation": schedule["_generation"] + 1,
    }  # fmt: skip


@operation("sagemaker", "DeleteMonitoringSchedule")
def delete_schedule(call: Call) -> dict[str, Any]:
    schedule = _schedule(call)
    if any(run["MonitoringExecutionStatus"] in ("Pending", "InProgress") for run in schedule["_executions"]):
        raise state.invalid(
            f"Cannot delete monitoring schedule {schedule['MonitoringScheduleName']} while an execution is in progress."
        )
    schedule["_generation"] += 1
    state.records(call, SCHEDULE).pop(schedule["MonitoringScheduleName"], None)
    return {}


@operation("sagemaker", "DescribeMonitoringSchedule")
def describe_schedule(call: Call) -> dict[str, Any]:
    schedule = _schedule(call)
    executions = schedule["_executions"]
    return {**schedule, **({"LastMonitoringExecutionSummary": executions[-1]} if executions else {})}


@operation("sagemaker", "ListMonitoringSchedules")
def list_schedules(call: Call) -> dict[str, Any]:
    params = call.params
    found, token = state.page(
        call,
        [
            item for item in state.records(call, SCHEDULE).values()
            if params.get("EndpointName") in (None, item["EndpointName"])
        ],
        name=lambda item: item["MonitoringScheduleName"],
        status="MonitoringScheduleStatus",
    )  # fmt: skip
    summaries = [
        {**item, "MonitoringJobDefinitionName": item["MonitoringScheduleConfig"]["MonitoringJobDefinitionName"]}
        for item in found
    ]
    return state.with_token({"MonitoringScheduleSummaries": summaries}, token)


@operation("sagemaker", "ListMonitoringExecutions")
def list_executions(call: Call) -> dict[str, Any]:
    params = call.params
    runs = [
        run
        for schedule in state.records(call, SCHEDULE).values()
        for run in schedule["_executions"]
        if params.get("MonitoringScheduleName") in (None, schedule["MonitoringScheduleName"])
        and params.get("EndpointName") in (None, schedule["EndpointName"])
    ]
    found, token = state.page(
        call, runs, name=lambda run: run["MonitoringScheduleName"], status="MonitoringExecutionStatus"
    )
    return state.with_token({"MonitoringExecutionSummaries": found}, token)


def _schedule(call: Call) -> state.Record:
    name = call.params["MonitoringScheduleName"]
    schedule = state.records(call, SCHEDULE).get(name)
    if schedule is None:
        raise state.not_found(f"Could not find monitoring schedule {state.call_arn(call, SCHEDULE, name)}.")
    return schedule
