"""What an environment's roles may read of what the delivery stack leaves: runs, releases, the pointer."""

from collections.abc import Sequence

from contracts.names import DELIVERY
from definitions.roles.statements import Statement, allow
from definitions.roles.subject import Environment


def read_runs(at: Environment, *suffixes: str) -> list[Statement]:
    """Read parts of runs in delivery's artifact store, and decrypt them there."""
    return [allow("ReadRuns", ["s3:GetObject"], _parts(at, suffixes)), decrypt_runs(at)]


def read_golden(at: Environment) -> list[Statement]:
    """Read golden records: in the release, and where a run left them before releases held them."""
    return read_runs(at, "*/release/golden.json", "*/evaluation/golden.json")


def decrypt_runs(at: Environment) -> Statement:
    """Decrypt what S3 hands out of delivery's artifact store."""
    return allow(
        "DecryptRuns",
        ["kms:Decrypt"],
        [at.names.arn("kms", "key/*")],
        {"StringEquals": {"kms:ViaService": at.s3}, **_has_alias(at.names.key_alias(DELIVERY))},
    )


def read_release(at: Environment) -> list[Statement]:
    """Look up a release, and whether its manifest's signature is good.

    The provider's lookup of an object reads its tags as well.
    """
    parts = _parts(at, ("*/release/*",))
    return [
        allow("ReadRuns", ["s3:GetObject", "s3:GetObjectTagging"], parts),
        decrypt_runs(at),
        allow("VerifyRelease", ["kms:Verify"], [at.names.arn("kms", "key/*")], _has_alias(at.names.signing_alias)),
    ]


def _has_alias(alias: str) -> dict[str, dict[str, str]]:
    """Another account's key is known by its alias: AWS invents its id."""
    return {"ForAnyValue:StringEquals": {"kms:ResourceAliases": alias}}


def read_pointer(at: Environment) -> Statement:
    """Look up which release the environment serves."""
    path = at.arn("ssm", f"parameter{at.names.pointer_path(at.env)}")
    return allow("ReadPointer", ["ssm:GetParametersByPath"], [path])


def _parts(at: Environment, suffixes: Sequence[str]) -> list[str]:
    return [at.names.bucket_arn(at.names.artifacts_bucket, f"runs/{suffix}") for suffix in suffixes]
