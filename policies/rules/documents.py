"""Policy documents: from JSON text or objects to statements, whatever spelling they have."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from .model import UNKNOWN, Unknown

Values = tuple[str | Unknown, ...]
_ELEMENTS = frozenset(
    ("sid", "effect", "action", "notaction", "resource", "notresource", "principal", "notprincipal", "condition")
)


@dataclass(frozen=True)
class Condition:
    """One line of a condition block: all values of one key under one operator."""

    operator: str
    key: str
    values: Values

    @property
    def base(self) -> str:
        """The operator in lower case, without set prefix and `IfExists`."""
        return self.operator.lower().rpartition(":")[2].removesuffix("ifexists")

    @property
    def strict(self) -> bool:
        """Whether a missing key fails it, as IAM has it for all but these two."""
        operator = self.operator.lower()
        return not operator.endswith("ifexists") and not operator.startswith("forallvalues:")


@dataclass(frozen=True)
class Statement:
    """One statement. What it does not have is None; single values have become tuples."""

    number: int
    sid: str
    effect: str
    actions: Values | None
    not_actions: Values | None
    resources: Values | None
    not_resources: Values | None
    principals: tuple[tuple[str, str | Unknown], ...] | None
    not_principals: tuple[tuple[str, str | Unknown], ...] | None
    conditions: tuple[Condition, ...]

    @property
    def allows(self) -> bool:
        """Whether it grants something."""
        return self.effect == "Allow"

    @property
    def label(self) -> str:
        """How a message names it."""
        return f"statement '{self.sid}'" if self.sid else f"statement {self.number}"


@dataclass(frozen=True)
class Document:
    """A document, or why it is none (`error`). `size` is its length without white space, as AWS counts it.

    variables: whether `${…}` means something; in documents of version 2008-10-17, which is what one without a version
    has, it is plain text.
    """

    statements: tuple[Statement, ...] = ()
    error: str = ""
    size: int = 0
    variables: bool = True


class _MalformedError(Exception):
    pass


class _TwiceError(ValueError):
    pass


def parse(value: Any) -> Document | Unknown:
    """Read a document from JSON text or an object; UNKNOWN stays unknown. Never raises."""
    if isinstance(value, Unknown):
        return value
    if isinstance(value, str):
        return _from_text(value)
    return _from_object(value, 0)


@lru_cache(maxsize=2048)
def _from_text(source: str) -> Document:
    try:
        found = json.loads(source, object_pairs_hook=_once)
    except _TwiceError as error:
        return Document(error=str(error))
    except ValueError as error:
        return Document(error=f"is not valid JSON ({error})")
    except RecursionError:
        return Document(error="is no policy: it is nested too deeply")
    return _from_object(found, sum(not letter.isspace() for letter in source))


def _once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose members stand there once: readers differ in which of two they take."""
    found = dict(members)
    if len(found) < len(members):
        names = [name for name, _ in members]
        raise _TwiceError(f"has a member twice: {next(name for name in names if names.count(name) > 1)!r}")
    return found


def _from_object(value: Any, size: int) -> Document:
    if not isinstance(value, Mapping):
        return Document(error=f"is no policy: a JSON object is needed, this is {_short(value)}")
    members = {str(key).lower(): member for key, member in value.items()}
    statements = members.get("statement")
    if statements is UNKNOWN:
        return Document(size=size)
    if statements is None:
        return Document(error="has no Statement")
    try:
        listed = statements if isinstance(statements, (list, tuple)) else [statements]
        found = tuple(_statement(n, each) for n, each in enumerate(listed) if each is not UNKNOWN)
        return Document(found, size=size, variables=members.get("version") in ("2012-10-17", UNKNOWN))
    except _MalformedError as error:
        return Document(error=str(error))


def _statement(number: int, value: Any) -> Statement:
    if not isinstance(value, Mapping):
        raise _MalformedError(f"has a statement ({number}) that is no object: {_short(value)}")
    members = {str(key).lower(): member for key, member in value.items()}
    strange = [key for key in value if str(key).lower() not in _ELEMENTS]
    sid = members.get("sid") or ""
    name = f"statement '{sid}'" if sid and sid is not UNKNOWN else f"statement {number}"
    if strange:
        raise _MalformedError(f"has an element that IAM does not know in {name}: {strange[0]!r}")
    effect = members.get("effect")
    if effect is UNKNOWN:
        effect = "Allow"
    if effect not in ("Allow", "Deny"):
        raise _MalformedError(f"has the Effect {effect!r} in {name}: IAM takes Allow and Deny, in this spelling")
    if members.get("action") is None and members.get("notaction") is None:
        raise _MalformedError(f"has neither Action nor NotAction in {name}")
    return Statement(
        number,
        sid if isinstance(sid, str) else "",
        effect,
        _values(members.get("action"), name, "Action"),
        _values(members.get("notaction"), name, "NotAction"),
        _completed(_values(members.get("resource"), name, "Resource")),
        _completed(_values(members.get("notresource"), name, "NotResource")),
        _principals(members.get("principal"), name),
        _principals(members.get("notprincipal"), name),
        _conditions(members.get("condition"), name),
    )


def _values(value: Any, name: str, element: str) -> Values | None:
    if value is None:
        return None
    listed = value if isinstance(value, (list, tuple)) else [value]
    for each in listed:
        if not isinstance(each, (str, Unknown)):
            raise _MalformedError(f"has a {element} in {name} that is not text: {_short(each)}")
    return tuple(dict.fromkeys(each.strip() if isinstance(each, str) else each for each in listed))


def _completed(resources: Values | None) -> Values | None:
    """ARNs with all six fields: IAM fills missing ones with `*`, so that `arn:aws:sqs` is every queue there is.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html ("incomplete ARN").
    """
    if resources is None:
        return None
    return tuple(_complete(each) if isinstance(each, str) else each for each in resources)


def _complete(resource: str) -> str:
    return resource + ":*" * (5 - resource.count(":")) if resource.startswith("arn") else resource


def _principals(value: Any, name: str) -> tuple[tuple[str, str | Unknown], ...] | None:
    if value is None:
        return None
    if isinstance(value, (str, Unknown)):
        return (("*" if value == "*" else "AWS", value),)
    if not isinstance(value, Mapping):
        raise _MalformedError(f"has a Principal in {name} that is neither '*' nor an object: {_short(value)}")
    return tuple(
        (str(kind), each) for kind, listed in value.items() for each in _values(listed, name, "Principal") or ()
    )


def _conditions(value: Any, name: str) -> tuple[Condition, ...]:
    if value is None or value is UNKNOWN:
        return ()
    if not isinstance(value, Mapping):
        raise _MalformedError(f"has a Condition in {name} that is no object: {_short(value)}")
    found = []
    for operator, block in value.items():
        if block is UNKNOWN:
            continue
        if not isinstance(block, Mapping):
            raise _MalformedError(f"has a Condition in {name} whose {operator} is no object: {_short(block)}")
        for key, listed in block.items():
            values = listed if isinstance(listed, (list, tuple)) else [listed]
            found.append(Condition(str(operator), str(key).lower(), tuple(_scalar(each) for each in values)))
    return tuple(found)


def _scalar(value: Any) -> str | Unknown:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, (str, Unknown)) else str(value)


def _short(value: Any) -> str:
    shown = "null" if value is None else repr(value)
    return shown if len(shown) <= 40 else shown[:37] + "..."
