"""What the preview says of a pair of sides, and whether it is true."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import z3

from policies.rules import actions
from preview.iam import grants
from preview.iam.words import capabilities
from preview.model import Capability
from preview.names import Names
from tests.preview.sound.model import ACCOUNT_ONLY, DIRECT, ROLE, Model, Undecided, concerned
from tests.preview.sound.worlds import ACTIONS, ASKERS, Maker, Side, Who

ANYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
Finding = tuple[Side, Side, str]


@dataclass
class Counts:
    """The result of many pairs. `unsound` and `nothing` keep the pairs themselves."""

    pairs: int = 0
    silent: int = 0
    sampled: int = 0
    solved: int = 0
    undecided: int = 0
    unsound: list[Finding] = field(default_factory=list)
    nothing: list[Finding] = field(default_factory=list)
    apart: list[Finding] = field(default_factory=list)
    """Where model and evaluator disagree."""


@contextmanager
def few_actions() -> Iterator[None]:
    """A table of actions with just those that are tried: otherwise `*` means thousands."""
    kept = actions._table
    wanted = {name.lower() for name in ACTIONS}
    table = {
        service: {**entry, "actions": {n: t for n, t in entry["actions"].items() if f"{service}:{n}".lower() in wanted}}  # type: ignore[attr-defined]
        for service, entry in kept().items()
        if service in {name.partition(":")[0] for name in ACTIONS}
    }
    caches: Sequence[Callable[..., object]] = (
        actions.of_service, actions.touching, actions.reach, actions.wide, grants._reached,
    )  # fmt: skip
    for each in caches:
        each.cache_clear()  # type: ignore[attr-defined]
    actions._table = lambda: table  # type: ignore[assignment]
    try:
        yield
    finally:
        actions._table = kept
        for each in caches:
            each.cache_clear()  # type: ignore[attr-defined]


def gains(old: Side, new: Side) -> list[Capability]:
    """What the preview says that is gained."""
    return [each for each in capabilities(old.resources(), new.resources(), Names()) if each.gained]


def told(found: Sequence[Capability], who: Who, action: str) -> bool:
    """Whether it says so of this action: a line without actions (a boundary that goes) stands for all of the role's."""
    mine = [each for each in found if who.own or "role" not in each.owner]
    return any(action in each.actions or (who.own and not each.actions) for each in mine)


def run(count: int, seed: int, requests: int = 60, free: int = 0) -> Counts:
    """Try pairs; every `free`th with texts of any kind, which takes much longer."""
    maker, counts = Maker(seed), Counts()
    listed, any_text = Model(), Model(free=True)
    with few_actions():
        for n in range(count):
            model = any_text if free and n % free == 0 else listed
            try_pair(maker, counts, model, *maker.pair(), requests)
    return counts


def try_pair(maker: Maker, counts: Counts, model: Model, old: Side, new: Side, requests: int) -> None:
    """One pair."""
    counts.pairs += 1
    found = gains(old, new)
    counts.silent += not found
    for who, action, resource, context in maker.requests(requests):
        counts.sampled += 1
        if told(found, who, action) or not new.allows(who, action, resource, context):
            continue
        if not old.allows(who, action, resource, context):
            counts.unsound.append((old, new, f"{who.requester.arn} {who.own} {action} {resource} {context}"))
            return
    _solve(counts, model, old, new, found)


def _solve(counts: Counts, model: Model, old: Side, new: Side, found: Sequence[Capability]) -> None:
    """All that is not told must be impossible; something of what is told must be possible."""
    true, unclear = not found, counts.undecided
    for who in ASKERS:
        for action in ACTIONS:
            said = told(found, who, action)
            if said and true:
                continue
            met = _met(counts, model, old, new, who, action)
            if met and said:
                true = True
            elif met:
                counts.unsound.append((old, new, met))
                return
    if not true and not _true_alone(counts, model, old, new, found) and counts.undecided == unclear:
        counts.nothing.append((old, new, "; ".join(each.text for each in found)))


def _met(counts: Counts, model: Model, old: Side, new: Side, who: Who, action: str) -> str:
    """A request that only the new side allows, as text; the evaluator must agree. Empty where there is none."""
    if concerned(old, who, action) == concerned(new, who, action):
        return ""
    request = _asked(counts, model, model.allowed(old, who, action), model.allowed(new, who, action))
    if request is None:
        return ""
    text = f"{who.requester.arn} own={who.own} trusted={who.trusted} {action} {request}"
    if old.allows(who, action, *request) or not new.allows(who, action, *request):
        counts.apart.append((old, new, text))
    return text


def _asked(counts: Counts, model: Model, before: Any, after: Any) -> tuple[str, dict[str, tuple[str, ...]]] | None:
    if before.eq(after):
        return None
    counts.solved += 1
    try:
        return model.request(before, after)
    except Undecided:
        counts.undecided += 1
        return None


def _true_alone(counts: Counts, model: Model, old: Side, new: Side, found: Sequence[Capability]) -> bool:
    """Whether a line is true of the documents of its holder alone, whatever others say."""
    if any(not each.actions for each in found):
        return True
    own = ASKERS[0]
    for other in (None, ANYTHING) if old.foreign or new.own else (None,):
        was, now = (Side(one.identity, one.boundary, other) for one in (old, new))
        if any(_met(counts, model, was, now, own, action) for action in ACTIONS if told(found, own, action)):
            return True
    return any(
        _lets_more(counts, model, old, new, who, action)
        for who in ASKERS
        for action in ACTIONS
        if any("role" not in each.owner and action in each.actions for each in found)
    )


def _lets_more(counts: Counts, model: Model, old: Side, new: Side, who: Who, action: str) -> bool:
    """Whether the resource's own policy lets somebody in more directly, or denies him less."""
    (before, refused), (after, refuses) = model.lets(old, who, action), model.lets(new, who, action)
    levels = [
        (z3.And(before[level], z3.Not(refused)), z3.And(after[level], z3.Not(refuses)))
        for level in (ACCOUNT_ONLY, ROLE, DIRECT)
    ]
    return any(_asked(counts, model, *each) is not None for each in (*levels, (z3.Not(refused), z3.Not(refuses))))


def summary(counts: Counts) -> str:
    """The counts in a few lines."""
    share = len(counts.nothing) / max(1, counts.pairs)
    kinds = Counter("key" if old.kind == "key" else "bucket" for old, _, _ in counts.unsound)
    return (
        f"pairs {counts.pairs} (nothing gained, by the preview, in {counts.silent}), "
        f"requests {counts.sampled}, questions to the solver {counts.solved}, undecided {counts.undecided}\n"
        f"unsound = {len(counts.unsound)} {dict(kinds) if kinds else ''}\n"
        f"new for nothing = {len(counts.nothing)} ({share:.2%})\n"
        f"model and evaluator apart = {len(counts.apart)}"
    )
