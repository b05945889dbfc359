"""Who may be given a key by a grant: which statements say so, and which Deny takes it back."""

from typing import Any

import pytest

from policies.rules.model import UNKNOWN
from tests.policies.corpus.entrance import ACCOUNT, GUARDED, LAMBDA, ROLE, ROOT, admit
from tests.policies.corpus.identity import allow, deny, when
from tests.policies.harness import document, policy, rules

KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/a"
OTHER = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/b"
CREATE = "kms:CreateGrant"
FOR_AWS = "kms:GrantIsForAWSResource"
GRANT = allow(CREATE, KEY)
RULE = "open-grant"


def found(*statements: Any, **more: Any) -> bool:
    return RULE in rules(policy(document(list(statements)), **more))


def of_key(*statements: Any) -> bool:
    return found(*statements, kind="aws:kms/key:Key")


@pytest.mark.parametrize(
    "action",
    [CREATE, "KMS:creategrant", "kms:*Grant*", "kms:*Grant", "kms:CreateG*", "kms:Create?rant", "*:CreateGrant"],
)
def test_what_means_grants(action: str) -> None:
    assert found(allow(["kms:Decrypt", action], KEY))
    assert of_key(admit({"AWS": ROLE}, action, "*"))


@pytest.mark.parametrize(
    "action", ["kms:Create*", "kms:*", "*", "kms:C*", "kms:List*", "kms:ListGrants", "kms:R*Grant", "kms:RevokeGrant"]
)
def test_what_means_something_else(action: str) -> None:
    """`kms:*` and wide verbs have rules of their own; other calls on grants give nobody a key."""
    assert not found(allow(action, KEY))
    assert not of_key(admit({"AWS": ROLE}, action, "*"))


def test_a_key_belongs_to_its_account() -> None:
    assert not of_key(admit({"AWS": ROOT}, "kms:*", "*"))
    assert of_key(admit({"AWS": ROOT}, CREATE, "*"))


def test_services_make_grants_for_what_they_make() -> None:
    assert not of_key(admit(LAMBDA, CREATE, "*", **GUARDED))
    assert of_key(admit({**LAMBDA, "AWS": ROLE}, CREATE, "*", **GUARDED))


@pytest.mark.parametrize("kind", ["aws:iam/rolePolicy:RolePolicy", "aws:kms/keyPolicy:KeyPolicy"])
def test_where_a_statement_stands(kind: str) -> None:
    assert found(admit({"AWS": ROLE}, CREATE, "*") if "kms" in kind else GRANT, kind=kind)


def test_what_grants_nothing() -> None:
    assert not found(GRANT, name="prod-boundary")
    assert not found(admit({"AWS": ROLE}, CREATE, "*"), kind="aws:sns/topicPolicy:TopicPolicy")


BINDING = [
    ("Bool", FOR_AWS, "true"),
    ("Bool", FOR_AWS, True),
    ("Bool", FOR_AWS, UNKNOWN),
    ("StringEquals", "kms:GranteePrincipal", ROLE),
    ("StringEquals", "kms:GranteePrincipal", [ROLE, f"{ROLE}-b"]),
    ("StringEquals", "kms:GranteePrincipal", UNKNOWN),
    ("ForAnyValue:StringEqualsIgnoreCase", "kms:granteePRINCIPAL", ROLE),
    ("ArnLike", "kms:GranteePrincipal", ROLE),
    ("ArnEquals", "kms:GranteePrincipal", ROLE),
    ("StringEquals", "kms:GranteeServicePrincipal", "logs.eu-west-1.amazonaws.com"),
    ("StringEquals", "kms:ViaService", "ec2.eu-west-1.amazonaws.com"),
    ("StringLike", "kms:ViaService", "ec2.*.amazonaws.com"),
]
LOOSE = [
    ("Bool", FOR_AWS, "false"),
    ("Bool", FOR_AWS, ["true", "false"]),
    ("Bool", FOR_AWS, []),
    ("BoolIfExists", FOR_AWS, "true"),
    ("Null", FOR_AWS, "true"),
    ("StringEqualsIfExists", "kms:GranteePrincipal", ROLE),
    ("ForAllValues:StringEquals", "kms:GranteePrincipal", ROLE),
    ("StringLike", "kms:GranteePrincipal", f"arn:aws:iam::{ACCOUNT}:role/*"),
    ("StringEquals", "kms:GranteePrincipal", [ROLE, ROOT]),
    ("StringEquals", "kms:GranteePrincipal", ACCOUNT),
    ("StringEquals", "kms:GranteePrincipal", []),
    ("StringNotEquals", "kms:GranteePrincipal", ROLE),
    ("StringLike", "kms:GranteeServicePrincipal", "*.amazonaws.com"),
    ("StringLike", "kms:ViaService", "*"),
    ("Bool", "kms:ViaService", "ec2.eu-west-1.amazonaws.com"),
    ("ForAllValues:StringEquals", "kms:GrantOperations", "Decrypt"),
    ("StringEquals", "kms:GrantConstraintType", "EncryptionContextSubset"),
    ("StringEquals", "kms:RetiringPrincipal", ROLE),
    ("StringEquals", "kms:CallerAccount", ACCOUNT),
]


@pytest.mark.parametrize("condition", BINDING)
def test_what_binds(condition: tuple[str, str, Any]) -> None:
    assert not found({**GRANT, **when(*condition)})
    assert not of_key(admit({"AWS": ROLE}, CREATE, "*", **when(*condition)))


@pytest.mark.parametrize("condition", LOOSE)
def test_what_does_not_bind(condition: tuple[str, str, Any]) -> None:
    assert found({**GRANT, **when(*condition)})
    assert of_key(admit({"AWS": ROLE}, CREATE, "*", **when(*condition)))


def test_one_binding_condition_of_several_is_enough() -> None:
    operations = {"kms:GrantOperations": "Decrypt"}
    several = {"ForAllValues:StringEquals": operations, "Bool": {FOR_AWS: "true"}}
    assert not found({**GRANT, "Condition": several})


TAKING_BACK = [
    {},
    when("BoolIfExists", FOR_AWS, "false"),
    when("BoolIfExists", FOR_AWS, False),
    when("StringNotEquals", "kms:GranteePrincipal", ROLE),
    when("StringNotEqualsIfExists", "kms:GranteePrincipal", ROLE),
    when("ForAllValues:StringNotEquals", "kms:GranteePrincipal", ROLE),
    when("ArnNotEquals", "kms:GranteePrincipal", ROLE),
    when("StringNotLike", "kms:ViaService", "ec2.*.amazonaws.com"),
]
LEAVING = [
    # A call that does not have the key at all is not denied by these two.
    when("Bool", FOR_AWS, "false"),
    when("ForAnyValue:StringNotEquals", "kms:GranteePrincipal", ROLE),
    when("BoolIfExists", FOR_AWS, "true"),
    when("BoolIfExists", FOR_AWS, []),
    when("NullIfExists", FOR_AWS, "false"),
    when("StringEquals", "kms:GranteePrincipal", ROLE),
    when("StringNotEquals", "kms:GranteePrincipal", ROOT),
    when("StringNotLike", "kms:ViaService", "*"),
    when("StringNotEquals", "kms:CallerAccount", ACCOUNT),
    {"Condition": {"BoolIfExists": {FOR_AWS: "false"}, "ArnLike": {"aws:PrincipalArn": ROLE}}},
]


@pytest.mark.parametrize("condition", TAKING_BACK)
def test_a_deny_that_takes_it_back(condition: dict[str, Any]) -> None:
    assert not found(GRANT, deny(CREATE, "*", **condition))
    assert not found(GRANT, deny("kms:*Grant", KEY, **condition))
    denial = {**deny(CREATE, "*", **condition), "Principal": "*"}
    assert not of_key(admit({"AWS": ROLE}, CREATE, "*"), denial)


@pytest.mark.parametrize("condition", LEAVING)
def test_a_deny_that_leaves_it(condition: dict[str, Any]) -> None:
    assert found(GRANT, deny(CREATE, "*", **condition))


@pytest.mark.parametrize("condition", [{}, when("BoolIfExists", FOR_AWS, "false")])
def test_a_deny_of_something_else(condition: dict[str, Any]) -> None:
    assert found(GRANT, deny(CREATE, OTHER, **condition))
    assert found(GRANT, deny("kms:RevokeGrant", "*", **condition))
    assert found(allow(CREATE, [KEY, OTHER]), deny(CREATE, OTHER, **condition))
    denial = {**deny(CREATE, "*", **condition), "Principal": {"AWS": f"{ROLE}-b"}}
    assert of_key(admit({"AWS": ROLE}, CREATE, "*"), denial)


@pytest.mark.parametrize("condition", [{}, when("BoolIfExists", FOR_AWS, "false")])
def test_resources_that_are_not_known(condition: dict[str, Any]) -> None:
    """What is not known counts as fine, but a Deny of nothing that is known takes nothing back."""
    assert found(allow(CREATE, UNKNOWN), deny(CREATE, OTHER, **condition))
    assert not found(allow(CREATE, [UNKNOWN, KEY]), deny(CREATE, KEY, **condition))
