"""What a statement really allows: actions after Deny, and how broad its resources are for each of them."""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Literal

from .actions import Action, is_wild, loosen, reach, regex, split, wide
from .conditions import binds_resource, denies_others
from .documents import Statement, Values

Breadth = Literal["all", "type", ""]
_LITERAL = re.compile(r"\$\{[*?$]\}")
_VARIABLE = re.compile(r"\$\{[^}]*\}")


def broad_resources(statement: Statement) -> list[str]:
    """The statement's resources that have wildcards only, for any action."""
    return [each for each in _texts(statement.resources) if everything(each)]


@lru_cache(maxsize=8192)
def everything(resource: str) -> bool:
    """Whether a resource is `*`, or an ARN whose resource part is all wildcard (and no account is better than any)."""
    parts = _plain(resource).split(":", 5)
    if len(parts) < 6:
        return not "".join(parts).strip("*?")
    return is_wild(parts[5]) and not parts[5].strip("*?:/")


def _plain(resource: str) -> str:
    """A resource in wildcards and words: variables stand for a value, words that nearly every name has for none."""
    plain = _VARIABLE.sub("variable", _LITERAL.sub("x", resource))
    # API Gateway's paths have AWS's words and ids in them, no names: a letter there chooses kinds.
    return plain if ":apigateway:" in plain else loosen(plain)


@lru_cache(maxsize=8192)
def breadth(resource: str, action: Action) -> Breadth:
    """How broad a resource is for an action: all of everything, all of a type in one account, or less."""
    plain = _plain(resource)
    if not is_wild(plain):
        return ""
    parts = plain.split(":", 5)
    if len(parts) == 6 and not any(_service(each, action) == parts[2] or is_wild(parts[2]) for each in action.types):
        return "" if action.types else ("all" if everything(resource) else "")
    if everything(resource):
        return "all"
    if len(parts) < 6 or not any(_covers(parts[5], each) for each in action.types):
        return ""
    return "all" if parts[4].strip("*?") == "" and parts[4] else "type"


def _service(resource_format: str, action: Action) -> str:
    service, bar, _ = resource_format.partition("|")
    return service if bar else action.service


@lru_cache(maxsize=8192)
def _covers(pattern: str, resource_format: str) -> bool:
    """Whether a pattern admits every name that a type's format can have: then it admits one nobody would choose."""
    form = resource_format.rpartition("|")[2]
    return bool(form) and regex(pattern).fullmatch(form.replace("@", "zq9zq8zq7zq6")) is not None


def _texts(values: Values | None) -> list[str]:
    return [each for each in values or () if isinstance(each, str)]


def patterns(statement: Statement) -> list[str]:
    """The statement's action patterns, known ones."""
    return _texts(statement.actions)


class Denials:
    """The Deny statements that stand beside an Allow."""

    def __init__(self, statements: Iterable[Statement]) -> None:
        self._denies = [each for each in statements if not each.allows and _for_everybody(each)]
        self._absolute = [each for each in self._denies if not each.conditions]

    def __bool__(self) -> bool:
        return bool(self._denies)

    def forbid(
        self, action: Action, resources: Sequence[str], spares: Callable[[Statement], bool] | None = None
    ) -> bool:
        """Whether an action is denied on all the resources given, whoever calls and however.

        With `spares`, also where it is so but for what a Deny's conditions spare, of which that decides.
        """
        return any(
            _names(each, action) and all(_admitted(resource, _texts(each.resources), action) for resource in resources)
            for each in (self._absolute if spares is None else filter(spares, self._denies))
            if each.resources is not None and resources
        )

    def forbid_all(self, pattern: str, resources: Sequence[str]) -> bool:
        """Whether nothing that a full wildcard means is left on any of the resources given."""
        return any(
            any(_within(pattern, other) for other in patterns(each))
            and all(_matched(resource, _texts(each.resources)) for resource in resources)
            for each in self._absolute
            if each.resources is not None and resources
        )

    def bind(self, action: Action) -> bool:
        """Whether an action is denied on all resources but certain ones."""
        for each in self._denies:
            if not _names(each, action):
                continue
            others = each.not_resources
            if others and not each.conditions and not any(breadth(other, action) for other in _texts(others)):
                return True
            if denies_others(each, action) and any(everything(own) for own in _texts(each.resources)):
                return True
        return False


def _for_everybody(statement: Statement) -> bool:
    """Whether a Deny holds whoever calls: one that names somebody takes nothing back from others."""
    if statement.not_principals is not None:
        return False
    return statement.principals is None or any(each in ("*", "**") for _, each in statement.principals)


def _names(statement: Statement, action: Action) -> bool:
    if statement.not_actions is not None:
        known = _texts(statement.not_actions)
        return len(known) == len(statement.not_actions) and not any(_means(each, action) for each in known)
    return any(_means(each, action) for each in patterns(statement))


def _means(pattern: str, action: Action) -> bool:
    service, name = split(pattern)
    return bool(regex(service).fullmatch(action.service) and regex(name).fullmatch(action.name.lower()))


def _within(pattern: str, other: str) -> bool:
    """Whether one full wildcard means no more than another."""
    return wide(other) and regex(split(other)[0]).fullmatch(split(pattern)[0]) is not None


def _admitted(resource: str, among: Sequence[str], action: Action) -> bool:
    """Whether a Deny holds for all of a resource: by its words, or as it means all there is for the action."""
    return _matched(resource, among) or any(_everywhere(each, action) for each in among)


def _everywhere(resource: str, action: Action) -> bool:
    """Whether a pattern admits all that an action can work on, in every region and account."""
    parts = resource.split(":", 5)
    if len(parts) < 6 or any(each.strip("*") for each in parts[3:5]) or not action.types:
        return False
    service = regex(parts[2])
    return all(service.fullmatch(_service(each, action)) and _covers(parts[5], each) for each in action.types)


def _matched(resource: str, among: Sequence[str]) -> bool:
    return any(regex(each).fullmatch(resource) for each in among)


def allowed(statement: Statement, denials: Denials) -> list[Action]:
    """The actions that an Allow grants, without those that a Deny takes back; full wildcards are not expanded."""
    found = _reached(tuple(patterns(statement)))
    if not denials:
        return list(found)
    resources = _texts(statement.resources)
    return [action for action in found if not denials.forbid(action, resources)]


@lru_cache(maxsize=4096)
def _reached(named: tuple[str, ...]) -> tuple[Action, ...]:
    """What patterns reach together, each action once; many roles have the same patterns."""
    found = (action for pattern in named if not wide(pattern) for action in reach(pattern))
    return tuple(dict.fromkeys(found))


def exposed(statement: Statement, denials: Denials, actions: Iterable[Action]) -> dict[Action, Breadth]:
    """Of the actions given, those whose resources are broad, and how broad; nothing bound by a condition is."""
    wild = [each for each in _texts(statement.resources) if is_wild(each)]
    if not wild:
        return {}
    actions = [each for each in actions if not binds_resource(statement, each)]
    found: dict[Action, Breadth] = {}
    anything = any(each in ("*", "**") for each in wild)
    if anything and not denials:
        return dict.fromkeys(actions, "all")
    for action in actions:
        widest = {"all"} if anything else {breadth(each, action) for each in wild} - {""}
        if widest and not (denials and denials.bind(action)):
            found[action] = "all" if "all" in widest else "type"
    return found
