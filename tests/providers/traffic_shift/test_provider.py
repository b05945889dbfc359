"""The shift's provider: what it does for what it finds, and when it is interrupted."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from providers import process as provider_process
from providers.traffic_shift.provider import TrafficShiftProvider
from providers.traffic_shift.shifting import ShiftError
from tests.providers.traffic_shift.fake_codedeploy import PROPS, Aws, NotFound

ROOT = Path(__file__).resolve().parents[3]
ALARM = {"code": "ALARM_ACTIVE", "message": "Activated alarms: <errors>"}

pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture
def cancelled() -> Iterator[None]:
    """The engine has called Cancel."""
    provider_process.CANCELLED.set()
    yield
    provider_process.CANCELLED.clear()


def shift(monkeypatch: pytest.MonkeyPatch, aws: Aws, **props: Any) -> None:
    monkeypatch.setattr(TrafficShiftProvider, "_client", lambda *_: aws)
    TrafficShiftProvider().create(PROPS | props)


def refusal(monkeypatch: pytest.MonkeyPatch, aws: Aws, **props: Any) -> str:
    with pytest.raises(ShiftError) as caught:
        shift(monkeypatch, aws, **props)
    return str(caught.value)


def test_a_shift_leaves_aside_what_the_judge_knows_better(monkeypatch: pytest.MonkeyPatch) -> None:
    alarms = {"errors": ("OK", ""), "prediction-shift": ("OK", "")}
    aws = Aws(alarms=alarms)
    shift(monkeypatch, aws, unwatched=["prediction-shift"])
    (made,) = aws.made
    assert made.request["overrideAlarmConfiguration"] == {"enabled": True, "alarms": [{"name": "errors"}]}
    aws = Aws(alarms=alarms)
    shift(monkeypatch, aws)
    assert "overrideAlarmConfiguration" not in aws.made[0].request


def test_every_step_is_reported_once(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    aws = Aws()
    shift(monkeypatch, aws)
    assert (aws.version, aws.weights) == ("2", {})
    assert capsys.readouterr().err.splitlines() == [
        "shift: version 1 → 2 for release r2",
        "shift: started deployment d-1",
        "shift: version 2 takes 10% of the traffic",
        "shift: version 2 takes 50% of the traffic",
        "shift: version 2 takes 100% of the traffic",
        "shift: deployment d-1 succeeded: alias live is at version 2",
    ]


@pytest.mark.parametrize("serving", ["1", "2"])
@pytest.mark.parametrize(
    ("environment", "told"),
    [({"RELEASE_ID": "r1", "ENDPOINT_NAME": "e-1"}, "has RELEASE_ID r1, not r2 and ENDPOINT_NAME e-1, not e-2"),
     ({"ENDPOINT_NAME": "e-1"}, "has ENDPOINT_NAME e-1, not e-2")],
)  # fmt: skip
def test_a_version_of_another_release_is_neither_shifted_to_nor_taken_for_served(
    monkeypatch: pytest.MonkeyPatch, serving: str, environment: dict[str, str], told: str
) -> None:
    """What a failed update of the function leaves: the state gives the version that was there before."""
    aws = Aws(version=serving, environments={"2": environment})
    assert told in refusal(monkeypatch, aws)
    assert aws.version == serving
    assert not aws.made


def test_capacity_is_held_and_matched_before_traffic_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = Aws(instances={"e-1": 5}, scaling={"e-1": False, "e-2": False})
    shift(monkeypatch, aws)
    assert aws.scaled == [
        "e-2 held outside a deployment",
        "e-1 held outside a deployment",
        "e-2 to 5, version 1",
        "e-2 resumed outside a deployment",
    ]


def test_scale_in_goes_on_after_a_roll_back(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = Aws(error=ALARM, scaling={"e-1": False, "e-2": False})
    assert "Now version 1 takes all traffic" in refusal(monkeypatch, aws)
    assert aws.scaled[:2] == ["e-2 held outside a deployment", "e-1 held outside a deployment"]
    assert aws.scaling == {"e-1": False, "e-2": False}


@pytest.mark.usefixtures("cancelled")
def test_scale_in_goes_on_after_an_interrupt(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = Aws(scaling={"e-1": False, "e-2": False})
    assert "interrupted" in refusal(monkeypatch, aws)
    assert aws.stopped
    assert aws.scaled[:2] == ["e-2 held outside a deployment", "e-1 held outside a deployment"]
    assert aws.scaling == {"e-1": False, "e-2": False}


def test_an_update_after_a_kill_resumes_scale_in_though_nothing_is_left_to_shift(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    aws = Aws(version="2", scaling={"e-1": True, "e-2": True})
    shift(monkeypatch, aws)
    assert aws.scaling["e-2"] is False


def test_an_alias_that_is_there_needs_no_deployment(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = Aws(version="2")
    shift(monkeypatch, aws)
    assert aws.made == []


def test_a_deployment_that_goes_on_since_a_killed_update_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = Aws()
    aws.begin("2")
    shift(monkeypatch, aws)
    assert (aws.version, len(aws.made)) == ("2", 1)


def test_one_that_was_rolled_back_alone_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = Aws(error=ALARM)
    aws.begin("2")
    while aws.list_deployments()["deployments"]:
        for made in list(aws.made):
            aws.get_deployment(made.id)
    aws.error = None
    shift(monkeypatch, aws)
    assert aws.version == "2"


def test_a_deployment_to_another_version_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = Aws()
    aws.begin("2")
    shift(monkeypatch, aws, version="3", release="r3", endpoint="e-3")
    assert [(made.current, made.target) for made in aws.made] == [("1", "2"), ("2", "3")]
    assert aws.version == "3"


def test_one_that_never_ends_is_named_with_the_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = Aws()
    aws.begin("2").weights = [0.1] * 10_000
    assert refusal(monkeypatch, aws, version="3", release="r3", endpoint="e-3", limit_minutes=1) == (
        "release r3 was not shifted within 1 minutes: deployment d-1 is under way to version 2; wait for it to finish,"
        " or stop it (aws deploy stop-deployment --deployment-id d-1 --auto-rollback-enabled), then run this again; now"
        " version 1 takes all traffic but version 2 10%"
    )


def test_weights_that_nobody_looks_after_do_not_wedge_it(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = Aws(weights={"7": 0.3})
    shift(monkeypatch, aws)
    assert (aws.version, aws.weights) == ("2", {})


def test_the_alarm_that_fired_is_named_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = Aws(error=ALARM, alarms={"errors": ("OK", ""), "latency": ("OK", "")}, lag=3)
    begin = aws.begin

    def fire(*args: Any, **kwargs: Any) -> Any:
        aws.alarms["errors"] = ("ALARM", "Threshold Crossed: 3 >= 1")
        return begin(*args, **kwargs)

    monkeypatch.setattr(aws, "begin", fire)
    assert refusal(monkeypatch, aws) == (
        "release r2 does not serve: alarm errors (Threshold Crossed: 3 >= 1) went off during the shift (deployment"
        " d-1, ALARM_ACTIVE). Now version 1 takes all traffic"
    )


def test_a_failed_hook_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    error = {"code": "HOOK_EXECUTION_FAILURE", "message": "The hook reported that it failed"}
    assert refusal(monkeypatch, Aws(error=error, hook="BeforeAllowTraffic")) == (
        "release r2 does not serve: hook BeforeAllowTraffic failed: The hook reported that it failed (deployment d-1,"
        " HOOK_EXECUTION_FAILURE). Now version 1 takes all traffic"
    )


def test_a_failed_hook_gives_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    error = {"code": "HOOK_EXECUTION_FAILURE", "message": "The hook reported that it failed"}
    lines = [
        "START RequestId: 1 d-1",
        json.dumps({"level": "INFO", "message": "began", "deployment": "d-1"}),
        json.dumps({"level": "ERROR", "message": "another one, not d-1", "deployment": "d-0"}),
        json.dumps({"level": "ERROR", "message": "2 of 20 golden records failed.", "deployment": "d-1"}),
    ]
    aws = Aws(error=error, hook="BeforeAllowTraffic", logged={"/aws/lambda/before": lines})
    assert refusal(monkeypatch, aws).startswith(
        "release r2 does not serve: hook BeforeAllowTraffic failed: 2 of 20 golden records failed (deployment d-1,"
    )
    aws = Aws(error=error, hook="AfterAllowTraffic", logged={"/aws/lambda/before": lines})
    assert "hook AfterAllowTraffic failed: The hook reported that it failed (" in refusal(monkeypatch, aws)


def test_no_shift_begins_under_an_alarm(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = Aws(alarms={"errors": ("ALARM", "3 >= 1")})
    assert "r2 was not shifted: in ALARM before anything was shifted: errors (3 >= 1)" in refusal(monkeypatch, aws)
    assert aws.made == []


def test_composite_alarms_count_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = Aws(alarms={"errors": ("OK", ""), "all-of-it": ("ALARM", "errors or latency")})
    assert "before anything was shifted: all-of-it (errors or latency)" in refusal(monkeypatch, aws)


def test_a_return_does_not_watch_the_alarms_that_were_there_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = Aws(alarms={"errors": ("ALARM", "3 >= 1"), "latency": ("OK", "")})
    shift(monkeypatch, aws, returning="Return from r1 by ann")
    request = aws.made[0].request
    assert request["overrideAlarmConfiguration"] == {"enabled": True, "alarms": [{"name": "latency"}]}
    assert request["description"] == "Release r2: version 1 to 2. Return from r1 by ann"


@pytest.mark.usefixtures("cancelled")
def test_an_interrupted_shift_is_stopped_with_rollback(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = Aws()
    told = refusal(monkeypatch, aws)
    assert told == ("release r2: the update was interrupted; deployment d-1 has ended, version 1 takes all traffic")
    assert aws.stopped == [{"deploymentId": "d-1", "autoRollbackEnabled": True}]


@pytest.mark.usefixtures("cancelled")
def test_it_waits_for_the_rollback_so_that_the_next_update_can_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = Aws(lag=5)
    assert "version 1 takes all traffic" in refusal(monkeypatch, aws)
    assert aws.list_deployments()["deployments"] == []


@pytest.mark.usefixtures("cancelled")
def test_an_interruption_before_the_shift_begins_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = Aws(alarms={"errors": ("ALARM", "3 >= 1")})
    assert refusal(monkeypatch, aws) == (
        "release r2: the update was interrupted; no deployment was begun, version 1 takes all traffic"
    )


def test_a_deployment_that_takes_too_long_is_stopped_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = Aws()
    aws.begin("2").weights = [0.1] * 10_000
    assert refusal(monkeypatch, aws, limit_minutes=1) == (
        "release r2 was not shifted within 1 minutes: deployment d-1 goes on; deployment d-1 has ended, version 1"
        " takes all traffic"
    )
    assert len(aws.stopped) == 1


def test_a_call_that_is_refused_is_reported_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = Aws()

    def denied(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "CreateDeployment")

    monkeypatch.setattr(aws, "create_deployment", denied)
    assert refusal(monkeypatch, aws) == (
        "release r2 could not be shifted: An error occurred (AccessDenied) when calling the CreateDeployment operation:"
        " no. A deployment that is under way goes on by itself; run this again to see its end"
    )


def test_a_refresh_sees_where_the_alias_is(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = Aws(version="1")
    monkeypatch.setattr(TrafficShiftProvider, "_client", lambda *_: aws)
    provider = TrafficShiftProvider()
    found = provider.read("f:live", dict(PROPS))
    assert found.outs
    assert (found.id, found.outs["version"]) == ("f:live", "1")
    assert provider.diff("f:live", found.outs, dict(PROPS)).changes

    def gone(**_: Any) -> None:
        raise NotFound

    monkeypatch.setattr(aws, "get_alias", gone)
    assert provider.read("f:live", dict(PROPS)).id == ""


@pytest.mark.parametrize(
    ("version", "weights", "changes"),
    [("2", {}, False), ("1", {}, True), ("2", {"1": 0.5}, True)],
    ids=["where it was left", "moved by hand", "stray weights"],
)
def test_every_update_looks_where_the_alias_is(
    monkeypatch: pytest.MonkeyPatch, version: str, weights: dict[str, float], changes: bool
) -> None:
    aws = Aws(version=version, weights=weights)
    monkeypatch.setattr(TrafficShiftProvider, "_client", lambda *_: aws)
    provider = TrafficShiftProvider()
    found = provider.diff("f:live", dict(PROPS), dict(PROPS))
    assert (found.changes, found.replaces) == (changes, [])
    provider.update("f:live", dict(PROPS), dict(PROPS))
    assert (aws.version, aws.weights) == ("2", {})
    assert not provider.diff("f:live", dict(PROPS), dict(PROPS)).changes


def test_an_alias_that_cannot_be_read_is_reported_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = Aws()

    def denied(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetAlias")

    monkeypatch.setattr(aws, "get_alias", denied)
    monkeypatch.setattr(TrafficShiftProvider, "_client", lambda *_: aws)
    with pytest.raises(
        ShiftError, match=r"where alias live of glidepath-prod-predict is cannot be read: .*AccessDenied"
    ):
        TrafficShiftProvider().diff("f:live", dict(PROPS), dict(PROPS))


@pytest.mark.parametrize(
    ("gone", "configuration"),
    [(frozenset(), "steps"), (frozenset({"e-1"}), "CodeDeployDefault.LambdaAllAtOnce")],
)
def test_a_version_that_can_answer_nobody_is_left_at_once(
    monkeypatch: pytest.MonkeyPatch, gone: frozenset[str], configuration: str
) -> None:
    aws = Aws(version="1", gone=gone)
    shift(monkeypatch, aws)
    assert [made.request["deploymentConfigName"] for made in aws.made] == [configuration]
