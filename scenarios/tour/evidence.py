"""What the tour checks and measures from outside, after a release: predictions, capture, monitor, roles."""

import io
import json
import tarfile
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from contracts.errors import UserError
from contracts.monitoring import REPORTS, jobs
from contracts.s3 import parse_s3_uri
from operate import datasets, verdicts
from operate.caller import Answer, Caller
from operate.clients import Clients
from operate.history import History
from operate.project import Project
from scenarios.tour.report import Report

Row = Mapping[str, float | None]
"""One row of features; None is missing."""

# XGBoost predicts in 32-bit floats; the endpoint answers decimal text of them.
TOLERANCE = 1e-4
# Capture is buffered for a moment before it is written.
CAPTURE_PATIENCE_SECONDS = 20.0

"""What the names of the analyses of our own monitor hold."""


def read_object(s3: Any, uri: str) -> bytes:
    """The bytes behind an s3:// URI."""
    bucket, key = parse_s3_uri(uri)
    body: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    return body


def pointer(clients: Clients, project: Project, stack: str) -> Report:
    """The release that an environment records as its own."""
    text = clients.of(stack, "ssm").get_parameter(Name=project.names.pointer(stack))["Parameter"]["Value"]
    recorded: Report = json.loads(text)
    return recorded


def manifest_now(clients: Clients, project: Project, stack: str) -> Report:
    """The manifest of the release that an environment records."""
    manifest: Report = json.loads(
        read_object(clients.of("delivery", "s3"), pointer(clients, project, stack)["manifest"])
    )
    return manifest


def golden_instances(clients: Clients, manifest: Report) -> list[Row]:
    """Feature records that every release of this dataset can answer."""
    golden = json.loads(read_object(clients.of("delivery", "s3"), manifest["golden"]))
    return [record["features"] for record in golden["records"]]


def feature_rows(clients: Clients, manifest: Report, part: str = "test") -> list[Row]:
    """The feature records of one part (train, validation, test) of a release's data; `test` was held out.

    Raises UserError where there are none.
    """
    return [row for _, row in labelled_rows(clients, manifest, part)]


def labelled_rows(clients: Clients, manifest: Report, part: str) -> list[tuple[float, Row]]:
    """The same records, each after its target."""
    bucket, _ = parse_s3_uri(manifest["golden"])
    found = datasets.feature_rows(clients.of("delivery", "s3"), bucket, manifest["execution"], part)
    if not found:
        place = f"s3://{bucket}/runs/{manifest['execution']}/features/{part}/"
        raise UserError(f"{place} holds no rows", "the features of the release's run are missing")
    # Of the target none is missing: the features job refuses that.
    return [(row[0] or 0.0, dict(zip(manifest["features"], row[1:], strict=True))) for row in found]


def artifact_predictions(artifact: bytes, features: Sequence[str], rows: Sequence[Row]) -> list[float]:
    """What the model in a stored artifact predicts, computed here and not by any endpoint.

    Of several classes the place of the most probable one, as the API's `predictions` have it.
    """
    import numpy
    import xgboost

    with tarfile.open(fileobj=io.BytesIO(artifact)) as archive:
        member = archive.extractfile("xgboost-model")
        if member is None:
            raise UserError(
                "the model artifact holds no xgboost-model", "retrain: the artifact is not of the built-in XGBoost"
            )
        booster = xgboost.Booster(model_file=bytearray(member.read()))
    matrix = numpy.array([[row[name] for name in features] for row in rows], dtype=numpy.float32)
    found = booster.predict(xgboost.DMatrix(matrix))
    return [float(value) for value in (found.argmax(axis=1) if found.ndim > 1 else found)]


def check_predictions(clients: Clients, manifest: Report, caller: Caller) -> Report:
    """Asks the production URL and compares with the stored artifact.

    Raises UserError where an answer differs or comes from another release.
    """
    rows = golden_instances(clients, manifest)
    wanted = artifact_predictions(
        read_object(clients.of("delivery", "s3"), manifest["model"]["artifact"]), manifest["features"], rows
    )
    response = caller.post(json.dumps({"instances": rows}).encode())
    body = json.loads(response.data)
    if response.status != 200:
        raise UserError(f"production answered {response.status}: {body}", "see the predict function's log")
    if body["release"] != manifest["id"]:
        raise UserError(
            f"production answers for release {body['release']}, not {manifest['id']}",
            "see the alias and its deployment",
        )
    worst = max(abs(a - b) for a, b in zip(body["predictions"], wanted, strict=True))
    if worst > TOLERANCE:
        raise UserError(
            f"production's predictions differ from the artifact's by up to {worst:g}", "see the endpoint's model"
        )
    return {"rows": len(rows), "largest_difference": worst}


def captured(clients: Clients, project: Project, stack: str) -> Report:
    """Files and records in an environment's capture bucket, as they are."""
    files, records, _ = read_capture(clients.of(stack, "s3"), project.names.capture_bucket(stack))
    return {"files": files, "records": records}


def capture(clients: Clients, project: Project, stack: str, answers: Sequence[Answer]) -> Report:
    """Files and records in an environment's capture bucket.

    Raises UserError where the inference id of an answered request is in none of them.
    """
    wanted = {answer.inference_id for answer in answers if answer.ok}
    deadline = time.monotonic() + CAPTURE_PATIENCE_SECONDS
    while True:
        files, records, found = read_capture(clients.of(stack, "s3"), project.names.capture_bucket(stack))
        missing = wanted - found
        if not missing:
            return {"files": files, "records": records}
        if time.monotonic() > deadline:
            raise UserError(
                f"{len(missing)} of {len(wanted)} answered requests are in no capture file",
                "see the endpoint's data capture",
            )
        time.sleep(0.5)


def read_capture(s3: Any, bucket: str) -> tuple[int, int, set[str | None]]:
    """(files, records, inference ids) of all capture files."""
    files, records = 0, 0
    found: set[str | None] = set()
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="capture/"):
        for item in page.get("Contents", []):
            if not item["Key"].endswith(".jsonl"):
                continue
            files += 1
            for line in s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read().decode().splitlines():
                records += 1
                found.add(json.loads(line)["eventMetadata"].get("inferenceId"))
    return files, records, found


def await_analysis(sagemaker: Any, service: str, seconds: float = 120) -> None:
    """Wait until an analysis of our own has ended and none is under way. Raises UserError after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        found = sagemaker.list_processing_jobs(NameContains=jobs(service))["ProcessingJobSummaries"]
        if found and all(job["ProcessingJobStatus"] != "InProgress" for job in found):
            return
        if time.monotonic() > deadline:
            raise UserError(f"no analysis of {service} ended within {seconds:.0f} s", "see the monitor function's log")
        time.sleep(0.5)


def summaries(clients: Clients, project: Project, stack: str) -> dict[str, Report]:
    """What each analysis of an environment's captured requests says, by its key in the capture bucket."""
    s3, bucket = clients.of(stack, "s3"), project.names.capture_bucket(stack)
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{REPORTS}/")
    keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
    return {
        key: json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        for key in keys
        if key.endswith("/summary.json")
    }


def monitor(clients: Clients, project: Project, stack: str) -> Report:
    """The analyses of an environment's captured requests, each with its violations by feature."""
    s3, bucket = clients.of(stack, "s3"), project.names.capture_bucket(stack)
    found = summaries(clients, project, stack)
    own = [_execution(s3, bucket, key, found[key]) for key in sorted(found)]
    return {"executions": [*own, *_closed(clients, stack)]}


def _closed(clients: Clients, stack: str) -> list[Report]:
    """Runs of Model Monitor, where config asks for it."""
    sagemaker = clients.of(stack, "sagemaker")
    pages = sagemaker.get_paginator("list_monitoring_executions").paginate()
    done = [
        execution
        for page in pages
        for execution in page["MonitoringExecutionSummaries"]
        if execution["MonitoringExecutionStatus"] in ("Completed", "CompletedWithViolations")
    ]
    return [_closed_execution(clients, stack, execution) for execution in done]


def _closed_execution(clients: Clients, stack: str, execution: Report) -> Report:
    name = execution["ProcessingJobArn"].rpartition("/")[2]
    job = clients.of(stack, "sagemaker").describe_processing_job(ProcessingJobName=name)
    bucket, folder = parse_s3_uri(job["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"])
    broken = execution["MonitoringExecutionStatus"] == "CompletedWithViolations"
    return {
        "endpoint": execution["EndpointName"],
        "sentence": f"{execution['MonitoringScheduleName']}: {execution['MonitoringExecutionStatus']}",
        "violations": _violations(clients.of(stack, "s3"), bucket, folder) if broken else {},
    }


def _execution(s3: Any, bucket: str, key: str, summary: Report) -> Report:
    return {
        "release": summary["release"],
        "window": summary["window"],
        "records": summary["records"],
        "sentence": summary["sentence"],
        "violations": _violations(s3, bucket, key.rpartition("/")[0]) if summary["violations"] else {},
    }


def _violations(s3: Any, bucket: str, folder: str) -> dict[str, list[str]]:
    """Broken constraints by feature."""
    body = s3.get_object(Bucket=bucket, Key=f"{folder}/constraint_violations.json")["Body"].read()
    by_feature: dict[str, list[str]] = {}
    for item in json.loads(body)["violations"]:
        by_feature.setdefault(item["feature_name"], []).append(item["constraint_check_type"])
    return by_feature


def verdict_of(clients: Clients, project: Project, stack: str, release: str) -> Report | None:
    """What the judge has found of a release's shift (`operate.verdicts.document`); None where it judged none."""
    known = [each.id for each in History(clients, project, stack).attempts()]
    record = verdicts.find(clients.of(stack, "s3"), project.names, stack, known)
    return verdicts.document(record, None) if record and record.release == release else None


def last_deployment(clients: Clients, project: Project, stack: str) -> Report:
    """The environment's newest deployment, rollbacks aside: id, status, what stopped it, and its group's alarms.

    An alarm has the `time` (seconds since the epoch) at which it went off during the deployment, and its reason.
    """
    codedeploy = clients.of(stack, "codedeploy")
    group = {"applicationName": f"{project.names.name}-{stack}", "deploymentGroupName": "predict"}
    ids = codedeploy.list_deployments(**group)["deployments"]
    found = [codedeploy.get_deployment(deploymentId=known)["deploymentInfo"] for known in ids]
    newest = max((info for info in found if info["creator"] != "codeDeployRollback"), key=lambda i: i["createTime"])
    names = codedeploy.get_deployment_group(**group)["deploymentGroupInfo"]["alarmConfiguration"]["alarms"]
    alarms = (fired(clients.of(stack, "cloudwatch"), alarm["name"], newest["createTime"]) for alarm in names)
    return {
        "id": newest["deploymentId"],
        "status": newest["status"],
        "error": (newest.get("errorInformation") or {}).get("message"),
        "alarms": sorted(filter(None, alarms), key=lambda alarm: float(alarm["time"])),
    }


def fired(cloudwatch: Any, name: str, since: datetime) -> Report | None:
    """When an alarm last went off since a moment, and why; None where it did not."""
    items = cloudwatch.describe_alarm_history(AlarmName=name, HistoryItemType="StateUpdate", StartDate=since)
    for item in items["AlarmHistoryItems"]:
        state = json.loads(item["HistoryData"])["newState"]
        if state["stateValue"] == "ALARM":
            return {"name": name, "time": item["Timestamp"].timestamp(), "reason": state["stateReason"]}
    return None
