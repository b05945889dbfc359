"""What documents allow, action by action: patterns of resources under conditions, with what is denied."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from policies.rules.actions import reach, regex
from policies.rules.documents import Document, Statement, Values
from preview.iam.clauses import Clauses, alternatives, both, clause
from preview.iam.language import Pattern


@dataclass(frozen=True, order=True)
class Literal:
    """A pattern that a text must match, or (not `positive`) must not."""

    text: str
    dimension: str = "resource"
    positive: bool = True

    @property
    def pattern(self) -> Pattern:
        """The pattern alone."""
        return Pattern(self.text, self.dimension)


@dataclass(frozen=True)
class Grant:
    """All texts that satisfy every literal, where every clause holds."""

    literals: frozenset[Literal]
    clauses: Clauses


Grants = tuple[Grant, ...]


@dataclass(frozen=True)
class Allowed:
    """What one action is allowed and denied. `denied` wins."""

    allowed: Grants = ()
    denied: Grants = ()


NOTHING = Allowed()
_EVERYTHING = frozenset([Literal("*")])


def actions_of(documents: Iterable[Document]) -> set[str]:
    """The concrete actions that documents name, and in their own spelling the names that the table does not know."""
    found: set[str] = set()
    for statement in _statements(documents):
        if statement.not_actions is not None:
            found |= _reached("*")
            found |= {action for pattern in _texts(statement.not_actions) for action in _reached(pattern)}
        for pattern in _texts(statement.actions):
            found |= _reached(pattern)
    return found


def allowed(
    action: str, identity: Sequence[Document], boundary: Sequence[Document] | None, principals: bool = False
) -> Allowed:
    """What of an action the documents allow: the identity's, within the boundary's where there is one."""
    granted: Iterable[Grant] = _grants(action, identity, True, principals)
    if boundary is not None:
        granted = _within(granted, _grants(action, boundary, True, principals))
    denied = _grants(action, [*identity, *(boundary or ())], False, principals)
    return Allowed(_unique(granted), _unique(denied))


def _within(granted: Iterable[Grant], bounds: Sequence[Grant]) -> Iterable[Grant]:
    for one in granted:
        for other in bounds:
            clauses = both(one.clauses, other.clauses)
            if clauses is not None:
                yield Grant(_overlap(one.literals, other.literals), clauses)


def _overlap(one: frozenset[Literal], other: frozenset[Literal]) -> frozenset[Literal]:
    """Where both hold: to be in everything as well says nothing."""
    return (one | other) - _EVERYTHING or _EVERYTHING


def _grants(action: str, documents: Sequence[Document], allows: bool, principals: bool) -> list[Grant]:
    return [
        Grant(literals, clauses)
        for statement in _statements(documents)
        if statement.allows is allows and _names(statement, action)
        for clauses in _conditions(statement)
        for literals in _literals(statement, principals)
    ]


def _unique(grants: Iterable[Grant]) -> Grants:
    return tuple(sorted(set(grants), key=lambda each: (sorted(each.literals), sorted(each.clauses))))


def _statements(documents: Iterable[Document]) -> Iterable[Statement]:
    for document in documents:
        for statement in document.statements:
            yield statement if document.variables else _without_variables(statement)


def _without_variables(statement: Statement) -> Statement:
    """A statement of an older document as one of today would say the same."""
    return replace(
        statement,
        resources=_plain(statement.resources),
        not_resources=_plain(statement.not_resources),
        conditions=tuple(replace(each, values=_plain(each.values) or ()) for each in statement.conditions),
    )


def _plain(values: Values | None) -> Values | None:
    if values is None:
        return None
    return tuple(value.replace("${", "${$}{") if isinstance(value, str) else value for value in values)


def _names(statement: Statement, action: str) -> bool:
    if statement.not_actions is not None:
        return not any(_covers(pattern, action) for pattern in _texts(statement.not_actions))
    return any(_covers(pattern, action) for pattern in _texts(statement.actions))


@lru_cache(maxsize=65536)
def _covers(pattern: str, action: str) -> bool:
    return regex(pattern.lower()).fullmatch(action.lower()) is not None


@lru_cache(maxsize=4096)
def _reached(pattern: str) -> frozenset[str]:
    found = frozenset(str(action) for action in reach(pattern))
    return found or frozenset([pattern])


@lru_cache(maxsize=4096)
def _conditions_of(given: tuple[tuple[str, str, tuple[str, ...]], ...]) -> tuple[Clauses, ...]:
    return tuple(alternatives([clause(operator, key, values) for operator, key, values in given]))


def _conditions(statement: Statement) -> tuple[Clauses, ...]:
    return _conditions_of(tuple((each.operator, each.key, _texts(each.values)) for each in statement.conditions))


def _literals(statement: Statement, principals: bool) -> list[frozenset[Literal]]:
    resources = _resources(statement)
    if not principals:
        return resources
    return [who | what for who in _who(statement) for what in resources]


def _resources(statement: Statement) -> list[frozenset[Literal]]:
    if statement.not_resources is not None:
        return [frozenset(Literal(_star(text), positive=False) for text in _texts(statement.not_resources))]
    if statement.resources is None:
        return [_EVERYTHING]
    return [frozenset([Literal(_star(text))]) for text in _texts(statement.resources)]


def _who(statement: Statement) -> list[frozenset[Literal]]:
    if statement.not_principals is not None:
        spared = {Literal(name, "spared", False) for name in _spared(statement.not_principals)}
        # Whom it does not leave out it lets in as if it named everybody.
        return [frozenset(spared | {Literal("*", "principal")} if statement.allows else spared)]
    dimension = "principal" if statement.allows else "denied"
    return [frozenset([Literal(_principal(*each), dimension)]) for each in statement.principals or ()]


def _spared(listed: Iterable[tuple[str, object]]) -> Iterable[str]:
    """Whom a NotPrincipal leaves out: a user only where his account is named too, a session only with its role.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
    """
    names = {_principal(*each) for each in listed}
    roles = {_role(name, "role/") for name in names}
    for name in sorted(names):
        account = name.split(":")[4] if name.startswith("AWS|arn:") and name.count(":") >= 5 else ""
        if account and not any(other.endswith(f":iam::{account}:root") for other in names):
            continue
        session = _role(name, "assumed-role/")
        if not _role(name, "role/") and (not session or session in roles):
            yield name


def _role(name: str, start: str) -> str:
    """Account and name of a role, or of a session's role; empty for anybody else."""
    parts = name.split(":", 5)
    if len(parts) < 6 or not parts[5].startswith(start):
        return ""
    path = parts[5].split("/")
    return f"{parts[4]}/{path[1] if start.startswith('assumed') else path[-1]}"


def _principal(kind: str, value: object) -> str:
    """`AWS|arn…`, `Service|…`; `*` is everybody, and an account's number the account."""
    text = str(value)
    if text == "*" and kind in ("AWS", "*"):
        return "*"
    if kind == "AWS" and text.isdigit():
        text = f"arn:aws:iam::{text}:root"
    return f"{kind}|{text}"


def _star(text: str) -> str:
    return "*" if text and not text.strip("*") else text


def _texts(values: Iterable[object] | None) -> tuple[str, ...]:
    return tuple(value for value in values or () if isinstance(value, str))
