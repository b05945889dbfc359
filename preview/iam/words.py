"""The difference of two sides' rights as sentences."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from policies.rules.actions import of_service, reach, split
from policies.rules.documents import Document
from preview.iam.clauses import Clause, Clauses, several
from preview.iam.compare import Difference, Scope, compare
from preview.iam.grants import NOTHING, Allowed, actions_of, allowed
from preview.iam.holders import Holder, holders, titles
from preview.model import Capability, Danger
from preview.names import Names
from preview.plan import Resource

_NAMED = 12
"""So many actions are named one by one; beyond that, by the patterns of the document where these say the same."""
_POWERFUL = frozenset(("iam:passrole", "sts:assumerole", "sts:assumerolewithwebidentity", "sts:assumerolewithsaml"))
_TRUST = ("sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity")


def capabilities(before: Mapping[str, Resource], after: Mapping[str, Resource], names: Names) -> list[Capability]:
    """Every sentence about rights that change between two sides of a plan, the worst first."""
    old, new = holders(before, names), holders(after, names)
    found = [each for title in titles(old, new) for each in _holder(title, old.get(title), new.get(title))]
    return sorted(found, key=lambda each: (each.danger, each.owner, not each.gained, each.text))


def _holder(title: str, old: Holder | None, new: Holder | None) -> Iterator[Capability]:
    if new is None:
        if old is not None and (old.identity or old.managed or old.own or old.unread):
            yield _gone(old)
        return
    was = old or Holder(new.kind, new.name)
    yield from _unclear(was, new)
    yield from _managed(was, new)
    yield from _boundary(was, new, old is None)
    if "identity" not in was.unread | new.unread:
        yield from _identity(title, was, new)
    if "own" not in was.unread | new.unread:
        yield from _own(title, was, new)


def _gone(old: Holder) -> Capability:
    what = "with all its rights" if old.principal else "and nobody has rights by it any more"
    text = f"{old.title} is gone {what}" if old.principal else f"the policy of {old.title} is gone {what}"
    return Capability(Danger.FEWER, text, old.title, gained=False)


def _unclear(was: Holder, new: Holder) -> Iterator[Capability]:
    for reason in new.unclear:
        if reason not in was.unclear:
            text = f"what {new.title} allows cannot be told: {reason}"
            yield Capability(Danger.RIGHTS, text, new.title, gained=True)
    if was.unread - new.unread:
        text = f"what {new.title} allows is known again, and was not before: it cannot be compared"
        yield Capability(Danger.RIGHTS, text, new.title, gained=True)


def _managed(was: Holder, new: Holder) -> Iterator[Capability]:
    for arn in sorted(new.managed - was.managed):
        text = f"{new.title} now has the policy `{arn}`, which is not of this stack"
        yield Capability(Danger.POWER, text, new.title, gained=True)
    for arn in sorted(was.managed - new.managed):
        yield Capability(Danger.FEWER, f"{new.title} no longer has the policy `{arn}`", new.title, gained=False)


def _boundary(was: Holder, new: Holder, fresh: bool) -> Iterator[Capability]:
    had, has = (each.boundary is not None or "boundary" in each.unread for each in (was, new))
    if had and not has:
        text = f"no permissions boundary limits {new.title} any more"
        yield Capability(Danger.POWER, text, new.title, gained=True)
    elif has and not had and not fresh:
        yield Capability(Danger.FEWER, f"a permissions boundary now limits {new.title}", new.title, gained=False)


def _identity(title: str, was: Holder, new: Holder) -> Iterator[Capability]:
    if was.identity == new.identity and was.boundary == new.boundary:
        return
    # A boundary that cannot be read counts as none: what is told is what it may let through.
    sides = [(one.identity, [one.boundary] if one.boundary is not None else None) for one in (was, new)]
    found = _differences(sides[0], sides[1], principals=False)
    written = [*was.identity, *new.identity]
    for difference, actions in found:
        yield _sentence(title, difference, actions, written)


def _own(title: str, was: Holder, new: Holder) -> Iterator[Capability]:
    if was.own == new.own:
        return
    for difference, actions in _differences((was.own, None), (new.own, None), principals=True):
        yield from _about_others(title, new, difference, actions, [*was.own, *new.own])


Side = tuple[Sequence[Document], Sequence[Document] | None]


def _differences(old: Side, new: Side, principals: bool) -> list[tuple[Difference, tuple[str, ...]]]:
    """Differences with the actions that share them. Conditions that differ in one value alone are joined."""
    by_case: dict[tuple[Allowed, Allowed], list[str]] = {}
    for action in sorted(actions_of([*old[0], *new[0]]), key=str.lower):
        case = tuple(allowed(action, *side, principals) if side[0] else NOTHING for side in (old, new))
        if case[0] != case[1]:
            by_case.setdefault((case[0], case[1]), []).append(action)
    grouped: dict[tuple[bool, tuple[Scope, ...], Clauses], list[str]] = {}
    for case, actions in by_case.items():
        for each in compare(*case, principals):
            grouped.setdefault((each.gained, each.scopes, each.clauses), []).extend(actions)
    return _joined(grouped)


def _joined(
    grouped: Mapping[tuple[bool, tuple[Scope, ...], Clauses], list[str]],
) -> list[tuple[Difference, tuple[str, ...]]]:
    """`to lambda` and `to sagemaker` of the same actions on the same resources make one sentence."""
    merged: dict[tuple[bool, tuple[Scope, ...], tuple[str, ...]], list[Clauses]] = {}
    for (gained, scopes, clauses), actions in grouped.items():
        merged.setdefault((gained, scopes, tuple(sorted(set(actions), key=str.lower))), []).append(clauses)
    return [
        (Difference(gained, scopes, clauses), actions)
        for (gained, scopes, actions), several_ in merged.items()
        for clauses in _one_clause(several_)
    ]


def _one_clause(sets: list[Clauses]) -> list[Clauses]:
    """Join sets of conditions that differ in the values of one clause."""
    rest = sorted(sets, key=lambda each: (len(each), sorted(each)))
    found: list[Clauses] = []
    while rest:
        first = rest.pop(0)
        for other in list(rest):
            pair = _same_but_values(first, other)
            if pair is not None:
                first = pair
                rest.remove(other)
        found.append(first)
    return found


def _same_but_values(one: Clauses, other: Clauses) -> Clauses | None:
    left, right = one - other, other - one
    if len(left) != 1 or len(right) != 1:
        return None
    (a,), (b,) = left, right
    if (a.operator, a.key, a.quantifier, a.if_exists) != (b.operator, b.key, b.quantifier, b.if_exists):
        return None
    joined = Clause(a.operator, a.key, tuple(sorted({*a.values, *b.values})), a.quantifier, a.if_exists)
    return (one & other) | {joined}


# --- sentences -------------------------------------------------------------------------------------------------------


def _sentence(
    title: str, difference: Difference, actions: tuple[str, ...], documents: Sequence[Document]
) -> Capability:
    verb = "can now" if difference.gained else "can no longer"
    conditions = several(difference.clauses)
    where = _where(difference.scopes)
    text = f"{title} {verb} {_actions(actions, documents)} {where}{_tail(conditions)}"
    danger = _danger(difference, actions) if difference.gained else Danger.FEWER
    return Capability(danger, text, title, difference.gained, actions, _resources(difference.scopes), conditions)


def _about_others(
    title: str, holder: Holder, difference: Difference, actions: tuple[str, ...], documents: Sequence[Document]
) -> Iterator[Capability]:
    """Sentences about whom a resource or a role lets in: one per principal."""
    conditions = several(difference.clauses)
    by_principal: dict[str, list[Scope]] = {}
    for scope in difference.scopes:
        who = [one for one in scope.literals if one.dimension == "principal"]
        name = " and ".join(_who(one.text) if one.positive else f"anybody but {_who(one.text)}" for one in who)
        by_principal.setdefault(name or "anybody", []).append(scope)
    for name, scopes in sorted(by_principal.items()):
        if holder.kind == "role":
            trusted = "is now trusted by" if difference.gained else "is no longer trusted by"
            by = "" if set(actions) <= set(_TRUST) else f" for {_actions(actions, documents)}"
            text = f"{title} {trusted} {name}{by}{_tail(conditions)}"
        else:
            lets = "now lets" if difference.gained else "no longer lets"
            on = _where(scopes) if any(_on(scope) != "*" for scope in scopes) else ""
            text = f"{title} {lets} {name} {_actions(actions, documents)}{f' {on}' if on else ''}{_tail(conditions)}"
        danger = Danger.POWER if difference.gained else Danger.FEWER
        yield Capability(danger, text, title, difference.gained, actions, _resources(scopes), conditions)


def _danger(difference: Difference, actions: Iterable[str]) -> Danger:
    everywhere = any(_on(scope) == "*" and not difference.clauses for scope in difference.scopes)
    for action in actions:
        known = next(iter(reach(action)), None)
        if action.lower() in _POWERFUL or known is None or "P" in known.traits:
            return Danger.POWER
        if everywhere and known.scoped and known.touches:
            return Danger.POWER
    return Danger.RIGHTS


def _actions(actions: Sequence[str], documents: Sequence[Document]) -> str:
    """The actions by name, or by the patterns of the documents that mean exactly these."""
    if len(actions) <= _NAMED:
        return _listed(actions)
    left = set(actions)
    chosen: list[str] = []
    for pattern in sorted(_patterns(documents), key=lambda each: (-len(reach(each)), each)):
        reached = {str(action) for action in reach(pattern)}
        if len(reached) > 1 and reached <= set(actions) and reached & left:
            chosen.append(f"{pattern} ({len(reached)} actions)")
            left -= reached
    for service in sorted({split(action)[0] for action in left}):
        mine = {str(action) for action in of_service(service)}
        if mine and mine <= left:
            chosen.append(f"{service}:* ({len(mine)} actions)")
            left -= mine
    named = [f"`{text.partition(' ')[0]}`{text[len(text.partition(' ')[0]) :]}" for text in chosen]
    return ", ".join([*named, *(f"`{action}`" for action in sorted(left, key=str.lower))])


def _patterns(documents: Iterable[Document]) -> set[str]:
    return {
        pattern
        for document in documents
        for statement in document.statements
        for pattern in statement.actions or ()
        if isinstance(pattern, str) and ("*" in pattern or "?" in pattern)
    }


def _where(scopes: Sequence[Scope]) -> str:
    parts = [_place(scope) for scope in scopes]
    return "on " + ", ".join(sorted(dict.fromkeys(parts)))


def _place(scope: Scope) -> str:
    named = [one for one in scope.literals if one.dimension == "resource"]
    kept = [one.text for one in named if one.positive and (one.text != "*" or len(named) == 1)]
    without = [one.text for one in named if not one.positive]
    text = " within ".join(f"`{each}`" if each != "*" else "everything (`*`)" for each in kept) or "everything"
    if without:
        text += f" but {_listed(without)}"
    beyond = [each for each in scope.beyond if each not in kept]
    if beyond:
        text += f" (beyond {_listed(beyond)})"
    if scope.but:
        text += f" (except {_listed(scope.but)})"
    return text


def _on(scope: Scope) -> str:
    named = [one.text for one in scope.literals if one.dimension == "resource"]
    return " ".join(named) or "*"


def _resources(scopes: Iterable[Scope]) -> tuple[str, ...]:
    return tuple(sorted({_on(scope) for scope in scopes}))


def _who(principal: str) -> str:
    if principal == "*":
        return "everybody"
    kind, _, name = principal.partition("|")
    if name.endswith(":root"):
        return f"account `{name.split(':')[4]}`"
    word = {"Service": "service ", "Federated": "identity provider ", "CanonicalUser": "canonical user "}.get(kind, "")
    return f"{word}`{name}`"


def _tail(conditions: Sequence[str]) -> str:
    return f", {' and '.join(conditions)}" if conditions else ""


def _listed(texts: Iterable[str]) -> str:
    return ", ".join(f"`{text}`" for text in texts)
