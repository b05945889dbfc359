"""An SMT model of IAM's decision, written from AWS's rules and sharing no code with the evaluator or the preview.

Resource and condition keys are symbolic, and keys may be absent:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

import fnmatch
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import z3

from tests.preview.sound.texts import Free, Listed, Pieces, Text, python
from tests.preview.sound.worlds import (
    ACCOUNT,
    BUCKET,
    KEY,
    KEYS,
    RESOURCES,
    TEAM,
    TEAMS,
    TEXTS,
    VALUES,
    Document,
    Side,
    Statement,
    Who,
)

_VARIABLE = re.compile(r"\$\{([*?$])\}|\$\{([^},*?]+)(?:, '([^']*)')?\}")


class Undecided(Exception):
    """The solver took too long."""


@dataclass(frozen=True)
class _Key:
    """A condition key: up to two values, of which each may be missing."""

    there: tuple[Any, ...]
    values: tuple[Any, ...]


NOBODY, ACCOUNT_ONLY, ROLE, DIRECT = range(4)


def _names(element: Any) -> dict[str, list[str]]:
    return {"AWS": ["*"]} if element == "*" else {kind: _listed(value) for kind, value in element.items()}


def _reaches(statement: Statement, who: Who) -> int:
    """How directly a statement of a resource's policy speaks of somebody."""
    asker = who.requester
    root = f"arn:aws:iam::{asker.account}:root"
    if "NotPrincipal" in statement:
        names = _names(statement["NotPrincipal"])
        if asker.service:
            return NOBODY if asker.arn in names.get("Service", []) else DIRECT
        aws = names.get("AWS", [])
        wanted = [asker.arn, *([asker.role_arn] if asker.role_arn else [])]
        spared = all(each in aws for each in wanted) and (root in aws or asker.account in aws)
        return NOBODY if spared else ROLE
    names = _names(statement["Principal"])
    aws = names.get("AWS", [])
    if asker.service:
        return DIRECT if asker.arn in names.get("Service", []) or "*" in aws else NOBODY
    if asker.arn in aws:
        return DIRECT
    if "*" in aws or asker.role_arn in aws:
        return ROLE
    return ACCOUNT_ONLY if root in aws or asker.account in aws else NOBODY


def concerned(side: Side, who: Who, action: str) -> tuple[list[Any], ...]:
    """The statements that bear on somebody's action, to see quickly that two sides have the same."""
    identity, boundary = side.documents(who)
    bounds = [boundary] if boundary else []
    own = [side.own] if side.own else []
    listed = [
        [
            (document["Version"], statement)
            for document in documents
            for statement in document["Statement"]
            if _about(statement, action) and (documents is not own or _reaches(statement, who) != NOBODY)
        ]
        for documents in (identity, bounds, own)
    ]
    return (*listed, [bool(boundary), side.kind, bool(own)])


class Model:
    """Formulas on requests; `free`: whether texts are any there are."""

    def __init__(self, free: bool = False) -> None:
        self._free = free
        self._statements: dict[str, Any] = {}
        self._resource = self._text("resource", _distinct(), arn=True)
        self._context = {name.lower(): self._key(name, kind) for name, kind in KEYS.items()}
        self._team = self._context[TEAM.lower()]
        self._secure = self._context["aws:securetransport"].values[0]
        texts = [self._resource, *(value for key in self._context.values() for value in key.values)]
        self._world = z3.And(*(each.world() for each in texts if not z3.is_expr(each)), *self._finite())
        self._mine = {
            "bucket": z3.Or(self._resource.equals(BUCKET), self._resource.matches(_read(f"{BUCKET}/*"), "like")),
            "key": self._resource.equals(KEY),
        }

    def _text(self, name: str, texts: Iterable[str], arn: bool = False) -> Text:
        return Free(name, arn) if self._free else Listed(name, list(texts))

    def _key(self, name: str, kind: str) -> _Key:
        places = range(2 if kind == "texts" else 1)
        there = tuple(z3.Bool(f"there {name} {n}") for n in places)
        if kind == "number":
            return _Key(there, (z3.Int(f"value {name}"),))
        if kind in ("team", "bool"):
            return _Key(there, (Listed(f"value {name}", TEAMS if kind == "team" else ("true", "false")),))
        return _Key(there, tuple(self._text(f"value {name} {n}", VALUES[kind]) for n in places))

    def _finite(self) -> list[Any]:
        return [self._context["aws:multifactorauthage"].values[0] >= 0]

    def _for_each_team(self, text: str, variables: bool, judge: Callable[[Pieces], Any]) -> Any:
        """A formula on a text whose variables have each of their values in turn."""
        pieces = _pieces(text, variables)
        if not any(kind == "variable" for kind, _, _ in pieces):
            return judge(tuple((kind, letter) for kind, letter, _ in pieces))
        there, value = self._team.there[0], self._team.values[0]
        cases = [(z3.Not(there), None), *((z3.And(there, value.equals(team)), team) for team in TEAMS)]
        found = [(given, _rendered(pieces, team)) for given, team in cases]
        return z3.Or(*(z3.And(given, judge(rendered)) for given, rendered in found if rendered is not None))

    def _covers(self, text: str, variables: bool) -> Any:
        if not text.strip("*"):
            return z3.BoolVal(True)
        covered = self._for_each_team(text, variables, lambda each: self._resource.matches(each, "resource"))
        return z3.And(z3.Not(self._resource.equals("*")), covered)

    def _one_value(self, operator: str, value: Any, wanted: str, variables: bool) -> Any:
        """Whether one value of a key matches one value of a condition, whatever the operator's negation."""
        if operator.startswith("numeric"):
            number = int(wanted)
            tests = {"numericlessthan": value < number, "numericgreaterthanequals": value >= number}
            return tests.get(operator, value == number)
        if operator == "bool":
            return value.equals(wanted)
        if operator.endswith("like") or operator.startswith("arn"):
            mode = "arn" if operator.startswith("arn") else "like"
            return self._for_each_team(wanted, variables, lambda pieces: value.matches(pieces, mode))
        fold = operator.endswith("ignorecase")
        return self._for_each_team(
            wanted, variables, lambda pieces: value.equals("".join(letter for _, letter in pieces), fold)
        )

    def _condition(self, operator: str, key: _Key, values: list[str], variables: bool) -> Any:
        quantifier, _, name = operator.lower().rpartition(":")
        optional = name.endswith("ifexists")
        name = name.removesuffix("ifexists")
        absent = z3.Not(z3.Or(*key.there))
        if name == "null":
            return absent if values == ["true"] else z3.Not(absent)
        negated = "not" in name
        each = []
        for there, value in zip(key.there, key.values, strict=True):
            hit = z3.Or(*(self._one_value(name.replace("not", ""), value, one, variables) for one in values))
            each.append((there, z3.Not(hit) if negated else hit))
        every = z3.And(*(z3.Implies(there, hit) for there, hit in each))
        some = z3.Or(*(z3.And(there, hit) for there, hit in each))
        without = optional or quantifier == "forallvalues" or (negated and quantifier != "foranyvalue")
        any_one = quantifier == "foranyvalue" or (quantifier != "forallvalues" and not negated)
        return z3.If(absent, z3.BoolVal(without), some if any_one else every)

    def _applies(self, statement: Statement, variables: bool) -> Any:
        known = f"{variables} {statement}"
        if known not in self._statements:
            self._statements[known] = self._holds(statement, variables)
        return self._statements[known]

    def _holds(self, statement: Statement, variables: bool) -> Any:
        texts = _listed(statement.get("Resource", statement.get("NotResource")))
        covered = z3.Or(*(self._covers(text, variables) for text in texts))
        conditions = [
            self._condition(operator, self._context[key.lower()], _listed(values), variables)
            for operator, block in statement.get("Condition", {}).items()
            for key, values in block.items()
        ]
        return z3.And(z3.Not(covered) if "NotResource" in statement else covered, *conditions)

    def _any(self, documents: Iterable[Document], action: str, effect: str) -> Any:
        return z3.Or(
            *(
                self._applies(statement, document["Version"] == "2012-10-17")
                for document in documents
                for statement in _listed(document["Statement"])
                if statement["Effect"] == effect and _about(statement, action)
            )
        )

    def lets(self, side: Side, who: Who, action: str) -> tuple[dict[int, Any], Any]:
        """Of a resource's own policy: for each directness, when it is reached at least; and when it denies."""
        found: dict[int, list[Any]] = {ACCOUNT_ONLY: [], ROLE: [], DIRECT: []}
        denied: list[Any] = []
        document: Document = side.own or {"Version": "2012-10-17", "Statement": []}
        for statement in _listed(document["Statement"]):
            level = _reaches(statement, who)
            if level == NOBODY or not _about(statement, action):
                continue
            holds = z3.And(self._mine[side.kind], self._applies(statement, document["Version"] == "2012-10-17"))
            if statement["Effect"] == "Deny":
                denied.append(holds)
                continue
            for least in range(ACCOUNT_ONLY, level + 1):
                found[least].append(holds)
        return {level: z3.Or(*each) for level, each in found.items()}, z3.Or(*denied)

    def allowed(self, side: Side, who: Who, action: str) -> Any:
        """When somebody may do something on one side of a change."""
        identity, boundary = side.documents(who)
        bounds = [boundary] if boundary else []
        by_identity = self._any(identity, action, "Allow")
        by_boundary = self._any(bounds, action, "Allow") if boundary else z3.BoolVal(True)
        lets, denied = self.lets(side, who, action)
        refused = z3.Or(denied, self._any([*identity, *bounds], action, "Deny"))
        return z3.And(z3.Not(refused), self._granted(side, who, by_identity, by_boundary, lets))

    def _granted(self, side: Side, who: Who, identity: Any, boundary: Any, lets: Mapping[int, Any]) -> Any:
        if who.requester.service:
            return lets[DIRECT]
        if who.requester.account != ACCOUNT:
            return z3.And(lets[ACCOUNT_ONLY], identity, boundary)
        own = z3.And(identity, boundary)
        directly = z3.Or(lets[DIRECT], z3.And(lets[ROLE], boundary))
        if side.kind == "key" and side.own is not None:
            return z3.Or(directly, z3.And(z3.Or(z3.Not(self._mine["key"]), lets[ACCOUNT_ONLY]), own))
        return z3.Or(directly, own)

    def request(self, old: Any, new: Any, timeout: int = 1000) -> tuple[str, dict[str, tuple[str, ...]]] | None:
        """A request that only the new side allows, as resource and context; None without one. Raises Undecided."""
        found = z3.simplify(z3.And(new, z3.Not(old)))
        if z3.is_false(found):
            return None
        solver = z3.Solver()
        solver.set("timeout", timeout)
        solver.add(self._world, found)
        answer = solver.check()
        if answer == z3.unknown:
            raise Undecided
        return self._answer(solver.model()) if answer == z3.sat else None

    def _answer(self, model: Any) -> tuple[str, dict[str, tuple[str, ...]]]:
        context: dict[str, tuple[str, ...]] = {}
        for name, key in self._context.items():
            values = [
                _value(value, model)
                for there, value in zip(key.there, key.values, strict=True)
                if z3.is_true(model.eval(there, model_completion=True))
            ]
            if values:
                context[name] = tuple(values)
        return self._resource.read(model), context


def _value(value: Any, model: Any) -> str:
    return str(model.eval(value, model_completion=True)) if z3.is_expr(value) else str(value.read(model))


# --- texts and actions -----------------------------------------------------------------------------------------------


@cache
def _pieces(text: str, variables: bool) -> tuple[tuple[str, str, str | None], ...]:
    """Kind, letter (or name of a variable) and default of each piece."""
    found: list[tuple[str, str, str | None]] = []
    at = 0
    for match in _VARIABLE.finditer(text) if variables else ():
        found += _wild(text[at : match.start()])
        at = match.end()
        found.append(("text", match[1], None) if match[1] else ("variable", match[2], match[3]))
    return (*found, *_wild(text[at:]))


def _wild(text: str) -> list[tuple[str, str, str | None]]:
    kinds = {"*": "star", "?": "one"}
    return [(kinds.get(letter, "text"), letter, None) for letter in text]


def _read(text: str) -> Pieces:
    return tuple((kind, letter) for kind, letter, _ in _pieces(text, False))


def _rendered(pieces: Iterable[tuple[str, str, str | None]], team: str | None) -> Pieces | None:
    """With a value for its variables; None where one has neither value nor default."""
    found: list[tuple[str, str]] = []
    for kind, letter, default in pieces:
        if kind != "variable":
            found.append((kind, letter))
            continue
        value = default if team is None else team
        if value is None:
            return None
        found += [("text", each) for each in value]
    return tuple(found)


def _distinct() -> list[str]:
    """Resources of which each is told apart from the others by some pattern."""
    found: dict[tuple[bool, ...], str] = {}
    for text in RESOURCES:
        found.setdefault(tuple(bool(each.fullmatch(text)) for each in _patterns()), text)
    return list(found.values())


@cache
def _patterns() -> list[re.Pattern[str]]:
    """All that resources are compared with, whatever the variables stand for."""
    rendered = [_rendered(_pieces(text, True), team) for text in TEXTS for team in (None, *TEAMS)]
    plain = [_read(text) for text in (*TEXTS, BUCKET, KEY, "*", f"{BUCKET}/*")]
    return [python(each, "resource") for each in dict.fromkeys((*rendered, *plain)) if each is not None]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _about(statement: Statement, action: str) -> bool:
    given = _listed(statement.get("Action", statement.get("NotAction")))
    hit = any(fnmatch.fnmatchcase(action.lower(), pattern.lower()) for pattern in given)
    return hit != ("NotAction" in statement)
