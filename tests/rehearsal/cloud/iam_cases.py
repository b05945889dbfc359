"""What AWS documents about the evaluation of policies, as a table: one row, one sentence of the documentation."""

# ruff: noqa: E501  a table reads best with a row on a line

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ACCOUNT, OTHER = "111111111111", "222222222222"
USER = f"arn:aws:iam::{ACCOUNT}:user/ann"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/worker"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/worker/job"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
OBJECT = "arn:aws:s3:::bucket/key"
KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"

ALLOWED, EXPLICIT, IMPLICIT = "allowed", "explicitDeny", "implicitDeny"


@dataclass(frozen=True)
class Case:
    """One request, the policies that bear on it, and what AWS decides."""

    name: str
    expected: str
    identity: tuple[dict[str, Any], ...] = ()
    action: str = "s3:GetObject"
    resource: str = OBJECT
    context: Mapping[str, str | list[str]] = field(default_factory=dict)
    principal: str = SESSION
    owner: str = ACCOUNT
    resource_policy: dict[str, Any] | None = None
    boundary: dict[str, Any] | None = None
    session: dict[str, Any] | None = None


def policy(*statements: dict[str, Any], version: str = "2012-10-17") -> dict[str, Any]:
    return {"Version": version, "Statement": list(statements)}


def allow(action: Any = "s3:GetObject", resource: Any = OBJECT, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Any = "s3:GetObject", resource: Any = OBJECT, **more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": action, "Resource": resource, **more}


def _one(statement: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    return (policy(statement),)


def _identity(name: str, expected: str, *statements: dict[str, Any], **request: Any) -> Case:
    return Case(name, expected, (policy(*statements),), **request)


def _condition(name: str, holds: bool, condition: dict[str, Any], **context: Any) -> Case:
    """An allow under a condition; `context` keys carry `__` for `:` and `_S_` for `/`."""
    keys = {key.replace("__", ":").replace("_S_", "/"): value for key, value in context.items()}
    return _identity(name, ALLOWED if holds else IMPLICIT, allow(Condition=condition), context=keys)


BASICS = [
    _identity("nothing says anything", IMPLICIT),
    _identity("an allow", ALLOWED, allow()),
    _identity("an explicit deny beats an allow", EXPLICIT, allow(), deny()),
    _identity("the order of statements does not matter", EXPLICIT, deny(), allow()),
    _identity("a deny of something else", ALLOWED, allow(), deny("s3:PutObject")),
    _identity("a deny alone", EXPLICIT, deny()),
    Case("a deny in another policy", EXPLICIT, (policy(allow()), policy(deny("s3:*", "*")))),
    Case("an allow in another policy", ALLOWED, (policy(allow("s3:PutObject")), policy(allow()))),
    _identity("a list of actions", ALLOWED, allow(["s3:PutObject", "s3:GetObject"])),
    _identity("a list of resources", ALLOWED, allow(resource=["arn:aws:s3:::other/*", OBJECT])),
    _identity("a statement that is no list", ALLOWED, allow()),
    _identity("another action", IMPLICIT, allow("s3:PutObject")),
    _identity("another resource", IMPLICIT, allow(resource="arn:aws:s3:::other/key")),
    _identity("actions ignore case", ALLOWED, allow("S3:getOBJECT")),
    _identity("resources do not ignore case", IMPLICIT, allow(resource="arn:aws:s3:::bucket/KEY")),
]

ACTIONS = [
    _identity("every action", ALLOWED, allow("*")),
    _identity("every action of the service", ALLOWED, allow("s3:*")),
    _identity("a prefix", ALLOWED, allow("s3:Get*")),
    _identity("a prefix of something else", IMPLICIT, allow("s3:Put*")),
    _identity("a star in the middle", ALLOWED, allow("s3:G*Object")),
    _identity("a question mark is one character", ALLOWED, allow("s3:?etObject")),
    _identity("a question mark is not none", IMPLICIT, allow("s3:GetObject?")),
    _identity("a suffix", ALLOWED, allow("s3:*Object")),
    _identity("a longer action is not meant", IMPLICIT, allow(), action="s3:GetObjectVersion"),
    _identity("everything but", ALLOWED, {"Effect": "Allow", "NotAction": "s3:PutObject", "Resource": "*"}),
    _identity("everything but this", IMPLICIT, {"Effect": "Allow", "NotAction": "s3:GetObject", "Resource": "*"}),
    _identity("everything but a prefix", IMPLICIT, {"Effect": "Allow", "NotAction": "s3:Get*", "Resource": "*"}),
    _identity("a deny of everything but", EXPLICIT, allow(), {"Effect": "Deny", "NotAction": "iam:*", "Resource": "*"}),
    _identity(
        "a deny of everything but this", ALLOWED, allow(), {"Effect": "Deny", "NotAction": "s3:*", "Resource": "*"}
    ),
]

FUNCTION = f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:predict"


def _lambda(name: str, expected: str, pattern: str, resource: str = FUNCTION) -> Case:
    return _identity(name, expected, allow("lambda:InvokeFunction", pattern), action="lambda:InvokeFunction",
                     resource=resource)  # fmt: skip


RESOURCES = [
    _identity("every resource", ALLOWED, allow(resource="*")),
    _identity("a prefix of keys", ALLOWED, allow(resource="arn:aws:s3:::bucket/*")),
    _identity("a star spans slashes", ALLOWED, allow(resource="arn:aws:s3:::bucket/a*z"), resource="arn:aws:s3:::bucket/a/b/z"),
    _identity("the bucket is not its objects", IMPLICIT, allow(resource="arn:aws:s3:::bucket")),
    _identity("objects are not the bucket", IMPLICIT, allow("s3:ListBucket", "arn:aws:s3:::bucket/*"),
              action="s3:ListBucket", resource="arn:aws:s3:::bucket"),
    _identity("a longer bucket's name", IMPLICIT, allow(resource="arn:aws:s3:::buck/*")),
    _identity("a star within the name", ALLOWED, allow(resource="arn:aws:s3:::b*t/key")),
    _identity("a question mark", ALLOWED, allow(resource="arn:aws:s3:::bucke?/key")),
    _identity("every resource but", ALLOWED, {"Effect": "Allow", "Action": "s3:*", "NotResource": "arn:aws:s3:::other/*"}),
    _identity("every resource but this", IMPLICIT, {"Effect": "Allow", "Action": "s3:*", "NotResource": OBJECT}),
    _identity("a deny of every resource but this", ALLOWED, allow(), {"Effect": "Deny", "Action": "*", "NotResource": OBJECT}),
    _identity("a deny of every resource but another", EXPLICIT, allow(),
              {"Effect": "Deny", "Action": "*", "NotResource": "arn:aws:s3:::other/*"}),
    _lambda("any region", ALLOWED, f"arn:aws:lambda:*:{ACCOUNT}:function:predict"),
    _lambda("any account", ALLOWED, "arn:aws:lambda:eu-west-1:*:function:predict"),
    _lambda("part of a region", ALLOWED, f"arn:aws:lambda:eu-*-1:{ACCOUNT}:function:predict"),
    _lambda("another region", IMPLICIT, f"arn:aws:lambda:us-*:{ACCOUNT}:function:predict"),
    _lambda("a function's name covers no qualifier", IMPLICIT, FUNCTION, f"{FUNCTION}:live"),
    _lambda("a qualifier by star", ALLOWED, f"{FUNCTION}:*", f"{FUNCTION}:live"),
    _lambda("a qualifier's star is not the function", IMPLICIT, f"{FUNCTION}:*"),
    _lambda("a star at the end", ALLOWED, f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:*", f"{FUNCTION}:live"),
]  # fmt: skip

NAME = {"aws:username": "ann"}


def _variable(name: str, expected: str, resource: str, asked: str, version: str = "2012-10-17", **context: Any) -> Case:
    keys = {key.replace("__", ":").replace("_S_", "/"): value for key, value in context.items()}
    return Case(name, expected, (policy(allow(resource=resource), version=version),), resource=asked, context=keys,
                principal=USER)  # fmt: skip


VARIABLES = [
    _variable("the user's name", ALLOWED, "arn:aws:s3:::home/${aws:username}/*", "arn:aws:s3:::home/ann/x", aws__username="ann"),
    _variable("another's name", IMPLICIT, "arn:aws:s3:::home/${aws:username}/*", "arn:aws:s3:::home/bob/x", aws__username="ann"),
    _variable("names of variables ignore case", ALLOWED, "arn:aws:s3:::home/${AWS:UserName}/*", "arn:aws:s3:::home/ann/x",
              aws__username="ann"),
    _variable("no value, no match", IMPLICIT, "arn:aws:s3:::home/${aws:PrincipalTag/team}/*", "arn:aws:s3:::home//x"),
    _variable("a tag's value", ALLOWED, "arn:aws:s3:::home/${aws:PrincipalTag/team}/*", "arn:aws:s3:::home/red/x",
              aws__PrincipalTag_S_team="red"),
    _variable("a default", ALLOWED, "arn:aws:s3:::home/${aws:PrincipalTag/team, 'all'}/*", "arn:aws:s3:::home/all/x"),
    _variable("a default that is not used", IMPLICIT, "arn:aws:s3:::home/${aws:PrincipalTag/team, 'all'}/*",
              "arn:aws:s3:::home/all/x", aws__PrincipalTag_S_team="red"),
    _variable("a literal star", IMPLICIT, "arn:aws:s3:::home/${*}", "arn:aws:s3:::home/x"),
    _variable("the literal star itself", ALLOWED, "arn:aws:s3:::home/${*}", "arn:aws:s3:::home/*"),
    _variable("a literal question mark", ALLOWED, "arn:aws:s3:::home/a${?}", "arn:aws:s3:::home/a?"),
    _variable("a literal question mark is no wildcard", IMPLICIT, "arn:aws:s3:::home/a${?}", "arn:aws:s3:::home/ab"),
    _variable("a literal dollar", ALLOWED, "arn:aws:s3:::home/${$}5", "arn:aws:s3:::home/$5"),
    _variable("no variables before 2012", IMPLICIT, "arn:aws:s3:::home/${aws:username}/*", "arn:aws:s3:::home/ann/x",
              "2008-10-17", aws__username="ann"),
]  # fmt: skip

STRINGS = [
    _condition("StringEquals", True, {"StringEquals": {"aws:PrincipalTag/a": "x"}}, aws__PrincipalTag_S_a="x"),
    _condition("StringEquals minds case", False, {"StringEquals": {"aws:PrincipalTag/a": "X"}}, aws__PrincipalTag_S_a="x"),
    _condition("StringEquals has no wildcards", False, {"StringEquals": {"aws:PrincipalTag/a": "x*"}}, aws__PrincipalTag_S_a="xy"),
    _condition("StringEquals with several values", True, {"StringEquals": {"aws:PrincipalTag/a": ["y", "x"]}}, aws__PrincipalTag_S_a="x"),
    _condition("StringEquals without the key", False, {"StringEquals": {"aws:PrincipalTag/a": "x"}}),
    _condition("keys ignore case", True, {"StringEquals": {"AWS:principaltag/A": "x"}}, aws__PrincipalTag_S_a="x"),
    _condition("operators ignore case", True, {"stringequals": {"aws:PrincipalTag/a": "x"}}, aws__PrincipalTag_S_a="x"),
    _condition("StringNotEquals", True, {"StringNotEquals": {"aws:PrincipalTag/a": "y"}}, aws__PrincipalTag_S_a="x"),
    _condition("StringNotEquals of the value", False, {"StringNotEquals": {"aws:PrincipalTag/a": "x"}}, aws__PrincipalTag_S_a="x"),
    _condition("StringNotEquals of one of several", False, {"StringNotEquals": {"aws:PrincipalTag/a": ["y", "x"]}}, aws__PrincipalTag_S_a="x"),
    _condition("StringNotEquals without the key", True, {"StringNotEquals": {"aws:PrincipalTag/a": "x"}}),
    _condition("StringEqualsIgnoreCase", True, {"StringEqualsIgnoreCase": {"aws:PrincipalTag/a": "X"}}, aws__PrincipalTag_S_a="x"),
    _condition("StringNotEqualsIgnoreCase", False, {"StringNotEqualsIgnoreCase": {"aws:PrincipalTag/a": "X"}}, aws__PrincipalTag_S_a="x"),
    _condition("StringLike", True, {"StringLike": {"aws:PrincipalTag/a": "x*"}}, aws__PrincipalTag_S_a="xyz"),
    _condition("StringLike with a question mark", True, {"StringLike": {"aws:PrincipalTag/a": "x?z"}}, aws__PrincipalTag_S_a="xyz"),
    _condition("StringLike minds case", False, {"StringLike": {"aws:PrincipalTag/a": "X*"}}, aws__PrincipalTag_S_a="xyz"),
    _condition("StringLike of everything, without the key", False, {"StringLike": {"aws:PrincipalTag/a": "*"}}),
    _condition("StringNotLike", False, {"StringNotLike": {"aws:PrincipalTag/a": "x*"}}, aws__PrincipalTag_S_a="xyz"),
    _condition("StringNotLike without the key", True, {"StringNotLike": {"aws:PrincipalTag/a": "x*"}}),
    _condition("IfExists without the key", True, {"StringEqualsIfExists": {"aws:PrincipalTag/a": "x"}}),
    _condition("IfExists with another value", False, {"StringEqualsIfExists": {"aws:PrincipalTag/a": "x"}}, aws__PrincipalTag_S_a="y"),
    _condition("IfExists with the value", True, {"StringLikeIfExists": {"aws:PrincipalTag/a": "x*"}}, aws__PrincipalTag_S_a="xy"),
    _condition("a variable in a condition", True, {"StringEquals": {"aws:PrincipalTag/a": "${aws:username}"}},
               aws__PrincipalTag_S_a="ann", aws__username="ann"),
    _condition("a variable without value", False, {"StringEquals": {"aws:PrincipalTag/a": "${aws:username}"}}, aws__PrincipalTag_S_a="ann"),
    _condition("a variable beside wildcards", True, {"StringLike": {"s3:prefix": "home/${aws:username}/*"}},
               s3__prefix="home/ann/x", aws__username="ann"),
    _condition("wildcards in a variable's value are plain", False, {"StringLike": {"s3:prefix": "home/${aws:username}/*"}},
               s3__prefix="home/ann/x", aws__username="*"),
    _condition("two operators must both hold", False,
               {"StringEquals": {"aws:PrincipalTag/a": "x"}, "Bool": {"aws:SecureTransport": "true"}},
               aws__PrincipalTag_S_a="x", aws__SecureTransport="false"),
    _condition("two keys must both hold", False,
               {"StringEquals": {"aws:PrincipalTag/a": "x", "aws:PrincipalTag/b": "y"}}, aws__PrincipalTag_S_a="x"),
    _condition("two keys that hold", True,
               {"StringEquals": {"aws:PrincipalTag/a": "x", "aws:PrincipalTag/b": "y"}},
               aws__PrincipalTag_S_a="x", aws__PrincipalTag_S_b="y"),
]  # fmt: skip

NUMBERS = [
    _condition("NumericEquals", True, {"NumericEquals": {"s3:max-keys": "10"}}, **{"s3__max-keys": "10"}),
    _condition("NumericEquals of another spelling", True, {"NumericEquals": {"s3:max-keys": "10.0"}}, **{"s3__max-keys": "10"}),
    _condition("NumericEquals as a number", True, {"NumericEquals": {"s3:max-keys": 10}}, **{"s3__max-keys": "10"}),
    _condition("NumericNotEquals", False, {"NumericNotEquals": {"s3:max-keys": "10"}}, **{"s3__max-keys": "10"}),
    _condition("NumericLessThan", False, {"NumericLessThan": {"s3:max-keys": "10"}}, **{"s3__max-keys": "10"}),
    _condition("NumericLessThan, less", True, {"NumericLessThan": {"s3:max-keys": "10"}}, **{"s3__max-keys": "9"}),
    _condition("numbers are not texts", True, {"NumericLessThan": {"s3:max-keys": "100"}}, **{"s3__max-keys": "20"}),
    _condition("NumericLessThanEquals", True, {"NumericLessThanEquals": {"s3:max-keys": "10"}}, **{"s3__max-keys": "10"}),
    _condition("NumericGreaterThan", False, {"NumericGreaterThan": {"s3:max-keys": "10"}}, **{"s3__max-keys": "10"}),
    _condition("NumericGreaterThanEquals", True, {"NumericGreaterThanEquals": {"s3:max-keys": "10"}}, **{"s3__max-keys": "10"}),
    _condition("Numeric without the key", False, {"NumericLessThan": {"s3:max-keys": "10"}}),
    _condition("NumericIfExists without the key", True, {"NumericLessThanIfExists": {"s3:max-keys": "10"}}),
]  # fmt: skip

DATES = [
    _condition("DateGreaterThan", True, {"DateGreaterThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z"}}, aws__CurrentTime="2026-06-01T00:00:00Z"),
    _condition("DateLessThan", False, {"DateLessThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z"}}, aws__CurrentTime="2026-06-01T00:00:00Z"),
    _condition("DateEquals", True, {"DateEquals": {"aws:CurrentTime": "2026-06-01T00:00:00Z"}}, aws__CurrentTime="2026-06-01T00:00:00Z"),
    _condition("DateNotEquals", True, {"DateNotEquals": {"aws:CurrentTime": "2026-06-02T00:00:00Z"}}, aws__CurrentTime="2026-06-01T00:00:00Z"),
    _condition("DateLessThanEquals", True, {"DateLessThanEquals": {"aws:CurrentTime": "2026-06-01T00:00:00Z"}}, aws__CurrentTime="2026-06-01T00:00:00Z"),
    _condition("DateGreaterThanEquals", True, {"DateGreaterThanEquals": {"aws:CurrentTime": "2026-06-01T00:00:00Z"}}, aws__CurrentTime="2026-06-01T00:00:00Z"),
    _condition("a date in seconds", True, {"DateGreaterThan": {"aws:CurrentTime": "1700000000"}}, aws__CurrentTime="2026-06-01T00:00:00Z"),
    _condition("Date without the key", False, {"DateLessThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z"}}),
]  # fmt: skip

OTHERS = [
    _condition("Bool", True, {"Bool": {"aws:SecureTransport": "true"}}, aws__SecureTransport="true"),
    _condition("Bool as a boolean", True, {"Bool": {"aws:SecureTransport": True}}, aws__SecureTransport="true"),
    _condition("Bool of the other", False, {"Bool": {"aws:SecureTransport": "false"}}, aws__SecureTransport="true"),
    _condition("Bool without the key", False, {"Bool": {"aws:MultiFactorAuthPresent": "false"}}),
    _condition("BoolIfExists without the key", True, {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}),
    _condition("Null true without the key", True, {"Null": {"aws:TokenIssueTime": "true"}}),
    _condition("Null false without the key", False, {"Null": {"aws:TokenIssueTime": "false"}}),
    _condition("Null true with the key", False, {"Null": {"aws:PrincipalTag/a": "true"}}, aws__PrincipalTag_S_a="x"),
    _condition("Null false with the key", True, {"Null": {"aws:PrincipalTag/a": "false"}}, aws__PrincipalTag_S_a="x"),
    _condition("IpAddress in a network", True, {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, aws__SourceIp="203.0.113.9"),
    _condition("IpAddress outside", False, {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, aws__SourceIp="203.0.114.9"),
    _condition("IpAddress of one host", True, {"IpAddress": {"aws:SourceIp": "203.0.113.9"}}, aws__SourceIp="203.0.113.9"),
    _condition("IpAddress of several networks", True, {"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "203.0.113.0/24"]}}, aws__SourceIp="203.0.113.9"),
    _condition("IpAddress of version 6", True, {"IpAddress": {"aws:SourceIp": "2001:db8::/32"}}, aws__SourceIp="2001:db8::1"),
    _condition("NotIpAddress", True, {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, aws__SourceIp="10.1.1.1"),
    _condition("NotIpAddress of several", False, {"NotIpAddress": {"aws:SourceIp": ["10.0.0.0/8", "203.0.113.0/24"]}}, aws__SourceIp="10.1.1.1"),
    _condition("IpAddress without the key", False, {"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}),
    _condition("ArnEquals", True, {"ArnEquals": {"aws:SourceArn": f"arn:aws:sns:eu-west-1:{ACCOUNT}:t"}}, aws__SourceArn=f"arn:aws:sns:eu-west-1:{ACCOUNT}:t"),
    _condition("ArnEquals has wildcards", True, {"ArnEquals": {"aws:SourceArn": f"arn:aws:sns:*:{ACCOUNT}:*"}}, aws__SourceArn=f"arn:aws:sns:eu-west-1:{ACCOUNT}:t"),
    _condition("ArnLike", True, {"ArnLike": {"aws:SourceArn": f"arn:aws:sns:*:{ACCOUNT}:t?st"}}, aws__SourceArn=f"arn:aws:sns:eu-west-1:{ACCOUNT}:test"),
    _condition("ArnLike stays in its component", False, {"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:t"}}, aws__SourceArn=f"arn:aws:sns:eu-west-1:{ACCOUNT}:t"),
    _condition("ArnLike's last component holds colons", True, {"ArnLike": {"aws:SourceArn": f"arn:aws:lambda:*:{ACCOUNT}:function:*"}},
               aws__SourceArn=f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:f:1"),
    _condition("ArnNotLike", True, {"ArnNotLike": {"aws:SourceArn": "arn:aws:sns:*:*:x"}}, aws__SourceArn=f"arn:aws:sns:eu-west-1:{ACCOUNT}:t"),
    _condition("ArnNotEquals of the value", False, {"ArnNotEquals": {"aws:SourceArn": "arn:aws:sns:*:*:t"}}, aws__SourceArn=f"arn:aws:sns:eu-west-1:{ACCOUNT}:t"),
    _condition("ArnLike without the key", False, {"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:*:*"}}),
    _condition("ArnNotLike without the key", True, {"ArnNotLike": {"aws:SourceArn": "arn:aws:sns:*:*:*"}}),
]  # fmt: skip

KEYS = "aws:TagKeys"
SETS = [
    _condition("ForAllValues", True, {"ForAllValues:StringEquals": {KEYS: ["a", "b"]}}, aws__TagKeys=["a", "b"]),
    _condition("ForAllValues of a part", True, {"ForAllValues:StringEquals": {KEYS: ["a", "b"]}}, aws__TagKeys=["a"]),
    _condition("ForAllValues of more", False, {"ForAllValues:StringEquals": {KEYS: ["a", "b"]}}, aws__TagKeys=["a", "c"]),
    _condition("ForAllValues without the key", True, {"ForAllValues:StringEquals": {KEYS: ["a"]}}),
    _condition("ForAnyValue", True, {"ForAnyValue:StringEquals": {KEYS: ["a", "b"]}}, aws__TagKeys=["a", "c"]),
    _condition("ForAnyValue of others", False, {"ForAnyValue:StringEquals": {KEYS: ["a", "b"]}}, aws__TagKeys=["c", "d"]),
    _condition("ForAnyValue without the key", False, {"ForAnyValue:StringEquals": {KEYS: ["a"]}}),
    _condition("ForAllValues with wildcards", True, {"ForAllValues:StringLike": {KEYS: ["x-*"]}}, aws__TagKeys=["x-1", "x-2"]),
    _condition("ForAllValues negated", True, {"ForAllValues:StringNotEquals": {KEYS: ["a"]}}, aws__TagKeys=["b", "c"]),
    _condition("ForAllValues negated, one is", False, {"ForAllValues:StringNotEquals": {KEYS: ["a"]}}, aws__TagKeys=["a", "c"]),
    _condition("ForAnyValue negated", True, {"ForAnyValue:StringNotEquals": {KEYS: ["a"]}}, aws__TagKeys=["a", "c"]),
    _condition("ForAnyValue negated, all are", False, {"ForAnyValue:StringNotEquals": {KEYS: ["a", "c"]}}, aws__TagKeys=["a", "c"]),
    _condition("ForAnyValue negated without the key", False, {"ForAnyValue:StringNotEquals": {KEYS: ["a"]}}),
]  # fmt: skip

BUCKET_ALLOWS_ROLE = policy(allow(Principal={"AWS": ROLE}))
BUCKET_ALLOWS_SESSION = policy(allow(Principal={"AWS": SESSION}))
BUCKET_ALLOWS_ACCOUNT = policy(allow(Principal={"AWS": ROOT}))
BUCKET_ALLOWS_ALL = policy(allow(Principal="*"))
BUCKET_DENIES = policy(deny(Principal="*", Condition={"Bool": {"aws:SecureTransport": "false"}}))
TLS = {"aws:SecureTransport": "true"}

RESOURCE_POLICIES = [
    Case("the bucket lets the role in", ALLOWED, resource_policy=BUCKET_ALLOWS_ROLE),
    Case("the bucket lets the session in", ALLOWED, resource_policy=BUCKET_ALLOWS_SESSION),
    Case("the bucket lets another session in", IMPLICIT, resource_policy=BUCKET_ALLOWS_SESSION,
         principal=f"arn:aws:sts::{ACCOUNT}:assumed-role/worker/other"),
    Case("the bucket lets the user in", ALLOWED, principal=USER, resource_policy=policy(allow(Principal={"AWS": USER}))),
    Case("the bucket lets another user in", IMPLICIT, principal=USER, resource_policy=policy(allow(Principal={"AWS": f"{USER}a"}))),
    Case("the bucket lets everybody in", ALLOWED, resource_policy=BUCKET_ALLOWS_ALL),
    Case("the bucket lets everybody in, in a map", ALLOWED, resource_policy=policy(allow(Principal={"AWS": "*"}))),
    Case("one of several principals", ALLOWED, resource_policy=policy(allow(Principal={"AWS": [USER, ROLE]}))),
    Case("the own account only delegates", IMPLICIT, resource_policy=BUCKET_ALLOWS_ACCOUNT),
    Case("the own account and an identity policy", ALLOWED, (policy(allow()),), resource_policy=BUCKET_ALLOWS_ACCOUNT),
    Case("the bucket's deny beats the identity's allow", EXPLICIT, (policy(allow()),),
         resource_policy=BUCKET_DENIES, context={"aws:SecureTransport": "false"}),
    Case("a deny whose condition does not hold", ALLOWED, (policy(allow()),), resource_policy=BUCKET_DENIES, context=TLS),
    Case("the account's deny holds for its roles", EXPLICIT, (policy(allow()),), resource_policy=policy(deny(Principal={"AWS": ROOT}))),
    Case("the account's number stands for its root", EXPLICIT, (policy(allow()),), resource_policy=policy(deny(Principal={"AWS": ACCOUNT}))),
    Case("the role's deny holds for its sessions", EXPLICIT, (policy(allow()),), resource_policy=policy(deny(Principal={"AWS": ROLE}))),
    Case("another's deny", ALLOWED, (policy(allow()),), resource_policy=policy(deny(Principal={"AWS": USER}))),
    Case("a service's statement is not for roles", IMPLICIT, resource_policy=policy(allow(Principal={"Service": "lambda.amazonaws.com"}))),
    Case("everybody, by a condition on the principal", ALLOWED, context={"aws:PrincipalArn": ROLE},
         resource_policy=policy(allow(Principal="*", Condition={"ArnLike": {"aws:PrincipalArn": ROLE}}))),
    Case("everybody but, denied", EXPLICIT, (policy(allow()),),
         resource_policy=policy(deny(NotPrincipal={"AWS": [USER, ROOT]}))),
    Case("everybody but the session, its role and its account", ALLOWED, (policy(allow()),),
         resource_policy=policy(deny(NotPrincipal={"AWS": [SESSION, ROLE, ROOT]}))),
]  # fmt: skip

FOREIGN: dict[str, Any] = {"owner": OTHER}
ACROSS = [
    Case("across accounts, identity alone", IMPLICIT, (policy(allow()),), **FOREIGN),
    Case("across accounts, resource alone", IMPLICIT, resource_policy=BUCKET_ALLOWS_ROLE, **FOREIGN),
    Case("across accounts, both", ALLOWED, (policy(allow()),), resource_policy=BUCKET_ALLOWS_ROLE, **FOREIGN),
    Case("across accounts, the account and identity", ALLOWED, (policy(allow()),), resource_policy=BUCKET_ALLOWS_ACCOUNT, **FOREIGN),
    Case("across accounts, the account alone", IMPLICIT, resource_policy=BUCKET_ALLOWS_ACCOUNT, **FOREIGN),
    Case("across accounts, everybody and identity", ALLOWED, (policy(allow()),), resource_policy=BUCKET_ALLOWS_ALL, **FOREIGN),
    Case("across accounts, everybody without identity", IMPLICIT, resource_policy=BUCKET_ALLOWS_ALL, **FOREIGN),
    Case("across accounts, another account is let in", IMPLICIT, (policy(allow()),),
         resource_policy=policy(allow(Principal={"AWS": "333333333333"})), **FOREIGN),
    Case("across accounts, the resource denies", EXPLICIT, (policy(allow()),),
         resource_policy=policy(allow(Principal={"AWS": ROLE}), deny(Principal="*")), **FOREIGN),
    Case("across accounts, the identity denies", EXPLICIT, (policy(allow(), deny()),), resource_policy=BUCKET_ALLOWS_ROLE, **FOREIGN),
]  # fmt: skip

READ = policy(allow("s3:Get*", "*"))
WRITE = policy(allow("s3:Put*", "*"))
BOUNDARIES = [
    Case("a boundary alone grants nothing", IMPLICIT, boundary=READ),
    Case("identity and boundary", ALLOWED, (policy(allow()),), boundary=READ),
    Case("a boundary of something else", IMPLICIT, (policy(allow()),), boundary=WRITE),
    Case("a boundary's deny", EXPLICIT, (policy(allow()),), boundary=policy(allow("*", "*"), deny())),
    Case("the role by the bucket, limited by the boundary", IMPLICIT, boundary=WRITE, resource_policy=BUCKET_ALLOWS_ROLE),
    Case("the role by the bucket, within the boundary", ALLOWED, boundary=READ, resource_policy=BUCKET_ALLOWS_ROLE),
    Case("the session by the bucket, whatever the boundary does not say", ALLOWED, boundary=WRITE, resource_policy=BUCKET_ALLOWS_SESSION),
    Case("the session by the bucket, against the boundary's deny", EXPLICIT, boundary=policy(deny()), resource_policy=BUCKET_ALLOWS_SESSION),
    Case("the user by the bucket, whatever the boundary does not say", ALLOWED, principal=USER, boundary=WRITE,
         resource_policy=policy(allow(Principal={"AWS": USER}))),
    Case("across accounts the boundary limits", IMPLICIT, (policy(allow()),), boundary=WRITE, resource_policy=BUCKET_ALLOWS_SESSION, **FOREIGN),
    Case("across accounts within the boundary", ALLOWED, (policy(allow()),), boundary=READ, resource_policy=BUCKET_ALLOWS_ROLE, **FOREIGN),
]  # fmt: skip

SESSIONS = [
    Case("a session policy alone grants nothing", IMPLICIT, session=READ),
    Case("identity and session", ALLOWED, (policy(allow()),), session=READ),
    Case("a session of something else", IMPLICIT, (policy(allow()),), session=WRITE),
    Case("a session's deny", EXPLICIT, (policy(allow()),), session=policy(allow("*", "*"), deny())),
    Case("the role by the bucket, limited by the session", IMPLICIT, session=WRITE, resource_policy=BUCKET_ALLOWS_ROLE),
    Case("the role by the bucket, within the session", ALLOWED, session=READ, resource_policy=BUCKET_ALLOWS_ROLE),
    Case("the session by the bucket, whatever its policy does not say", ALLOWED, session=WRITE, resource_policy=BUCKET_ALLOWS_SESSION),
    Case("boundary and session both limit", IMPLICIT, (policy(allow()),), boundary=READ, session=WRITE),
    Case("boundary, session and identity", ALLOWED, (policy(allow()),), boundary=READ, session=READ),
]  # fmt: skip

DECRYPT: dict[str, Any] = {"action": "kms:Decrypt", "resource": KEY}
KEY_OF_ACCOUNT = policy(allow("kms:*", "*", Principal={"AWS": ROOT}))
KEY_OF_ROLE = policy(allow("kms:Decrypt", "*", Principal={"AWS": ROLE}))
MAY_DECRYPT = (policy(allow("kms:Decrypt", KEY)),)
KEYS_AND_ROLES = [
    Case("a key that the account rules, without identity", IMPLICIT, resource_policy=KEY_OF_ACCOUNT, **DECRYPT),
    Case("a key that the account rules, with identity", ALLOWED, MAY_DECRYPT, resource_policy=KEY_OF_ACCOUNT, **DECRYPT),
    Case("a key that lets nobody in", IMPLICIT, MAY_DECRYPT, resource_policy=policy(allow("kms:*", "*", Principal={"AWS": USER})), **DECRYPT),
    Case("a key that lets the role in", ALLOWED, resource_policy=KEY_OF_ROLE, **DECRYPT),
    Case("a key that lets the account do something else", IMPLICIT, MAY_DECRYPT,
         resource_policy=policy(allow("kms:Encrypt", "*", Principal={"AWS": ROOT})), **DECRYPT),
    Case("a key that denies", EXPLICIT, MAY_DECRYPT,
         resource_policy=policy(allow("kms:*", "*", Principal={"AWS": ROOT}), deny("kms:Decrypt", "*", Principal="*")), **DECRYPT),
    Case("a key of another account, both", ALLOWED, MAY_DECRYPT, resource_policy=KEY_OF_ACCOUNT, **DECRYPT, **FOREIGN),
    Case("a key of another account, key alone", IMPLICIT, resource_policy=KEY_OF_ROLE, **DECRYPT, **FOREIGN),
    Case("a key by a service only", ALLOWED, (policy(allow("kms:Decrypt", KEY, Condition={"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}})),),
         resource_policy=KEY_OF_ACCOUNT, context={"kms:ViaService": "s3.eu-west-1.amazonaws.com"}, **DECRYPT),
    Case("a key by another service", IMPLICIT, (policy(allow("kms:Decrypt", KEY, Condition={"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}})),),
         resource_policy=KEY_OF_ACCOUNT, context={"kms:ViaService": "sns.eu-west-1.amazonaws.com"}, **DECRYPT),
    Case("a role whose trust names the caller", ALLOWED, action="sts:AssumeRole", resource=f"arn:aws:iam::{ACCOUNT}:role/target",
         resource_policy={"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": ROLE}}]}),
    Case("a role whose trust names the account", IMPLICIT, action="sts:AssumeRole", resource=f"arn:aws:iam::{ACCOUNT}:role/target",
         resource_policy={"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": ROOT}}]}),
    Case("a role whose trust names the account, with identity", ALLOWED,
         (policy(allow("sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/target")),), action="sts:AssumeRole", resource=f"arn:aws:iam::{ACCOUNT}:role/target",
         resource_policy={"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": ROOT}}]}),
    Case("a role that trusts nobody of ours", IMPLICIT,
         (policy(allow("sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/target")),), action="sts:AssumeRole", resource=f"arn:aws:iam::{ACCOUNT}:role/target",
         resource_policy={"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}]}),
]  # fmt: skip

CASES = [
    *BASICS, *ACTIONS, *RESOURCES, *VARIABLES, *STRINGS, *NUMBERS, *DATES, *OTHERS, *SETS, *RESOURCE_POLICIES, *ACROSS,
    *BOUNDARIES, *SESSIONS, *KEYS_AND_ROLES,
]  # fmt: skip
