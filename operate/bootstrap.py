"""The place of Pulumi's state, which no stack can hold: a bucket and a key in the tooling account."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from contracts.names import DELIVERY
from definitions.roles.statements import document
from definitions.storage import tls_only
from operate.clients import Clients
from operate.project import Project


@dataclass(frozen=True)
class Place:
    """Where the state of a project's stacks is, and what encrypts its secrets.

    The addresses name no profile: a build has none of that name, and opens state and key by its own role.
    """

    project: Project
    bucket: str

    @property
    def alias(self) -> str:
        """The key's."""
        return f"alias/{self.project.names.name}-state"

    @property
    def backend(self) -> str:
        """For `pulumi login`, and for the pipeline's builds."""
        return f"s3://{self.bucket}?region={self.project.names.region}&awssdk=v2"

    def secrets_provider(self, stack: str) -> str:
        """What a stack's secrets are encrypted by. Its context keeps one stack's role from opening another's.

        `context_` puts a pair into the encryption context: https://pkg.go.dev/gocloud.dev/secrets/awskms#URLOpener
        """
        return f"awskms:///{self.alias}?region={self.project.names.region}&context_stack={stack}"

    @property
    def setting(self) -> Mapping[str, str]:
        """`glidepath:state` of the delivery stack."""
        return {"backend": self.backend}

    @property
    def commands(self) -> list[str]:
        """What an administrator's shell runs next, in the checkout."""
        inits = [
            f"pulumi stack init {stack} --no-select --secrets-provider '{self.secrets_provider(stack)}'"
            for stack in self.project.names.stacks
        ]
        return [
            f"export AWS_PROFILE={self.project.names.stack(DELIVERY)}",
            f"pulumi login '{self.backend}'",
            *inits,
        ]


def place(project: Project, bucket: str = "") -> Place:
    """The state's place; without a bucket's name, in the one that is named after project, account and region."""
    names = project.names
    return Place(project, bucket or f"{names.name}-state-{names.delivery_account}-{names.region}")


def ensure(clients: Clients, where: Place) -> None:
    """Bucket and key, as they have to be. Safe to repeat."""
    ensure_bucket(clients, where.project, where.bucket, ensure_key(clients, where.alias))


def ensure_key(clients: Clients, alias: str) -> str:
    """The ARN of the key behind the alias; made, with yearly rotation, where there is none."""
    kms = clients.of(DELIVERY, "kms")
    try:
        return str(kms.describe_key(KeyId=alias)["KeyMetadata"]["Arn"])
    except kms.exceptions.NotFoundException:
        arn = str(kms.create_key(Description="Encrypts Pulumi's state and secrets")["KeyMetadata"]["Arn"])
        kms.enable_key_rotation(KeyId=arn)
        kms.create_alias(AliasName=alias, TargetKeyId=arn)
        return arn


def ensure_bucket(clients: Clients, project: Project, bucket: str, key: str) -> None:
    """The bucket with every setting that its content needs; a bucket of another account is refused by AWS."""
    s3: Any = clients.of(DELIVERY, "s3")
    owned = {item["Name"] for item in s3.list_buckets()["Buckets"]}
    if bucket not in owned:
        s3.create_bucket(Bucket=bucket, **_location(project.names.region))
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    encryption = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    rule = {"ApplyServerSideEncryptionByDefault": encryption, "BucketKeyEnabled": True}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    blocks = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=dict.fromkeys(blocks, True))
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(document(tls_only(project.names.bucket_arn(bucket)))))


def _location(region: str) -> dict[str, Any]:
    """Where CreateBucket makes a bucket. us-east-1 is S3's default, and refused where it is named.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html (LocationConstraint)
    """
    return {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
