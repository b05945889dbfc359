from dataclasses import replace

import pytest

from operate.doctor.finding import FINE, NOTE, PROBLEM, UNCHECKED, Unread
from operate.doctor.machine import Machine, check

GOOD = Machine((3, 12, 1), "3.272.0", "7.51.1", "v3.272.0", ["7.51.1"])


def test_everything_is_of_its_version() -> None:
    assert [found.status for found in check(GOOD)] == [FINE] * 3


@pytest.mark.parametrize("engine", ["v3.272.0", "v3.300.1", "v3.280.0-alpha.1+dirty"])
def test_an_engine_of_the_sdks_version_or_later_is_fine(engine: str) -> None:
    assert check(replace(GOOD, engine=engine))[1].status == FINE


@pytest.mark.parametrize("engine", ["v3.271.9", "v2.300.0", "v4.0.0"])
def test_another_engine_is_a_problem_with_its_fix(engine: str) -> None:
    found = check(replace(GOOD, engine=engine))[1]
    assert (found.status, found.where) == (PROBLEM, "this machine")
    assert "SDK 3.272.0" in found.why
    assert "make setup" in found.fix


def test_an_old_python_is_a_problem() -> None:
    found = check(replace(GOOD, python=(3, 10, 14)))[0]
    assert (found.status, found.what) == (PROBLEM, "Python 3.10.14 is too old")


def test_a_provider_that_is_not_there_yet_is_a_note() -> None:
    found = check(replace(GOOD, plugins=["7.50.0"]))[2]
    assert (found.status, found.fix) == (NOTE, "fetch it now: pulumi plugin install resource aws 7.51.1")


def test_without_an_engine_there_is_one_problem_and_the_plugins_are_not_checked() -> None:
    gone = Unread("pulumi is not on PATH")
    _, engine, provider = check(replace(GOOD, engine=gone, plugins=gone))
    assert (engine.status, engine.why) == (PROBLEM, "pulumi is not on PATH")
    assert provider.status == UNCHECKED
