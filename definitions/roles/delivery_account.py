"""The delivery stack as its roles see it, and its engine's state."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from contracts.names import Names
from contracts.s3 import bucket_of
from definitions.roles.statements import Statement, allow, use_key


@dataclass(frozen=True)
class Delivery:
    """The delivery stack as its roles see it. `connection_arn` and the names of secrets are empty where unused."""

    names: Names
    key_arn: str
    signing_arn: str
    """Key that manifests are signed with."""
    split_arn: str
    """Key that decides which rows a model is tested on."""
    source_kind: str = "s3"
    repository: str = ""
    connection_arn: str = ""
    backend: str = ""
    project: str = "glidepath"
    """Pulumi's name of the program, under which its state lies."""
    secret_name: str = ""
    notebook_repository: str = ""
    notebook_secret: str = ""
    preview_secret_name: str = ""
    """What those who only look are given in place of the secret; empty: the same."""
    spot: bool = field(default=False, kw_only=True)
    """Whether Spot machines train."""
    tuning: bool = field(default=False, kw_only=True)
    """Whether a tuning job trains."""

    def data(self, key: str = "") -> str:
        """ARN in the data bucket."""
        return self.names.bucket_arn(self.names.data_bucket, key)

    def artifacts(self, key: str = "") -> str:
        """ARN in the artifacts bucket."""
        return self.names.bucket_arn(self.names.artifacts_bucket, key)

    def use_key(self, *services: str, write: bool = True) -> Statement:
        """Permission to use the stack's key through S3 (and the services given)."""
        hosts = [f"{service}.{self.names.region}.amazonaws.com" for service in ("s3", *services)]
        return use_key(self.key_arn, hosts, write=write)


def state(at: Delivery, stacks: Sequence[str], write: bool = True) -> list[Statement]:
    """Pulumi's state of these stacks, where it is a bucket, and the secret that unlocks it.

    A preview only reads, and locks nothing; it has a secret of its own where there is one. Where what lies:
    https://github.com/pulumi/pulumi, pkg/backend/diy (`StacksDir`, `BackupsDir`, `HistoriesDir`, `lockDir`). A name
    that is not there is looked for, which S3 tells only those who may list.
    """
    found: list[Statement] = []
    name = ("" if write else at.preview_secret_name) or at.secret_name
    if name:
        secret = at.names.arn("secretsmanager", f"secret:{name}-??????")
        found.append(allow("Unlock", ["secretsmanager:GetSecretValue"], [secret]))
    if not at.backend.startswith("s3://"):
        return found
    bucket = bucket_of(at.backend)
    ours = {"ForAnyValue:StringEquals": {"kms:ResourceAliases": f"alias/{at.names.name}-state"}}
    via_s3 = {"StringEquals": {"kms:ViaService": f"s3.{at.names.region}.amazonaws.com"}}
    in_context = {"StringEquals": {"kms:EncryptionContext:stack": list(stacks)}}
    keys = [at.names.arn("kms", "key/*")]

    def objects(*names: str) -> list[str]:
        return [at.names.bucket_arn(bucket, f".pulumi/{name}") for name in names]

    def each(*patterns: str) -> list[str]:
        return objects(*(pattern.format(at.project, stack) for stack in stacks for pattern in patterns))

    # The second is where a deployment says whose lock it is (operate/owners.py).
    locks = [
        *each("locks/organization/{}/{}/*"),
        *(at.names.bucket_arn(bucket, f"owners/{at.project}/{stack}/*") for stack in stacks),
    ]
    kept = each("stacks/{}/{}.json", "stacks/{}/{}.json.bak", "history/{}/{}/*", "backups/{}/{}/*")
    read = [*objects("meta.yaml"), *each("stacks/{}/{}.json*", "stacks/{}/{}.pulumi-tags")]
    writes = [allow("WriteState", ["s3:PutObject"], [*kept, *locks]), allow("RemoveLock", ["s3:DeleteObject"], locks)]
    return [
        *found,
        allow("ReadState", ["s3:GetObject"], [*read, *(locks if write else [])]),
        *(writes if write else []),
        allow("ListState", ["s3:ListBucket"], [at.names.bucket_arn(bucket)]),
        allow("StateKey", ["kms:Decrypt", *(["kms:GenerateDataKey"] if write else [])], keys, {**via_s3, **ours}),
        allow("Secrets", ["kms:Decrypt"], keys, {**in_context, **ours}),
    ]
