"""What an environment's roles may read of what the delivery stack leaves: runs, releases, the pointer."""

from collections.abc import Sequence

from contracts.names import DELIVERY
from definitions.roles.statements import Statement, allow
from definitions.roles.subject import Environment


def read_runs(at: Environment, *suffixes: str) -> list[Statement]:
    """Read parts of runs in delivery's artifact store, and decrypt them there."""
    return [allow("ReadRuns", ["s3:GetObject"], _parts(at, suffixes)), decrypt_runs(at)]


def decrypt_runs(at: Environment) -> Statement:
    """Decrypt what S3 hands out of delivery's artifact store."""
    return allow(
        "DecryptRuns",
        ["kms:Decrypt"],
        [at.names.arn("kms", "key/*")],
        {
            "StringEquals": {"kms:ViaService": at.s3},
            "ForAnyValue:StringEquals": {"kms:ResourceAliases": at.names.key_alias(DELIVERY)},
        },
    )


def read_release(at: Environment) -> list[Statement]:
    """Look up a release's manifest and model. The provider's lookup of an object reads its tags as well."""
    parts = _parts(at, ("*/release/manifest.json", "*/release/model.tar.gz"))
    return [allow("ReadRuns", ["s3:GetObject", "s3:GetObjectTagging"], parts), decrypt_runs(at)]


def read_pointer(at: Environment) -> Statement:
    """Look up which release the environment serves."""
    path = at.arn("ssm", f"parameter{at.names.pointer_path(at.env)}")
    return allow("ReadPointer", ["ssm:GetParametersByPath"], [path])


def _parts(at: Environment, suffixes: Sequence[str]) -> list[str]:
    return [at.names.bucket_arn(at.names.artifacts_bucket, f"runs/{suffix}") for suffix in suffixes]
