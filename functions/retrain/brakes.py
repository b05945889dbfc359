"""When nothing is started although somebody asks: pure logic over what is known at that moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from functions.retrain.asked import Asked
from functions.retrain.ledger import Run


@dataclass(frozen=True)
class Limits:
    """What config allows. `environments` are those whose drift counts."""

    enabled: bool
    environments: tuple[str, ...]
    cooldown: timedelta
    runs: int
    period: timedelta


@dataclass(frozen=True)
class Window:
    """The data of a new run: its parts by identity, and whether a model of exactly that came to the gate before."""

    name: str
    parts: tuple[str, ...]
    trained: bool = False


@dataclass(frozen=True)
class Situation:
    """Everything a decision depends on. `runs` are retrainings that began, `going` is a run of the pipeline.

    `window` is None where `no_window` says why there is none.
    """

    now: datetime
    asked: Asked
    runs: Sequence[Run]
    going: str = ""
    window: Window | None = None
    no_window: str = ""


@dataclass(frozen=True)
class Brake:
    """Why nothing starts: which brake, and a sentence."""

    name: str
    reason: str


def brake(limits: Limits, seen: Situation) -> Brake | None:
    """The first brake that holds; None where a run may begin."""
    return _switched_off(limits, seen.asked) or _too_soon(limits, seen) or _nothing_new(seen)


def _switched_off(limits: Limits, asked: Asked) -> Brake | None:
    if not limits.enabled:
        return Brake("disabled", "retraining is switched off (glidepath:retrain.enabled)")
    if asked.env not in limits.environments and asked.reason == "drift":
        known = ", ".join(limits.environments)
        return Brake("environment", f"only drift in {known} counts (glidepath:retrain.environments)")
    return None


def _too_soon(limits: Limits, seen: Situation) -> Brake | None:
    if any(run.event == seen.asked.event for run in seen.runs):
        return Brake("repeated", f"event {seen.asked.event} has started its run already")
    if seen.going:
        return Brake("running", f"run {seen.going} of the pipeline has not ended")
    last = max((run.at for run in seen.runs), default=None)
    if last is not None and seen.now < last + limits.cooldown:
        free = last + limits.cooldown
        return Brake("cooldown", f"the last retraining began at {_text(last)}: not before {_text(free)}")
    counted = sorted(run.at for run in seen.runs if run.at > seen.now - limits.period)
    if len(counted) >= limits.runs:
        free = counted[len(counted) - limits.runs] + limits.period
        days = limits.period / timedelta(days=1)
        return Brake("budget", f"{len(counted)} of {limits.runs} runs in {days:g} days began: not before {_text(free)}")
    return None


def _nothing_new(seen: Situation) -> Brake | None:
    window = seen.window
    if window is None:
        return Brake("no-data", seen.no_window)
    if window.trained:
        return Brake("same-data", f"a model of {window.name} came to the gate before: upload newer rows")
    return None


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
