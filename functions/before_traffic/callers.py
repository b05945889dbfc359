"""The replay of callers' requests: what the serving release captured, asked of the new version, and judged."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from contracts.differences import LEVELS, Bin, Differences
from contracts.features import render_inputs
from contracts.names import LIVE
from contracts.release import Release
from functions.before_traffic.captured import Sample, Wanted, newest
from functions.before_traffic.compare import FEW, Exchange, judge
from functions.before_traffic.sending import Sender
from functions.before_traffic.serving import Serving
from functions.shared.hook import Deployment, HookError

_KEY = "glidepath:deployment.replay.accept"


@dataclass(frozen=True)
class Limits:
    """How many requests are replayed (0: none), in how many seconds, and how many bytes of the capture are read.

    `accepted` are features for want of which requests need not be replayed. An answer that takes longer than
    `latency_ms` is a slow one.
    """

    requests: int
    seconds: float
    most_bytes: int
    latency_ms: float
    accepted: tuple[str, ...] = ()


@dataclass(frozen=True)
class Clients:
    """Of Lambda and S3, and what is asked and read with them; `variant` as requests name it, where they must."""

    functions: Any
    s3: Any
    function_name: str
    bucket: str
    prefix: str
    variant: str | None = None


@dataclass(frozen=True)
class Time:
    """`now` is a monotonic clock in seconds; `left` says for how long another request may still be sent."""

    now: Callable[[], float]
    left: Callable[[], float]

    def until(self, seconds: float) -> Callable[[], bool]:
        """Whether so many seconds from now have passed, or the hook's own time has."""
        end = self.now() + seconds
        return lambda: self.now() >= end or self.left() <= 0


def read_limits(text: str) -> Limits:
    """The variable `REPLAY`: `{"requests", "seconds", "megabytes", "latencyMs", "accept": [...]}`."""
    found = json.loads(text)
    accepted = tuple(found["accept"])
    return Limits(found["requests"], found["seconds"], found["megabytes"] * 1024 * 1024, found["latencyMs"], accepted)


def replay_callers(
    clients: Clients, deployment: Deployment, release: Release, serving: Serving | None, limits: Limits, time: Time
) -> str:
    """The sentence that says what was replayed and how it compares. Raises HookError for what must not take traffic."""
    if limits.requests == 0:
        return "The replay of captured requests is off."
    if deployment.returning:
        return "No captured request was replayed: this is a return to a release that has served."
    if serving is None:
        return "No captured request was replayed: no release of this program serves."
    added = [name for name in release.features if name not in serving.features]
    if added:
        return _not_replayable(added, serving, limits.accepted)
    if serving.inputs != render_inputs(release.inputs):
        # A captured row has columns; those of another category, or of nothing, are no row of the new release.
        return (
            f"No captured request was replayed: releases {serving.release} and {release.id} take other values for the"
            " same features (null, or categories)."
        )
    expected, note = _expected(release, serving)
    edges = expected.edges if expected else serving.edges
    several = len(serving.classes) if len(serving.classes) > 2 else 1
    wanted = Wanted(limits.requests, len(serving.features), edges, limits.most_bytes, several)
    whole, half = time.until(limits.seconds), time.until(limits.seconds / 2)
    folder = f"{clients.prefix.strip('/')}/{serving.endpoint}/{LIVE}/"
    sample = newest(clients.s3, clients.bucket, folder, wanted, half, deployment.id)
    unread = f"; {sample.bad} lines of the capture could not be used" if sample.bad else ""
    if not sample.requests:
        return f"No captured request was replayed: the capture of release {serving.release} holds none yet{unread}."
    exchanges = _sender(clients, deployment, release, serving, time).send(sample.requests, whole)
    return _verdict(deployment, serving, sample, exchanges, expected, limits) + note + unread + "."


def _sender(clients: Clients, deployment: Deployment, release: Release, serving: Serving, time: Time) -> Sender:
    places = {name: serving.features.index(name) for name in release.features}
    return Sender(
        clients.functions,
        clients.function_name,
        deployment.version,
        release.id,
        places,
        clients.variant,
        deployment.id,
        time.now,
    )


def _not_replayable(added: Sequence[str], serving: Serving, accepted: Sequence[str]) -> str:
    lacking = f"captured requests of release {serving.release} lack {', '.join(added)}"
    missing = [name for name in added if name not in accepted]
    if missing:
        raise HookError(
            f"The new release cannot be tried on callers' requests before traffic: {lacking}. If golden records and the"
            f" shift's alarms are enough, add {', '.join(missing)} to {_KEY} and deploy again."
        )
    return f"No captured request was replayed: {lacking}; {_KEY} accepts that."


def _expected(release: Release, serving: Serving) -> tuple[Differences | None, str]:
    """How far the answers may lie apart, and a note where nobody has measured that for these two releases."""
    if release.id == serving.release:
        return _none(serving.edges), ""
    if release.pair and release.pair.release == serving.release:
        return release.pair.differences, ""
    other = f"it compared with {release.pair.release}" if release.pair else "it compared with none"
    return None, (
        f"; the evaluation did not measure these two models side by side ({other}), so that errors, time and constant"
        " answers alone are judged"
    )


def _none(edges: tuple[float, ...]) -> Differences:
    """The same model must give the same answers."""
    return Differences(edges, tuple(Bin(1, (0.0,) * len(LEVELS)) for _ in range(len(edges) + 1)))


def _verdict(
    deployment: Deployment,
    serving: Serving,
    sample: Sample,
    exchanges: Sequence[Exchange],
    expected: Differences | None,
    limits: Limits,
) -> str:
    found = judge(exchanges, expected, limits.latency_ms)
    sent, chosen = len(exchanges), len(sample.requests)
    late = f" (time ran out; {chosen} were chosen)" if sent < chosen else ""
    of = f"{sent} captured requests of release {serving.release}{late}"
    if found.problems:
        raise HookError(f"Version {deployment.version} fails on {of}: " + "; ".join(found.problems) + ".")
    answered = sum(each.new is not None for each in exchanges)
    few = ": too few to tell much" if sent < FEW else ""
    return f"Version {deployment.version} answered {answered} of {of}{few}; {found.words}"
