"""What a shift can see before it starts."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ProfileNotFound
from botocore.stub import Stubber

from cli import deploy as deploy_command
from cli import plan as plan_command
from contracts.errors import UserError
from contracts.names import Names
from contracts.release import parse_release
from functions.judge import power as arithmetic
from functions.shared.metrics import IncompleteError
from operate import clients, evidence, plans, power, previews, source_files
from operate import deploy as deploying
from operate.power import Foresight, Traffic, configured, foresee, look, short, traffic, warn
from settings import limits
from settings.load import review
from settings.shifting import ALL_AT_ONCE, CANARY, LINEAR, Deployment, Replay
from tests.functions import samples
from tests.preview import world
from tests.settings import configs

NAMES = Names("glidepath", "eu-west-1", {"delivery": "1" * 12, "dev": "2" * 12, "prod": "3" * 12})
REPLAY = Replay(500, 180, 32, ())
NOW = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)


def deployment(kind: str = LINEAR, percentage: int = 10, minutes: int = 1) -> Deployment:
    return Deployment(kind, percentage, minutes, 0, "accept", "return", 480, 10, REPLAY, "refuse")


def at(per_second: float, failing: float = 0.0) -> Traffic:
    seconds = 7 * 86400
    return Traffic(per_second * seconds, failing * per_second * seconds, seconds / 60)


def text(found: Foresight | None) -> str:
    assert found is not None
    return found.text


def test_what_is_seen_is_what_the_arithmetic_says_of_these_steps() -> None:
    found = foresee("prod", deployment(), at(0.1, 0.001))
    least = arithmetic.visible(arithmetic.linear(10, 1), 6, 0.001)
    assert least is not None
    assert f"{100 * least:.2g}" == "41"
    assert found == Foresight(
        "at 0.1 requests/s this shift (10 % every minute) sees failures of 41 % and more; `minutes: 15` (2.2 hours in"
        " all) would see 5.1 %"
    )
    needed = arithmetic.minutes(lambda minutes: arithmetic.linear(10, minutes), 6, 0.001, 0.051)
    assert needed == 9 * 15
    steps = arithmetic.linear(10, 15)
    assert arithmetic.power(steps, 6, 0.001, 0.051) >= arithmetic.POWER


def test_a_canary_has_one_step() -> None:
    assert text(foresee("prod", deployment(CANARY, 10, 5), at(25, 0.001))) == (
        "at 25 requests/s this shift (10 % for 5 minutes) sees failures of 1.4 % and more"
    )


def test_what_is_lost_anyway_is_no_loss() -> None:
    """Of 3 % that fail already, 8 % are what a shift should see."""
    assert text(foresee("prod", deployment(), at(1, 0.03))).endswith("`minutes: 5` (45 minutes in all) would see 8 %")


def test_a_shift_that_sees_nothing_is_refused_with_the_minutes_that_would_do() -> None:
    found = foresee("prod", deployment(), at(0.02))
    assert found == Foresight(
        "at 0.02 requests/s this shift (10 % every minute) can see nothing: a release is refused; `minutes: 68` (10"
        " hours in all) would see 5 %",
        "prod: at 0.02 requests/s this shift (10 % every minute) can see nothing",
        "set glidepath:deployment.minutes to 68 (10 hours in all), which would see failures of 5 %, and"
        " glidepath:shiftMinutes to 642 or more, or accept it with glidepath:deployment.blind: accept",
    )


@pytest.mark.parametrize(("blind", "minutes"), [("warn", 7 * 1440), ("refuse", 1439)])
def test_a_shift_that_sees_nothing_is_warned_of_in_a_new_environment_or_where_config_says_so(
    blind: str, minutes: float
) -> None:
    found = foresee("prod", replace(deployment(), blind=blind), Traffic(1.2 * minutes, 0, minutes))
    assert found == Foresight(
        "at 0.02 requests/s this shift (10 % every minute) can see nothing; `minutes: 68` (10 hours in all) would see"
        " 5 %",
        "prod: at 0.02 requests/s this shift (10 % every minute) can see nothing: set glidepath:deployment.minutes to"
        " 68 (10 hours in all), which would see failures of 5 %, and glidepath:shiftMinutes to 642 or more, or accept"
        " it with glidepath:deployment.blind: accept",
    )
    changed = replace(deployment(), minutes=68)
    assert "sees failures of 5 % and more" in text(foresee("prod", changed, at(0.02)))


def test_a_shift_that_may_see_nothing_is_told_of_and_not_warned_of() -> None:
    found = foresee("prod", replace(deployment(), blind="accept"), at(0.02))
    assert found == Foresight(
        "at 0.02 requests/s this shift (10 % every minute) can see nothing (accepted); `minutes: 68` (10 hours in all)"
        " would see 5 %"
    )


@pytest.mark.parametrize(("per_second", "failing", "percent"), [(500, 0.8, 80), (1, 0.6, 60), (0.1, 1.0, 100)])
def test_a_release_that_mends_what_fails_is_neither_refused_nor_warned_of(
    per_second: float, failing: float, percent: int
) -> None:
    found = foresee("prod", deployment(), at(per_second, failing))
    assert found == Foresight(
        f"at {per_second:g} requests/s this shift (10 % every minute) can see nothing worse than what serves, which"
        f" fails {percent} % of them"
    )


def test_where_no_shift_is_long_enough_none_is_suggested() -> None:
    found = foresee("prod", deployment(), at(0.0003))
    assert found is not None
    assert found.text.endswith("can see nothing: a release is refused; none of up to 34 hours would see 5 %")
    assert found.fix.endswith("would see 5 %; accept it with glidepath:deployment.blind: accept")


@pytest.mark.parametrize(("asked", "baking"), [("accept", 10), ("ask", 10), ("accept", 600)])
def test_the_longest_that_is_suggested_is_the_longest_that_config_takes(
    monkeypatch: pytest.MonkeyPatch, asked: str, baking: int
) -> None:
    found = replace(deployment(CANARY), on_inconclusive=asked, bake_minutes=baking)

    def suggested(whole: int) -> bool:
        monkeypatch.setattr(power, "minutes", lambda *_: float(whole))
        return f"`minutes: {whole}`" in text(foresee("prod", found, at(0.02)))

    def problems(whole: int) -> list[str]:
        shift = {"kind": CANARY, "minutes": whole, "onInconclusive": asked, "bakeMinutes": baking}
        build = {"deployMinutes": limits.LONGEST_BUILD}
        more = {"capture": {"waitSeconds": 880}, "shiftMinutes": whole + limits.hooks(asked), "build": build}
        return review("live1", configs.config("live1", deployment=shift, **more))[1]

    whole = next(whole for whole in range(limits.LONGEST_BUILD, 0, -1) if suggested(whole))
    assert problems(whole) == []
    assert problems(whole + 1) != []


def test_nobody_who_asks_is_no_reason_to_warn() -> None:
    assert foresee("prod", deployment(), None) == Foresight(
        "nobody has asked for 7 days: this shift (10 % every minute) can see nothing"
    )


def test_all_at_once_has_nothing_to_look_at() -> None:
    assert foresee("prod", deployment(ALL_AT_ONCE), at(5)) is None


@pytest.mark.parametrize(
    ("number", "words"), [(0.00213, "0.0021"), (41.3, "41"), (250, "250"), (1234, "1200"), (5, "5"), (99.9, "100")]
)
def test_figures_have_two_digits(number: float, words: str) -> None:
    assert short(number) == words


def cloudwatch(answered: dict[datetime, float], failed: dict[datetime, float], status: str = "Complete") -> Any:
    """CloudWatch, which is asked once."""
    client = boto3.client("cloudwatch", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
    stub = Stubber(client)
    dimensions = [{"Name": "Service", "Value": "glidepath-prod"}]

    def query(name: str, metric: str, statistic: str) -> dict[str, Any]:
        found = {"Namespace": "Glidepath", "MetricName": metric, "Dimensions": dimensions}
        return {"Id": name, "MetricStat": {"Metric": found, "Period": 3600, "Stat": statistic}}

    expected = {
        "MetricDataQueries": [query("answered", "Latency", "SampleCount"), query("failed", "ModelErrors", "Sum")],
        "StartTime": datetime(2026, 11, 14, 12, tzinfo=UTC),
        "EndTime": NOW,
    }
    results = [
        {"Id": name, "Timestamps": list(values), "Values": list(values.values()), "StatusCode": status}
        for name, values in (("failed", failed), ("answered", answered))
    ]
    stub.add_response("get_metric_data", {"MetricDataResults": results}, expected)
    stub.activate()
    return client


def test_the_requests_are_those_that_a_model_was_asked_since_the_first_of_them() -> None:
    first, later = NOW - timedelta(days=2, minutes=30), NOW - timedelta(hours=3, minutes=30)
    client = cloudwatch({first: 700.0, later: 180.0}, {first: 0.0, later: 20.0, NOW - timedelta(days=6): 0.0})
    found = traffic(client, NAMES, "prod", NOW)
    assert found == Traffic(900, 20, 2 * 1440 + 30)
    assert found.per_minute == pytest.approx(900 / 2910)
    assert found.failing == pytest.approx(20 / 900)


def test_the_first_minutes_are_no_measure_of_an_hour() -> None:
    found = traffic(cloudwatch({NOW.replace(minute=0): 600.0}, {}), NAMES, "prod", NOW)
    assert found == Traffic(600, 0, 60)


def test_a_model_that_answers_nobody_was_asked_all_the_same() -> None:
    found = traffic(cloudwatch({}, {NOW - timedelta(hours=10): 5.0}), NAMES, "prod", NOW)
    assert found == Traffic(5, 5, 600)
    assert math.isclose(found.failing, 1)
    assert foresee("prod", deployment(), found) is not None


@pytest.mark.parametrize("failed", [{}, {NOW: 0.0}])
def test_an_environment_that_nobody_asks_has_no_traffic(failed: dict[datetime, float]) -> None:
    assert traffic(cloudwatch({}, failed), NAMES, "prod", NOW) is None


def test_a_part_of_the_requests_is_no_measure() -> None:
    with pytest.raises(IncompleteError, match="InternalError"):
        traffic(cloudwatch({NOW: 1.0}, {}, "InternalError"), NAMES, "prod", NOW)


def test_pages_that_never_end_are_no_measure() -> None:
    page = {"MetricDataResults": [], "NextToken": "again"}
    watch = SimpleNamespace(get_metric_data=lambda **_: page)
    with pytest.raises(IncompleteError, match="the same page twice"):
        traffic(watch, NAMES, "prod", NOW)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    accounts = {"delivery": "1" * 12, "prod": "3" * 12}
    delivery = {"glidepath:name": "glidepath", "aws:region": "eu-west-1", "glidepath:accounts": accounts}
    delivery["glidepath:environments"] = ["prod"]
    config(tmp_path, delivery, "delivery")
    config(tmp_path, {"glidepath:deployment": {"kind": "linear", "percentage": 20}})
    return tmp_path


def config(root: Path, values: dict[str, Any], stack: str = "prod") -> None:
    (root / f"Pulumi.{stack}.yaml").write_text(json.dumps({"config": values}))


def test_the_steps_are_those_of_the_stacks_file(root: Path) -> None:
    found = configured(root, "prod", production=True)
    assert found is not None
    assert (found.kind, found.percentage, found.minutes, found.blind) == (LINEAR, 20, 5, "refuse")
    config(root, {})
    assert configured(root, "prod", production=True) == deployment(CANARY, 10, 5)
    staging = configured(root, "prod", production=False)
    assert staging == replace(deployment(CANARY, 10, 5), blind="warn")
    config(root, {"glidepath:deployment": {"blind": "accept"}})
    accepting = [configured(root, "prod", production=last) for last in (True, False)]
    assert accepting == 2 * [replace(deployment(CANARY, 10, 5), blind="accept")]
    config(root, {"glidepath:deployment": {"kind": "slowly"}})
    assert configured(root, "prod", production=True) is None


class Refusing:
    """Clients of which CloudWatch cannot be had."""

    error: Exception

    def __init__(self, _: Any) -> None:
        pass

    def of(self, _stack: str, _service: str) -> Any:
        """The real one's method."""
        raise self.error


def refuse(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    monkeypatch.setattr(Refusing, "error", error, raising=False)
    monkeypatch.setattr(clients, "Clients", Refusing)


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (
            ClientError({"Error": {"Code": "AccessDenied", "Message": "arn:…"}}, "GetMetricData"),
            "(AccessDenied: an administrator runs `pulumi up --stack prod`)",
        ),
        (ClientError({"Error": {"Code": "Throttling", "Message": "slow"}}, "GetMetricData"), "(Throttling)"),
        (ProfileNotFound(profile="glidepath-prod"), "(ProfileNotFound)"),
        (IncompleteError("in part"), "(CloudWatch answered in part)"),
    ],
)
def test_what_cannot_be_read_is_said_and_stops_nobody(
    root: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, why: str
) -> None:
    refuse(monkeypatch, error)
    with power.looking(root, "prod") as ahead:
        found = ahead.result()
    assert found == Foresight(
        f"what it can see is not known, as the requests of prod cannot be read {why}",
    )


@pytest.mark.parametrize("given", [{"kind": "all-at-once"}, {"kind": "slowly"}])
def test_nobody_is_asked_where_no_steps_are_known(
    root: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, Any]
) -> None:
    refuse(monkeypatch, AssertionError("asked"))
    config(root, {"glidepath:deployment": given})
    assert look(root, "prod") is None
    assert look(root, "delivery") is None
    assert look(root, "staging") is None


def test_a_warning_stands_beside_what_the_command_prints(capsys: pytest.CaptureFixture[str]) -> None:
    warn(None)
    warn(Foresight("sees all"))
    assert capsys.readouterr() == ("", "")
    warn(foresee("prod", deployment(), at(0.0003)))
    assert capsys.readouterr() == ("", "")  # refused, with the same words
    warn(foresee("prod", replace(deployment(), blind="warn"), at(0.0003)))
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("warning: prod: at 0.0003 requests/s this shift")
    assert shown.err.count("\n") == 1


SHIFT = "pulumi-python:dynamic/glidepath:TrafficShift"
ONE, ANOTHER = {"release": "a", "version": "1"}, {"release": "b", "version": "2"}
BLIND = Foresight("of prod, and is refused", "prod: this shift can see nothing", "accept it")


@pytest.mark.parametrize("new", [ANOTHER, {**ONE, "version": "2"}, {"release": "a"}])
@pytest.mark.parametrize("op", ["update", "replace"])
def test_a_plan_that_moves_callers_unseen_is_refused(op: str, new: dict[str, str]) -> None:
    planned = world.document(world.step("same", world.ROLE, "r", {}, {}), world.step(op, SHIFT, "shift", ONE, new))
    with pytest.raises(UserError) as caught:
        power.refuse(BLIND, planned)
    assert str(caught.value) == "prod: this shift can see nothing\n  nothing was changed; accept it"
    power.refuse(replace(BLIND, fix=""), planned)
    power.refuse(None, planned)


@pytest.mark.parametrize(
    "step",
    [
        world.step("create", SHIFT, "shift", None, ONE),
        world.step("same", SHIFT, "shift", ONE, ONE),
        world.step("delete", SHIFT, "shift", ONE, None),
        world.step("update", SHIFT, "shift", ONE, ONE),
        world.step("update", world.ROLE, "shift", ONE, ANOTHER),
    ],
    ids=["first-release", "nothing", "destroyed", "moved-by-hand", "something-else"],
)
def test_a_plan_that_moves_nobody_to_another_version_is_not_refused(step: dict[str, Any]) -> None:
    power.refuse(BLIND, world.document(step))


def foreseen(monkeypatch: pytest.MonkeyPatch, fix: str = "") -> None:
    monkeypatch.setattr(power, "look", lambda _, stack: Foresight(f"of {stack}", f"{stack} is blind", fix))


def serving(monkeypatch: pytest.MonkeyPatch) -> None:
    """A preview in which callers go from one release to another."""
    moved = world.step("update", SHIFT, "shift", ONE, ANOTHER)
    monkeypatch.setattr(previews, "steps", lambda _: world.document(moved))


def test_the_reports_of_a_build_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    foreseen(monkeypatch)
    serving(monkeypatch)
    assert evidence.report_of("prod").shift == "of prod"


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the plan stage stores, without its other checks."""
    stored: list[str] = []
    serving(monkeypatch)
    release = parse_release(json.dumps(samples.manifest()))
    monkeypatch.setattr(plan_command, "s3", lambda: None)
    monkeypatch.setattr(source_files, "refuse_more", lambda *_: None)
    monkeypatch.setattr(evidence, "read_manifest", lambda *_: (release, "ab"))
    monkeypatch.setattr(evidence, "refuse_other_code", lambda *_: None)

    def store(*_: object) -> str:
        stored.append("plan")
        return "cd"

    monkeypatch.setattr(plans, "store", store)
    return stored


def test_plan_refuses_before_anybody_is_asked(monkeypatch: pytest.MonkeyPatch, planned: list[str]) -> None:
    foreseen(monkeypatch, "accept it")
    with pytest.raises(UserError, match="prod is blind"):
        plan_command.plan("prod", "s3://artifacts/runs/1/manifest.json", "s3://artifacts/plan.json", "", None)
    assert planned == []


@pytest.mark.usefixtures("planned")
def test_plan_tells_the_approver_and_warns(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    foreseen(monkeypatch)
    variables = tmp_path / "plan.env"
    plan_command.plan("prod", "s3://artifacts/runs/1/manifest.json", "s3://artifacts/plan.json", "", variables)
    shown = capsys.readouterr()
    assert "Shift: of prod. Cost: " in shown.out
    assert shown.err == "warning: prod is blind\n"
    assert "Shift: of prod." in variables.read_text()


def test_deploy_looks_beside_its_preview(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    begun = threading.Event()

    def look(_: Path, stack: str) -> Foresight:
        assert begun.wait(10), "the deployment has not begun"
        return Foresight(f"of {stack}")

    def deploy_release(*_: object, foreseen: Callable[[], Foresight | None], **__: object) -> None:
        begun.set()
        said.append(foreseen())

    said: list[Foresight | None] = []
    monkeypatch.setattr(power, "look", look)
    monkeypatch.setattr(deploying, "deploy_release", deploy_release)
    monkeypatch.setattr(deploying, "outcome", lambda _: {"RELEASE": "r"})
    deploy_command.deploy("prod", "s3://artifacts/manifest.json", "", "", "", None)
    assert said == [Foresight("of prod")]
    assert capsys.readouterr().out == "RELEASE=r\n"
