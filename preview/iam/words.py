"""The difference of two sides' rights as sentences."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set

from policies.rules.actions import of_service, reach, split
from policies.rules.documents import Document
from preview.iam import lifted
from preview.iam.clauses import Clauses, several
from preview.iam.compare import Difference, Scope
from preview.iam.holders import PolicyHolder, holders, titles
from preview.iam.sides import Shared, differences, joined_sets
from preview.model import Capability, Danger, Place
from preview.names import Names
from preview.plan import Resource
from preview.quote import code

_NAMED = 12
"""So many actions are named one by one; beyond that, by the patterns of the document where these say the same."""
_SHOWN = 40
_POWERFUL = frozenset(("iam:passrole", "sts:assumerole", "sts:assumerolewithwebidentity", "sts:assumerolewithsaml"))
_AWS_ALLOWS = re.compile(r"arn:[^:]*:iam::aws:policy/(?!.*(Deny|Quarantine)).*")
"""AWS's own policies, but for the few that deny: AWSDenyAll, AWSCompromisedKeyQuarantine."""
_TRUST = ("sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity")


def capabilities(before: Mapping[str, Resource], after: Mapping[str, Resource], names: Names) -> list[Capability]:
    """Every sentence about rights that change between two sides of a plan, the worst first."""
    old, new = holders(before, names), holders(after, names)
    found: list[Capability] = []
    for title in titles(old, new):
        was = old.get(title)
        plain = list(_holder(title, was, new.get(title)))
        told = {action for each in plain if each.gained for action in each.actions}
        found += plain
        if was is not None and (title in new or not was.on or was.on in after):
            found += _lifted(was, new.get(title), [*new.values()], told)
    return sorted(found, key=lambda each: (each.danger, each.owner, not each.gained, each.text))


def _holder(title: str, old: PolicyHolder | None, new: PolicyHolder | None) -> Iterator[Capability]:
    if new is None:
        if old is not None and (old.identity or old.managed or old.own or old.unread):
            yield _gone(old)
        return
    was = old or PolicyHolder(new.kind, new.name)
    yield from _unclear(was, new)
    yield from _managed(was, new)
    yield from _boundary(was, new, old is None)
    # What cannot be read on either side for the same reason is told nowhere: the rest must be.
    alike = was.unclear == new.unclear
    if alike or "identity" not in was.unread | new.unread:
        yield from _identity(title, was, new)
    if alike or "own" not in was.unread | new.unread:
        yield from _own(title, was, new)


def _lifted(
    old: PolicyHolder, new: PolicyHolder | None, others: Sequence[PolicyHolder], told: Set[str]
) -> Iterator[Capability]:
    """Denials that go, and boundaries that widen, where others allow; but for actions whose gain is told already."""
    title = old.title
    after = new or PolicyHolder(old.kind, old.name)
    for difference, actions in _untold(lifted.of_resource(old, after), told):
        for who, scopes in _by_principal(difference.scopes):
            named = _actions(actions, [*old.own, *after.own])
            text = f"the policy of {title} no longer denies {who} {named} {_where(scopes)}{_tail(difference)}"
            yield _capability(_danger(difference, actions), text, title, difference, actions, scopes)
    if new is None:
        return
    for difference, actions in _untold(lifted.of_identity(old, new, others), told):
        named = _actions(actions, [*old.identity, *new.identity])
        where = f"{_where(difference.scopes)}{_tail(difference)}"
        text = f"{title} is no longer kept from {named} {where}, where another policy allows it"
        yield _capability(_danger(difference, actions), text, title, difference, actions, difference.scopes)


def _untold(found: Iterable[Shared], told: Set[str]) -> Iterator[Shared]:
    for difference, actions in found:
        if left := tuple(action for action in actions if action not in told):
            yield difference, left


def _gone(old: PolicyHolder) -> Capability:
    what = "with all its rights" if old.principal else "and nobody has rights by it any more"
    text = f"{old.title} is gone {what}" if old.principal else f"the policy of {old.title} is gone {what}"
    return Capability(Danger.FEWER, text, old.title, gained=False)


def _unclear(was: PolicyHolder, new: PolicyHolder) -> Iterator[Capability]:
    for reason in new.unclear:
        if reason not in was.unclear:
            text = f"what {new.title} allows cannot be determined: {reason}"
            yield Capability(Danger.RIGHTS, text, new.title, gained=True)
    if was.unread - new.unread:
        text = f"what {new.title} allows is known again, and was not before: it cannot be compared"
        yield Capability(Danger.RIGHTS, text, new.title, gained=True)


def _managed(was: PolicyHolder, new: PolicyHolder) -> Iterator[Capability]:
    for arn in sorted(new.managed - was.managed):
        text = f"{new.title} now has the policy {code(arn)}, which is not of this stack"
        yield Capability(Danger.POWER, text, new.title, gained=True)
    for arn in sorted(was.managed - new.managed):
        text = f"{new.title} no longer has the policy {code(arn)}"
        if _AWS_ALLOWS.fullmatch(arn):
            yield Capability(Danger.FEWER, text, new.title, gained=False)
        else:
            text = f"{text}, which is not of this stack: what it denied is not denied any more"
            yield Capability(Danger.RIGHTS, text, new.title, gained=True)


def _boundary(was: PolicyHolder, new: PolicyHolder, fresh: bool) -> Iterator[Capability]:
    had, has = (each.boundary is not None or "boundary" in each.unread for each in (was, new))
    if had and not has:
        text = f"no permissions boundary limits {new.title} any more"
        yield Capability(Danger.POWER, text, new.title, gained=True)
    elif has and not had and not fresh:
        yield Capability(Danger.FEWER, f"a permissions boundary now limits {new.title}", new.title, gained=False)


def _identity(title: str, was: PolicyHolder, new: PolicyHolder) -> Iterator[Capability]:
    if was.identity == new.identity and was.boundary == new.boundary:
        return
    # A boundary that cannot be read counts as none: what is reported is what it may let through.
    sides = [(one.identity, [one.boundary] if one.boundary is not None else None) for one in (was, new)]
    found = differences(sides[0], sides[1], principals=False)
    written = [*was.identity, *new.identity]
    for difference, actions in found:
        yield _sentence(title, difference, actions, written)


def _own(title: str, was: PolicyHolder, new: PolicyHolder) -> Iterator[Capability]:
    if was.own == new.own:
        return
    for difference, actions in differences((was.own, None), (new.own, None), principals=True):
        yield from _about_others(title, new, difference, actions, [*was.own, *new.own])


# --- sentences -------------------------------------------------------------------------------------------------------


def _sentence(
    title: str, difference: Difference, actions: tuple[str, ...], documents: Sequence[Document]
) -> Capability:
    verb = "can now" if difference.gained else "can no longer"
    where = _where(difference.scopes)
    text = f"{title} {verb} {_actions(actions, documents)} {where}{_tail(difference)}"
    danger = _danger(difference, actions) if difference.gained else Danger.FEWER
    return _capability(danger, text, title, difference, actions, difference.scopes)


def _capability(
    danger: Danger, text: str, title: str, difference: Difference, actions: tuple[str, ...], scopes: Sequence[Scope]
) -> Capability:
    places = tuple(sorted({_place_of(scope) for scope in scopes}, key=lambda each: (each.patterns, each.without)))
    return Capability(danger, text, title, difference.gained, actions, places, several(difference.clauses))


def _about_others(
    title: str, holder: PolicyHolder, difference: Difference, actions: tuple[str, ...], documents: Sequence[Document]
) -> Iterator[Capability]:
    """Sentences about whom a resource or a role lets in: one per principal."""
    for name, scopes in _by_principal(difference.scopes):
        if holder.kind == "role":
            trusted = "is now trusted by" if difference.gained else "is no longer trusted by"
            by = "" if set(actions) <= set(_TRUST) else f" for {_actions(actions, documents)}"
            text = f"{title} {trusted} {name}{by}{_tail(difference)}"
        else:
            lets = "now lets" if difference.gained else "no longer lets"
            on = f" {_where(scopes)}" if any(_place_of(scope).patterns != ("*",) for scope in scopes) else ""
            text = f"{title} {lets} {name} {_actions(actions, documents)}{on}{_tail(difference)}"
        danger = Danger.POWER if difference.gained else Danger.FEWER
        yield _capability(danger, text, title, difference, actions, scopes)


def _by_principal(scopes: Sequence[Scope]) -> list[tuple[str, list[Scope]]]:
    found: dict[str, list[Scope]] = {}
    for scope in scopes:
        found.setdefault(_principals(scope), []).append(scope)
    return sorted(found.items())


def _danger(difference: Difference, actions: Iterable[str]) -> Danger:
    everywhere = not difference.clauses and any(_place_of(scope).patterns == ("*",) for scope in difference.scopes)
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
    named = [f"{code(text.partition(' ')[0])}{text[len(text.partition(' ')[0]) :]}" for text in chosen]
    return ", ".join(_first([*named, *(code(action) for action in sorted(left, key=str.lower))], "actions"))


def _patterns(documents: Iterable[Document]) -> set[str]:
    return {
        pattern
        for document in documents
        for statement in document.statements
        for pattern in statement.actions or ()
        if isinstance(pattern, str) and ("*" in pattern or "?" in pattern)
    }


def _where(scopes: Sequence[Scope]) -> str:
    parts = sorted({_place(_place_of(scope)) for scope in scopes})
    return "on " + ", ".join(_first(parts, "places"))


def _place_of(scope: Scope) -> Place:
    named = [one for one in scope.literals if one.dimension == "resource"]
    kept = tuple(one.text for one in named if one.positive and one.text != "*")
    beyond = tuple(each for each in scope.beyond if each not in kept)
    return Place(kept or ("*",), tuple(one.text for one in named if not one.positive), beyond, scope.but)


def _place(place: Place) -> str:
    text = " within ".join(code(each) if each != "*" else "everything (`*`)" for each in place.patterns)
    if place.without:
        text += f" but {_listed(place.without)}"
    if place.beyond:
        text += f" (beyond {_listed(place.beyond)})"
    return f"{text} (except {_listed(place.but)})" if place.but else text


def _principals(scope: Scope) -> str:
    """Whom a scope speaks of. Who is left out had it before (or keeps it)."""
    who = [one for one in scope.literals if one.dimension != "resource"]
    named = " and ".join(_different(one.text for one in who if one.positive)) or "everybody"
    others = " and ".join(_different(one.text for one in who if not one.positive and one.text != "*"))
    return f"{named} besides {others}" if others else named


def _different(principals: Iterable[str]) -> list[str]:
    kept = dict.fromkeys(principals)
    return [_who(each) for each in kept if each != "*" or len(kept) == 1]


def _who(principal: str) -> str:
    if principal == "*":
        return "everybody"
    kind, _, name = principal.partition("|")
    if name.endswith(":root"):
        return f"account {code(name.split(':')[4])}"
    word = {"Service": "service ", "Federated": "identity provider ", "CanonicalUser": "canonical user "}.get(kind, "")
    return f"{word}{code(name)}"


def _tail(difference: Difference) -> str:
    """Under which conditions, and what limits the sentence."""
    conditions = several(difference.clauses)
    text = f", {' and '.join(conditions)}" if conditions else ""
    if difference.unless:
        text += f", except {_either(difference.unless)}"
    if difference.otherwise:
        text += f" ({'before only' if difference.gained else 'still'} {_either(difference.otherwise)})"
    return text


def _either(sets: Iterable[Clauses]) -> str:
    return "; or ".join(sorted(" and ".join(several(each)) for each in joined_sets(list(sets))))


def _first(texts: list[str], what: str) -> list[str]:
    """The first of many: JSON has all."""
    return texts if len(texts) <= _SHOWN else [*texts[:_SHOWN], f"and {len(texts) - _SHOWN} {what} more"]


def _listed(texts: Iterable[str]) -> str:
    return ", ".join(map(code, texts))
