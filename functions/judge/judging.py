"""A look with its clients: the record is read, the look made, evidence published, and what follows is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from contracts.judging import EVIDENCE, QUESTION, Shift, record_key
from contracts.release import Release, parse_release
from functions.judge import bake
from functions.judge.bins import Pair
from functions.judge.clients import Clients, say
from functions.judge.counts import MISSED_SECONDS
from functions.judge.following import answer, question, take_back
from functions.judge.looking import Seen, failing, look, suffices, weights
from functions.judge.record import Record, begin, parse, render
from functions.shared.store import read_if_there, read_verified, write_json


class Look(NamedTuple):
    """Whether it was the last one, and seconds until the next."""

    done: bool
    wait: int


def judge(clients: Clients, shift: Shift, alias: Mapping[str, object], began: float, now: float) -> Look:
    """One look. `began`: when the execution did, from which on somebody should have looked."""
    minutes = int(clients.environment["BAKE_MINUTES"])
    known = _read(clients, shift) or _begin(clients, shift, began, now, minutes)
    if known.over:
        return Look(True, shift.every)
    status = clients.codedeploy.get_deployment(deploymentId=shift.deployment)["deploymentInfo"]["status"]
    seen = Seen(now, weights(alias, shift.new), status)
    found = look(known, seen, clients.source, minutes)
    evidence = suffices(found)
    _tell(known, found, shift, evidence)
    hook = question(clients, shift) if found.verdict and not found.bake and not found.over else None
    if hook:
        found = answer(clients, shift, found, hook, now)
    _publish(clients, shift, evidence, hook is not None)
    if found.baked and found.baked.outcome == "fail":
        # Written before: a return that was begun must not look like somebody else's.
        _write(clients, found)
        found = take_back(clients, shift, found, seen)
    if found.over:
        say(bool(found.baked and found.baked.outcome == "fail"), found.over, shift)
    # Last: a look that failed on the way is made again.
    _write(clients, found)
    return Look(bool(found.over), shift.bake_every if found.bake else shift.every)


def _tell(known: Record, found: Record, shift: Shift, evidence: float) -> None:
    """The verdict once; before it, why the evidence suffices, as soon as it does: an alarm ends the shift by it."""
    reason = failing(found) if evidence >= 1 else ""
    if reason and not failing(known):
        say(True, reason, shift)
    elif found.verdict and not known.verdict:
        say(found.verdict.outcome == "fail", found.verdict.sentence, shift)


def _publish(clients: Clients, shift: Shift, evidence: float, asked: bool) -> None:
    service = [{"Name": "Service", "Value": clients.environment["SERVICE"]}]
    version = [*service, {"Name": "Version", "Value": shift.new}]
    data = [{"MetricName": EVIDENCE, "Dimensions": version, "Value": evidence, "StorageResolution": 1}]
    if asked:
        data.append({"MetricName": QUESTION, "Dimensions": service, "Value": 1.0})
    clients.cloudwatch.put_metric_data(Namespace=clients.environment["METRIC_NAMESPACE"], MetricData=data)


# --- the record ------------------------------------------------------------------------------------------------------


def _read(clients: Clients, shift: Shift) -> Record | None:
    text = read_if_there(clients.s3, clients.bucket, record_key(shift.deployment))
    return parse(text) if text else None


def _begin(clients: Clients, shift: Shift, began: float, now: float, minutes: int) -> Record:
    text = read_verified(clients.s3, shift.manifest, shift.sha256, "the deployment")
    pair, unpaired = pair_of(parse_release(text), shift) if shift.judged else (None, "")
    bounds = {}
    if minutes:
        bounds = {event: bake.bound(*seen) for event, seen in clients.source.week(shift.old, now).items()}
    versions = (shift.old, shift.new)
    record = begin(shift.deployment, shift.release, shift.former, versions, began, shift.judged, pair, unpaired, bounds)
    return replace(record, apart=shift.apart, missed=missed(shift.every))


def missed(every: float) -> float:
    """Seconds for which the judge may look away: one look may fail, and the next one come a little late."""
    return max(MISSED_SECONDS, 2.5 * every)


def pair_of(release: Release, shift: Shift) -> tuple[Pair | None, str]:
    """What the evaluation knows of both models' predictions, or why nothing can be said of them."""
    if not release.pair:
        return None, "the evaluation compared with no champion"
    if release.pair.release != shift.former:
        return None, f"the evaluation compared with {release.pair.release}, and {shift.former or 'another'} serves"
    table = release.pair.table
    if table is None or release.distribution is None:
        return None, "the evaluation did not measure where both models' predictions lie"
    if table.edges != shift.edges:
        return None, f"release {shift.former} counts its predictions by other bins than the evaluation took"
    return Pair(table.rows), ""


def _write(clients: Clients, record: Record) -> None:
    key = record_key(record.deployment)
    write_json(clients.s3, clients.bucket, key, render(record), clients.environment["KEY_ARN"])
