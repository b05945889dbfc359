"""Source actions: S3, and repositories behind a connection."""

from pathlib import PurePosixPath
from typing import Any

from botocore.exceptions import ClientError

from rehearsal.cloud.authorization.enforce import may
from rehearsal.cloud.core.api import Place
from rehearsal.cloud.services.codeconnections import connections, repositories
from rehearsal.cloud.services.codepipeline.actions.base import ActionError, Context, describe_error


def s3(context: Context) -> None:
    """Copies one version of an object into the artifact store."""
    bucket = context.configuration["S3Bucket"]
    key = _override(context, "S3_OBJECT_KEY") or context.configuration["S3ObjectKey"]
    client = context.client("s3")
    _check_versioned(client, bucket)
    wanted = {"Bucket": bucket, "Key": key}
    version = _override(context, "S3_OBJECT_VERSION_ID")
    if version:
        wanted["VersionId"] = version
    try:
        found = client.get_object(**wanted)
        body = found["Body"].read()
    except ClientError as error:
        raise _unreadable(error, bucket, key, version) from error
    name = context.run.declaration["outputArtifacts"][0]["name"]
    context.put(context.output(name, PurePosixPath(key).suffix), body)
    context.run.variables = {
        "BucketName": bucket,
        "ETag": found["ETag"].strip('"'),
        "ObjectKey": key,
        "VersionId": found["VersionId"],
    }
    context.run.external_id = found["VersionId"]
    context.run.summary = f"Amazon S3 version id: {found['VersionId']}"
    _revise(context, name, found["VersionId"], context.run.summary, found["LastModified"])


def codecommit(context: Context) -> None:
    """CodeCommit's git server is not part of the rehearsal."""
    raise ActionError("NotImplemented", "source action CodeCommit is not implemented by the rehearsal")


def connection(context: Context) -> None:
    """Packs a commit of the repository that is registered with the rehearsal under the connection's full name."""
    configuration = context.configuration
    arn, repository = configuration["ConnectionArn"], configuration["FullRepositoryId"]
    _use_connection(context, arn, repository)
    if configuration.get("OutputArtifactFormat", "CODE_ZIP") != "CODE_ZIP":
        raise ActionError(
            "NotImplemented", "OutputArtifactFormat CODEBUILD_CLONE_REF is not implemented by the rehearsal"
        )
    try:
        commit = repositories.read(
            context.cloud, repository, configuration["BranchName"], _override(context, "COMMIT_ID")
        )
    except repositories.RepositoryError as error:
        raise ActionError("ConfigurationError", str(error)) from error
    name = context.run.declaration["outputArtifacts"][0]["name"]
    context.put(context.output(name, ".zip"), commit.archive)
    context.run.variables = {
        "AuthorDate": commit.date,
        "AuthorDisplayName": commit.author,
        "AuthorEmail": commit.email,
        "BranchName": configuration["BranchName"],
        "CommitId": commit.id,
        "CommitMessage": commit.message,
        "ConnectionArn": arn,
        "FullRepositoryName": repository,
    }
    context.run.external_id = commit.id
    context.run.summary = commit.message
    _revise(context, name, commit.id, commit.message, context.cloud.clock.now())


def _use_connection(context: Context, arn: str, repository: str) -> None:
    """Using a connection is a permission without an operation of its own: `UseConnection`, under the action's role."""
    session = context.principal()
    found = connections.find(context.cloud, arn)
    service = arn.split(":")[2] if arn.startswith("arn:") else "codeconnections"
    role = session.role_arn
    asked = {"ConnectionArn": arn, "FullRepositoryId": repository}
    place = Place(context.pipeline.account, context.pipeline.region)
    if not may(context.cloud, session, place, service, "UseConnection", asked):
        raise ActionError("PermissionError", f"[Connection] The role {role} may not use the connection {arn}")
    if found is None:
        raise ActionError("ConfigurationError", f"[Connection] Unable to use Connection: {arn} does not exist")
    if found["ConnectionStatus"] != "AVAILABLE":
        status = found["ConnectionStatus"]
        raise ActionError("ConfigurationError", f"[Connection] Connection {arn} is not available: {status}")


def _override(context: Context, kind: str) -> str | None:
    for override in context.execution.overrides:
        if override["actionName"] == context.run.name and override["revisionType"] == kind:
            return override["revisionValue"]
    return None


def _check_versioned(client: Any, bucket: str) -> None:
    try:
        status = client.get_bucket_versioning(Bucket=bucket).get("Status")
    except ClientError as error:
        code = "ConfigurationError" if error.response["Error"].get("Code") == "NoSuchBucket" else "PermissionError"
        raise ActionError(
            code, f"The versioning of the Amazon S3 bucket {bucket} cannot be read. {describe_error(error)}"
        ) from error
    if status != "Enabled":
        raise ActionError(
            "ConfigurationError", f"The Amazon S3 bucket {bucket} must be versioned to be used as a source"
        )


def _unreadable(error: ClientError, bucket: str, key: str, version: str | None) -> ActionError:
    code = error.response["Error"].get("Code")
    if code in ("NoSuchKey", "404", "NoSuchVersion"):
        which = f" with version id {version}" if version else ""
        return ActionError(
            "ConfigurationError",
            f"The Amazon S3 object {key}{which} does not exist in the bucket {bucket}. {describe_error(error)}",
        )
    return ActionError(
        "PermissionError",
        f"The provided role does not have sufficient permissions to access the Amazon S3 object {key} in {bucket}. "
        f"{describe_error(error)}",
    )


def _revise(context: Context, artifact: str, revision: str, summary: str, created: Any) -> None:
    context.execution.revisions[artifact] = {
        "name": artifact,
        "revisionId": revision,
        "revisionSummary": summary[:2048],
        "created": created,
    }
