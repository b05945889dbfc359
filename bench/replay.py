"""The replay before traffic: how often it stops a sound release, and how surely a bad one.

Two models are trained in a made world of the taxis' shape, held against each other on a test part as the evaluation
does, and the new one then answers requests that callers asked the old one. Each pair meets many test parts and many
callers; the mix of callers is another than that of the test part in all worlds but the first.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import xgboost

from bench.measure import Result
from bench.trips import trained, trips
from contracts.differences import Differences, parse_differences
from functions.before_traffic.captured import Picker, Request
from functions.before_traffic.compare import Exchange, judge
from functions.jobs.evaluate import evaluate as job

PAIRS, REPLAYS = 10, 100
"""Pairs of models in each world, and replays of each."""
HELD_OUT, ASKED = 645, 4000
"""Rows of a test part, as of some 6,450 taxi trips; requests that a capture holds."""
SIZES = (500, 60)
"""Requests that are replayed."""
POOL = 20_000

Mix = Callable[[Any, Any], Any]


@dataclass(frozen=True)
class Pair:
    """What both models say to the same rows, of which test parts and callers' requests are drawn."""

    rows: Any
    old: Any
    new: Any


def measure() -> Iterator[Result]:
    """Shares of replays that stop the release: sound ones by world and mix of callers, then bad ones."""
    random = np.random.default_rng(15)
    for world, make in {"retrained": _retrained, "on four times the rows": _more, "after drift": _drifted}.items():
        pairs = [make(random) for _ in range(PAIRS)]
        for mix, draw in MIXES.items():
            for size in SIZES:
                share = _stopped(random, pairs, draw, size)
                note = f"({PAIRS} pairs, {REPLAYS} replays each)"
                yield Result(f"sound, stopped: {world}, {mix}, {size}", 100 * share, "%", note, 1)
    pairs = [_retrained(random) for _ in range(PAIRS)]
    for name, spoil in BAD.items():
        for size in SIZES:
            share = _stopped(random, [spoil(pair) for pair in pairs], _alike, size, [pair.new for pair in pairs])
            yield Result(f"bad, stopped: {name}, {size}", 100 * share, "%")


def _stopped(random: Any, pairs: list[Pair], draw: Mix, size: int, evaluated: list[Any] | None = None) -> float:
    """`evaluated` is what the new model said on held-out rows, where it says something else to callers."""
    stopped = 0
    for number, pair in enumerate(pairs):
        new = pair.new if evaluated is None else evaluated[number]
        for _ in range(REPLAYS):
            held_out = random.choice(POOL, HELD_OUT, replace=False)
            expected = parse_differences(job.apart(new[held_out], pair.old[held_out]), "pair")
            stopped += _stops(pair, draw(random, pair.rows), expected, size)
    return stopped / (len(pairs) * REPLAYS)


def _stops(pair: Pair, asked: Any, expected: Differences, size: int) -> bool:
    """`asked` are numbers of rows, in the order in which callers asked for them."""
    picker = Picker(size, expected.edges)
    # A row is known by its number: it need not be sent.
    for number in asked:
        if picker.full:
            break
        picker.add(Request((float(number),), float(pair.old[number])))
    answers = [(request.answer, float(pair.new[int(request.row[0] or 0)])) for request in picker.spread()]
    exchanges = [Exchange(old, new if np.isfinite(new) else None, "NaN", 20.0) for old, new in answers]
    return bool(judge(exchanges, expected, 1000.0).problems)


# --- pairs -----------------------------------------------------------------------------------------------------------


def _pair(random: Any, old: xgboost.Booster, new: xgboost.Booster) -> Pair:
    rows, _ = trips(random, POOL)
    return Pair(rows, job.predict(old, rows), job.predict(new, rows))


def _retrained(random: Any) -> Pair:
    return _pair(random, *(trained(*trips(random, 4500)) for _ in range(2)))


def _more(random: Any) -> Pair:
    return _pair(random, trained(*trips(random, 4500)), trained(*trips(random, 18_000)))


def _drifted(random: Any) -> Pair:
    """The old model has hardly seen long trips, and the new one has."""
    features, labels = trips(random, 9000)
    short = features[:, 2] < np.quantile(features[:, 2], 0.6)
    return _pair(random, trained(features[short], labels[short]), trained(*trips(random, 4500)))


# --- callers ---------------------------------------------------------------------------------------------------------


def _alike(random: Any, rows: Any) -> Any:
    return random.integers(len(rows), size=ASKED)


def _upper(random: Any, rows: Any) -> Any:
    """The upper end of one feature."""
    return random.permutation(np.argsort(rows[:, 0])[-len(rows) // 5 :])[:ASKED]


def _few(random: Any, rows: Any) -> Any:
    """Five and twenty callers, each with requests much like one another."""
    return np.concatenate([_near(random, rows, 160) for _ in range(25)])


def _one(random: Any, rows: Any) -> Any:
    """One caller asks for nothing but one neighbourhood."""
    return _near(random, rows, 160)


def _near(random: Any, rows: Any, count: int) -> Any:
    scaled = rows / rows.std(axis=0)
    return np.argpartition(np.abs(scaled - scaled[random.integers(len(rows))]).sum(axis=1), count)[:count]


MIXES: dict[str, Mix] = {
    "callers as held out": _alike,
    "callers at the upper end": _upper,
    "25 callers": _few,
    "one caller": _one,
}


# --- bad models ------------------------------------------------------------------------------------------------------


def _biased(share: float) -> Callable[[Pair], Pair]:
    """Too much in the uppermost fifth of the old answers, by a share of their spread over all."""

    def spoil(pair: Pair) -> Pair:
        top = pair.old >= np.quantile(pair.old, 0.8)
        return Pair(pair.rows, pair.old, np.where(top, pair.new + share * pair.old.std(), pair.new))

    return spoil


def _nan(share: float) -> Callable[[Pair], Pair]:
    """No answer where one feature is at its upper end."""

    def spoil(pair: Pair) -> Pair:
        beyond = pair.rows[:, 0] >= np.quantile(pair.rows[:, 0], 1 - share)
        return Pair(pair.rows, pair.old, np.where(beyond, np.nan, pair.new))

    return spoil


def _constant(pair: Pair) -> Pair:
    return Pair(pair.rows, pair.old, np.full_like(pair.new, pair.new.mean()))


BAD: dict[str, Callable[[Pair], Pair]] = {
    "constant": _constant,
    "NaN for 5 % of callers": _nan(0.05),
    "NaN for 2 % of callers": _nan(0.02),
    "a fifth too high by 2 sd": _biased(2.0),
    "a fifth too high by 1 sd": _biased(1.0),
    "a fifth too high by 0.5 sd": _biased(0.5),
}
