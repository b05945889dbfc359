"""The gate's decisions: challengers that are trained worse, against the power that is told for them, and the old rule.

The world is made, in the taxis' shape, so that a challenger's true loss can be measured: on 200,000 rows that no model
was trained on. Each challenger then comes to the gate on many test parts, drawn from those rows.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.measure import Result
from bench.trips import trained, trips
from contracts.dataset import Metric
from functions.gate.compare import compare, power
from functions.jobs.evaluate import evaluate as job
from functions.shared.evaluation import Paired, Value

HELD_OUT, TRAINED, TEST_PARTS, BEFORE = 200_000, 20_000, 1000, 50
HALVES = 50
TAXIS = 645
"""Test rows of some 6,450 usable taxi trips."""
TAILS = {"light": (5000, TAXIS), "heavy": (5000,)}
"""How far the rows spread that models cannot know well, and the sizes of test parts that are drawn in such a world."""
LOSSES = (0.01, 0.02, 0.03, 0.06, 0.1)
METRIC = Metric("rmse", 10.0)


@dataclass(frozen=True)
class Model:
    """How it was trained, what it and the champion answer to the held-out rows, and how much worse it is on them."""

    name: str
    answers: Any
    champion: Any
    loss: float


@dataclass(frozen=True)
class Decisions:
    """Shares of the test parts: called worse by the gate, by the rule before it; and the power that was told."""

    worse: float
    before: float
    told: float


def measure() -> Iterator[Result]:
    """By world, size of the test part and challenger: how often it is called worse, and how often it should be."""
    for tails, sizes in TAILS.items():
        random = np.random.default_rng(11)
        features, labels = trips(random, HELD_OUT, tails)
        champion = _answers(random, features, TRAINED, tails)
        best = job.rmse(labels, champion)
        models = [
            _equal(random, features, labels, champion, tails),
            *_challengers(random, features, labels, champion, tails),
        ]
        for size in sizes:
            for model in models:
                decisions = _decisions(random, labels, model, size)
                yield from _results(f"{model.loss / best:+.1%} rmse, {size} rows, {tails} tails", model, decisions)


def _results(name: str, model: Model, found: Decisions) -> Iterator[Result]:
    shares = (
        f"(called worse {found.worse:.1%}, told {found.told:.1%}, the rule before {found.before:.1%}; {model.name})"
    )
    if model.loss == 0:
        yield Result(f"equal, called worse: {name}", 100 * found.worse, "%", shares, 5)
        return
    yield Result(f"apart from the power told: {name}", 100 * abs(found.worse - found.told), "pts", shares, 5)


def _answers(random: Any, held_out: Any, rows: int, tails: str, without: int | None = None) -> Any:
    """What a model says to the held-out rows that was trained on `rows` others, one feature being noise to it."""
    features, labels = trips(random, rows, tails)
    if without is not None:
        features[:, without] = random.permutation(features[:, without])
    return job.predict(trained(features, labels), held_out)


def _equal(random: Any, features: Any, labels: Any, champion: Any, tails: str) -> Model:
    """As good as the champion, and of another opinion: two models, on either side for a random half of the rows.

    Of many such halves the one is taken that leaves the two most alike on all held-out rows.
    """
    other = _answers(random, features, TRAINED, tails)
    coins = [random.random(len(champion)) < 0.5 for _ in range(HALVES)]
    sides = [(np.where(coin, champion, other), np.where(coin, other, champion)) for coin in coins]
    ours, theirs = min(sides, key=lambda side: abs(job.rmse(labels, side[0]) - job.rmse(labels, side[1])))
    return Model("two models, half and half", ours, theirs, 0.0)


def _challengers(random: Any, features: Any, labels: Any, champion: Any, tails: str) -> Iterator[Model]:
    """The nearest to each loss among many that were trained on fewer rows, or without a feature."""
    best = job.rmse(labels, champion)

    def model(name: str, answers: Any) -> Model:
        return Model(name, answers, champion, job.rmse(labels, answers) - best)

    made = [
        model(f"{rows} of {TRAINED} rows", _answers(random, features, rows, tails))
        for rows in (12000, 8000, 6000, 4500, 3500, 2700, 2000, 1500, 1100, 800, 600, 400)
    ]
    for wanted in LOSSES:
        yield min(made, key=lambda model: abs(model.loss / best - wanted))
    yield model("without the minutes", _answers(random, features, TRAINED, tails, without=0))


def _decisions(random: Any, labels: Any, model: Model, size: int) -> Decisions:
    worse = before = 0
    told = 0.0
    for number in range(TEST_PARTS):
        rows = random.choice(len(labels), size, replace=False)
        part = labels[rows], model.answers[rows], model.champion[rows]
        found = job.differences(*part, ["rmse"])["rmse"]
        difference = found["difference"]
        low, high = difference["ci"]
        value = Value(difference["value"], (low, high), difference["standard_deviation"])
        worse += compare(METRIC, Paired(found["value"], value), ()).outcome == "worse"
        told += power(model.loss, METRIC.margin, value.sd)
        # Before: the champion's value against the challenger's own interval.
        before += number < BEFORE and found["value"] < job.bootstrap(part[0], part[1])[0]["ci"][0]
    return Decisions(worse / TEST_PARTS, before / BEFORE, told / TEST_PARTS)
