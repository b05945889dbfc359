"""The difference between what two sets of documents allow.

Each action is compared on its own, under each set of conditions that some statement asks for. A difference counts
once: under the fewest conditions that show it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from preview.iam.clauses import Clauses, excluded, implied
from preview.iam.grants import Allowed, Grant, Grants, Literal
from preview.iam.language import Pattern, TooManyError, has_variable, regions

Regions = frozenset[int]


@dataclass(frozen=True)
class Scope:
    """Texts that a grant newly reaches (or no longer does): its literals, and what of them is no news.

    beyond: patterns within it that were reached before. but: patterns within it that stay denied.
    """

    literals: tuple[Literal, ...]
    beyond: tuple[str, ...] = ()
    but: tuple[str, ...] = ()


@dataclass(frozen=True)
class Difference:
    """What one action gains or loses: where, and under which conditions.

    unless: sets of conditions under which a denial takes it away on the side that has it.
    otherwise: sets of conditions under which the other side has it as well.
    """

    gained: bool
    scopes: tuple[Scope, ...]
    clauses: Clauses
    unless: frozenset[Clauses] = frozenset()
    otherwise: frozenset[Clauses] = frozenset()


@lru_cache(maxsize=8192)
def compare(old: Allowed, new: Allowed, pairs: bool = False) -> tuple[Difference, ...]:
    """What is newly allowed, and what no longer is. `pairs`: the documents speak of principals as well."""
    if old == new:
        return ()
    try:
        texts = _Texts(old, new, pairs)
    except TooManyError:
        return (*_whole(old, new, True), *_whole(new, old, False))
    return (*_gains(texts, old, new, True), *_gains(texts, new, old, False))


def _whole(old: Allowed, new: Allowed, gained: bool) -> Iterator[Difference]:
    """Grants that the other side has not word by word: rather too many than too few."""
    lifted = not set(old.denied) <= set(new.denied)
    for grant in new.allowed:
        if lifted or grant not in old.allowed:
            yield Difference(gained, (Scope(tuple(sorted(grant.literals))),), grant.clauses)


class _Texts:
    """The texts that the patterns of both sides can tell apart. Raises TooManyError."""

    def __init__(self, old: Allowed, new: Allowed, pairs: bool) -> None:
        literals = {one for side in (old, new) for grant in (*side.allowed, *side.denied) for one in grant.literals}
        self.patterns = tuple(sorted({one.pattern for one in literals}, key=lambda each: (each.dimension, each.text)))
        variable = [each for each in self.patterns if each.dimension == "resource" and has_variable(each.text)]
        more = [replace(each, open=True) for each in variable]
        more += [replace(each, loose=True) for each in self.patterns if variable]
        self._bits = {each: n for n, each in enumerate((*self.patterns, *more))}
        self.all = regions(tuple(self._bits), pairs)

    def where(self, test: Callable[[int], bool]) -> Regions:
        return frozenset(region for region in self.all if test(region))

    def of(self, literals: Iterable[Literal]) -> Regions:
        return self._of((one, one.pattern) for one in literals)

    def _of(self, literals: Iterable[tuple[Literal, Pattern]]) -> Regions:
        wanted = [(self._bits.get(pattern, self._bits[one.pattern]), one.positive) for one, pattern in literals]
        return self.where(lambda region: all(bool(region >> n & 1) is positive for n, positive in wanted))

    def at_most(self, literals: Iterable[Literal]) -> Regions:
        """Where literals may hold, whatever the variables of policies stand for."""
        return self._of((one, replace(one.pattern, loose=one.positive)) for one in literals)

    def at_least(self, literals: Iterable[Literal]) -> Regions:
        """Where they are sure to."""
        return self._of((one, replace(one.pattern, loose=not one.positive)) for one in literals)

    def some(self, literals: Iterable[Literal]) -> Regions:
        """Where they hold for some values: a text of the pattern itself is enough, but no two patterns share one."""
        kept = tuple(literals)
        several = sum(one.positive and one.dimension == "resource" for one in kept) > 1
        return self._of((one, replace(one.pattern, open=several and one.positive)) for one in kept)

    def exactly(self, region: int) -> frozenset[Literal]:
        """The literals that only the texts of one region satisfy."""
        return frozenset(
            Literal(pattern.text, pattern.dimension, bool(region >> n & 1)) for n, pattern in enumerate(self.patterns)
        )


Reach = Callable[[Iterable[Literal]], Regions]


def _gains(texts: _Texts, old: Allowed, new: Allowed, gained: bool) -> Iterator[Difference]:
    reported: list[tuple[Clauses, Regions]] = []
    for context in _contexts(old, new):
        news = _news(texts, old, new, context)
        for earlier, regions_before in reported:
            if implied(earlier, context):
                news -= regions_before
        if not news:
            continue
        reported.append((context, news))
        scopes = tuple(_scopes(texts, old, new, context, news))
        unless, otherwise = (_elsewhere(texts, grants, context, news) for grants in (new.denied, old.allowed))
        yield Difference(gained, scopes, context, unless, otherwise)


def _elsewhere(texts: _Texts, grants: Grants, context: Clauses, news: Regions) -> frozenset[Clauses]:
    """Further conditions under which grants (or denials) reach the same texts."""
    return frozenset(
        frozenset(clause for clause in grant.clauses if not implied(frozenset([clause]), context))
        for grant in grants
        if not implied(grant.clauses, context)
        and not excluded(grant.clauses, context)
        and texts.of(grant.literals) & news
    )


def _contexts(old: Allowed, new: Allowed) -> list[Clauses]:
    """The sets of conditions under which something may differ, the shortest first."""
    asked = {grant.clauses for grant in new.allowed}
    denials = {grant.clauses for side in (old, new) for grant in side.denied if grant.clauses}
    for context in list(asked):
        asked |= {context | denial for denial in denials if not excluded(denial, context)}
    return sorted(asked, key=lambda each: (len(each), sorted(each)))


def _news(texts: _Texts, old: Allowed, new: Allowed, context: Clauses) -> Regions:
    """What the new side allows and the old one does not: nothing granted it, or something denied it.

    What stands on both sides makes no difference, whatever its variables stand for.
    """
    fresh = [grant for grant in new.allowed if not _follows(grant, old.allowed)]
    lifted = [denial for denial in old.denied if not _follows(denial, new.denied)]
    news = _union(texts.some, fresh, context) - _union(texts.at_least, old.allowed, context)
    if lifted:
        news |= _union(texts.some, new.allowed, context) & _union(texts.at_most, lifted, context)
    return news - _union(texts.at_least, new.denied, context) if news else news


def _follows(grant: Grant, others: Grants) -> bool:
    """Whether one of the others holds wherever a grant does: it asks for no more, word by word."""
    return any(one.literals <= grant.literals and implied(one.clauses, grant.clauses) for one in others)


def _union(reach: Reach, grants: Iterable[Grant], context: Clauses) -> Regions:
    return frozenset[int]().union(*(reach(grant.literals) for grant in grants if implied(grant.clauses, context)))


def _scopes(texts: _Texts, old: Allowed, new: Allowed, context: Clauses, news: Regions) -> list[Scope]:
    """The news in as few patterns as express them exactly."""
    candidates = _candidates(old, new, context)
    touching = [(one, found) for one in candidates if (found := texts.of(one)) & news]
    chosen = _widest([(one, found) for one, found in touching if found <= news])
    scopes = [Scope(_simple(texts, one)) for one, _ in chosen]
    left = news - frozenset().union(*(found for _, found in chosen)) if chosen else news
    for one, found in _widest([(one, found) for one, found in touching if found & left]):
        scope = _limited(texts, old, new, context, one, found, news) if found & left else None
        if scope is not None:
            scopes.append(scope)
            left -= found
    return [*scopes, *(Scope(_simple(texts, texts.exactly(region))) for region in sorted(left))]


def _candidates(old: Allowed, new: Allowed, context: Clauses) -> list[frozenset[Literal]]:
    """What is granted, and its overlap with what was denied or left out on the other side."""
    granted = [grant.literals for grant in new.allowed if implied(grant.clauses, context)]
    lifted = [denial.literals for denial in old.denied if implied(denial.clauses, context)]
    spared = {one for grant in old.allowed for one in grant.literals if not one.positive}
    inside = [frozenset([replace(one, positive=True)]) for one in sorted(spared)]
    overlaps = [grant | other for grant in granted for other in (*lifted, *inside)]
    return list(dict.fromkeys([*granted, *overlaps]))


def _widest(candidates: Sequence[tuple[frozenset[Literal], Regions]]) -> list[tuple[frozenset[Literal], Regions]]:
    kept: list[tuple[frozenset[Literal], Regions]] = []
    for literals, found in sorted(candidates, key=lambda each: (-len(each[1]), len(each[0]), sorted(each[0]))):
        if not any(found <= other for _, other in kept):
            kept.append((literals, found))
    return kept


def _limited(
    texts: _Texts,
    old: Allowed,
    new: Allowed,
    context: Clauses,
    literals: frozenset[Literal],
    found: Regions,
    news: Regions,
) -> Scope | None:
    """A scope that is wider than the news, with patterns that take away just the rest; None where none do."""
    beyond = _overlapping(texts, old.allowed, context, found - news)
    but = _overlapping(texts, new.denied, context, found - news)
    taken = frozenset[int]().union(*(texts.of([one]) for one in (*beyond, *but)))
    if not found - news <= taken or taken & found & news:
        return None
    names = [tuple(sorted({one.text for one in each})) for each in (beyond, but)]
    return Scope(_simple(texts, literals), names[0], names[1])


def _overlapping(texts: _Texts, grants: Grants, context: Clauses, rest: Regions) -> list[Literal]:
    return [
        one
        for grant in grants
        if implied(grant.clauses, context) and texts.of(grant.literals) & rest
        for one in sorted(grant.literals)
        if one.positive and one.dimension == "resource"
    ]


def _simple(texts: _Texts, literals: frozenset[Literal]) -> tuple[Literal, ...]:
    """Without the literals that the others already say."""
    kept = sorted(literals)
    for one in sorted(literals, key=lambda each: (each.positive, len(each.text))):
        others = [other for other in kept if other != one]
        if others and texts.of(others) <= texts.of([one]):
            kept = others
    return tuple(kept)
