"""Two sides of somebody's documents: which actions are gained and lost alike."""

from collections.abc import Sequence
from dataclasses import replace

from policies.rules.documents import Document
from preview.iam.clauses import Clauses, join
from preview.iam.compare import Difference, compare
from preview.iam.grants import NOTHING, Allowed, actions_of, allowed

Side = tuple[Sequence[Document], Sequence[Document] | None]
Shared = tuple[Difference, tuple[str, ...]]
"""A difference and the actions that share it."""


def differences(
    old: Side,
    new: Side,
    principals: bool,
    about: Sequence[Document] | None = None,
    extra: Sequence[Document] = (),
) -> list[Shared]:
    """Differences with the actions that share them. Conditions that differ in one value alone are joined.

    `extra` documents count on both sides. `about` names the actions, where those are not the sides' own.
    """
    by_case: dict[tuple[Allowed, Allowed], list[str]] = {}
    for action in sorted(actions_of([*old[0], *new[0]] if about is None else about), key=str.lower):
        case = tuple(_allowed(action, side, principals, extra) for side in (old, new))
        if case[0] != case[1]:
            by_case.setdefault((case[0], case[1]), []).append(action)
    by_difference: dict[Difference, list[str]] = {}
    for case, actions in by_case.items():
        for each in compare(*case, principals):
            by_difference.setdefault(each, []).extend(actions)
    return _joined([(each, tuple(sorted(actions, key=str.lower))) for each, actions in by_difference.items()])


def _allowed(action: str, side: Side, principals: bool, extra: Sequence[Document]) -> Allowed:
    documents = [*side[0], *extra]
    return allowed(action, documents, side[1], principals) if documents else NOTHING


def _joined(found: Sequence[Shared]) -> list[Shared]:
    """`to lambda` and `to sagemaker` of the same actions on the same resources make one sentence."""
    alike: dict[Shared, list[Clauses]] = {}
    for difference, actions in found:
        alike.setdefault((replace(difference, clauses=frozenset()), actions), []).append(difference.clauses)
    return [
        (replace(difference, clauses=clauses), actions)
        for (difference, actions), sets in alike.items()
        for clauses in joined_sets(sets)
    ]


def joined_sets(sets: list[Clauses]) -> list[Clauses]:
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
    joined = join(a, b)
    return None if joined is None else (one & other) | {joined}
