"""Faults that lie in the model: it fails, answers nonsense, or answers late."""

from collections.abc import Callable, Sequence
from typing import Any

from operate.clients import Clients
from scenarios import boosters
from scenarios.faults.bounds import bound, latency_ms, read_routing
from scenarios.faults.candidates import Candidate
from scenarios.faults.fault import Expected, Fault
from scenarios.faults.outcome import DEPLOY, Outcome
from scenarios.faults.world import RATE, World
from scenarios.tour.evidence import artifact_predictions, golden_instances, read_object

SLOWER_SECONDS = 0.5
"""Above the alarm's threshold on p99, far below any time limit: a slow answer is an answer."""
_JUDGED_REQUESTS = 250
"""More than twice what `alarms.predictionRows` asks for by default: a request weighs as one, whatever its rows."""

Change = Callable[[Any], bytes]


def golden(world: World) -> list[dict[str, float]]:
    """The feature records that are replayed before traffic."""
    return golden_instances(world.clients, world.new.manifest)


def deploy_spoiled(world: World, label: str, change: Change, rate: float = RATE) -> Outcome:
    """Deploys `new` with a booster that was changed, under live traffic of so many requests a second."""
    bad = world.candidates.spoiled(world.new, label, artifact=lambda packed: boosters.spoil(packed, change))
    return world.attempt(bad, rate)


def _predictions(clients: Clients, candidate: Candidate, rows: Sequence[dict[str, float]]) -> list[float]:
    artifact = read_object(clients.of("delivery", "s3"), candidate.manifest["model"]["artifact"])
    return artifact_predictions(artifact, candidate.features, rows)


def _nan(world: World) -> Outcome:
    return deploy_spoiled(world, "nan", boosters.nan_elsewhere(_in_order(world, golden(world))))


def _in_order(world: World, rows: Sequence[dict[str, float]]) -> list[list[float]]:
    return [[row[name] for name in world.new.features] for row in rows]


def _constant(world: World) -> Outcome:
    return deploy_spoiled(world, "constant", boosters.constant(_middle(world)))


def _constant_elsewhere(world: World) -> Outcome:
    rows = golden(world)
    known = list(zip(_in_order(world, rows), _predictions(world.clients, world.new, rows), strict=True))
    change = boosters.constant_elsewhere(known, _middle(world))
    return deploy_spoiled(world, "constant-elsewhere", change, _rate_to_judge(world))


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
    """What a request to the new endpoint looks like that is neither the hook's nor the system test's golden record."""
    serving = world.stacks.outputs(world.project.production)["endpoint"]
    return {"EndpointName": f"^(?!{serving}$)", "InferenceId": "^(?!golden-|test-)"}


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

FAULTS = (
    Fault(
        "model-raises",
        "The new model's container fails, but not for the golden records",
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
        Expected(DEPLOY, r"alarm \S*model-errors\b.* went off during the shift", bound=bound),
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
        Expected(DEPLOY, r"alarm \S*prediction-shift\b.* went off during the shift"),
    ),
    Fault(
        "model-slow",
        "The new model is slower than its alarm allows, but not for the golden records",
        _slow,
        Expected(DEPLOY, r"alarm \S*latency\b.* went off during the shift"),
    ),
)
