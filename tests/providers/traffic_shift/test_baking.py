"""The wait for the end of a bake, by the judge's record."""

import io
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from contracts.judging import record_key
from providers import process as provider_process
from tests.providers.traffic_shift.fake_codedeploy import Aws
from tests.providers.traffic_shift.test_provider import refusal, shift

pytestmark = pytest.mark.usefixtures("quick")

BAKES = {"bake_minutes": 5, "capture_bucket": "capture", "judge": "judge"}


class Judged(Aws):
    """`records` are what each look finds; the last one stays. A ClientError is raised."""

    records: list[Any]
    looks: int

    def get_object(self, **request: str) -> dict[str, Any]:
        assert request == {"Bucket": "capture", "Key": record_key("d-1")}
        found = self.records[min(self.looks, len(self.records) - 1)]
        self.looks += 1
        if isinstance(found, Exception):
            raise found
        if found.get("goes"):
            self.version = "1"
        return {"Body": io.BytesIO(json.dumps(found).encode())}


def aws(*records: Any) -> Judged:
    made = Judged()
    made.records, made.looks = list(records), 0
    return made


def looking(at: int) -> dict[str, Any]:
    return {"requests": {"looked": at}, "bake": {}, "over": ""}


def test_the_update_ends_with_the_bake(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    held = {"outcome": "pass", "sentence": "Held: 5 minutes at full traffic."}
    absent = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetObject")
    shift(monkeypatch, aws(absent, looking(1), looking(2), {"over": held["sentence"], "baked": held}), **BAKES)
    assert capsys.readouterr().err.splitlines()[-2:] == [
        "shift: baking for 5 minutes: the former version is still there",
        "shift: Held: 5 minutes at full traffic.",
    ]


def test_a_release_that_is_taken_back_fails_the_update_with_the_judges_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    failed = {"outcome": "fail", "sentence": "Failed: failed: 90 of 100 requests at full traffic."}
    gone = {"over": failed["sentence"], "baked": failed, "goes": True}
    assert refusal(monkeypatch, aws(looking(1), gone), **BAKES) == (
        "release r2 was taken back: Failed: failed: 90 of 100 requests at full traffic. Now version 1 takes all traffic"
    )


def test_a_judge_that_falls_silent_holds_nobody_up(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shift(monkeypatch, aws(looking(1)), **BAKES)
    assert "the bake is not judged to its end" in capsys.readouterr().err


@pytest.mark.parametrize("over", ["traffic has been taken from the new version, by another than the judge", ""])
def test_whoever_moved_traffic_the_update_fails(monkeypatch: pytest.MonkeyPatch, over: str) -> None:
    """It would record the new release, and delete the endpoint that has the traffic."""
    said = refusal(monkeypatch, aws(looking(1), {"over": over, "goes": True, "bake": {}}), **BAKES)
    assert said.startswith(f"release r2 was taken back: {over or 'while it was baking'}. Now version 1 takes all")


def test_an_update_after_one_that_was_killed_waits_for_the_bake(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = aws(looking(1), {"over": "Held: 5 minutes at full traffic.", "baked": {}})
    made.begin("2")
    made.made[0].status, made.version = "Succeeded", "2"
    shift(monkeypatch, made, **BAKES)
    assert capsys.readouterr().err.splitlines() == [
        "shift: alias live is at version 2 already: nothing to shift",
        "shift: baking for 5 minutes: the former version is still there",
        "shift: Held: 5 minutes at full traffic.",
    ]


def test_an_update_at_rest_reads_no_old_record(monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest deployment went to another version, or there is none."""
    for target in ("", "1"):
        made = aws({"over": "gone"})
        made.version = "2"
        if target:
            made.begin(target)
            made.made[0].status = "Succeeded"
        shift(monkeypatch, made, **BAKES)
        assert made.looks == 0


def test_an_update_that_is_interrupted_says_that_the_judge_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    class Cancelling(Judged):
        def get_object(self, **request: str) -> dict[str, Any]:
            provider_process.CANCELLED.set()
            return super().get_object(**request)

    made = Cancelling()
    made.records, made.looks = [looking(1)], 0
    try:
        assert "while it was baking; the judge goes on" in refusal(monkeypatch, made, **BAKES)
    finally:
        provider_process.CANCELLED.clear()
    assert made.stopped == []


@pytest.mark.parametrize("props", [{"bake_minutes": 0}, {"returning": "it was slow"}, {}])
def test_what_does_not_bake_reads_no_record(monkeypatch: pytest.MonkeyPatch, props: dict[str, Any]) -> None:
    made = aws()
    shift(monkeypatch, made, **({**BAKES, **props} if props else {}))
    assert made.looks == 0


def test_the_judges_reason_stands_beside_its_alarm(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Aws(alarms={"glidepath-prod-evidence": ("OK", "")})
    message = "Activated alarms: <glidepath-prod-evidence>"
    made.error = {"code": "ALARM_ACTIVE", "message": message}
    line = {"level": "ERROR", "message": "Failed: failed: 9 of 10 requests.", "deployment": "d-1"}
    made.logged = {"/aws/lambda/judge": [json.dumps(line)]}
    reason = refusal(monkeypatch, made, **BAKES)
    assert "glidepath-prod-evidence" in reason
    assert "(Failed: failed: 9 of 10 requests)" in reason
