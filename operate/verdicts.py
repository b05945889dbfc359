"""What the judge has found of an environment's last shift, and the answer of a person who was asked."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from contracts.errors import UserError
from contracts.judging import question_key, record_key
from contracts.names import Names
from functions.judge.counts import NOTHING, close
from functions.judge.looking import largest_of_bake
from functions.judge.record import Record, parse
from functions.judge.tolerance import TOLERANCE, upper
from functions.shared.store import read_if_there
from operate.releases import Attempt

Document = dict[str, Any]


@dataclass(frozen=True)
class Question:
    """What a person is asked, and the execution of the hook that waits for the answer."""

    hook: str
    sentence: str


def find(s3: Any, names: Names, stack: str, deployments: list[str]) -> Record | None:
    """The newest record. `deployments`: ids, the newest first; one that moved nothing by steps has none."""
    bucket = names.capture_bucket(stack)
    for deployment in deployments:
        text = read_if_there(s3, bucket, record_key(deployment))
        if text:
            return parse(text)
    return None


def question(s3: Any, names: Names, stack: str, record: Record) -> Question | None:
    """What is asked and not yet answered."""
    if record.over or record.bake or record.answered or not record.verdict:
        return None
    text = read_if_there(s3, names.capture_bucket(stack), question_key(record.deployment))
    return Question(**json.loads(text)) if text else None


def answer(codedeploy: Any, record: Record, asked: Question | None, accept: bool) -> str:
    """Tell CodeDeploy what a person decided; the sentence that says so. Raises UserError where nobody asks."""
    if asked is None:
        raise UserError(
            f"no question is open: deployment {record.deployment} of release {record.release} waits for nobody"
            f"{_ended(record)}",
            "nothing was changed; ./glidepath verdict shows the verdict, ./glidepath rollback takes a release back",
        )
    try:
        codedeploy.put_lifecycle_event_hook_execution_status(
            deploymentId=record.deployment,
            lifecycleEventHookExecutionId=asked.hook,
            status="Succeeded" if accept else "Failed",
        )
    except ClientError as error:
        if error.response["Error"]["Code"] not in (
            "LifecycleEventAlreadyCompletedException",
            "DeploymentDoesNotExistException",
        ):
            raise
        raise UserError(
            f"deployment {record.deployment} waits for no answer any more: {error}", "nothing was changed"
        ) from None
    return f"release {record.release} {'stays' if accept else 'goes back'}: deployment {record.deployment} was told so"


def _ended(record: Record) -> str:
    return f" ({record.over})" if record.over else ""


def document(record: Record, asked: Question | None, attempt: Attempt | None = None) -> Document:
    """For machines, and for the report. `attempt`: the deployment, as CodeDeploy tells how it ended."""
    return {
        "deployment": record.deployment,
        "release": record.release,
        "former": record.former,
        "versions": {"old": record.old, "new": record.new},
        "outcome": record.verdict.outcome if record.verdict else None,
        "sentence": record.verdict.sentence if record.verdict else None,
        "metrics": {name: _metric(record, name) for tally in record.tallies for name in tally.metrics},
        "predictions": "judged" if record.pair else record.unpaired or "not judged",
        "evidence": [
            {"second": round(point.at - record.began), "weight": point.weight, **point.evidence}
            for point in record.path
        ],
        "left": _left(record),
        "bake": _bake(record),
        "question": asked.sentence if asked else None,
        "outcome_of_shift": _became(record, attempt),
        "over": record.over or None,
    }


def _became(record: Record, attempt: Attempt | None) -> str | None:
    """What became of the release, in words; None where nobody has asked CodeDeploy."""
    if attempt is None:
        return None
    if attempt.failed:
        return f"rolled back: {attempt.why}"
    if attempt.under_way:
        return "under way"
    return "in its bake" if record.bounds and not record.over else "has all traffic since"


def _metric(record: Record, name: str) -> Document:
    """Requests and events of both versions, and the smallest difference of their rates that is ruled out."""
    tally = next(close(each) for each in record.tallies if name in each.metrics)
    counts = sum(tally.by_weight(name), NOTHING)
    smallest = upper(tally.by_weight(name))
    return {
        "old": {"requests": counts.old_requests, "events": counts.old_events},
        "new": {"requests": counts.new_requests, "events": counts.new_events},
        "evidence": max((point.evidence.get(name, 0.0) for point in record.path), default=0.0),
        "ruled_out": None if smallest == 1 else smallest,
        "tolerated": TOLERANCE,
    }


def _left(record: Record) -> dict[str, int]:
    """Reason → windows that were left out while traffic moved."""
    found: dict[str, int] = {}
    for _, reason in record.requests.left:
        found[reason] = found.get(reason, 0) + 1
    return found


def _bake(record: Record) -> Document | None:
    if record.bake is None:
        return None
    looks = {
        event: {
            "requests": sum(requests for requests, _ in seen),
            "events": sum(events for _, events in seen),
            "allowed": record.bake.bounds[event],
        }
        for event, seen in record.bake.looks.items()
    }
    return {
        "outcome": record.baked.outcome if record.baked else None,
        "sentence": record.baked.sentence if record.baked else None,
        "evidence": largest_of_bake(record),
        "metrics": looks,
    }


_LEVELS = "▁▂▃▄▅▆▇█"
_WIDTH = 60


def lines(found: Mapping[str, Any]) -> list[str]:
    """The document for people."""
    versions, former = found["versions"], found["former"] or "an unknown release"
    moved = f"version {versions['old']} to {versions['new']}, deployment {found['deployment']}"
    told = [f"release {found['release']} over {former}, {moved}"]
    told.append(f"  {found['sentence'] or 'the judge has not spoken yet'}")
    if found["outcome_of_shift"]:
        told.append(f"  outcome     {found['outcome_of_shift']}")
    for name, metric in found["metrics"].items():
        told.append(f"  {name:<11} new {_rate(metric['new'])}, old {_rate(metric['old'])}{_ruled_out(metric)}")
    told.append(f"  predictions {found['predictions']}")
    told += _path(found["evidence"])
    if found["left"]:
        told.append("  windows left out: " + ", ".join(f"{count} {reason}" for reason, count in found["left"].items()))
    bake = found["bake"]
    if bake:
        told.append(f"  bake: {bake['sentence'] or 'going on'}")
        for name, metric in bake["metrics"].items():
            told.append(f"    {name:<11} {_rate(metric)}, {100 * metric['allowed']:.2g} % allowed")
    if found["question"]:
        told.append("  a person is asked: answer with --accept or --return")
    return told


def _rate(seen: Mapping[str, float]) -> str:
    return f"{seen['events']:g} of {seen['requests']:g}"


def _ruled_out(metric: Mapping[str, Any]) -> str:
    if metric["ruled_out"] is None:
        return "; no loss is ruled out"
    return f"; a loss of {100 * metric['ruled_out']:.2g} points or more is ruled out"


def _path(points: list[Mapping[str, float]]) -> list[str]:
    """The largest evidence over time, from nothing to what suffices (the full height)."""
    if not points:
        return []
    shares = [
        max([0.0, *(value for name, value in each.items() if name not in ("second", "weight"))]) for each in points
    ]
    every = -(-len(shares) // _WIDTH)
    chosen = [max(shares[start : start + every]) for start in range(0, len(shares), every)]
    drawn = "".join(_LEVELS[min(len(_LEVELS) - 1, int(share * (len(_LEVELS) - 1)))] for share in chosen)
    most, seconds = 100 * max(shares), points[-1]["second"]
    return [f"  evidence    {drawn} at most {most:.0f} % of what stops a shift, in {seconds:.0f} s"]
