"""The report as a whole: base and head, order, length, formats."""

import json
from dataclasses import replace
from typing import Any

import pytest

from contracts.release import Champion, parse_release
from operate.evidence import LONGEST, evidence
from preview import as_json, markdown, report, summary, text
from preview.render.markdown import LIMIT
from tests.functions import samples
from tests.preview import world

ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
BUCKET = "aws:s3/bucket:Bucket"
FINDING = {"policy": "p", "level": "mandatory", "urn": world.urn(ALARM, "a"), "message": "[rule] bad\n  Fix: fix it"}


def changed(name: str, old: Any, new: Any) -> dict[str, Any]:
    return world.step("update", ALARM, name, {"threshold": old}, {"threshold": new})


def test_what_waits_in_the_base_is_no_change_of_the_head() -> None:
    base = world.document(changed("a", 1, 2))
    found = report(base, base, "main")
    assert found.exit_code == 0
    assert [change.name for change in found.waiting] == ["a"]
    assert "Nothing changes in `prod`, compared with `main`." in markdown(found)
    assert "Waiting in main already (1)" in markdown(found)


def test_the_head_s_own_change_is_distinguished_from_what_waits() -> None:
    head = world.document(changed("a", 1, 2), changed("b", 1, 5))
    found = report(head, world.document(changed("a", 1, 2), world.step("same", ALARM, "b", {}, {})), "main")
    assert [change.name for change in found.own] == ["b"]
    assert found.exit_code == 2
    assert found.first[0].text == "alarm `b` changes: `threshold`: `1` → `5`"


def test_what_the_head_takes_back_is_reported() -> None:
    found = report(world.document(), world.document(changed("a", 1, 2)), "main")
    assert found.taken_back == ("alarm `a` is not changed",)
    assert found.exit_code == 2


def test_findings_are_new_or_old_by_the_base() -> None:
    both = report(world.document(findings=[FINDING]), world.document(findings=[FINDING]), "main")
    assert [each.new for each in both.violations] == [False]
    assert both.exit_code == 3
    only = report(world.document(findings=[FINDING]), world.document(), "main")
    assert [each.new for each in only.violations] == [True]
    assert only.first[0].text == "policy: [rule] bad (alarm `a`)"


def test_without_a_base_new_is_what_is_found_in_something_that_changes() -> None:
    same = world.step("same", ALARM, "a", {}, {})
    assert [each.new for each in report(world.document(same, findings=[FINDING])).violations] == [False]
    found = report(world.document(changed("a", 1, 2), findings=[FINDING]))
    assert [each.new for each in found.violations] == [True]


def test_data_that_is_lost_comes_before_anything_else() -> None:
    found = report(
        world.document(
            changed("a", 1, 2),
            world.step("delete", ALARM, "b", {}),
            world.step("delete", BUCKET, "captures", {}),
            world.step("replace", BUCKET, "models", {"bucket": "x"}, {"bucket": "y"}, replace=["bucket"]),
        )
    )
    assert [line.text for line in found.first] == [
        "bucket `captures` is **deleted**: its objects are lost",
        "bucket `models` is **replaced**: its objects are lost, forced by `bucket`: `x` → `y`",
        "alarm `a` changes: `threshold`: `1` → `2`",
        "alarm `b` is **deleted**: nobody hears of it any more",
    ]


def test_what_is_kept_on_purpose_is_no_loss() -> None:
    kept = world.step("delete", BUCKET, "captures", world.state(BUCKET, {}, retainOnDelete=True))
    (line,) = report(world.document(kept)).first
    assert line.text == "bucket `captures` leaves the stack, but stays in the account (`retainOnDelete`)"


def test_a_replacement_is_traced_to_its_root_over_several_resources() -> None:
    model, configuration = "aws:sagemaker/model:Model", "aws:sagemaker/endpointConfiguration:EndpointConfiguration"
    source = {"propertyDependencies": {"modelName": [world.urn(model, "m")]}}
    further = {"propertyDependencies": {"endpointConfigName": [world.urn(configuration, "c")]}}
    endpoint = "aws:sagemaker/endpoint:Endpoint"
    later = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
    found = report(
        world.document(
            world.step("replace", model, "m", {"url": "one"}, {"url": "two"}, replace=["url"]),
            world.step(
                "replace",
                configuration,
                "c",
                {"modelName": "m-1"},
                world.state(configuration, {"modelName": later}, **source),
                replace=["modelName"],
            ),
            world.step(
                "replace",
                endpoint,
                "e",
                {"endpointConfigName": "c-1"},
                world.state(endpoint, {"endpointConfigName": later}, **further),
                replace=["endpointConfigName"],
            ),
        )
    )
    assert "forced by `url`: `one` → `two` of model `m`" in found.first[0].text


def test_a_comment_is_never_too_long() -> None:
    rights = [world.allow("s3:GetObject", f"arn:aws:s3:::bucket-{n}/{'x' * 100}/*") for n in range(400)]
    policy = ("aws:iam/rolePolicy:RolePolicy", "p")
    steps = [world.step("create", ALARM, f"alarm-{n}", None, {"description": "y" * 150}) for n in range(800)]
    steps.append(world.step("update", *policy, {"role": "r"}, {"role": "r", "policy": world.policy(*rights)}))
    found = report(world.document(*steps))
    shown = markdown(found)
    assert len(shown.encode()) < LIMIT
    assert "lines more (`--format json` has all)" in shown
    assert shown.count("<details") == shown.count("</details>")
    assert len(json.loads(as_json(found))["changes"]) == 801
    assert len(summary(found)) <= 900


def test_an_alias_that_was_moved_by_hand_goes_back() -> None:
    kind, inputs = "pulumi-python:dynamic/glidepath:TrafficShift", {"version": "7", "release": "r1"}
    (line,) = report(world.document(world.step("update", kind, "shift", inputs, inputs))).first
    assert line.text == (
        "traffic shift `shift`: the alias is **not where the last shift left it** (moved by hand?): all callers go"
        " back to release `r1`"
    )


@pytest.mark.parametrize(
    ("new", "words"),
    [
        (["a", "c", "d"], "the new release adds `c`, `d` and removes `b`"),
        (["a"], "the new release removes `b`"),
        (["b", "a"], "has its features in another order (`b`, `a`)"),
    ],
)
def test_another_request_schema_is_named(new: list[str], words: str) -> None:
    kind = "aws:lambda/function:Function"
    sides = [{"environment": {"variables": {"FEATURES": json.dumps(each)}}} for each in (["a", "b"], new)]
    first, *_ = report(world.document(world.step("update", kind, "predict", *sides))).first
    assert first.text.startswith("the request schema **changes**")
    assert words in first.text


@pytest.mark.parametrize(
    ("former", "new", "words"),
    [
        (
            "{}",
            ["a", "c", "d"],
            "are answered by the old endpoint until it goes, after the shift, and are refused (400)",
        ),
        ("", ["a", "c", "d"], "are refused (400) by the share of traffic that has moved to it"),
        ("{}", ["b", "a"], "CSV names no features: such callers must change **with** the shift"),
    ],
)
def test_what_becomes_of_requests_of_the_old_schema_is_said(former: str, new: list[str], words: str) -> None:
    kind = "aws:lambda/function:Function"
    known = {"FORMER": former} if former else {}
    sides = [
        {"environment": {"variables": {"FEATURES": json.dumps(each), **more}}}
        for each, more in ((["a", "b"], {}), (new, known))
    ]
    first, *_ = report(world.document(world.step("update", kind, "predict", *sides))).first
    assert words in first.text


def test_json_holds_what_programs_need() -> None:
    found = json.loads(as_json(report(world.document(changed("a", 1, 2)))))
    assert (found["schema"], found["exitCode"], found["stack"]) == (1, 2, "prod")
    assert found["changes"][0]["danger"] == "watching"
    assert found["changes"][0]["differences"] == ["`threshold`: `1` → `2`"]
    assert found["cost"]["delta"] == 0


def test_text_has_no_markup() -> None:
    shown = text(report(world.document(world.step("delete", BUCKET, "captures", {}))))
    assert shown.splitlines()[0] == "! bucket `captures` is deleted: its objects are lost"
    assert "**" not in shown
    assert "<details" not in shown


def test_a_policy_that_is_only_written_anew_changes_no_right() -> None:
    old = world.policy(world.allow(["s3:GetObject", "s3:PutObject"], "arn:aws:s3:::a/*"))
    new = world.policy(*(world.allow(a, "arn:aws:s3:::a/*", Sid=a[3:]) for a in ("s3:PutObject", "s3:GetObject")))
    role = {"role": "r", "name": "work"}
    policies = [{**role, "policy": each} for each in (old, new)]
    found = report(world.document(world.step("update", "aws:iam/rolePolicy:RolePolicy", "p", *policies)))
    assert found.capabilities == ()
    assert [line.text for line in found.first] == ["role policy `p` is rewritten; no permission changes"]


def test_a_document_of_another_schema_is_refused() -> None:
    with pytest.raises(ValueError, match="not a steps document of schema 1: its schema is 7"):
        report(world.document() | {"schema": 7})


SHIFT = "pulumi-python:dynamic/glidepath:TrafficShift"
SEES = "at 0.1 requests/s this shift (10 % every minute) sees failures of 41 % and more"


def test_what_a_shift_can_see_is_told_wherever_there_is_a_release_to_shift_from() -> None:
    moved = world.step("update", SHIFT, "shift", {"release": "a"}, {"release": "b"})
    found = report(world.document(moved), shift=SEES)
    assert f"compared with what is there now.\nShift: {SEES}.\n" in text(found)
    assert f"\n\nShift: {SEES}.\n\n" in markdown(found)
    assert f"compared with what is there now. Shift: {SEES}. Cost: " in summary(found)
    assert json.loads(as_json(found))["shift"] == SEES


@pytest.mark.parametrize(
    ("step", "destroy"),
    [
        (world.step("create", SHIFT, "shift", None, {"release": "b"}), False),
        (world.step("delete", SHIFT, "shift", {"release": "a"}), True),
        (changed("a", 1, 2), False),
    ],
)
def test_nobody_is_told_of_a_shift_that_moves_no_callers(step: dict[str, Any], destroy: bool) -> None:
    found = report(world.document(step), destroy=destroy, shift=SEES)
    assert found.shift == ""
    assert "Shift:" not in text(found) + markdown(found) + summary(found)


def test_the_approver_reads_it_whatever_else_there_is_to_say() -> None:
    steps = [world.step("delete", ALARM, f"alarm-{number}" * 9, {}) for number in range(40)]
    moved = world.step("update", SHIFT, "shift", {"release": "a"}, {"release": "b"})
    longest = "`minutes: 1111` (18 hours in all) would see 5.1 %"
    sees = f"at 0.00011 requests/s this shift (10 % for 120 minutes) sees failures of 41 % and more; {longest}"
    loud = parse_release(json.dumps(samples.manifest()))
    loud = replace(loud, champion=Champion(None, None, "nothing changes, all is well. " * 99))
    mail = evidence(loud, "prod", summary(report(world.document(moved, *steps), shift=sees)))
    assert len(mail) <= LONGEST
    assert f"Shift: {sees.replace('`', '')}. Cost: " in mail.replace("`", "")
