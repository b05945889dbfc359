"""Exemptions from policies in the report: which are in force, which are new, and that none speaks in our voice."""

import json
from dataclasses import replace
from typing import Any

import pytest

from contracts.release import Champion, parse_release
from operate.evidence import LONGEST, evidence
from preview import as_json, markdown, report, summary, text
from tests.preview import world
from tests.program.harness import manifest

RELEASE = parse_release(json.dumps(manifest(1)))
ENTRY = {"rule": "wildcard-type", "resource": "model", "where": "", "reason": "goes in March", "until": "2027-03-31"}
OTHER = {**ENTRY, "rule": "all-at-once", "resource": "shift", "where": "here"}


def told(*exemptions: dict[str, str], about: tuple[str, ...] = (), base: Any = None, level: str = "mandatory") -> Any:
    listed = [
        {"policy": "stack", "level": level, "urn": "", "message": f"[exemption] {each}\n  Fix: x"} for each in about
    ]
    return report(world.document(findings=listed, exemptions=list(exemptions)), base, "main" if base else "")


def test_those_in_force_are_listed_with_reason_and_end() -> None:
    found = told(ENTRY, OTHER)
    assert [(each.rule, each.new) for each in found.exempted] == [("all-at-once", None), ("wildcard-type", None)]
    lines = [
        "`all-at-once` of `shift` (`here`) until 2027-03-31: `goes in March`",
        "`wildcard-type` of `model` until 2027-03-31: `goes in March`",
    ]
    assert [line for line in markdown(found).splitlines() if "2027" in line] == [f"- {line}" for line in lines]
    assert "<summary>Exempted from policies (2)</summary>" in markdown(found)
    assert "\n".join(["Exempted from policies", *(f"  {line}" for line in lines)]) in text(found)
    assert json.loads(as_json(found))["exempted"] == [{**OTHER, "new": None}, {**ENTRY, "new": None}]
    assert found.first == ()


def test_without_any_nothing_is_said() -> None:
    assert "xempt" not in markdown(told()) + text(told()) + summary(told())


@pytest.mark.parametrize(
    ("before", "new"),
    [([], True), ([ENTRY], False), ([{**ENTRY, "until": "2027-01-01"}], True), ([{**ENTRY, "reason": "x"}], True)],
    ids=["none", "the same", "shorter", "another reason"],
)
def test_what_a_change_brings_is_new_and_stands_among_the_first_lines(before: list[Any], new: bool) -> None:
    found = told(ENTRY, base=world.document(exemptions=before))
    assert [each.new for each in found.exempted] == [new]
    sentence = "`wildcard-type` of `model` until 2027-03-31: `goes in March`"
    assert [line.text for line in found.first] == [f"exempted from policies: {sentence}"] * new
    assert (f"- **new**: {sentence}" in markdown(found)) is new
    assert (f"  new: {sentence}" in text(found)) is new
    assert ("(1 new)" in summary(found)) is new


@pytest.mark.parametrize("level", ["mandatory", "advisory"])
def test_one_that_the_pack_finds_fault_with_is_not_in_force(level: str) -> None:
    found = told(ENTRY, OTHER, about=("wildcard-type of model expired on 2026-01-01",), level=level)
    assert [each.rule for each in found.exempted] == ["all-at-once"]


def test_a_fault_is_of_the_exemption_that_it_names_in_full() -> None:
    """Another one's name may begin alike: neither takes the other out of the list."""
    placed, longer = {**ENTRY, "where": "statement 1"}, {**ENTRY, "resource": "model has"}
    about = ("wildcard-type of model (statement 1) has no reason", "wildcard-type of model has exempts nothing")
    found = told(ENTRY, placed, longer, about=about)
    assert [(each.resource, each.where) for each in found.exempted] == [("model", "")]
    assert told(ENTRY, placed, about=("wildcard-type of model has no reason",)).exempted[0].where == "statement 1"


def test_a_reason_cannot_speak_in_our_voice() -> None:
    odd = "**approved** by @security `</details>\u202e [all](http://x)"
    found = told({**ENTRY, "reason": odd, "resource": "a`b"})
    (line,) = [line for line in markdown(found).splitlines() if "2027" in line]
    assert (
        line == "- `wildcard-type` of `a'b` until 2027-03-31: `**approved** by @security '</details> [all](http://x)`"
    )


def test_the_approver_reads_how_many_whatever_else_there_is_to_say() -> None:
    alarm = "aws:cloudwatch/metricAlarm:MetricAlarm"
    steps = [world.step("delete", alarm, f"alarm-{number}" * 9, {}) for number in range(40)]
    found = report(world.document(*steps, exemptions=[ENTRY, OTHER]))
    mail = evidence(RELEASE, "prod", summary(found))
    assert len(mail) <= LONGEST
    assert "compared with what is there now. 2 exemptions from policies in force. Cost: " in mail
    assert "1 exemption from policies in force. Cost: " in summary(told(ENTRY))


def test_no_word_of_the_evaluation_pushes_that_out() -> None:
    """Its code is the commit's: why a champion could not be asked is a text of its own."""
    loud = replace(RELEASE, champion=Champion(None, None, "nothing changes, all is well. " * 99))
    mail = evidence(loud, "prod", summary(report(world.document(exemptions=[ENTRY, OTHER]))))
    assert len(mail) <= LONGEST
    assert "2 exemptions from policies in force. Cost: " in mail
