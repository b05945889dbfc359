"""The monitor's function: which hour, which job, and what is told of its end."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import UTC, datetime
from typing import Any
from unittest import mock

import boto3
import pytest
from botocore.exceptions import ClientError

from contracts.monitoring import DETAIL_TYPE, SOURCE
from functions.monitor import handler, start
from functions.monitor.window import Release, Window, before, of_job
from functions.shared.analyzer import archive

RELEASE = Release("glidepath-prod", "20261121-aa", "glidepath-prod-1a2b", "live")
HOUR = Window(datetime(2026, 11, 21, 3, tzinfo=UTC))
ENVIRONMENT = {
    "ENV": "prod", "SERVICE": RELEASE.service, "RELEASE_ID": RELEASE.id, "ENDPOINT_NAME": RELEASE.endpoint,
    "VARIANT": "live", "CAPTURE_BUCKET": "capture", "STATISTICS_URI": "s3://runs/r/baseline/statistics.json",
    "CONSTRAINTS_URI": "s3://runs/r/baseline/constraints.json", "IMAGE_URI": "image",
    "ROLE_ARN": "arn:aws:iam::1:role/m",
    "KEY_ARN": "arn:aws:kms:eu-west-1:123456789012:key/1", "INSTANCE_TYPE": "ml.m5.large", "VOLUME_GB": "20",
    "SECONDS": "1800", "LEAST_RECORDS": "30", "DRIFT_LIMIT": "0.2",
}  # fmt: skip
REPORTS = f"monitor/{RELEASE.endpoint}/2026/11/21/03/"


@pytest.fixture
def s3(aws: None, monkeypatch: pytest.MonkeyPatch) -> Any:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3")
    client.create_bucket(Bucket="capture", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    return client


@pytest.mark.parametrize(
    ("scheduled", "hour"),
    [
        ("2026-11-21T04:15:00Z", 3), ("2026-11-21T04:00:00Z", 3), ("2026-11-21T04:59:59Z", 3),
        ("2026-11-21T05:15:00+01:00", 3), ("2026-11-21T00:15:00Z", 23),
    ],
)  # fmt: skip
def test_a_beat_asks_for_the_whole_hour_before(scheduled: str, hour: int) -> None:
    assert before(scheduled).start.hour == hour


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="has no time zone"):
        before("2026-11-21T04:15:00")


def test_names_come_from_hour_and_release_alone() -> None:
    name = HOUR.job(RELEASE)
    assert name.startswith("glidepath-prod-monitor-2026112103-")
    assert before("2026-11-21T04:40:00Z").job(RELEASE) == name
    assert len(HOUR.job(Release("n" * 20 + "-" + "e" * 12, "r", "e", "live"))) <= 63
    assert of_job(name, RELEASE) == HOUR
    assert of_job(name, Release(RELEASE.service, "another", RELEASE.endpoint, "live")) is None
    assert HOUR.captured(RELEASE) == "capture/glidepath-prod-1a2b/live/2026/11/21/03/"


def test_the_job_of_an_hour_is_started_once(s3: Any) -> None:
    s3.put_object(Bucket="capture", Key=f"{HOUR.captured(RELEASE)}a.jsonl", Body=b"{}\n")
    sagemaker = mock.Mock()
    in_use = ClientError({"Error": {"Code": "ResourceInUse", "Message": "exists"}}, "CreateProcessingJob")
    sagemaker.create_processing_job.side_effect = [{}, in_use]
    with mock.patch("boto3.client", lambda name: sagemaker if name == "sagemaker" else s3):
        found = [handler.handle({"scheduled": "2026-11-21T04:15:00Z"}, None) for _ in range(2)]
    assert found == [{"job": HOUR.job(RELEASE)}] * 2
    asked = sagemaker.create_processing_job.call_args.kwargs
    inputs = {item["InputName"]: item["S3Input"]["S3Uri"] for item in asked["ProcessingInputs"]}
    assert inputs["capture"] == f"s3://capture/{HOUR.captured(RELEASE)}".rstrip("/")
    assert inputs["constraints"] == ENVIRONMENT["CONSTRAINTS_URI"]
    assert all(len(argument) <= 256 for argument in asked["AppSpecification"]["ContainerArguments"])
    target = asked["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"]
    assert target == f"s3://capture/{REPORTS}".rstrip("/")
    code = s3.get_object(Bucket="capture", Key=inputs["code"].removeprefix("s3://capture/"))["Body"].read()
    assert "__main__.py" in zipfile.ZipFile(io.BytesIO(code)).namelist()


def test_an_hour_without_requests_is_told_without_a_job(s3: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert handler.handle({"scheduled": "2026-11-21T04:15:00Z"}, None) == {"nothing": "2026/11/21/03"}
    text = s3.get_object(Bucket="capture", Key=f"{REPORTS}summary.txt")["Body"].read().decode()
    assert "not enough records: no record of at least 30; nothing is judged" in text
    lines = [json.loads(each) for each in capsys.readouterr().out.splitlines()]
    (metric,) = [each for each in lines if "_aws" in each]
    assert (metric["Analyses"], metric["Records"], metric["Service"]) == (1, 0, "glidepath-prod")


def test_a_job_that_cannot_be_started_is_measured(s3: Any, capsys: pytest.CaptureFixture[str]) -> None:
    s3.put_object(Bucket="capture", Key=f"{HOUR.captured(RELEASE)}a.jsonl", Body=b"{}\n")
    sagemaker = mock.Mock()
    limit = ClientError({"Error": {"Code": "ResourceLimitExceeded", "Message": "quota"}}, "CreateProcessingJob")
    sagemaker.create_processing_job.side_effect = limit
    with (
        mock.patch("boto3.client", lambda name: sagemaker if name == "sagemaker" else s3),
        pytest.raises(ClientError, match="quota"),
    ):
        handler.handle({"scheduled": "2026-11-21T04:15:00Z"}, None)
    assert '"Failures": 1' in capsys.readouterr().out


def end(status: str, **more: Any) -> dict[str, Any]:
    detail = {"ProcessingJobName": HOUR.job(RELEASE), "ProcessingJobStatus": status, **more}
    return {"detail-type": "SageMaker Processing Job State Change", "detail": detail}


def told(s3: Any, drifted: list[str], event: dict[str, Any], failed: int = 0) -> tuple[dict[str, str], Any]:
    summary = {"sentence": "…", "drifted": drifted}
    s3.put_object(Bucket="capture", Key=f"{REPORTS}summary.json", Body=json.dumps(summary).encode())
    events = mock.Mock()
    events.put_events.return_value = {"FailedEntryCount": failed, "Entries": [{"ErrorMessage": "no"}]}
    with mock.patch("boto3.client", lambda name: events if name == "events" else s3):
        return handler.handle(event, None), events


def test_drift_is_put_on_the_bus_each_time_that_it_is_found(s3: Any) -> None:
    for _ in range(2):
        answer, events = told(s3, ["distance"], end("Completed"))
        assert answer == {"drift": HOUR.job(RELEASE)}
        (entry,) = events.put_events.call_args.kwargs["Entries"]
        assert (entry["Source"], entry["DetailType"]) == (SOURCE, DETAIL_TYPE)
        assert json.loads(entry["Detail"]) == {
            "env": "prod",
            "release": RELEASE.id,
            "endpoint": RELEASE.endpoint,
            "features": ["distance"],
            "window": {"start": "2026-11-21T03:00:00Z", "end": "2026-11-21T04:00:00Z"},
            "report": f"s3://capture/{REPORTS}summary.json",
        }


def test_without_drift_nothing_is_put(s3: Any) -> None:
    answer, events = told(s3, [], end("Completed"))
    assert answer == {"completed": HOUR.job(RELEASE)}
    events.put_events.assert_not_called()


def test_an_event_that_the_bus_refuses_is_an_error(s3: Any) -> None:
    with pytest.raises(RuntimeError, match="the event on drift was refused: no"):
        told(s3, ["distance"], end("Completed"), failed=1)


def test_a_failed_analysis_is_measured_and_told(s3: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert handler.handle(end("Failed", FailureReason="no baseline"), None) == {"failed": HOUR.job(RELEASE)}
    text = capsys.readouterr().out
    assert "the analysis ended as Failed: no baseline" in text
    assert '"Failures": 1' in text


def test_the_jobs_of_another_release_are_left_alone(s3: Any) -> None:
    event = end("Failed")
    event["detail"]["ProcessingJobName"] = "glidepath-prod-monitor-2026112103-00000000"
    assert "ignored" in handler.handle(event, None)


def test_the_archive_is_the_same_to_the_byte() -> None:
    assert archive(start._ROOT) == archive(start._ROOT)
