"""The delivery stack as its roles see it, and its engine's state."""

from dataclasses import dataclass

from contracts.names import Names
from contracts.s3 import bucket_of
from definitions.roles.statements import Statement, allow, use_key


@dataclass(frozen=True)
class Delivery:
    """The delivery stack as its roles see it. `connection_arn` and the names of secrets are empty where unused."""

    names: Names
    key_arn: str
    source_kind: str = "s3"
    repository: str = ""
    connection_arn: str = ""
    backend: str = ""
    secret_name: str = ""
    notebook_repository: str = ""
    notebook_secret: str = ""

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


def state(at: Delivery, write: bool = True) -> list[Statement]:
    """Pulumi's state, where it is a bucket, and the secret that unlocks it. A preview only reads, and locks nothing."""
    found: list[Statement] = []
    if at.secret_name:
        secret = at.names.arn("secretsmanager", f"secret:{at.secret_name}-??????")
        found.append(allow("Unlock", ["secretsmanager:GetSecretValue"], [secret]))
    if not at.backend.startswith("s3://"):
        return found
    bucket = bucket_of(at.backend)
    key = {
        "StringEquals": {"kms:ViaService": f"s3.{at.names.region}.amazonaws.com"},
        "ForAnyValue:StringEquals": {"kms:ResourceAliases": f"alias/{at.names.name}-state"},
    }
    return [
        *found,
        allow(
            "State",
            ["s3:GetObject", *(["s3:DeleteObject", "s3:PutObject"] if write else [])],
            [at.names.bucket_arn(bucket, ".pulumi/*")],
        ),
        allow("ListState", ["s3:GetBucketLocation", "s3:ListBucket"], [at.names.bucket_arn(bucket)]),
        allow(
            "StateKey",
            ["kms:Decrypt", *(["kms:GenerateDataKey"] if write else [])],
            [at.names.arn("kms", "key/*")],
            key,
        ),
        allow(
            "Secrets",
            ["kms:Decrypt", *(["kms:Encrypt"] if write else [])],
            [at.names.arn("kms", "key/*")],
            {"ForAnyValue:StringEquals": key["ForAnyValue:StringEquals"]},
        ),
    ]
