"""What a rollback will do: which release, whether it can be trusted, and what stands in its way."""

import base64
import contextlib
import getpass
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from botocore.exceptions import ClientError

from contracts.appspec import taking_back
from contracts.errors import UserError
from contracts.names import DELIVERY, PREDICT
from contracts.release import vouched
from contracts.s3 import parse_s3_uri
from contracts.signature import SignatureError, check, signature_of
from functions.judge.record import Record
from operate import deploy
from operate.clients import Clients
from operate.history import Approval, History, Manifest
from operate.leftovers import described
from operate.project import Project
from operate.registry import record_return
from operate.releases import Attempt, ServingRecord, Traffic, former, last_failure, match
from operate.updates import HeldError
from operate.verdicts import find
from policies.rules.model import is_production
from preview.serving import SHIFT
from settings.exemptions import Exemption

# A rollback is one change of the alias.
_STOP_SECONDS = 120.0
_HELD_SECONDS = 120.0
_RESTORE = "restore that object's former version, or choose another release"
_ANOTHER = "restore the former versions of manifest and signature, or choose another release"
_SHIFT = f"glidepath::glidepath:shift:Shift${SHIFT}::shift"
"""The TrafficShift of the program, as URNs name it: other resources of the component have its name."""


@dataclass(frozen=True)
class Plan:
    """A return that nothing speaks against, from `present` to `target`.

    `under_way` is stopped first, and a release that is `baking` loses its traffic to the version before it. Where that
    alone brings `target` back, `deploys` is false.
    """

    stack: str
    present: str
    target: Manifest
    served: ServingRecord
    approval: Approval | None
    under_way: Attempt | None
    deploys: bool = True
    baking: Record | None = None

    @property
    def unsigned(self) -> bool:
        """Whether the target is from before manifests were signed."""
        return self.target.release.hashes is None


def plan(clients: Clients, project: Project, stack: str, to: str, unsigned: bool = False) -> Plan:
    """The return to `to`, or to the release that served before the present one. Touches nothing.

    `unsigned`: also to a release from before manifests were signed. Raises UserError where there is nothing to return
    to, or what there is cannot be trusted.
    """
    history = History(clients, project, stack)
    traffic, served, attempts = history.traffic(), history.served(), history.attempts()
    if traffic is None or not served:
        raise UserError(f"{stack} serves no release: there is nothing to return from", "see ./glidepath status")
    going = next((attempt for attempt in attempts if attempt.under_way), None)
    baking = None if going else in_bake(clients, project, stack, traffic, served[-1].release, attempts)
    moving = going is not None or baking is not None
    chosen = named(stack, to, served) if to else before(stack, traffic.release, served, attempts, moving)
    recorded = served[-1].release
    if chosen.release == traffic.release == recorded and not moving:
        raise UserError(
            f"{stack} serves release {chosen.release} already", f"./glidepath releases {stack} lists the others"
        )
    manifest = read_manifest(history, chosen)
    deploys = not moving or chosen.release != recorded
    if deploys:
        refuse_unsigned(clients, project, stack, manifest, unsigned)
        verify(clients, manifest)
    approval = history.approval(manifest.release.execution)
    present = going.release if going else traffic.release
    return Plan(stack, present, manifest, chosen, approval, going, deploys, baking)


def in_bake(
    clients: Clients, project: Project, stack: str, traffic: Traffic, recorded: str, attempts: Sequence[Attempt]
) -> Record | None:
    """The judge's record of a release that has all traffic, and that an update may still be waiting for.

    None for one that is recorded: no update waits any more, and the endpoint before it is gone.
    """
    newest = attempts[0] if attempts and traffic.release != recorded else None
    if newest is None or newest.rollback or newest.status != "Succeeded" or newest.release != traffic.release:
        return None
    record = find(clients.of(stack, "s3"), project.names, stack, [newest.id])
    return record if record and record.bounds and not record.over else None


def before(
    stack: str, present: str, served: Sequence[ServingRecord], attempts: Sequence[Attempt], moving: bool
) -> ServingRecord:
    """The release to return to where none is named. `moving`: a shift is under way, or a bake."""
    if moving:
        return served[-1]  # recorded last, after a shift's success: what served before this one
    failed = last_failure(served, attempts)
    if failed and failed.release != present:
        raise UserError(
            f"{stack} serves release {present}: the last shift, to {failed.release}, was rolled back already"
            f" ({failed.why})",
            f"to go back further, name the release: ./glidepath rollback {stack} --to {_earlier(served, present)}",
        )
    found = former(served, present)
    if found is None:
        raise UserError(
            f"there is nothing to go back to: {present} is the first release of {stack}, or the last one left",
            f"./glidepath releases {stack} lists what has served; name one with --to",
        )
    return found


def _earlier(served: Sequence[ServingRecord], present: str) -> str:
    found = former(served, present)
    return found.release if found else "RELEASE"


def named(stack: str, to: str, served: Sequence[ServingRecord]) -> ServingRecord:
    """The entry of a release that has served, by its id or a part of it that no other has."""
    known = {entry.release: entry for entry in served}
    release, near = match(to, known)
    if release:
        return known[release]
    fix = f"did you mean {' or '.join(near)}?" if near else f"it has served {', '.join(_newest(served))}"
    raise UserError(
        f"no release {to!r} has ever served {stack}", f"{fix} A new release travels there through the pipeline"
    )


def _newest(served: Sequence[ServingRecord]) -> list[str]:
    return list(dict.fromkeys(entry.release for entry in reversed(served)))[:5]


def read_manifest(history: History, chosen: ServingRecord) -> Manifest:
    """The manifest, unchanged since the release served. Raises UserError where it is gone or another one."""
    manifest = history.manifest(chosen.manifest)
    if manifest is None:
        raise UserError(
            f"the manifest of release {chosen.release} is gone, or is none any more: {chosen.manifest}",
            _RESTORE,
        )
    if manifest.sha256 != chosen.sha256:
        raise UserError(
            f"the manifest of release {chosen.release} was changed: {chosen.manifest} has SHA-256 {manifest.sha256},"
            f" and had {chosen.sha256} when the release served",
            _RESTORE,
        )
    return manifest


def refuse_unsigned(clients: Clients, project: Project, stack: str, manifest: Manifest, unsigned: bool) -> None:
    """Stop where the training workflow did not sign the manifest: known here, before a shift is stopped for it.

    Raises UserError. The program asks again when it deploys.
    """
    release = manifest.release
    if release.hashes is None:
        if unsigned:
            return
        raise UserError(
            f"release {release.id} is from before manifests were signed: nobody vouches for {manifest.address}",
            f"if you trust it, ./glidepath rollback {stack} --to {release.id} --unsigned returns to it",
        )
    s3, kms = clients.of(DELIVERY, "s3"), clients.of(stack, "kms")
    place = parse_s3_uri(signature_of(manifest.address))
    try:
        signature = s3.get_object(Bucket=place.bucket, Key=place.key)["Body"].read().decode("ascii", "replace")
        check(kms, project.names.signing_key, manifest.address, manifest.sha256, signature)
    except s3.exceptions.NoSuchKey:
        raise UserError(f"the manifest of release {release.id} is not signed: there is no {place}", _ANOTHER) from None
    except SignatureError as error:
        raise UserError(f"the signature of release {release.id} is not good: {error}", _ANOTHER) from None


def verify(clients: Clients, manifest: Manifest) -> None:
    """All that the release is made of must be there, and be what the manifest vouches for. Raises UserError."""
    release = manifest.release
    s3 = clients.of(DELIVERY, "s3")
    for what, uri, wanted in vouched(release):
        place = parse_s3_uri(uri)
        try:
            found = s3.head_object(Bucket=place.bucket, Key=place.key, ChecksumMode="ENABLED")
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("404", "NoSuchKey", "NotFound"):
                raise
            raise UserError(
                f"release {release.id} has lost its {what}: {uri}",
                _RESTORE,
            ) from None
        if wanted:
            _same(what, release.id, uri, wanted, found.get("ChecksumSHA256", ""))


def _same(what: str, release: str, uri: str, wanted: str, checksum: str) -> None:
    actual = base64.b64decode(checksum).hex() or "none"
    if actual != wanted:
        raise UserError(
            f"the {what} of release {release} changed: {uri} has SHA-256 {actual}, the manifest vouches for {wanted}",
            _RESTORE,
        )


def stop_shift(clients: Clients, project: Project, plan: Plan, say: Callable[[str], None]) -> None:
    """Stop the shift that is under way with rollback, and wait until the alias is at rest.

    Raises UserError where that takes too long.
    """
    assert plan.under_way is not None, "there is a shift to stop"
    history = History(clients, project, plan.stack)
    codedeploy = clients.of(plan.stack, "codedeploy")
    if not plan.under_way.rollback:
        say(f"stopping deployment {plan.under_way.id} with rollback")
        with contextlib.suppress(codedeploy.exceptions.DeploymentAlreadyCompletedException):
            codedeploy.stop_deployment(deploymentId=plan.under_way.id, autoRollbackEnabled=True)
    _come_to_rest(history, f"deployment {plan.under_way.id} of {plan.stack} is being stopped")


def end_bake(clients: Clients, project: Project, plan: Plan, say: Callable[[str], None]) -> None:
    """Give traffic back to the version before the one that is baking, all at once; the update that waits then fails.

    Raises UserError where that takes too long.
    """
    record, names = plan.baking, project.names
    assert record is not None, "there is a bake to end"
    endpoint = History(clients, project, plan.stack).endpoint_of(record.old)
    if not described(clients.of(plan.stack, "sagemaker"), "endpoint", EndpointName=endpoint):
        raise UserError(
            f"version {record.old} of {plan.stack} asks endpoint {endpoint}, which is gone: it can take no traffic",
            f"nothing was changed; deploy a release with ./glidepath deploy --stack {plan.stack} --release …",
        )
    codedeploy = clients.of(plan.stack, "codedeploy")
    application, why = names.stack(plan.stack), f"by {getpass.getuser()}"
    function = names.predict(plan.stack)
    back = taking_back(application, PREDICT, function, record.former, record.new, record.old, why)
    made = codedeploy.create_deployment(**back)
    say(f"release {record.release} is baking: deployment {made['deploymentId']} takes its traffic back")
    _come_to_rest(History(clients, project, plan.stack), f"deployment {made['deploymentId']} of {plan.stack} goes on")


def _come_to_rest(history: History, what: str) -> None:
    """Wait until nothing moves traffic any more. Raises UserError where that takes too long."""
    limit, quiet = time.monotonic() + _STOP_SECONDS, 0
    while quiet < 2:
        if time.monotonic() > limit:
            raise UserError(f"{what}, but traffic is still being moved", "see ./glidepath status, and run this again")
        time.sleep(0.5)
        traffic = history.traffic()
        moving = bool(traffic and traffic.weights) or any(attempt.under_way for attempt in history.attempts(5))
        quiet = 0 if moving else quiet + 1


def carry_out(
    clients: Clients, project: Project, plan: Plan, now: bool, reason: str, say: Callable[[str], None]
) -> str:
    """Stop what is under way, deploy the former manifest, and see that it takes all traffic; returns the version.

    The model registry is told last, as far as that is possible.

    `now` leaves the steps of the shift out. Raises UserError where the release does not take all traffic.
    """
    if plan.under_way:
        stop_shift(clients, project, plan, say)
    if plan.baking:
        end_bake(clients, project, plan, say)
    if plan.deploys:
        redeploy(plan, now, reason, say)
    traffic = History(clients, project, plan.stack).traffic()
    release = plan.target.release.id
    if traffic is None or traffic.release != release or traffic.weights:
        raise UserError(
            f"release {release} does not take all traffic of {plan.stack}", "see ./glidepath status, and run this again"
        )
    record_return(clients, project, plan.stack, plan.present, plan.target.release, reason, say)
    return traffic.version


def redeploy(plan: Plan, now: bool, reason: str, say: Callable[[str], None]) -> None:
    """Deploy the former manifest; the words are recorded with the deployment."""
    words = f"Return from {plan.present} by {getpass.getuser()}{': ' + reason if reason else ''}"
    words = f"{'At once. ' if now else ''}{words}".replace("\n", " ")[:150]
    arguments = ["--config", f"glidepath:returning={json.dumps({'reason': words, 'urgent': now})}", "--message", words]
    if plan.unsigned:
        arguments += ["--config", f"glidepath:unsigned={json.dumps([plan.target.sha256])}"]
    exempted = [exemption(plan.stack, words)] if now and is_production(plan.stack) else []
    limit = time.monotonic() + (_HELD_SECONDS if plan.under_way or plan.baking else 0.0)
    while True:
        try:
            deploy.deploy_release(plan.stack, plan.target.address, plan.target.sha256, arguments, exempted=exempted)
            return
        except HeldError as held:
            # The update whose shift was stopped is still writing down how it ended.
            if time.monotonic() > limit:
                raise
            say(f"{held.message}: waiting for it to finish")
            time.sleep(5)


def exemption(stack: str, words: str) -> Exemption:
    """For one update at once: that one rule for that one resource, until today."""
    shift = f"urn:pulumi:{stack}::{_SHIFT}"
    return Exemption("all-at-once", shift, "", words, datetime.now(UTC).date().isoformat())
