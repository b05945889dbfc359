"""Faults that lie in the model: it fails, answers nonsense, or answers late."""

from collections.abc import Callable, Sequence
from typing import Any

from contracts.errors import UserError
from operate.clients import Clients
from scenarios import boosters
from scenarios.faults.bounds import bound
from scenarios.faults.candidates import Candidate
from scenarios.faults.fault import Expected, Fault, Outcome
from scenarios.faults.world import World
from scenarios.tour.evidence import artifact_predictions, golden_instances, read_object

SLOW_SECONDS = 1.5
"""Above the alarm's threshold on p99, far below any time limit: a slow answer is an answer."""

Change = Callable[[Any], bytes]


def golden(world: World) -> list[dict[str, float]]:
    """The feature records that are replayed before traffic."""
    return golden_instances(world.clients, world.new.manifest)


def telling(features: Sequence[str], rows: Sequence[dict[str, float]]) -> int:
    """Index of a feature that tells all these rows apart, so that a tree can know them by heart."""
    for index, name in enumerate(features):
        if len({row[name] for row in rows}) == len({tuple(row.items()) for row in rows}):
            return index
    raise UserError("no single feature tells the golden records apart", "train on another window of the data")


def deploy_spoiled(world: World, label: str, change: Change, rows: int = 1) -> Outcome:
    """Deploys `new` with a booster that was changed, under live traffic of so many rows a request."""
    bad = world.candidates.spoiled(world.new, label, artifact=lambda packed: boosters.spoil(packed, change))
    return world.attempt(bad, rows=rows)


def _predictions(clients: Clients, candidate: Candidate, rows: Sequence[dict[str, float]]) -> list[float]:
    artifact = read_object(clients.of("delivery", "s3"), candidate.manifest["model"]["artifact"])
    return artifact_predictions(artifact, candidate.features, rows)


def _nan(world: World) -> Outcome:
    rows = golden(world)
    index = telling(world.new.features, rows)
    values = [row[world.new.features[index]] for row in rows]
    return deploy_spoiled(world, "nan", boosters.nan_elsewhere(index, values))


def _constant(world: World) -> Outcome:
    return deploy_spoiled(world, "constant", boosters.constant(_middle(world)))


def _constant_elsewhere(world: World) -> Outcome:
    rows = golden(world)
    index = telling(world.new.features, rows)
    values = [row[world.new.features[index]] for row in rows]
    known = dict(zip(values, _predictions(world.clients, world.new, rows), strict=True))
    change = boosters.constant_elsewhere(index, sorted(known.items()), _middle(world))
    # A distribution is judged on a hundred rows: with one a request the canary would end before it had seen them.
    return deploy_spoiled(world, "constant-elsewhere", change, rows=5)


def _middle(world: World) -> float:
    """What a lazy model would say: the mean of the good one's predictions."""
    found = _predictions(world.clients, world.new, world.rows)
    return sum(found) / len(found)


def _refuses(world: World) -> Outcome:
    return deploy_spoiled(world, "refuses", boosters.another_width)


def live_only(world: World) -> dict[str, str]:
    """What a request to the new endpoint looks like that is no golden record."""
    serving = world.stacks.outputs(world.project.production)["endpoint"]
    return {"EndpointName": f"^(?!{serving}$)", "InferenceId": "^(?!golden-)"}


def _raises(world: World) -> Outcome:
    message = 'Received server error (500) from primary with message "KeyError: 42".'
    error = {"code": "ModelError", "message": message, "status": 424}
    with world.seam("sagemaker-runtime", "InvokeEndpoint", match=live_only(world), error=error):
        return world.attempt(world.new)


def _slow(world: World) -> Outcome:
    with world.seam("sagemaker-runtime", "InvokeEndpoint", match=live_only(world), delay=SLOW_SECONDS):
        return world.attempt(world.new)


_BEFORE = r"does not serve: hook BeforeAllowTraffic failed: .*golden records failed"

FAULTS = (
    Fault(
        "model-raises",
        "The new model's container fails, but not for the golden records",
        _raises,
        Expected("DeployProd", r"alarm \S*model-errors\b.* went off during the shift", bound=bound),
    ),
    Fault(
        "model-refuses",
        "The new model wants other features: its container refuses every request",
        _refuses,
        Expected("DeployProd", _BEFORE),
    ),
    Fault(
        "model-nan",
        "The new model answers NaN, but not for the golden records",
        _nan,
        Expected("DeployProd", r"alarm \S*model-errors\b.* went off during the shift", bound=bound),
    ),
    Fault(
        "model-constant",
        "The new model predicts the same for everybody",
        _constant,
        Expected("DeployProd", _BEFORE),
    ),
    Fault(
        "model-constant-live",
        "The new model knows the golden records by heart, and predicts the same for everybody else",
        _constant_elsewhere,
        Expected("DeployProd", r"alarm \S*prediction-shift\b.* went off during the shift"),
    ),
    Fault(
        "model-slow",
        f"The new model takes {SLOW_SECONDS:g} s, but not for the golden records",
        _slow,
        Expected("DeployProd", r"alarm \S*latency\b.* went off during the shift"),
    ),
)
