"""Plans in the form that is approved: the same for the same plan, another for another, readable where they differ."""

import copy
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from preview import digest as digests
from preview.digest import Plan, differences, digest, summary
from preview.plan import UNKNOWN, document

Step = dict[str, Any]
PREFIX = "urn:pulumi:prod::glidepath::glidepath:deploy:Endpoint$"
ALARM, FUNCTION = "aws:cloudwatch/metricAlarm:MetricAlarm", "aws:lambda/function:Function"


def urn(kind: str, name: str) -> str:
    return f"{PREFIX}{kind}::{name}"


def step(op: str, kind: str, name: str, inputs: Step, id: str = "", **more: Any) -> Step:
    old = {"id": id, "inputs": {}} if id else None
    new = None if op == "delete" else {"inputs": inputs, "created": "2026-11-21T13:45:30Z"}
    return {"op": op, "urn": urn(kind, name), "oldState": old, "newState": new, **more}


def normalise(steps: list[Step]) -> Plan:
    """By way of the steps document, as the commands do it."""
    return digests.normalise(document({"steps": steps}))


def preview(random: str = "30ed65c", folder: str = "/a", instances: int = 2) -> list[Step]:
    """A release: a new endpoint, a function that names it, an alarm that stays."""
    name = f"glidepath-prod-{random}"
    asset = {
        "4dabf18193072939515e22adb298388d": "c44067f5952c0a294b673a41bacd8c17",
        "hash": "8bfb",
        "path": f"{folder}/handler.py",
    }
    archive = {"4dabf18193072939515e22adb298388d": "0def7320c3a5731c473e5ecbe6d01bc7", "assets": {"handler.py": asset}}
    return [
        step(
            "replace",
            "aws:sagemaker/endpoint:Endpoint",
            "glidepath-prod",
            {"__defaults": ["name"], "name": name, "variants": [{"initialInstanceCount": instances}]},
            id="glidepath-prod-0000000",
            detailedDiff={"variants": {"kind": "update-replace", "inputDiff": True}},
        ),
        step(
            "update",
            "aws:lambda/function:Function",
            "predict",
            {"code": archive, "environment": {"variables": {"ENDPOINT_NAME": name}}, "role": UNKNOWN},
            id="glidepath-prod-predict",
            detailedDiff={"environment.variables.ENDPOINT_NAME": {"kind": "update", "inputDiff": True}},
        ),
        step("same", "aws:cloudwatch/metricAlarm:MetricAlarm", "latency", {"threshold": 1000}, id="latency"),
    ]


def test_names_made_up_anew_folders_times_and_order_make_no_other_plan() -> None:
    one, other = preview("30ed65c", "/a"), preview("cf45862", "/codebuild/b")
    other.reverse()
    for each in other:
        if each["newState"]:
            each["newState"] |= {"created": "2026-11-22T00:00:00Z", "sourcePosition": "project:///x.py#1"}
    assert digest(normalise(one)) == digest(normalise(other))
    assert differences(normalise(one), normalise(other)) == []


def test_invokes_and_reads_are_no_part_of_a_plan() -> None:
    read = step("read", "aws:s3/bucket:Bucket", "found", {}, id="x")
    assert normalise([*preview(), read]) == normalise(preview())


def test_a_changed_input_is_named_with_both_values() -> None:
    assert differences(normalise(preview()), normalise(preview(instances=4))) == [
        "glidepath-prod (Endpoint): variants[0].initialInstanceCount was 2 when approved and is 4"
    ]


def test_a_change_inside_a_policy_is_named_by_its_place() -> None:
    def role(action: str) -> Step:
        text = json.dumps({"Statement": [{"Action": [action], "Effect": "Allow"}]})
        return step("update", "aws:iam/rolePolicy:RolePolicy", "predict", {"policy": text}, id="r")

    found = differences(normalise([role("s3:GetObject")]), normalise([role("s3:PutObject")]))
    assert found == [
        "predict (RolePolicy): policy.Statement[0].Action[0] was s3:GetObject when approved and is s3:PutObject"
    ]


@pytest.mark.parametrize(
    ("op", "expected"),
    [
        ("same", "latency (MetricAlarm): approved was same, planned is update"),
        ("none", "latency (MetricAlarm): approved was nothing, planned is update"),
    ],
)
def test_a_step_that_was_not_approved_is_named(op: str, expected: str) -> None:
    approved = preview()[:2] if op == "none" else preview()
    planned = copy.deepcopy(preview())
    planned[2]["op"] = "update"
    assert differences(normalise(approved), normalise(planned)) == [expected]


def test_a_step_that_is_missing_is_named() -> None:
    found = differences(normalise(preview()), normalise(preview()[:2]))
    assert found == ["latency (MetricAlarm): approved was same, planned is nothing"]


def test_another_thing_under_the_same_name_is_another_plan() -> None:
    planned = preview()
    planned[0]["oldState"]["id"] = "glidepath-prod-1111111"
    assert differences(normalise(preview()), normalise(planned)) == [
        (
            "glidepath-prod (Endpoint): approved was the replace of glidepath-prod-0000000, planned is that of"
            " glidepath-prod-1111111"
        )
    ]


def test_the_same_inputs_over_another_state_are_another_plan() -> None:
    planned = preview()
    planned[1]["detailedDiff"]["memorySize"] = {"kind": "update"}
    assert differences(normalise(preview()), normalise(planned)) == [
        "predict (Function): the update now touches other properties: memorySize"
    ]


def test_an_unknown_value_that_became_known_is_reported_in_words() -> None:
    planned = preview()
    planned[1]["newState"]["inputs"]["role"] = "arn:aws:iam::1:role/x"
    assert differences(normalise(preview()), normalise(planned)) == [
        "predict (Function): role was not known before the deployment when approved and is arn:aws:iam::1:role/x"
    ]


def unknown_from(*sources: str) -> list[Step]:
    """Three functions, and a schedule whose target comes from `sources` of these."""
    made = [step("update", FUNCTION, name, {"code": "c"}, id=name) for name in ("predict", "probe", "watch")]
    dependencies = {"target": [urn(FUNCTION, name) for name in sources], "name": []}
    schedule = step("create", "aws:scheduler/schedule:Schedule", "hourly", {"target": {"arn": UNKNOWN}, "name": "h"})
    schedule["newState"]["propertyDependencies"] = dependencies
    return [*made, schedule]


def test_an_unknown_value_is_approved_with_what_it_comes_from() -> None:
    assert differences(normalise(unknown_from("predict")), normalise(unknown_from("predict"))) == []
    assert differences(normalise(unknown_from("predict")), normalise(unknown_from("probe", "predict"))) == [
        (
            "hourly (Schedule): target.arn was what the deployment learns from predict (Function) when approved and is"
            " what the deployment learns from predict (Function), probe (Function)"
        )
    ]


def test_what_comes_from_a_resource_that_stays_has_no_unknown_source() -> None:
    stays = unknown_from("predict", "probe")
    stays[1]["op"] = "same"
    assert normalise(stays)["steps"][-1]["inputs"]["target"] == {"arn": f"{UNKNOWN} of predict (Function)"}


def test_a_broken_off_deployment_leaves_fewer_sources_and_never_others() -> None:
    approved = normalise(unknown_from("predict", "probe"))
    left = unknown_from("predict", "probe")
    left[0]["op"] = "same"
    assert differences(approved, normalise(left)) == []
    other = unknown_from("predict", "watch")
    other[0]["op"] = "same"
    assert differences(approved, normalise(other)) == [
        (
            "hourly (Schedule): target.arn was what the deployment learns from predict (Function), probe (Function)"
            " when approved and is what the deployment learns from watch (Function)"
        )
    ]


def test_what_remains_of_a_plan_that_failed_half_way_is_approved() -> None:
    after = preview("abcdef0")
    endpoint = after[0]
    made = step("same", "aws:sagemaker/endpoint:Endpoint", "glidepath-prod", endpoint["newState"]["inputs"], id="new")
    leftover = step("delete", "aws:sagemaker/endpoint:Endpoint", "glidepath-prod", {}, id="glidepath-prod-0000000")
    assert differences(normalise(preview()), normalise([made, leftover, *after[1:]])) == []


def broken_off(threshold: int = 1, version: str = "8", description: str = "d") -> tuple[list[Step], list[Step]]:
    """A plan as it was approved, and what is left of it once the function has its version and one alarm is there."""

    def steps(done: bool, version: str, threshold: int, description: str) -> list[Step]:
        op = "same" if done else "update"
        known = {"dimensions": {"Version": version}}
        return [
            step(op, FUNCTION, "predict", {"code": "c"}, id="predict"),
            step(op, ALARM, "errors", {**known, "threshold": threshold}, id="errors"),
            step("update", ALARM, "latency", {**known, "description": description}, id="latency"),
        ]

    return steps(False, UNKNOWN, 1, "d"), steps(True, version, threshold, description)


def test_what_a_broken_off_deployment_has_made_known_is_no_other_plan() -> None:
    approved, left = broken_off()
    assert differences(normalise(approved), normalise(left)) == []
    approved, left = broken_off(threshold=2)
    assert differences(normalise(approved), normalise(left)) == [
        "errors (MetricAlarm): approved was update, planned is same"
    ]
    approved, left = broken_off(description="e")
    assert differences(normalise(approved), normalise(left)) == [
        "latency (MetricAlarm): description was d when approved and is e"
    ]


def test_a_half_done_plan_does_not_cover_another_deletion_or_other_inputs() -> None:
    after = preview("abcdef0", instances=4)
    made = step("same", "aws:sagemaker/endpoint:Endpoint", "glidepath-prod", after[0]["newState"]["inputs"], id="new")
    assert differences(normalise(preview()), normalise([made, *after[1:]])) == [
        "glidepath-prod (Endpoint): approved was replace, planned is same"
    ]
    inputs = preview("abcdef0")[0]["newState"]["inputs"]
    made = step("same", "aws:sagemaker/endpoint:Endpoint", "glidepath-prod", inputs, id="new")
    other = step("delete", "aws:sagemaker/endpoint:Endpoint", "glidepath-prod", {}, id="glidepath-prod-2222222")
    assert differences(normalise(preview()), normalise([made, other, *preview("abcdef0")[1:]])) == [
        "glidepath-prod (Endpoint): approved was replace, planned is delete and same"
    ]


def test_many_differences_are_counted() -> None:
    assert summary(["a", "b", "c"]) == "a; b; c"
    assert summary(["a", "b", "c", "d", "e"]) == "a; b; c; and 2 more"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1, max_size=2), inner),
    max_leaves=8,
)
INPUTS = st.dictionaries(st.text("xyz", min_size=1, max_size=2), VALUES, max_size=4)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine proves nothing
@given(INPUTS, INPUTS)
def test_two_plans_have_one_digest_where_nothing_differs_and_only_there(one: Step, other: Step) -> None:
    plans = [normalise([step("update", "aws:s3/bucket:Bucket", "b", inputs, id="b")]) for inputs in (one, other)]
    assert (digest(plans[0]) == digest(plans[1])) == (differences(plans[0], plans[1]) == [])
