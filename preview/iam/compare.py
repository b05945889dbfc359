"""The difference between what two sets of documents allow.

Each action is compared on its own, under each set of conditions that some statement asks for. A difference counts
once: under the fewest conditions that show it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from preview.iam.clauses import Clauses, excluded, implied
from preview.iam.grants import Allowed, Grant, Grants, Literal
from preview.iam.language import Pattern, TooManyError, regions

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
    """One action or more (`actions` is filled by who groups them): gained or lost, where, under which conditions."""

    gained: bool
    scopes: tuple[Scope, ...]
    clauses: Clauses


@lru_cache(maxsize=8192)
def compare(old: Allowed, new: Allowed, pairs: bool = False) -> tuple[Difference, ...]:
    """What is newly allowed, and what no longer is. `pairs`: the documents speak of principals as well."""
    if old == new:
        return ()
    texts = _Texts(old, new, pairs)
    return (*_gains(texts, old, new, True), *_gains(texts, new, old, False))


class _Texts:
    """The texts that the patterns of both sides can tell apart."""

    def __init__(self, old: Allowed, new: Allowed, pairs: bool) -> None:
        literals = {one for side in (old, new) for grant in (*side.allowed, *side.denied) for one in grant.literals}
        self.patterns = tuple(sorted({one.pattern for one in literals}, key=lambda each: (each.dimension, each.text)))
        try:
            self.all = regions(self.patterns, pairs)
        except TooManyError:
            # As if no two patterns had a text in common: tells rather too much than too little.
            self.all = frozenset([0, *(1 << n for n in range(len(self.patterns)))])

    def where(self, test: Callable[[int], bool]) -> Regions:
        return frozenset(region for region in self.all if test(region))

    def of(self, literals: Iterable[Literal]) -> Regions:
        wanted = [(self.patterns.index(one.pattern), one.positive) for one in literals]
        return self.where(lambda region: all(bool(region >> n & 1) is positive for n, positive in wanted))

    def union(self, grants: Iterable[Grant]) -> Regions:
        found: Regions = frozenset()
        for grant in grants:
            found |= self.of(grant.literals)
        return found


def _gains(texts: _Texts, old: Allowed, new: Allowed, gained: bool) -> Iterator[Difference]:
    told: list[tuple[Clauses, Regions]] = []
    for context in _contexts(old, new):
        before, after = (_reached(texts, side, context) for side in (old, new))
        news = after - before
        for earlier, regions_told in told:
            if implied(earlier, context):
                news -= regions_told
        if not news:
            continue
        told.append((context, news))
        scopes = tuple(_scopes(texts, old, new, context, news))
        yield Difference(gained, scopes, context)


def _contexts(old: Allowed, new: Allowed) -> list[Clauses]:
    """The sets of conditions under which something may differ, the shortest first."""
    asked = {grant.clauses for grant in new.allowed}
    denials = {grant.clauses for side in (old, new) for grant in side.denied if grant.clauses}
    for context in list(asked):
        asked |= {context | denial for denial in denials if not excluded(denial, context)}
    return sorted(asked, key=lambda each: (len(each), sorted(each)))


def _reached(texts: _Texts, side: Allowed, context: Clauses) -> Regions:
    reached = texts.union(grant for grant in side.allowed if implied(grant.clauses, context))
    return reached - texts.union(grant for grant in side.denied if implied(grant.clauses, context))


def _scopes(texts: _Texts, old: Allowed, new: Allowed, context: Clauses, news: Regions) -> list[Scope]:
    """The news in as few patterns as they can be told."""
    grants = [grant for grant in new.allowed if implied(grant.clauses, context)]
    lifted = [denial for denial in old.denied if implied(denial.clauses, context)]
    candidates = [grant.literals for grant in grants]
    candidates += [grant.literals | denial.literals for grant in grants for denial in lifted]
    touching = [(one, texts.of(one)) for one in dict.fromkeys(candidates) if texts.of(one) & news]
    exact = [(one, found) for one, found in touching if found <= news]
    covered = frozenset().union(*(found for _, found in exact)) if exact else frozenset()
    chosen = _widest(exact)
    if not news <= covered:
        chosen += [(one, found) for one, found in _widest(touching) if not found <= covered]
    return [_scope(texts, old, new, context, one, found - news) for one, found in chosen]


def _widest(candidates: Sequence[tuple[frozenset[Literal], Regions]]) -> list[tuple[frozenset[Literal], Regions]]:
    kept: list[tuple[frozenset[Literal], Regions]] = []
    for literals, found in sorted(candidates, key=lambda each: (-len(each[1]), len(each[0]), sorted(each[0]))):
        if not any(found <= other for _, other in kept):
            kept.append((literals, found))
    return kept


def _scope(
    texts: _Texts, old: Allowed, new: Allowed, context: Clauses, literals: frozenset[Literal], no_news: Regions
) -> Scope:
    beyond = _within(texts, old.allowed, context, no_news)
    but = _within(texts, new.denied, context, no_news)
    return Scope(_simple(texts, literals), () if not no_news else beyond, () if not no_news else but)


def _within(texts: _Texts, grants: Grants, context: Clauses, no_news: Regions) -> tuple[str, ...]:
    found = {
        one.text
        for grant in grants
        if implied(grant.clauses, context) and texts.of(grant.literals) & no_news
        for one in grant.literals
        if one.positive
    }
    return tuple(sorted(found))


def _simple(texts: _Texts, literals: frozenset[Literal]) -> tuple[Literal, ...]:
    """Without the literals that the others already say."""
    kept = sorted(literals)
    for one in sorted(literals, key=lambda each: (each.positive, len(each.text))):
        others = [other for other in kept if other != one]
        if others and texts.of(others) <= texts.of([one]):
            kept = others
    return tuple(kept)


def patterns(scopes: Iterable[Scope]) -> list[Pattern]:
    """The patterns that scopes name."""
    return [one.pattern for scope in scopes for one in scope.literals if one.positive]
