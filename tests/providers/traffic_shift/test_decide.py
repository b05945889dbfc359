"""What a shift does next, for what it sees; and the sentence that tells of its failure."""

from typing import Any

import pytest

from contracts.appspec import app_spec, target_version
from providers.traffic_shift.decide import (
    ALARM_SECONDS,
    RETURN_ALARM_SECONDS,
    SETTLE_SECONDS,
    Alarm,
    Alias,
    Clear,
    Deployment,
    Done,
    Failure,
    Follow,
    Observation,
    Refuse,
    Start,
    Target,
    Wait,
    cause,
    decide,
)

AT_1 = Alias("1")
SHIFTING = Alias("1", {"2": 0.1})
FIRING = Alarm("errors", True, "3 errors >= 1")
QUIET = Alarm("latency", False, "12 < 1000")


def test_an_alias_at_the_version_is_done() -> None:
    assert decide(Observation(Alias("2")), Target("2")) == Done()


def test_an_alias_elsewhere_is_shifted() -> None:
    assert decide(Observation(AT_1, alarms=(QUIET,)), Target("2")) == Start("1")


def test_a_deployment_to_the_version_is_followed_whoever_began_it() -> None:
    assert decide(Observation(SHIFTING, (Deployment("d-1", "2"),)), Target("2")) == Follow("d-1")


def test_a_deployment_that_has_the_alias_there_already_is_followed_to_its_end() -> None:
    # The hook after traffic may still fail.
    assert decide(Observation(Alias("2"), (Deployment("d-1", "2"),)), Target("2")) == Follow("d-1")


@pytest.mark.parametrize("version", ["1", "2"])
def test_a_roll_back_is_waited_for_even_where_it_goes_to_the_version(version: str) -> None:
    action = decide(Observation(SHIFTING, (Deployment("d-2", "1", rollback=True),)), Target(version))
    assert isinstance(action, Wait)
    assert action.reason == "deployment d-2 takes traffic back to version 1"


def test_a_deployment_to_another_version_is_waited_for_and_named_with_the_fix() -> None:
    action = decide(Observation(SHIFTING, (Deployment("d-1", "2"),)), Target("3"))
    assert action == Wait(
        "deployment d-1 is under way to version 2",
        "wait for it to finish, or stop it (aws deploy stop-deployment --deployment-id d-1"
        " --auto-rollback-enabled), then"
        " run this again",
    )


def test_weights_that_nothing_looks_after_are_cleared_after_a_while() -> None:
    assert isinstance(decide(Observation(SHIFTING, seconds=SETTLE_SECONDS - 1), Target("2")), Wait)
    assert decide(Observation(SHIFTING, seconds=SETTLE_SECONDS), Target("2")) == Clear("1")
    # Also where the version itself is the target: it does not take all traffic.
    assert decide(Observation(SHIFTING, seconds=SETTLE_SECONDS), Target("1")) == Clear("1")


def test_an_alarm_is_waited_for_then_reported() -> None:
    seen: dict[str, Any] = {"alias": AT_1, "alarms": (FIRING, QUIET)}
    assert isinstance(decide(Observation(**seen, seconds=ALARM_SECONDS - 1), Target("2")), Wait)
    assert decide(Observation(**seen, seconds=ALARM_SECONDS), Target("2")) == Refuse(
        "in ALARM before anything was shifted: errors (3 errors >= 1). A deployment under it would be rolled back at"
        " once. Fix what it reports, or go back to a former release with ./glidepath rollback"
    )


def test_an_alarm_does_not_stop_a_return() -> None:
    seen: dict[str, Any] = {"alias": AT_1, "alarms": (FIRING, QUIET)}
    target = Target("2", returning=True)
    assert isinstance(decide(Observation(**seen, seconds=RETURN_ALARM_SECONDS - 1), target), Wait)
    assert decide(Observation(**seen, seconds=RETURN_ALARM_SECONDS), target) == Start("1", (FIRING,))
    assert decide(Observation(**seen), Target("2", returning=True, urgent=True)) == Start("1", (FIRING,))


def test_the_target_is_read_from_the_appspec() -> None:
    text = app_spec("f", "live", "1", "7", "b", "a")
    assert target_version({"appSpecContent": {"content": text}}) == "7"
    assert target_version({"string": {"content": text}}) == "7"


@pytest.mark.parametrize("content", ["", "{}", "not json", '{"Resources": []}', '{"Resources": [{"a": {}}]}', "[]"])
def test_an_appspec_that_cannot_be_read_has_no_target(content: str) -> None:
    assert target_version({"string": {"content": content}}) == ""


@pytest.mark.parametrize(
    ("failure", "why"),
    [
        (
            Failure("d-1", "ALARM_ACTIVE", "Activated alarms: <errors>"),
            "alarm errors (3 errors >= 1) went off during the shift (deployment d-1, ALARM_ACTIVE)",
        ),
        (
            Failure("d-1", "ALARM_ACTIVE", "Activated alarms: <latency>"),
            "alarm latency (12 < 1000) went off during the shift (deployment d-1, ALARM_ACTIVE)",
        ),
        (
            Failure("d-1", "ALARM_ACTIVE", "The alarms could not be read."),
            "The alarms could not be read (deployment d-1, ALARM_ACTIVE)",
        ),
        (
            Failure("d-1", "HOOK_EXECUTION_FAILURE", "It failed.", "BeforeAllowTraffic", "record 3: 9.1, wanted 4.0"),
            "hook BeforeAllowTraffic failed: record 3: 9.1, wanted 4.0 (deployment d-1, HOOK_EXECUTION_FAILURE)",
        ),
        (
            Failure("d-1", "HOOK_EXECUTION_FAILURE", "The hook did not report", "AfterAllowTraffic"),
            "hook AfterAllowTraffic failed: The hook did not report (deployment d-1, HOOK_EXECUTION_FAILURE)",
        ),
        (
            Failure("d-1", "MANUAL_STOP", "The deployment was stopped by a user."),
            "its deployment was stopped by hand (deployment d-1, MANUAL_STOP)",
        ),
        (Failure("d-1", "Failed", ""), "CodeDeploy gave no reason (deployment d-1, Failed)"),
    ],
)
def test_the_cause_is_one_readable_sentence(failure: Failure, why: str) -> None:
    told = cause("r2", failure, (FIRING, QUIET), AT_1)
    assert told == f"release r2 does not serve: {why}. Now version 1 takes all traffic"


@pytest.mark.parametrize(
    ("alias", "text"),
    [
        (Alias("1"), "version 1 takes all traffic"),
        (Alias("1", {"2": 0.1}), "version 1 takes all traffic but version 2 10%"),
    ],
)
def test_an_alias_in_words(alias: Any, text: str) -> None:
    assert str(alias) == text
