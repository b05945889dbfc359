"""From a stack's file to what the policy pack is told, and what is refused on the way."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from contracts.errors import UserError
from operate import exemptions
from policies.rules.catalogue import FAMILIES, RULES
from policies.rules.engine import policies
from policies.rules.judge import MARK, UNUSED
from settings import Exemption

ENTRY = {"rule": "wildcard-type", "resource": "model", "reason": "goes in March", "until": "2027-03-31"}


def stack_file(folder: Path, given: Any) -> Path:
    (folder / "Pulumi.prod.yaml").write_text(yaml.safe_dump({"config": {exemptions.KEY: given}}))
    return folder


def told(arguments: list[str]) -> Any:
    return json.loads(Path(arguments[arguments.index("--policy-pack-config") + 1]).read_text())


def test_each_exemption_goes_to_the_policy_of_its_rule(tmp_path: Path) -> None:
    whole = {**ENTRY, "rule": "alias-shifted", "where": "here"}
    entries = [ENTRY, {**ENTRY, "resource": "other"}, {**ENTRY, "rule": "all-at-once"}, whole]
    found = exemptions.of("prod", stack_file(tmp_path, {"exemptions": entries}))
    arguments = exemptions.arguments(tmp_path / "policies", found, tmp_path)
    assert arguments[:2] == ["--policy-pack", str(tmp_path / "policies")]
    assert told(arguments) == {
        "least-privilege": {"exemptions": entries[:2]},
        "release-safety": {"exemptions": [entries[2]]},
        "stack": {"exemptions": [whole]},
    }


def test_every_rule_has_a_registered_policy() -> None:
    """The engine tells a policy of its config by its name, and says nothing of a name that no policy has."""
    registered = {policy.name for policy in policies()}
    given = [Exemption(rule.name, "x", "", "y", "2027-03-31") for rule in RULES]
    found = exemptions.pack_config(given)
    assert set(found) == {*FAMILIES, "stack"} <= registered
    assert sum(len(each["exemptions"]) for each in found.values()) == len(RULES)


def test_without_pack_or_exemptions_there_is_no_config(tmp_path: Path) -> None:
    assert exemptions.of("prod", stack_file(tmp_path, {})) == ()
    assert exemptions.of("prod", stack_file(tmp_path, {"exemptions": []})) == ()
    assert exemptions.arguments(None, [Exemption(**ENTRY, where="")], tmp_path) == []
    assert exemptions.arguments(tmp_path, [], tmp_path) == ["--policy-pack", str(tmp_path)]


def test_a_file_without_the_key_has_none(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.prod.yaml").write_text("config: {}\n")
    assert exemptions.of("prod", tmp_path) == ()


def test_a_day_needs_no_quotes(tmp_path: Path) -> None:
    entry = "{rule: all-at-once, resource: shift, reason: c, until: 2027-03-31}"
    text = f"config: {{{exemptions.KEY}: {{exemptions: [{entry}]}}}}"
    (tmp_path / "Pulumi.prod.yaml").write_text(text)
    assert [each.until for each in exemptions.of("prod", tmp_path)] == ["2027-03-31"]


ENTRIES = "glidepath:policies.exemptions"
PIPELINE = "The pipeline knows a new rule once an administrator has brought the delivery stack up"
NOT_USABLE = "the config of stack prod is not usable:"
FAULTS = f"""{NOT_USABLE}
  - {ENTRIES}[0].resource: '*' is not the name or URN of one resource, without spaces, * and ?
  - {ENTRIES}[0].until: 'soon' is not a day like 2027-03-31
  - {ENTRIES}[0].why: unknown key; known are reason, resource, rule, until, where"""


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            [{**ENTRY, "rule": "wildcard-types"}],
            (
                f"Pulumi.prod.yaml: {ENTRIES}[0].rule: 'wildcard-types' is no rule of the policy pack; did you mean"
                f" wildcard-type? {PIPELINE}"
            ),
        ),
        (
            [ENTRY, {**ENTRY, "rule": "qqq"}],
            (
                f"Pulumi.prod.yaml: {ENTRIES}[1].rule: 'qqq' is no rule of the policy pack; policies/RULES.md lists"
                f" them. {PIPELINE}"
            ),
        ),
        ([{**ENTRY, "resource": "*", "until": "soon", "why": "x"}], FAULTS),
        ({}, f"{NOT_USABLE}\n  - {ENTRIES}: {{}} is not a list of objects"),
    ],
)
def test_what_cannot_be_told_is_refused_before_the_engine_runs(tmp_path: Path, given: Any, message: str) -> None:
    with pytest.raises(UserError) as caught:
        exemptions.of("prod", stack_file(tmp_path, {"exemptions": given}))
    assert caught.value.message == message


def findings(stack: str, outputs: dict[str, Any], *messages: str) -> list[str]:
    listed = [{"policy": "stack", "level": "mandatory", "urn": "", "message": each} for each in messages]
    document = {"stack": stack, "outputs": {"old": {}, "new": outputs}, "findings": listed}
    return [each["level"] for each in exemptions.without_release(document)["findings"]]


def test_an_unused_exemption_stops_no_environment_before_its_first_release() -> None:
    unused = f"{MARK}all-at-once of shift {UNUSED}\n  Fix: take it out"
    assert findings("prod", {}, unused) == ["advisory"]
    assert findings("prod", {"release": "r"}, unused) == ["mandatory"]
    assert findings("delivery", {}, unused) == ["mandatory"]


@pytest.mark.parametrize(
    "message",
    [
        f"{MARK}all-at-once of shift expired on 2026-01-01",
        f"[wildcard-type] statement '{UNUSED}",
        f"{MARK}all-at-once of shift ({UNUSED}) has no reason",
    ],
)
def test_nothing_else_becomes_advice(message: str) -> None:
    assert findings("prod", {}, message) == ["mandatory"]
