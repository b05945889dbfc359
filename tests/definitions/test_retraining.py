"""Who may say that a run is a retraining, and who is let onto the bus; that AWS enforces it, this does not prove."""

import fnmatch
import json

import pytest

from contracts.names import Names
from contracts.retraining import LEDGER_KEY, start_key
from definitions.events import alarm_pattern, arriving_pattern, bus_policy, lasting_pattern
from definitions.roles import delivery as delivery_roles
from definitions.roles import environment as environment_roles
from definitions.roles.delivery_account import Delivery
from definitions.roles.subject import Environment
from rehearsal.cloud.services.events import patterns
from tests.functions.retrain import support

ACCOUNTS = {"delivery": "111111111111", "dev": "222222222222", "prod": "333333333333"}
NAMES = Names("glidepath", "eu-west-1", ACCOUNTS)
KEY = "arn:aws:kms:eu-west-1:111111111111:key/1"
MOST = 2048
"""Characters that EventBridge takes for a pattern, unless a quota is raised."""


def writers(arn: str) -> set[str]:
    """Roles of every stack that may put this object."""
    delivery = Delivery(NAMES, KEY, KEY, KEY, backend="s3://state")
    found = {role.name: role.statements(delivery) for role in delivery_roles.roles(NAMES).values()}
    for env in NAMES.environments:
        at = Environment(NAMES, env, KEY)
        found |= {role.name: role.statements(at) for role in environment_roles.roles(NAMES, env, ci=True).values()}
    return {
        name
        for name, statements in found.items()
        for statement in statements
        if "s3:PutObject" in statement["Action"]
        and any(fnmatch.fnmatchcase(arn, resource) for resource in statement["Resource"])
    }


@pytest.mark.parametrize("key", [start_key("run-1"), LEDGER_KEY])
def test_only_the_retraining_can_vouch_for_its_runs(key: str) -> None:
    assert writers(NAMES.bucket_arn(NAMES.artifacts_bucket, key)) == {"glidepath-delivery-retrain"}


def test_only_the_retraining_joins_windows_and_only_people_collect_rows() -> None:
    assert writers(NAMES.bucket_arn(NAMES.data_bucket, "windows/1.csv")) == {"glidepath-delivery-retrain"}
    assert writers(NAMES.bucket_arn(NAMES.data_bucket, "collected/1.csv")) == set()


def test_only_the_gate_says_what_was_trained_on() -> None:
    assert writers(NAMES.bucket_arn(NAMES.artifacts_bucket, "trained/1.json")) == {"glidepath-delivery-gate"}


@pytest.mark.parametrize(
    ("accounts", "roots"),
    [
        (ACCOUNTS, ["arn:aws:iam::222222222222:root", "arn:aws:iam::333333333333:root"]),
        (dict.fromkeys(ACCOUNTS, "111111111111"), ["arn:aws:iam::111111111111:root"]),
    ],
)
def test_the_bus_lets_in_exactly_the_environments(accounts: dict[str, str], roots: list[str]) -> None:
    names = Names("glidepath", "eu-west-1", accounts)
    (statement,) = bus_policy(names)["Statement"]
    assert statement["Principal"] == {"AWS": roots}
    assert statement["Resource"] == f"arn:aws:events:eu-west-1:{accounts['delivery']}:event-bus/glidepath-retrain"
    rules = [
        f"arn:aws:events:eu-west-1:{accounts[env]}:rule/glidepath-{env}-drift-{kind}"
        for env in ("dev", "prod")
        for kind in ("alarm", "lasting")
    ]
    assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": rules}}


def test_patterns_match_what_is_meant_and_nothing_else() -> None:
    for event, pattern in (
        (support.alarm(), alarm_pattern(NAMES, "prod")),
        ({**support.drift(), "account": ACCOUNTS["prod"]}, lasting_pattern(NAMES, "prod")),
    ):
        for one in (pattern, arriving_pattern(NAMES, "prod")):
            patterns.compiled(json.dumps(one))
            assert patterns.matches(one, event)
            assert not patterns.matches(one, {**event, "account": ACCOUNTS["dev"]})
            assert not patterns.matches(one, {**event, "source": "somebody"})
        assert not patterns.matches(arriving_pattern(NAMES, "dev"), {**event, "account": ACCOUNTS["dev"]})
    arriving = arriving_pattern(NAMES, "prod")
    assert not patterns.matches(arriving, support.alarm(value="OK"))
    assert not patterns.matches(arriving, support.alarm(env="dev"))
    assert not patterns.matches(arriving, {**support.drift(env="dev"), "account": ACCOUNTS["prod"]})


def test_patterns_are_short_enough_for_the_longest_names() -> None:
    names = Names("n" * 20, "ap-southeast-1", {"delivery": "1" * 12, "e" * 12: "2" * 12})
    assert len(json.dumps(arriving_pattern(names, "e" * 12))) < MOST
