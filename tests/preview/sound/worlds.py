"""Generated sides of a change: a role's documents, its boundary, a policy of another stack, a resource's own policy."""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from preview.plan import Resource
from rehearsal.cloud.policy_language.evaluate import Kind, Policies, Request, Source, evaluate
from rehearsal.cloud.policy_language.policy import parse_policy
from rehearsal.cloud.policy_language.principals import Requester
from tests.preview.world import MANAGED, POLICY, ROLE, resources

ACTIONS = ("s3:GetObject", "s3:PutObject", "kms:Decrypt", "sqs:SendMessage", "iam:PassRole")
ACCOUNT, OTHER = "111111111111", "222222222222"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/path/r"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/r/s"
USER = f"arn:aws:iam::{ACCOUNT}:user/u"
FOREIGN_ROLE = f"arn:aws:iam::{OTHER}:role/f"
FOREIGN = f"arn:aws:sts::{OTHER}:assumed-role/f/s"
STRANGER = "arn:aws:iam::333333333333:user/x"
SERVICE = "events.amazonaws.com"
KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/k"
BUCKET = "arn:aws:s3:::a"

TEAM = "aws:PrincipalTag/team"
TEAMS = ("alice", "bob", "a*", "", "l/x", "X")
"""All values of the key that policy variables read."""

_PATTERNS = (*ACTIONS, "s3:*Object", "S3:getobject", "s3:*", "*", "k?s:*", "sqs:S*", "s3:?utObject")
TEXTS = (
    "*", "**", BUCKET, f"{BUCKET}/*", f"{BUCKET}/x/*", f"{BUCKET}/?", "arn:aws:s3:::*/x", "arn:aws:s3:::b/*",
    f"{BUCKET}/${{{TEAM}}}/*", f"{BUCKET}/${{{TEAM}, 'none'}}/*", f"{BUCKET}/alice/*", f"{BUCKET}/*e*/*",
    f"{BUCKET}/X/*", f"{BUCKET}/${{*}}", f"{BUCKET}/*{{*", KEY, "arn:aws:kms:*:*:key/*", "arn:aws:kms:eu-*-1:*:key/?",
    f"arn:aws:sqs:eu-west-1:{ACCOUNT}:q*", "arn:aws:sqs:*:*:q", ROLE_ARN, "arn:aws:iam::*:role/*",
)  # fmt: skip
_IN_BUCKET = tuple(text for text in TEXTS if text.startswith((BUCKET, "*")))
_STRINGS = ("a", "a*", "ab", "A", "?b", "*", f"${{{TEAM}}}", "a/${*}")
_ARNS = ("arn:aws:s3:::b", "arn:aws:s3:::*", "arn:*:s3:*:*:b*", f"arn:aws:events:*:{ACCOUNT}:rule/?")
_NUMBERS = ("5", "10", "60")
KEYS: dict[str, str] = {
    "s3:prefix": "text", TEAM: "team", "aws:SourceArn": "arn", "aws:SecureTransport": "bool",
    "aws:MultiFactorAuthAge": "number", "aws:TagKeys": "texts", "kms:ResourceAliases": "texts",
}  # fmt: skip
"""Condition keys of the generated documents, by what they hold."""
_PRINCIPALS: tuple[Any, ...] = (
    "*", {"AWS": "*"}, {"AWS": ACCOUNT}, {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, {"AWS": ROLE_ARN}, {"AWS": SESSION},
    {"AWS": USER}, {"AWS": [USER, ROLE_ARN]}, {"AWS": f"arn:aws:iam::{OTHER}:root"}, {"AWS": FOREIGN_ROLE},
    {"Service": SERVICE}, {"AWS": FOREIGN, "Service": SERVICE},
)  # fmt: skip
_SPARED: tuple[Any, ...] = (
    {"AWS": ROLE_ARN}, {"AWS": [USER, f"arn:aws:iam::{ACCOUNT}:root"]}, {"AWS": [ROLE_ARN, SESSION, ACCOUNT]},
    {"AWS": [FOREIGN, FOREIGN_ROLE, f"arn:aws:iam::{OTHER}:root"]}, {"Service": SERVICE}, {"AWS": USER},
)  # fmt: skip
_OPERATORS: dict[str, tuple[str, ...]] = {
    "text": ("StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase", "Null"),
    "team": ("StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "Null"),
    "arn": ("ArnLike", "ArnEquals", "ArnNotLike", "StringLike", "StringEquals", "Null"),
    "bool": ("Bool", "Null"),
    "number": ("NumericLessThan", "NumericEquals", "NumericGreaterThanEquals", "NumericNotEquals", "Null"),
    "texts": ("StringEquals", "StringLike", "StringNotEquals", "StringNotLike", "Null"),
}  # fmt: skip

_FILLS = ("", "x", "a", "e", "*", "alice", "a/x", "x:y", "{", "/", "/x", "x/", "e/", "ae{e", "{e/x")
VALUES: dict[str, tuple[str, ...]] = {
    "text": ("", "a", "A", "ab", "aB", "b", "Ab", "bb", "a*", "alice", "bob", "a/*", "a/x", "?b", "*", "c",
        f"${{{TEAM}}}", "a/${*}"),
    "texts": ("a", "A", "ab", "b", "bb", "a*", "alice", "a/*", "c", "", f"${{{TEAM}}}", "a/${*}"),
    "arn": (
        "b", "arn:aws:s3:::b", "arn:aws:s3:::c", "arn:aws:s3:::c:d", "arn:aws:s3:r::b", "arn:x:s3:::b:c",
        "arn:aws:s3:::*", f"arn:aws:events:x:{ACCOUNT}:rule/r", f"arn:aws:events:x:{ACCOUNT}:rule/rr",
        "arn:*:s3:*:*:b*",
        f"arn:aws:events:*:{ACCOUNT}:rule/?",
    ),
}  # fmt: skip
"""Values of condition keys: at least one for each combination of the patterns that conditions are made of."""


def _examples() -> tuple[str, ...]:
    """Resources: every pattern, its wildcards and variables filled in every way."""
    found = ["*"]
    for text in TEXTS:
        if text.count(":") < 5:
            continue
        given = text.replace(f"${{{TEAM}}}", "\x01").replace(f"${{{TEAM}, 'none'}}", "\x01").replace("${*}", "\x02")
        for fill in _FILLS:
            for team in (*TEAMS, "none", f"${{{TEAM}}}", f"${{{TEAM}, 'none'}}", "e", "{", "x"):
                filled = given.replace("*", fill).replace("?", fill[:1] or "z").replace("\x01", team)
                found += [filled.replace("\x02", each) for each in ("*", "${*}")]
    return tuple(dict.fromkeys(found))


RESOURCES = _examples()

Statement = dict[str, Any]
Document = dict[str, Any]


@dataclass(frozen=True)
class Who:
    """Somebody who asks. `own`: the generated role; else the identity policies allow everything, or nothing."""

    requester: Requester
    own: bool = False
    trusted: bool = True


ASKERS = (
    Who(Requester(SESSION, ACCOUNT, ROLE_ARN), own=True),
    *(
        Who(requester, trusted=trusted)
        for trusted in (True, False)
        for requester in (
            Requester(SESSION, ACCOUNT, ROLE_ARN),
            Requester(USER, ACCOUNT),
            Requester(FOREIGN, OTHER, FOREIGN_ROLE),
            Requester(STRANGER, "333333333333"),
        )
    ),
    Who(Requester(SERVICE, "", service=True)),
)
_ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


@dataclass(frozen=True)
class Side:
    """One side of a change. `foreign` is what another stack's policy says; the preview knows its name alone."""

    identity: tuple[Document, ...]
    boundary: Document | None = None
    foreign: Document | None = None
    own: Document | None = None
    kind: str = "bucket"

    def resources(self) -> dict[str, Resource]:
        """As the preview gets it."""
        bound = {"permissionsBoundary": "arn:limit"} if self.boundary else {}
        attached = {"managedPolicyArns": [f"arn:aws:iam::{ACCOUNT}:policy/theirs"]} if self.foreign else {}
        listed: list[tuple[str, str, Mapping[str, Any]]] = [(ROLE, "r", {"name": "r", **bound, **attached})]
        for number, each in enumerate(self.identity):
            listed.append((POLICY, f"p{number}", {"name": f"p{number}", "role": "r", "policy": json.dumps(each)}))
        if self.boundary:
            listed.append((MANAGED, "limit", {"name": "l", "arn": "arn:limit", "policy": json.dumps(self.boundary)}))
        if self.own and self.kind == "bucket":
            listed.append(("aws:s3/bucketPolicy:BucketPolicy", "a", {"bucket": "a", "policy": json.dumps(self.own)}))
        if self.own and self.kind == "key":
            listed.append(("aws:kms/key:Key", "k", {"arn": KEY, "policy": json.dumps(self.own)}))
        return resources(*listed)

    def documents(self, who: Who) -> tuple[Sequence[Document], Document | None]:
        """Identity policies and boundary of somebody."""
        if not who.own:
            return ([_ALL] if who.trusted else []), None
        return [*self.identity, *([self.foreign] if self.foreign else [])], self.boundary

    def speaks(self, resource: str) -> bool:
        """Whether the resource's own policy is about this resource."""
        if self.kind == "key":
            return resource == KEY
        return resource == BUCKET or resource.startswith(f"{BUCKET}/")

    def allows(self, who: Who, action: str, resource: str, context: Mapping[str, tuple[str, ...]]) -> bool:
        """By the gateway's evaluator."""
        identity, boundary = self.documents(who)
        policies = Policies(
            [Source("i", Kind.IDENTITY, parse_policy(each)) for each in identity],
            Source("b", Kind.BOUNDARY, parse_policy(boundary)) if boundary else None,
            (),
            Source("r", Kind.RESOURCE, parse_policy(self.own)) if self.own and self.speaks(resource) else None,
        )
        decides = self.kind == "key" and self.own is not None and self.speaks(resource)
        return evaluate(Request(who.requester, action, resource, context, ACCOUNT, decides), policies).allowed


class Maker:
    """Makes pairs of sides that mostly share what they have, as the two sides of a change do."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def pair(self) -> tuple[Side, Side]:
        """Old and new."""
        old = self._side()
        if self._random.random() < 0.15:
            new = self._side()
            return old, replace(
                new, foreign=old.foreign, kind=old.kind, own=new.own if new.kind == old.kind else old.own
            )
        return (self._changed(old), old) if self._random.random() < 0.5 else (old, self._changed(old))

    def _side(self) -> Side:
        pick = self._random.random
        kind = self._random.choice(("bucket", "bucket", "key"))
        return Side(
            tuple(self._document() for _ in range(self._random.choice((1, 1, 2)))),
            self._document() if pick() < 0.35 else None,
            self._document() if pick() < 0.15 else None,
            self._document(kind) if kind == "key" or pick() < 0.5 else None,
            kind,
        )

    def _changed(self, side: Side) -> Side:
        part = self._random.choice(("identity", "identity", "identity", "boundary", "own"))
        if part == "boundary":
            if side.boundary and self._random.random() < 0.7:
                return replace(side, boundary=self._edited(side.boundary))
            return replace(side, boundary=None if side.boundary else self._document())
        if part == "own":
            if side.own and (side.kind == "key" or self._random.random() < 0.85):
                return replace(side, own=self._edited(side.own, side.kind))
            return replace(side, own=None if side.own else self._document(side.kind))
        at = self._random.randrange(len(side.identity))
        listed = list(side.identity)
        if len(listed) > 1 and self._random.random() < 0.15:
            del listed[at]
        else:
            listed[at] = self._edited(listed[at])
        return replace(side, identity=tuple(listed))

    def _edited(self, document: Document, principals: str = "") -> Document:
        found = list(document["Statement"])
        at = self._random.randrange(len(found)) if found else 0
        match self._random.choice(("add", "drop", "part", "part", "part", "double", "version")):
            case "drop" if len(found) > 1:
                del found[at]
            case "part" if found:
                found[at] = self._turned(found[at], principals)
            case "double" if found:
                found.append(dict(found[at]))
            case "version" if self._random.random() < 0.5:
                return {**document, "Version": "2008-10-17"}
            case _:
                found.append(self._statement(principals))
        return {**document, "Statement": found}

    def _turned(self, statement: Statement, principals: str) -> Statement:
        """A statement with one element exchanged."""
        fresh = self._statement(principals)
        kind = self._random.choice([("Action",), ("Resource",), ("Condition",), ("Condition",), ("Principal",)])[0]
        members = {kind, f"Not{kind}"}
        kept = {name: value for name, value in statement.items() if name not in members}
        return kept | {name: value for name, value in fresh.items() if name in members}

    def _document(self, principals: str = "") -> Document:
        count = self._random.choice((1, 1, 2, 2, 3))
        version = "2008-10-17" if self._random.random() < 0.05 else "2012-10-17"
        return {"Version": version, "Statement": [self._statement(principals) for _ in range(count)]}

    def _statement(self, principals: str = "") -> Statement:
        pick, rare = self._random, 0.12
        found: Statement = {"Effect": pick.choice(("Allow", "Allow", "Allow", "Deny"))}
        found["NotAction" if pick.random() < rare else "Action"] = self._some(_PATTERNS)
        texts = {"bucket": _IN_BUCKET, "key": ("*", KEY)}.get(principals, TEXTS)
        found["NotResource" if pick.random() < rare else "Resource"] = self._some(texts)
        if principals and found["Effect"] == "Deny" and pick.random() < 0.3:
            found["NotPrincipal"] = pick.choice(_SPARED)
        elif principals:
            found["Principal"] = pick.choice(_PRINCIPALS)
        if pick.random() < 0.45:
            found["Condition"] = self._conditions()
        return found

    def _conditions(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        for _ in range(self._random.choice((1, 1, 1, 2))):
            key = self._random.choice(list(KEYS))
            kind = KEYS[key]
            operator = self._random.choice(_OPERATORS[kind])
            values = self._values(kind, operator)
            if operator != "Null" and self._random.random() < 0.15:
                operator += "IfExists"
            if kind == "texts" and operator != "Null" and self._random.random() < 0.7:
                operator = self._random.choice(("ForAllValues:", "ForAnyValue:")) + operator
            found.setdefault(operator, {})[key] = values
        return found

    def _values(self, kind: str, operator: str) -> list[str]:
        if operator == "Null" or kind == "bool":
            return [self._random.choice(("true", "false"))]
        given = {"arn": _ARNS, "number": _NUMBERS, "team": ("alice", "bob", "a*", "?*", "*b*")}.get(kind, _STRINGS)
        return self._some(given)

    def _some(self, given: Sequence[str]) -> list[str]:
        return self._random.sample(given, self._random.choice((1, 1, 1, 2)))

    def requests(self, count: int) -> list[tuple[Who, str, str, dict[str, tuple[str, ...]]]]:
        """Requests near the documents."""
        return [
            (self._random.choice(ASKERS), self._random.choice(ACTIONS), self._resource(), self._context())
            for _ in range(count)
        ]

    def _resource(self) -> str:
        text = self._random.choice(TEXTS)
        if text == "*":
            return text
        for old in (f"${{{TEAM}}}", f"${{{TEAM}, 'none'}}"):
            text = text.replace(old, self._random.choice(("alice", "bob", "none", "x")))
        text = text.replace("${*}", "*") if text.count(":") > 4 else "*"
        for wild in "*?":
            text = text.replace(wild, self._random.choice(("x", "a", "e", "*", "x/y")[: 4 if wild == "?" else 5]))
        return text

    def _context(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for key, kind in KEYS.items():
            if self._random.random() < 0.4:
                continue
            domain = {
                "bool": ("true", "false"), "number": ("5", "7", "10", "61"), "team": TEAMS,
                "arn": ("arn:aws:s3:::b", "arn:aws:s3:::c:d", f"arn:aws:events:x:{ACCOUNT}:rule/r", "b"),
            }.get(kind, ("a", "ab", "A", "b", "alice", "a*", "a/*", ""))  # fmt: skip
            count = self._random.choice((1, 2)) if kind == "texts" else 1
            found[key.lower()] = tuple(self._random.sample(domain, count))
        return found
