"""Faults that lie in the model: it fails, answers nonsense, or answers late."""

import math
from collections.abc import Callable, Sequence
from statistics import correlation
from typing import Any

from contracts.errors import UserError
from operate.clients import Clients
from scenarios import boosters
from scenarios.faults.bounds import bound, latency_ms, read_routing
from scenarios.faults.candidates import Candidate
from scenarios.faults.fault import Expected, Fault
from scenarios.faults.outcome import DEPLOY, Outcome
from scenarios.faults.world import RATE, World
from scenarios.tour.evidence import Row, artifact_predictions, golden_instances, read_object

SLOWER_SECONDS = 0.5
"""Above what makes a request slow, far below any time limit: a slow answer is an answer."""
_JUDGED_REQUESTS = 250
"""More than twice what `alarms.predictionRows` asks for by default, and as many as the judge has of the new version in
a shift at one request a second, where it stops every constant model (docs/verdict.md)."""

Change = Callable[[Any], bytes]


def golden(world: World) -> list[Row]:
    """The feature records that are replayed before traffic."""
    return golden_instances(world.clients, world.new.manifest)


def deploy_spoiled(world: World, label: str, change: Change, rate: float = RATE) -> Outcome:
    """Deploys `new` with a booster that was changed, under live traffic of so many requests a second."""
    bad = world.candidates.spoiled(world.new, label, artifact=lambda packed: boosters.spoil(packed, change))
    return world.attempt(bad, rate)


def _predictions(clients: Clients, candidate: Candidate, rows: Sequence[Row]) -> list[float]:
    artifact = read_object(clients.of("delivery", "s3"), candidate.manifest["model"]["artifact"])
    return artifact_predictions(artifact, candidate.features, rows)


def _nan(world: World) -> Outcome:
    return deploy_spoiled(world, "nan", boosters.nan_elsewhere(_in_order(world, golden(world))))


def _in_order(world: World, rows: Sequence[Row]) -> list[list[float]]:
    values = ((row[name] for name in world.new.features) for row in rows)
    return [[math.nan if value is None else value for value in row] for row in values]


def _constant(world: World) -> Outcome:
    return deploy_spoiled(world, "constant", boosters.constant(_middle(world)))


def _constant_elsewhere(world: World) -> Outcome:
    rows = golden(world)
    known = list(zip(_in_order(world, rows), _predictions(world.clients, world.new, rows), strict=True))
    change = boosters.constant_elsewhere(known, _middle(world))
    return deploy_spoiled(world, "constant-elsewhere", change, _rate_to_judge(world))


def _constant_unseen(world: World) -> Outcome:
    """Nothing is replayed: the shift's own alarms must find what callers get."""
    with world.configured(world.project.production, "deployment", replay={"requests": 0}):
        return _constant_elsewhere(world)


def _biased(world: World) -> Outcome:
    """Callers in a fifth of the model's answers get far too much, by a feature that goes with the answer."""
    answers = _predictions(world.clients, world.new, world.rows)
    place, limit = _slice(_in_order(world, world.rows), answers)
    bias = max(answers) - min(answers)
    return deploy_spoiled(world, "biased", boosters.biased_from(place, limit, bias, _in_order(world, golden(world))))


def _slice(rows: Sequence[Sequence[float]], answers: Sequence[float]) -> tuple[int, float]:
    """The feature that has the most to do with the answers, and from where on a fifth of the rows has it.

    Raises UserError where no feature has.
    """
    places = [place for place in range(len(rows[0])) if len({row[place] for row in rows}) > 1]
    if not places or len(set(answers)) == 1:
        raise UserError("all callers ask the same or are answered the same: no slice can be wrong by itself")
    place = max(places, key=lambda each: abs(correlation([row[each] for row in rows], answers)))
    return place, sorted(row[place] for row in rows)[len(rows) * 4 // 5]


def _rate_to_judge(world: World) -> float:
    """Requests a second: a distribution is judged on many, and the new version must see them before its shift ends."""
    routing = read_routing(world)
    seconds = routing.exposure(routing.shift_minutes) * world.rehearsal.seconds_per_minute
    return max(RATE, _JUDGED_REQUESTS / seconds)


def _middle(world: World) -> float:
    """What a lazy model would say: the mean of the good one's predictions."""
    found = _predictions(world.clients, world.new, world.rows)
    return sum(found) / len(found)


def _refuses(world: World) -> Outcome:
    return deploy_spoiled(world, "refuses", boosters.another_width)


def live_only(world: World) -> dict[str, str]:
    """What a request to the new endpoint looks like that is neither the hook's nor the system test's."""
    serving = world.stacks.outputs(world.project.production)["endpoint"]
    return {"EndpointName": f"^(?!{serving}$)", "InferenceId": "^(?!golden-|replay-|test-)"}


def _raises(world: World) -> Outcome:
    message = 'Received server error (500) from primary with message "KeyError: 42".'
    error = {"code": "ModelError", "message": message, "status": 424}
    with world.seam("sagemaker-runtime", "InvokeEndpoint", match=live_only(world), error=error):
        return world.attempt(world.new)


def _slow(world: World) -> Outcome:
    delay = latency_ms(world) / 1000 + SLOWER_SECONDS
    with world.seam("sagemaker-runtime", "InvokeEndpoint", match=live_only(world), delay=delay):
        return world.attempt(world.new)


_BEFORE = r"does not serve: hook BeforeAllowTraffic failed: .*golden records failed"
_REPLAYED = r"does not serve: hook BeforeAllowTraffic failed: .*fails on \d+ captured requests of release \S+: "

FAULTS = (
    Fault(
        "model-raises",
        "The new model's container fails, but only once callers reach it",
        _raises,
        Expected(DEPLOY, r"alarm \S*model-errors\b.* went off during the shift", bound=bound),
    ),
    Fault(
        "model-refuses",
        "The new model wants other features: its container refuses every request",
        _refuses,
        Expected(DEPLOY, _BEFORE),
    ),
    Fault(
        "model-nan",
        "The new model answers NaN, but not for the golden records",
        _nan,
        Expected(DEPLOY, _REPLAYED + r".*got no usable answer.*model_invalid_output"),
    ),
    Fault(
        "model-constant",
        "The new model predicts the same for everybody",
        _constant,
        Expected(DEPLOY, _BEFORE),
    ),
    Fault(
        "model-constant-live",
        "The new model knows the golden records by heart, and predicts the same for everybody else",
        _constant_elsewhere,
        Expected(DEPLOY, _REPLAYED + r"it answers \S+ to \d+ of"),
    ),
    Fault(
        "model-constant-unseen",
        "The same, and no captured requests are replayed before traffic",
        _constant_unseen,
        # Where the evaluation has not measured this pair of models, the distribution alone speaks.
        Expected(DEPLOY, r"alarm \S*(evidence|prediction-shift)\b.* went off during the shift"),
    ),
    Fault(
        "model-biased-slice",
        "The new model says far too much to a fifth of its callers, but not to the golden records",
        _biased,
        Expected(DEPLOY, _REPLAYED + r"where the former answers were"),
    ),
    Fault(
        "model-slow",
        "The new model is slower than its alarm allows, but only once callers reach it",
        _slow,
        Expected(DEPLOY, r"alarm \S*latency\b.* went off during the shift"),
    ),
)
