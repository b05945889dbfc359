"""Counts of shifts, as the tests of the judge write them down."""

import random
from collections.abc import Sequence

from functions.judge.counts import WINDOW_SECONDS, Counts, Reading, Reported, Window

METRICS = ("failed requests", "slow requests")


def events(random_: random.Random, requests: int, rate: float) -> int:
    """Of so many requests, independently."""
    return sum(random_.random() < rate for _ in range(requests))


def block(random_: random.Random, requests: int, weight: float, old: float, new: float) -> Counts:
    """Of requests that a router spreads by weight, each with the error rate of its version."""
    of_new = events(random_, requests, weight)
    of_old = requests - of_new
    return Counts(of_old, events(random_, of_old, old), of_new, events(random_, of_new, new))


def shift(random_: random.Random, requests: int, old: float, new: float) -> list[Counts]:
    """Nine steps of ten percent, `requests` in each."""
    return [block(random_, requests, step / 10, old, new) for step in range(1, 10)]


def windows(start: float, seconds: float, old: Reported, new: Reported) -> list[Window]:
    """The same in each."""
    number = int(seconds // WINDOW_SECONDS)
    return [Window(start + WINDOW_SECONDS * each, old, new) for each in range(number)]


def readings(start: float, steps: Sequence[float], seconds: float = 60, every: float = 5) -> list[Reading]:
    """Of an alias whose weight is each of `steps` in turn, for so many seconds each."""
    each = int(seconds // every)
    found = [Reading(start + every * number, steps[number // each]) for number in range(each * len(steps))]
    return [*found, Reading(start + seconds * len(steps), steps[-1])]
