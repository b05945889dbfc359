"""Faults of what a run wrote: somebody with an administrator's rights tampers with a release before it is deployed.

Each stops before anything is touched, in one sentence, and production serves on.
"""

from collections.abc import Callable

from contracts.s3 import parse_s3_uri
from contracts.signature import signature_of
from scenarios.faults.candidates import Candidate
from scenarios.faults.fault import Expected, Fault
from scenarios.faults.outcome import DEPLOY, Outcome
from scenarios.faults.pipeline import deploy_approved
from scenarios.faults.world import World
from scenarios.tour.evidence import read_object
from scenarios.vouching import overwrite


def changed_golden(world: World) -> Outcome:
    """The golden records are replaced after the approval; the manifest is the one approved."""
    return _tampered(world, lambda release: str(release.manifest["golden"]))


def changed_baseline(world: World) -> Outcome:
    """The baseline that the monitor would compare with is replaced after the approval."""
    return _tampered(world, lambda release: str(release.manifest["baseline"]["constraints"]))


def unsigned_manifest(world: World) -> Outcome:
    """A manifest whose hash was approved, and which the training workflow never signed."""
    made_up = _another(world, "unsigned")
    bucket, key = parse_s3_uri(signature_of(made_up.uri))
    world.clients.of("delivery", "s3").delete_object(Bucket=bucket, Key=key)
    return deploy_approved(world, made_up, made_up.sha256)


def altered_manifest(world: World) -> Outcome:
    """A signed manifest that was altered before its hash was approved."""
    s3 = world.clients.of("delivery", "s3")
    signed = _another(world, "altered")
    overwrite(s3, signed.uri, read_object(s3, signed.uri).replace(b'"commit": "altered', b'"commit": "attacks'))
    altered = world.candidates.read(signed.uri)
    return deploy_approved(world, altered, altered.sha256)


def other_runs_manifest(world: World) -> Outcome:
    """A good manifest and its good signature, where those of another run are expected."""
    s3 = world.clients.of("delivery", "s3")
    there = _another(world, "elsewhere")
    overwrite(s3, there.uri, read_object(s3, world.new.uri))
    overwrite(s3, signature_of(there.uri), read_object(s3, signature_of(world.new.uri)), "text/plain")
    other = world.candidates.read(there.uri)
    return deploy_approved(world, other, other.sha256)


def _tampered(world: World, place: Callable[[Candidate], str]) -> Outcome:
    s3 = world.clients.of("delivery", "s3")
    release = _another(world, "tampered", parts=True)
    overwrite(s3, place(release), b"{}")
    return deploy_approved(world, release, release.sha256)


def _another(world: World, label: str, parts: bool = False) -> Candidate:
    """A release of its own, as good as the new one; with `parts` all that it is made of is its own as well."""
    same = (lambda body: body) if parts else None
    return world.candidates.spoiled(world.new, label, artifact=lambda body: body, golden=same, constraints=same)


_NOT_SIGNED = r"manifest\.sig is not the signature of arn:\S+ for s3://\S+/manifest\.json with SHA-256 \w{64}"

FAULTS: tuple[Fault, ...] = (
    Fault(
        "changed-golden",
        "The golden records are changed after the approval",
        changed_golden,
        Expected(
            DEPLOY, r"the golden records s3://\S+/golden\.json has SHA-256 \w{64}, but release \S+ vouches for \w{64}"
        ),
    ),
    Fault(
        "changed-baseline",
        "The baseline is changed after the approval",
        changed_baseline,
        Expected(
            DEPLOY, r"the baseline constraints s3://\S+/constraints\.json has SHA-256 \w{64}, but release \S+ vouches"
        ),
    ),
    Fault(
        "unsigned-manifest",
        "Nobody signed the manifest",
        unsigned_manifest,
        Expected(DEPLOY, r"the release signature s3://\S+/manifest\.sig cannot be read"),
    ),
    Fault("altered-manifest", "The manifest was altered", altered_manifest, Expected(DEPLOY, _NOT_SIGNED)),
    Fault("other-manifest", "It is another run's manifest", other_runs_manifest, Expected(DEPLOY, _NOT_SIGNED)),
)
