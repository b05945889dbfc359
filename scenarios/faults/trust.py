"""Faults of what a run wrote: somebody with an administrator's rights tampers with a release before it is deployed.

Each stops before anything is touched, in one sentence, and production serves on.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from contracts.names import DELIVERY
from contracts.s3 import parse_s3_uri
from contracts.signature import signature_of
from operate.bootstrap import place
from scenarios.faults import delivery
from scenarios.faults.candidates import Candidate
from scenarios.faults.fault import Expected, Fault
from scenarios.faults.outcome import DEPLOY, FIRST_DEPLOY, Outcome
from scenarios.faults.pipeline import at_approval, deploy_approved
from scenarios.faults.world import TRICKLE, World
from scenarios.tour.evidence import read_object
from scenarios.tour.source import source_zip
from scenarios.vouching import overwrite

_SOURCE = "source/source.zip"


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


def removed_check(world: World) -> Outcome:
    """A commit leaves out the check of its own approval, and then another plan takes the approved one's place."""
    with world.traffic(TRICKLE) as traffic, _commit(world, "operate/plans.py", "if actual != sha256:", "if False:"):
        run = at_approval(world)
        _exchange_plan(world, run)
        delivery.answer(world, delivery.approval(world, run), "Approved", "good")
        stage, error = delivery.end_of(world, run)
    return world.outcome(stage, error, traffic)


def foreign_state(world: World) -> Outcome:
    """A commit whose program, where it is deployed first, writes production's state by the build's own rights."""
    first, production = world.project.names.environments[0], world.project.production
    key = f".pulumi/stacks/glidepath/{production}.json"
    attack = (
        "import os\n"
        f"if settings.stack == {first!r} and 'deploy-' in os.environ.get('CODEBUILD_BUILD_ID', ''):\n"
        "    import boto3\n"
        f"    boto3.client('s3').put_object(Bucket={place(world.project).bucket!r}, Key={key!r}, Body=b'{{}}')\n"
    )
    line = "settings = load()\n"
    with world.traffic(TRICKLE) as traffic, _commit(world, "__main__.py", line, line + attack):
        run = delivery.start_run(world, str(world.new.manifest["data"]["version"]))
        stage, error = delivery.end_of(world, run)
    return world.outcome(stage, error, traffic)


@contextmanager
def _commit(world: World, path: str, old: str, new: str) -> Iterator[None]:
    """The newest source has one line of one file otherwise; afterwards the former one is the newest again."""
    text = (world.root / path).read_text(encoding="utf-8")
    assert old in text, f"{path} has no {old!r} any more"
    version = world.candidates.hand_in(_SOURCE, source_zip(world.root, {path: text.replace(old, new)}))
    try:
        yield
    finally:
        bucket = world.project.names.data_bucket
        world.clients.of(DELIVERY, "s3").delete_object(Bucket=bucket, Key=_SOURCE, VersionId=version)


def _exchange_plan(world: World, run: str) -> None:
    """Somebody with an administrator's rights writes over the plan that is being approved."""
    s3, names = world.clients.of(DELIVERY, "s3"), world.project.names
    uri = names.plan_of_run(names.production).replace("#{codepipeline.PipelineExecutionId}", run)
    bucket, key = parse_s3_uri(uri)
    s3.put_object(Bucket=bucket, Key=key, Body=read_object(s3, uri) + b" ")


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
        "foreign-state",
        "A deployment to the first environment writes production's state",
        foreign_state,
        Expected(FIRST_DEPLOY, r"not authorized to perform: s3:PutObject on resource: \S+/{production}\.json"),
    ),
    Fault(
        "removed-check",
        "A commit removes the check of its own approval",
        removed_check,
        Expected(DEPLOY, r"the plan stored at s3://\S+ has SHA-256 [0-9a-f]{64}, but [0-9a-f]{64} was approved"),
    ),
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
