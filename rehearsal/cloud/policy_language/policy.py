"""Policy documents, read once and kept by their text."""

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from rehearsal.cloud.policy_language.conditions import Clause, PolicyError, parse_conditions
from rehearsal.cloud.policy_language.principals import Principals, parse_principals
from rehearsal.cloud.policy_language.template import Context, Template, template

_VERSIONS = ("2012-10-17", "2008-10-17")
_NONE: Context = {}
_ELEMENTS = frozenset(
    {"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Principal", "NotPrincipal", "Condition"}
)


@dataclass(frozen=True)
class Statement:
    """One statement. `actions` are in lower case; `resources` is None where the document's kind has none."""

    index: int
    sid: str
    allows: bool
    actions: tuple[Template, ...]
    not_actions: bool
    resources: tuple[Template, ...] | None
    not_resources: bool
    principals: Principals | None
    not_principals: bool
    conditions: tuple[Clause, ...]

    def names_action(self, action: str) -> bool:
        """`action` in lower case."""
        return any(pattern.like(action, _NONE) for pattern in self.actions) != self.not_actions

    def names_resource(self, arn: str, context: Context) -> bool:
        if self.resources is None:
            return True
        return any(_covers(pattern, arn, context) for pattern in self.resources) != self.not_resources

    def holds(self, context: Context) -> bool:
        return all(clause.holds(context) for clause in self.conditions)

    def keys(self) -> dict[str, str]:
        """Condition keys that the statement looks at: in lower case, and as they are written."""
        templates = [*(self.resources or ()), *(value for clause in self.conditions for value in clause.values)]
        used = {variable.key: variable.name for item in templates for variable in item.variables}
        return used | {clause.key: clause.name for clause in self.conditions}


def _covers(pattern: Template, arn: str, context: Context) -> bool:
    if set(pattern.text) == {"*"}:
        return True
    # A statement about one bucket does not answer a request for "any resource".
    return arn != "*" and pattern.covers(arn, context)


@dataclass(frozen=True)
class Policy:
    """A document. `name` is shown where a statement of it matched."""

    statements: tuple[Statement, ...]
    text: str = field(repr=False, default="")
    _by_action: dict[str, tuple[Statement, ...]] = field(default_factory=dict, repr=False, compare=False)

    def about(self, action: str) -> tuple[Statement, ...]:
        """The statements on an action (in lower case)."""
        found = self._by_action.get(action)
        if found is None:
            found = self._by_action[action] = tuple(s for s in self.statements if s.names_action(action))
        return found

    def __hash__(self) -> int:
        return id(self)


def parse_policy(document: str | bytes | Mapping[str, Any]) -> Policy:
    """A document as text (possibly URL-encoded, as IAM hands it out) or as JSON. Raises PolicyError."""
    if isinstance(document, bytes):
        document = document.decode()
    if isinstance(document, Mapping):
        document = json.dumps(document)
    return _parse(document)


@functools.lru_cache(maxsize=4096)
def _parse(text: str) -> Policy:
    try:
        document = json.loads(text if text.lstrip().startswith("{") else unquote(text))
    except ValueError as error:
        raise PolicyError(f"the policy is not valid JSON: {error}") from None
    if not isinstance(document, Mapping):
        raise PolicyError("a policy is an object")
    version = document.get("Version", "2008-10-17")
    if version not in _VERSIONS:
        raise PolicyError(f"Version must be one of {', '.join(_VERSIONS)}, not {version!r}")
    statements = document.get("Statement", [])
    listed = statements if isinstance(statements, list) else [statements]
    variables = version == "2012-10-17"
    return Policy(tuple(_statement(index, item, variables) for index, item in enumerate(listed)), text)


def _statement(index: int, item: Any, variables: bool) -> Statement:
    if not isinstance(item, Mapping):
        raise PolicyError(f"statement {index} must be an object")
    unknown = set(item) - _ELEMENTS
    if unknown:
        raise PolicyError(f"statement {index} has unknown elements: {', '.join(sorted(map(str, unknown)))}")
    if item.get("Effect") not in ("Allow", "Deny"):
        raise PolicyError(f"statement {index}: Effect must be Allow or Deny, not {item.get('Effect')!r}")
    actions, not_actions = _either(index, item, "Action")
    resources, not_resources = _either(index, item, "Resource")
    if not actions:
        raise PolicyError(f"statement {index} names no Action")
    principals, not_principals = _principals(item)
    return Statement(
        index=index,
        sid=str(item.get("Sid", "")),
        allows=item["Effect"] == "Allow",
        actions=tuple(template(text.lower(), variables=False) for text in actions),
        not_actions=not_actions,
        resources=tuple(template(text, variables=variables) for text in resources) if resources else None,
        not_resources=not_resources,
        principals=principals,
        not_principals=not_principals,
        conditions=parse_conditions(item.get("Condition"), variables=variables),
    )


def _either(index: int, item: Mapping[str, Any], name: str) -> tuple[list[str], bool]:
    inverse = f"Not{name}"
    if name in item and inverse in item:
        raise PolicyError(f"statement {index} has both {name} and {inverse}")
    value = item.get(name, item.get(inverse, []))
    listed = value if isinstance(value, list) else [value]
    if not all(isinstance(text, str) for text in listed):
        raise PolicyError(f"statement {index}: {name} must be text or a list of texts")
    return listed, inverse in item


def _principals(item: Mapping[str, Any]) -> tuple[Principals | None, bool]:
    if "Principal" in item:
        return parse_principals(item["Principal"]), False
    if "NotPrincipal" in item:
        return parse_principals(item["NotPrincipal"]), True
    return None, False
