"""What a shift of an environment can see, before it starts: its steps, held against who has asked in the last days.

The arithmetic is functions/judge/power.py's. It takes 0.02 to 1.4 seconds on one core for up to ten steps, and 7.7 at
most, for 99 of them of a minute; it runs beside the engine's preview, which takes longer.
"""

import math
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from contracts.errors import UserError
from contracts.names import Names
from functions.judge.power import Step, canary, linear, minutes, visible
from functions.shared.metrics import IncompleteError, query, series
from operate.project import config_of, read_project
from operate.stack_files import file_of
from preview.serving import SHIFT
from settings.keys import Section, build
from settings.kinds import Problems
from settings.limits import LONGEST_BUILD, deployment_minutes, hooks
from settings.load import complete_deployment
from settings.shifting import ACCEPT, ALL_AT_ONCE, LINEAR, REFUSE, Deployment

KEY = "glidepath:deployment"
DAYS = 7
"""Looked back: every hour of the day, and every day of the week."""
LOSS = 0.05
"""Of the requests, beside those that fail anyway: what a shift is told to be long enough for."""
NEW_MINUTES = 24 * 60
"""Since the first request in DAYS: an environment that has been asked for less is new, or was left alone till now."""
_HOUR = 3600
_LONGEST_WAIT = 880
"""Seconds that the hook after a shift may be given (settings/sections.py)."""
_DEPLOYMENT = Section(Deployment)


@dataclass(frozen=True)
class Traffic:
    """Callers' requests that a model was asked, those of them that it did not answer, over so many minutes."""

    asked: float
    failed: float
    minutes: float

    @property
    def per_minute(self) -> float:
        """The mean."""
        return self.asked / self.minutes

    @property
    def failing(self) -> float:
        """The share that failed."""
        return self.failed / self.asked


@dataclass(frozen=True)
class Foresight:
    """What a shift can see, in words that end without a full stop.

    `warning`: one more line, where there are too few requests to see anything. `fix`: what a person does for a release
    not to be refused for that; empty where none is.
    """

    text: str
    warning: str = ""
    fix: str = ""


@contextmanager
def looking(root: Path, stack: str) -> Iterator["Future[Foresight | None]"]:
    """`look`, beside whatever else is done."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(look, root, stack)


def look(root: Path, stack: str) -> Foresight | None:
    """What the next shift of an environment can see; None where nothing is shifted by steps.

    What cannot be read stops nobody, and is said.
    """
    # Both take long to import, and not every command gets here.
    from botocore.exceptions import BotoCoreError, ClientError

    from operate.clients import Clients

    try:
        project = read_project(root)
        environments = project.names.environments
        deployment = configured(root, stack, production=stack == environments[-1])
    except UserError:
        return None  # the program says what is wrong with its config
    if stack not in environments or deployment is None or deployment.kind == ALL_AT_ONCE:
        return None
    try:
        found = traffic(Clients(project).of(stack, "cloudwatch"), project.names, stack, datetime.now(UTC))
    except ClientError as error:
        return unknown(stack, error.response["Error"]["Code"])
    except IncompleteError:
        return unknown(stack, "CloudWatch answered in part")
    except BotoCoreError as error:
        return unknown(stack, type(error).__name__)
    return foresee(stack, deployment, found)


def warn(found: Foresight | None) -> None:
    """Says of a shift that it can see nothing, beside what the command prints for others to read."""
    if found and found.warning and not found.fix:
        print(f"warning: {found.warning}", file=sys.stderr, flush=True)


def refuse(found: Foresight | None, planned: Mapping[str, Any]) -> None:
    """Stops a plan (preview/plan.py) that moves callers where nobody would see what becomes of them.

    Raises UserError that names the ways out.
    """
    if found and found.fix and any(map(_moves, planned["steps"])):
        raise UserError(found.warning, f"nothing was changed; {found.fix}")


def _moves(step: Mapping[str, Any]) -> bool:
    """Whether callers go to another version; where the alias was moved by hand, they only go back."""
    if step["op"] not in ("update", "replace") or not step["urn"].split("::")[2].endswith(SHIFT):
        return False
    old, new = ({key: step[side]["inputs"].get(key) for key in ("release", "version")} for side in ("old", "new"))
    return bool(old != new)


def configured(root: Path, stack: str, production: bool) -> Deployment | None:
    """How a stack's file has traffic moved, with the defaults; None where it is not usable.

    Raises UserError where the file cannot be read.
    """
    problems = Problems(stack)
    values = _DEPLOYMENT.read(config_of(root / file_of(stack)).get(KEY) or {}, KEY, problems)
    if problems.lines:
        return None
    return complete_deployment(build(_DEPLOYMENT, values), values, production)


def traffic(cloudwatch: Any, names: Names, stack: str, now: datetime) -> Traffic | None:
    """Of the last seven days, from the first hour with a request on, and of an hour at least; None without any.

    One call for two metrics, whose hours CloudWatch keeps for 455 days:
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html. `Requests` has the probe's
    and what callers did wrong as well, which no model is judged by; `Latency` has a value for each request of a caller
    that was answered (functions/predict/metrics.py).
    """
    given = {"answered": ("Latency", "SampleCount"), "failed": ("ModelErrors", "Sum")}
    start = (now - timedelta(days=DAYS)).replace(minute=0, second=0, microsecond=0)
    queries = [
        query(name, "Glidepath", metric, {"Service": names.stack(stack)}, statistic, _HOUR)
        for name, (metric, statistic) in given.items()
    ]
    results: dict[str, dict[float, float]] = {name: {} for name in given}
    for name, at, value in series(cloudwatch, queries, start.timestamp(), now.timestamp()):
        results[name][at] = value
    asked_in = [moment for hours in results.values() for moment, value in hours.items() if value]
    if not asked_in:
        return None
    failed = sum(results["failed"].values())
    asked = failed + sum(results["answered"].values())
    return Traffic(asked, failed, max(now.timestamp() - min(asked_in), _HOUR) / 60)


def unknown(stack: str, why: str) -> Foresight:
    """Where the requests cannot be read. `why`: an error's code."""
    fix = f": an administrator runs `pulumi up --stack {stack}`" if why.startswith("AccessDenied") else ""
    return Foresight(f"what it can see is not known, as the requests of {stack} cannot be read ({why}{fix})")


def foresee(stack: str, deployment: Deployment, found: Traffic | None) -> Foresight | None:
    """What a shift can see of so much traffic, and how long it would have to be; None where nothing goes by steps."""
    if deployment.kind == ALL_AT_ONCE:
        return None
    percentage, each = deployment.percentage, deployment.interval
    how = f"{percentage} % {'every' if deployment.kind == LINEAR else 'for'} {_minutes(each, deployment.kind)}"
    if found is None:
        return Foresight(f"nobody has asked for {DAYS} days: this shift ({how}) can see nothing")
    routing = partial(linear if deployment.kind == LINEAR else canary, percentage)
    least = visible(routing(each), found.per_minute, found.failing)
    at = f"at {short(found.per_minute / 60)} requests/s this shift ({how})"
    wanted = min(found.failing + LOSS, 1.0)
    if least is not None and least <= wanted:
        return Foresight(f"{at} sees failures of {percent(least)} and more")
    if least is None and visible(routing(each), found.per_minute, 0.0) is not None:
        # Not for want of requests: a release that mends this must not be held up.
        return Foresight(f"{at} can see nothing worse than what serves, which fails {percent(found.failing)} of them")
    longer = _longer(routing, deployment, found, wanted)
    if least is not None:
        return Foresight(f"{at} sees failures of {percent(least)} and more; {longer.told}")
    if deployment.blind == ACCEPT:
        return Foresight(f"{at} can see nothing (accepted); {longer.told}")
    text, fix = f"{at} can see nothing", f"{longer.remedy} {KEY}.blind: {ACCEPT}"
    if deployment.blind == REFUSE and found.minutes >= NEW_MINUTES:
        return Foresight(f"{text}: a release is refused; {longer.told}", f"{stack}: {text}", fix)
    return Foresight(f"{text}; {longer.told}", f"{stack}: {text}: {fix}")


@dataclass(frozen=True)
class _Longer:
    """How long a shift would have to be. `told`: in the report. `remedy`: what a person does, up to a key's name."""

    told: str
    remedy: str


def _longer(
    routing: Callable[[float], tuple[Step, ...]], deployment: Deployment, found: Traffic, wanted: float
) -> _Longer:
    """For failures of `wanted` to be seen."""
    # The longest that a build can wait for, with hooks that take as long as the config lets them.
    beside = deployment_minutes(0, _LONGEST_WAIT, deployment.replay.seconds, deployment.bake_minutes)
    longest = LONGEST_BUILD - beside - hooks(deployment.on_inconclusive)
    whole = minutes(routing, found.per_minute, found.failing, wanted)
    if whole is None or whole > longest:
        told = f"none of up to {max(longest, 0) // 60} hours would see {percent(wanted)}"
        return _Longer(told, f"{told}; accept it with")
    each, time = round(whole / len(routing(1))) - deployment.extend, _time(whole)
    given_up = math.ceil(whole) + hooks(deployment.on_inconclusive)
    return _Longer(
        f"`minutes: {each}` ({time} in all) would see {percent(wanted)}",
        f"set {KEY}.minutes to {each} ({time} in all), which would see failures of {percent(wanted)}, and"
        f" glidepath:shiftMinutes to {given_up} or more, or accept it with",
    )


def percent(share: float) -> str:
    """`0.8 %`."""
    return f"{short(100 * share)} %"


def short(number: float) -> str:
    """Two digits, and no exponent for what a person would write without: 0.0021, 41, 250."""
    return f"{float(f'{number:.2g}'):g}"


def _minutes(count: int, kind: str) -> str:
    return "minute" if count == 1 and kind == LINEAR else _time(count)


def _time(count: float) -> str:
    if count < 120:
        return f"{count:g} minute{'' if count == 1 else 's'}"
    return f"{short(count / 60)} hours"
