"""Differences of values, names in the place of ids, and what is hidden."""

from typing import Any

import pytest

from preview import markdown, report
from preview.plan import UNKNOWN, document, parse_events
from preview.values import differences
from tests.preview import world

CONFIGURATION = "aws:sagemaker/endpointConfiguration:EndpointConfiguration"
ASSET = {"4dabf18193072939515e22adb298388d": "x"}


@pytest.mark.parametrize(
    ("old", "new", "lines"),
    [
        ({"a": 1}, {"a": 2}, ["`a`: `1` → `2`"]),
        ({"a": 1.0}, {"a": 1}, []),
        ({}, {"a": {"b": True}}, ['`a`: (none) → `{"b": true}`']),
        ({"a": ["x", "y"]}, {"a": ["y", "z"]}, ["`a`: `x` → `z`"]),
        ({"a": ["x", "y"]}, {"a": ["y", "x"]}, ["`a`: `x, y` → `y, x (in another order)`"]),
        (
            {"v": [{"name": "a", "n": 1}, {"name": "b", "n": 1}]},
            {"v": [{"name": "b", "n": 2}, {"name": "a", "n": 1}]},
            ["`v[b].n`: `1` → `2`"],
        ),
        ({"v": [{"n": 1}]}, {"v": [{"n": 1}, {"n": 2}]}, ['`v[1]`: (none) → `{"n": 2}`']),
        ({"j": '{"a": 1, "b": 2}'}, {"j": '{"b":2,"a":3}'}, ["`j.a`: `1` → `3`"]),
        ({"j": '{"a": 1, "b": 2}'}, {"j": '{"b":2,"a":1}'}, []),
        ({"a": "x"}, {"a": UNKNOWN}, ["`a`: `x` → (known after the update)"]),
        ({"a": UNKNOWN}, {"a": UNKNOWN}, []),
        ({"a": "`x`"}, {"a": "<b>"}, ["`a`: `'x'` → `<b>`"]),
        (
            {"code": {**ASSET, "assets": {"a.py": {**ASSET, "hash": "1", "path": "/one/a.py"}}}},
            {"code": {**ASSET, "assets": {"a.py": {**ASSET, "hash": "1", "path": "/two/a.py"}}}},
            [],
        ),
        (
            {"code": {**ASSET, "assets": {"a.py": {**ASSET, "hash": "1"}, "b.py": {**ASSET, "hash": "1"}}}},
            {"code": {**ASSET, "assets": {"a.py": {**ASSET, "hash": "2"}, "c.py": {**ASSET, "hash": "1"}}}},
            ["`code/a.py`: `there` → `changed`", "`code/b.py`: `there` → `removed`", "`code/c.py`: (none) → `added`"],
        ),
    ],
)
def test_leaves_that_differ(old: Any, new: Any, lines: list[str]) -> None:
    assert [str(each) for each in differences(old, new)] == lines


def test_a_long_text_that_differs_at_its_end_still_differs() -> None:
    (found,) = differences({"a": "x" * 500}, {"a": "x" * 500 + "y"})
    assert found.new.endswith("… (differs further on)")
    assert len(str(found)) < 500


def test_a_secret_stays_one() -> None:
    secret = world.step("update", "aws:ssm/parameter:Parameter", "p", {"value": "[secret]"}, {"value": "[secret]"})
    shown = markdown(report(world.document({**secret, "diff": {"value": "update"}})))
    assert "`value`: changes (secret)" in shown
    assert "[secret]" not in shown


def test_ids_and_invented_names_are_read_as_logical_names() -> None:
    key = "0aa1b2c3-1111-2222-3333-444455556666"
    old = {"name": "prod-1a2b3c4", "kmsKeyArn": f"arn:aws:kms:eu-west-1:1:key/{key}", "__defaults": ["name"]}
    new = {"name": "prod-9f9f9f9", "kmsKeyArn": f"arn:aws:kms:eu-west-1:1:key/{key}", "__defaults": ["name"], "x": key}
    told = report(
        world.document(
            world.step("same", "aws:kms/key:Key", "main", *[world.state("aws:kms/key:Key", {}, id=key)] * 2),
            world.step("replace", CONFIGURATION, "prod", old, new, replace=["x"]),
            world.step("update", "aws:sagemaker/endpoint:Endpoint", "e", {"c": "prod-1a2b3c4"}, {"c": "prod-9f9f9f9"}),
        )
    )
    shown = markdown(told)
    assert "`c`: `‹prod›` → `‹new prod›`" in shown
    assert "`x`: (none) → `‹main›`" in shown
    assert not any(word in shown for word in (key, "1a2b3c4", "9f9f9f9"))


def test_a_document_is_read_from_the_two_halves_of_a_run() -> None:
    preview = {
        "config": {"aws:region": "eu-west-1"},
        "steps": [
            {
                "op": "create",
                "urn": world.urn("aws:iam/role:Role", "r"),
                "newState": {**world.state("aws:iam/role:Role", {}), "stackTrace": [], "created": "2026-11-21"},
            },
            {"op": "create-replacement", "urn": world.urn("aws:iam/role:Role", "half")},
        ],
    }
    events = (
        '{"policyEvent": {"policyName": "p", "enforcementLevel": "mandatory", "resourceUrn": "",'
        ' "message": "A family\\n[rule] what\\n  Why: so"}}\n'
        '{"resOutputsEvent":{"metadata":{"type":"pulumi:pulumi:Stack","op":"create","new":{"outputs":{"a":1}}}}}\n'
        '{"policyEvent": {"cut'
    )
    found = document(preview, parse_events(events), "prod")
    assert [each["op"] for each in found["steps"]] == ["create"]
    assert found["outputs"]["new"] == {"a": 1}
    assert found["findings"][0]["message"] == "[rule] what\n  Why: so"
    assert "created" not in str(found)
    assert report(found).exit_code == 3
