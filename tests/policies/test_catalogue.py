"""The catalogue is what the rules say, and no rule goes untested."""

from policies.check_metadata import faults
from policies.rules.catalogue import RULES
from policies.rules.controls import controls, named
from tests.policies.corpus.quads import QUADS

OWN_TESTS = {"unknown-document"}


def test_metadata() -> None:
    assert faults() == []


def test_every_resource_rule_has_its_four_tests() -> None:
    assert {rule.name for rule in RULES if rule.check} - OWN_TESTS == set(QUADS)


def test_controls_are_of_rules_that_are_there() -> None:
    assert named() - {rule.name for rule in RULES} == set()
    assert "Lambda.2" in controls("supported-runtime")
    assert controls("unseen") == []
