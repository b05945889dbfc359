"""Events start runs, once. Storage is moto's; the pipeline is a fake that keeps one run for each token."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from contracts.retraining import LEDGER_KEY, start_key, trained_key
from functions.retrain.handler import retrain
from functions.retrain.ledger import Ledger, parse_ledger, render_ledger
from functions.validate.request import parse_request, prove
from tests.functions.retrain.support import ENVIRONMENT, NOW, Pipeline, alarm, drift, schedule

ROWS = b"a,b\n1,2\n"


@pytest.fixture
def pipeline() -> Pipeline:
    return Pipeline()


def put(s3: Any, key: str = "collected/a.csv", body: bytes = ROWS) -> str:
    version: str = s3.put_object(Bucket="data-bucket", Key=key, Body=body)["VersionId"]
    return version


def ask(s3: Any, pipeline: Any, event: dict[str, Any], minutes: int = 0, **environment: str) -> dict[str, str]:
    return retrain(s3, pipeline, event, {**ENVIRONMENT, **environment}, NOW + timedelta(minutes=minutes))


def ledger(s3: Any) -> Ledger:
    return parse_ledger(s3.get_object(Bucket="artifacts", Key=LEDGER_KEY)["Body"].read().decode())


def judged(s3: Any, key: str, version: str) -> None:
    """What the gate leaves behind."""
    s3.put_object(Bucket="artifacts", Key=trained_key(f"s3://data-bucket/{key}", version), Body=b"{}")


@pytest.mark.parametrize(("event", "reason"), [(alarm(), "drift"), (drift(), "drift"), (schedule(), "schedule")])
def test_an_event_starts_a_run_on_the_newest_rows_and_vouches_for_it(
    s3: Any, pipeline: Pipeline, event: dict[str, Any], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    put(s3, "collected/old.csv")
    put(s3, "datasets/elsewhere.csv")
    put(s3, "collected/z.txt")
    version = put(s3, 'collected/x "new".csv')
    assert ask(s3, pipeline, event) == {"execution": "run-1"}
    (started,) = pipeline.started.values()
    assert started["REASON"] == reason
    key = json.loads(f'"{started["DATA_KEY"]}"')
    assert (key, started["DATA_VERSION"]) == ('collected/x "new".csv', version)
    assert json.loads(capsys.readouterr().out)["execution"] == "run-1"
    # The workflow believes it.
    given = {"run": "run-1", "reason": reason, "commit": "c", "code": "s3://artifacts/code/c"}
    prove(s3, "artifacts", parse_request({**given, "data": {"key": key, "version": version}}))
    (run,) = ledger(s3).runs
    assert (run.execution, run.key, run.reason) == ("run-1", key, reason)


def test_the_same_event_twice_and_two_alarms_at_once_are_one_run(s3: Any, pipeline: Pipeline) -> None:
    put(s3)
    assert ask(s3, pipeline, alarm("e1")) == {"execution": "run-1"}
    assert ask(s3, pipeline, alarm("e1"))["brake"] == "repeated"
    assert ask(s3, pipeline, alarm("e2", feature="passengers"))["brake"] == "running"
    assert pipeline.runs == ["run-1"]
    assert [decision.brake for decision in ledger(s3).decisions] == ["", "repeated", "running"]


class Racing:
    """An S3 client that lets somebody else ask just before our ledger is written, at the `turn`-th write."""

    def __init__(self, s3: Any, turn: int, meanwhile: Any) -> None:
        self._s3 = s3
        self._turn = turn
        self._meanwhile = meanwhile

    def __getattr__(self, name: str) -> Any:
        return getattr(self._s3, name)

    def put_object(self, **request: Any) -> Any:
        if request["Key"] == LEDGER_KEY:
            self._turn -= 1
            if self._turn == 0:
                self._meanwhile()
        return self._s3.put_object(**request)


@pytest.mark.parametrize("turn", [1, 2])
@pytest.mark.parametrize("other", ["e1", "e2"])
def test_whoever_comes_in_between_starts_no_second_run(s3: Any, pipeline: Pipeline, turn: int, other: str) -> None:
    put(s3)
    answers = []
    racing = Racing(s3, turn, lambda: answers.append(ask(s3, pipeline, alarm(other))))
    answers.append(ask(racing, pipeline, alarm("e1")))
    assert pipeline.runs == ["run-1"]
    assert len(ledger(s3).runs) == 1
    assert ledger(s3).runs[0].execution == "run-1"
    assert all(answer.get("execution", "run-1") == "run-1" for answer in answers)


def test_a_start_that_was_cut_off_is_made_good_by_the_next_event(s3: Any, pipeline: Pipeline) -> None:
    put(s3)

    class CutOff(Pipeline):
        def start_pipeline_execution(self, **_: Any) -> dict[str, str]:
            raise ClientError({"Error": {"Code": "InternalFailure", "Message": "sorry"}}, "StartPipelineExecution")

    with pytest.raises(ClientError):
        ask(s3, CutOff(), alarm("e1"))
    assert ledger(s3).runs[0].execution == ""
    assert ask(s3, pipeline, alarm("e2"))["brake"] == "running"
    assert ledger(s3).runs[0].execution == "run-1"
    assert s3.get_object(Bucket="artifacts", Key=start_key("run-1"))


def test_drift_that_outlasts_the_cooldown_retrains_once_it_is_over(s3: Any, pipeline: Pipeline) -> None:
    judged(s3, "collected/a.csv", put(s3))
    assert ask(s3, pipeline, drift("e0"))["brake"] == "same-data"
    judged(s3, "collected/a.csv", put(s3))
    put(s3)
    found = []
    for hour in range(72):
        answer = ask(s3, pipeline, drift(f"e{hour}"), minutes=60 * hour + 1)
        found.append(answer.get("execution", answer.get("brake")))
        pipeline.end()
        if "execution" in answer:
            judged(s3, ledger(s3).runs[-1].key, ledger(s3).runs[-1].version)
            put(s3)
    assert [hour for hour, what in enumerate(found) if str(what).startswith("run-")] == [0, 24, 48]
    assert set(found) == {"run-1", "run-2", "run-3", "cooldown"}
    assert ask(s3, pipeline, drift("later"), minutes=60 * 80)["brake"] == "budget"


def test_a_run_that_never_came_to_the_gate_does_not_use_its_data_up(s3: Any, pipeline: Pipeline) -> None:
    put(s3)
    assert "execution" in ask(s3, pipeline, drift("e1"), COOLDOWN_MINUTES="0")
    pipeline.end()
    assert ask(s3, pipeline, drift("e2"), 1, COOLDOWN_MINUTES="0") == {"execution": "run-2"}


@pytest.mark.parametrize(
    ("environment", "event", "brake"),
    [
        ({"ENABLED": "false"}, alarm(), "disabled"),
        ({"ENABLED": "false"}, schedule(), "disabled"),
        ({}, alarm(env="dev"), "environment"),
        ({"DATA_FOLDER": "datasets/"}, alarm(), "no-data"),
        ({"DATA_DAYS": "1", "DATA_FOLDER": "datasets/"}, alarm(), "no-data"),
    ],
)
def test_what_holds_is_logged_and_remembered(
    s3: Any, pipeline: Pipeline, environment: dict[str, str], event: dict[str, Any], brake: str,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    put(s3)
    answer = retrain(s3, pipeline, event, {**ENVIRONMENT, **environment}, NOW)
    assert answer["brake"] == brake
    line = json.loads(capsys.readouterr().out)
    assert (line["message"], line["brake"], line["reason"]) == ("nothing started", brake, answer["reason"])
    (decision,) = ledger(s3).decisions
    assert (decision.brake, decision.words) == (brake, answer["reason"])
    assert pipeline.runs == []


JOINED = {"DATA_DAYS": "7"}


def test_objects_of_the_last_days_are_joined_into_one_version(s3: Any, pipeline: Pipeline) -> None:
    put(s3, "collected/1.csv", b"\xef\xbb\xbfa,b\r\n1,2\r\n3,4")
    put(s3, "collected/2.csv", b"a,b\n5,6\n")
    put(s3, "collected/3.csv", b"a,b\n")
    # moto writes them now, whatever the clock of this test says.
    written = s3.head_object(Bucket="data-bucket", Key="collected/3.csv")["LastModified"]
    environment = {**ENVIRONMENT, **JOINED}
    assert retrain(s3, pipeline, drift(), environment, written) == {"execution": "run-1"}
    (started,) = pipeline.started.values()
    assert started["DATA_KEY"].startswith("windows/")
    place = {"Bucket": "data-bucket", "Key": started["DATA_KEY"]}
    found = s3.get_object(**place, VersionId=started["DATA_VERSION"])["Body"].read()
    assert found == b"a,b\n1,2\r\n3,4\n5,6\n"
    pipeline.end()
    judged(s3, started["DATA_KEY"], started["DATA_VERSION"])
    later = {**environment, "COOLDOWN_MINUTES": "0"}
    assert retrain(s3, pipeline, drift("e2"), later, written)["brake"] == "same-data"
    # Fewer of the same rows are no new window either.
    s3.delete_object(Bucket="data-bucket", Key="collected/1.csv")
    assert retrain(s3, pipeline, drift("e3"), later, written)["brake"] == "same-data"
    put(s3, "collected/4.csv", b"a,b\n7,8\n")
    assert retrain(s3, pipeline, drift("e4"), later, written + timedelta(seconds=5)) == {"execution": "run-2"}


def test_one_object_alone_is_used_as_it_is(s3: Any, pipeline: Pipeline) -> None:
    version = put(s3)
    written = s3.head_object(Bucket="data-bucket", Key="collected/a.csv")["LastModified"]
    retrain(s3, pipeline, drift(), {**ENVIRONMENT, **JOINED}, written)
    (started,) = pipeline.started.values()
    assert (started["DATA_KEY"], started["DATA_VERSION"]) == ("collected/a.csv", version)
    assert retrain(s3, Pipeline(), drift("e2"), {**ENVIRONMENT, **JOINED}, written + timedelta(days=8)) == {
        "brake": "no-data", "reason": "no data was written below s3://data-bucket/collected/ in the last 7 days",
    }  # fmt: skip


def test_files_with_other_columns_are_not_joined(s3: Any, pipeline: Pipeline) -> None:
    put(s3, "collected/1.csv", b"a,b\n1,2\n")
    put(s3, "collected/2.csv", b"a,c\n1,2\n")
    written = s3.head_object(Bucket="data-bucket", Key="collected/2.csv")["LastModified"]
    found = retrain(s3, pipeline, drift(), {**ENVIRONMENT, **JOINED}, written)
    assert found["brake"] == "no-data"
    assert "collected/2.csv has the header a,c, and collected/1.csv has a,b" in found["reason"]
    assert pipeline.runs == []


def test_the_ledger_is_read_as_it_was_written(s3: Any, pipeline: Pipeline) -> None:
    put(s3)
    ask(s3, pipeline, alarm())
    found = ledger(s3)
    assert parse_ledger(render_ledger(found)) == found


def test_a_ledger_that_was_deleted_is_begun_anew(s3: Any, pipeline: Pipeline) -> None:
    s3.put_bucket_versioning(Bucket="artifacts", VersioningConfiguration={"Status": "Enabled"})
    put(s3)
    ask(s3, pipeline, alarm("e1"))
    pipeline.end()
    assert ask(s3, pipeline, alarm("e2"))["brake"] == "cooldown"
    s3.delete_object(Bucket="artifacts", Key=LEDGER_KEY)
    assert ask(s3, pipeline, alarm("e3")) == {"execution": "run-2"}
