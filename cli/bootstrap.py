"""Make the bucket and the key for Pulumi's state in the tooling account, once."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.app import new_app

if TYPE_CHECKING:
    from operate.clients import Clients
    from operate.project import Project

app = new_app()


@app.command()
def bootstrap(
    bucket: Annotated[
        str, typer.Option(help="Name of the state bucket; default: <name>-state-<account>-<region>.")
    ] = "",
    aws: Annotated[bool, typer.Option("--aws", help="Act on your own accounts instead of the rehearsal.")] = False,
) -> None:
    """Make an encrypted, versioned, private bucket and a KMS key, and print what to do next.

    Kept out of the stacks, since no stack can hold the place of its own state. Safe to repeat.
    """
    from cli.place import ROOT, enter

    enter(aws)
    from operate.clients import Clients
    from operate.project import read_project

    project = read_project(ROOT)
    clients = Clients(project)
    bucket = bucket or f"{project.names.name}-state-{project.names.accounts['delivery']}-{project.names.region}"
    key = ensure_key(clients, f"alias/{project.names.name}-state")
    ensure_bucket(clients, project, bucket, key)
    print(next_steps(project, bucket))


def ensure_key(clients: "Clients", alias: str) -> str:
    """The ARN of the key behind the alias; made, with yearly rotation, where there is none."""
    kms = clients.of("delivery", "kms")
    try:
        return str(kms.describe_key(KeyId=alias)["KeyMetadata"]["Arn"])
    except kms.exceptions.NotFoundException:
        arn = str(kms.create_key(Description="Encrypts Pulumi's state and secrets")["KeyMetadata"]["Arn"])
        kms.enable_key_rotation(KeyId=arn)
        kms.create_alias(AliasName=alias, TargetKeyId=arn)
        return arn


def ensure_bucket(clients: "Clients", project: "Project", bucket: str, key: str) -> None:
    """The bucket with every setting that its content needs; a bucket of another account is refused by AWS."""
    s3: Any = clients.of("delivery", "s3")
    owned = {item["Name"] for item in s3.list_buckets()["Buckets"]}
    if bucket not in owned:
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": project.names.region})
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    encryption = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    rule = {"ApplyServerSideEncryptionByDefault": encryption, "BucketKeyEnabled": True}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    blocks = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=dict.fromkeys(blocks, True))
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(tls_only(bucket)))


def tls_only(bucket: str) -> dict[str, Any]:
    """A bucket policy that refuses every request without TLS."""
    arn = f"arn:aws:s3:::{bucket}"
    statement = {
        "Sid": "RefusePlainText",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, f"{arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def next_steps(project: "Project", bucket: str) -> str:
    """The lines that a person runs next."""
    profile = project.names.stack("delivery")
    secrets = f"awskms:///alias/{project.names.name}-state?region={project.names.region}&profile={profile}"
    inits = [f"pulumi stack init {stack} --secrets-provider '{secrets}'" for stack in ("delivery", "dev", "prod")]
    login = f"pulumi login 's3://{bucket}?region={project.names.region}&profile={profile}&awssdk=v2'"
    return "\n".join(["state bucket and key are ready; next:", f"  {login}", *(f"  {line}" for line in inits)])
