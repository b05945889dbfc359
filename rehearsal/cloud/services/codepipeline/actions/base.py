"""What every action has at hand: its configuration, its artifacts, and clients under its role."""

import io
import secrets
import string
import zipfile
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from rehearsal.cloud.core.api import AwsError, Cloud, Credentials, Principal
from rehearsal.cloud.services.codepipeline.state import ActionRun, Artifact, Execution, Pipeline

SERVICE = "codepipeline.amazonaws.com"
_ID_LETTERS = string.ascii_letters + string.digits
# CodePipeline shortens the names of pipeline and artifact in the keys of its store
_PIPELINE_LETTERS, _ARTIFACT_LETTERS = 20, 10


class ActionError(Exception):
    """The action fails: the code and message of its error details."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class AbandonedError(Exception):
    """The execution was stopped and its actions abandoned, or the cloud goes down."""


@dataclass
class Context:
    """One action at work."""

    cloud: Cloud
    pipeline: Pipeline
    execution: Execution
    run: ActionRun
    _keys: Credentials | None = None

    @property
    def configuration(self) -> dict[str, str]:
        """The configuration with every variable resolved."""
        return self.run.resolved

    @property
    def interrupted(self) -> bool:
        return self.cloud.clock.stopped or self.execution.abandon or self.pipeline.deleted

    def pause(self, real_seconds: float) -> None:
        """Waits before the next look at something outside. Raises `AbandonedError`."""
        self.run.wake.wait(real_seconds)
        if self.interrupted:
            raise AbandonedError

    def client(self, service: str) -> Any:
        """A client under the action's role, else the pipeline's. Raises `ActionError` where AWS refuses the role."""
        return self._client(service, self.keys())

    def output(self, name: str, extension: str = "") -> Artifact:
        """A place in the artifact store for an output artifact of this run."""
        store = self.execution.pipeline["artifactStore"]
        token = "".join(secrets.choice(_ID_LETTERS) for _ in range(7))
        prefix = f"{self.pipeline.name[:_PIPELINE_LETTERS]}/{name[:_ARTIFACT_LETTERS]}"
        return Artifact(name, store["location"], f"{prefix}/{token}{extension}")

    def encryption_key(self) -> str | None:
        """The id of the store's own key, where it has one."""
        key = self.execution.pipeline["artifactStore"].get("encryptionKey")
        return key["id"] if key else None

    def put(self, artifact: Artifact, body: bytes) -> None:
        """Stores an output artifact, encrypted with the store's key."""
        extra = {"ServerSideEncryption": "aws:kms"}
        key = self.encryption_key()
        if key:
            extra["SSEKMSKeyId"] = key
        try:
            self.client("s3").put_object(Bucket=artifact.bucket, Key=artifact.key, Body=body, **extra)
        except ClientError as error:
            where = f"s3://{artifact.bucket}/{artifact.key}"
            raise ActionError(
                "PermissionError", f"The artifact could not be stored at {where}: {describe_error(error)}"
            ) from error
        self.run.outputs.append(artifact)

    def read(self, artifact: Artifact, path: str) -> bytes:
        """One file of an input artifact. Raises `ActionError`."""
        try:
            body = self.client("s3").get_object(Bucket=artifact.bucket, Key=artifact.key)["Body"].read()
            with zipfile.ZipFile(io.BytesIO(body)) as archive:
                return archive.read(path)
        except ClientError as error:
            raise ActionError(
                "PermissionError", f"The artifact {artifact.name} cannot be read: {describe_error(error)}"
            ) from error
        except zipfile.BadZipFile as error:
            raise ActionError("ConfigurationError", f"The artifact {artifact.name} is not a zip archive") from error
        except KeyError as error:
            raise ActionError("ConfigurationError", f"The artifact {artifact.name} has no file {path}") from error

    def keys(self) -> Credentials:
        """Keys of the action's role, else of the pipeline's. Raises `ActionError`."""
        if self._keys is None:
            self._keys = self._assume()
        return self._keys

    def principal(self) -> Principal:
        """The session behind these keys. Raises `ActionError`."""
        identity = self.cloud.accounts.find(self.keys().access_key_id)
        assert identity is not None, "the keys were issued a moment ago"
        return identity.principal

    def _assume(self) -> Credentials:
        keys = self._pipeline_keys()
        role = self.run.declaration.get("roleArn")
        if not role:
            return keys
        try:
            answer = self._client("sts", keys).assume_role(RoleArn=role, RoleSessionName=self._session())
        except ClientError as error:
            raise ActionError(
                "PermissionError",
                f"The service role {self.execution.pipeline['roleArn']} may not assume the action role {role}: "
                f"{describe_error(error)}",
            ) from error
        given = answer["Credentials"]
        return Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"], given["Expiration"])

    def _pipeline_keys(self) -> Credentials:
        role = self.execution.pipeline["roleArn"]
        try:
            return self.cloud.assume_for_service(role, SERVICE, self._session(), source_arn=self.pipeline.arn)
        except AwsError as error:
            raise ActionError(
                "PermissionError",
                f"CodePipeline is not authorized to perform AssumeRole on role {role}: {error.message}",
            ) from error

    def _client(self, service: str, keys: Credentials) -> Any:
        account = self.pipeline.account
        return self.cloud.client(service, account, self.pipeline.region, credentials=keys)

    def _session(self) -> str:
        return f"codepipeline-{self.run.id.replace('-', '')[:32]}"


def describe_error(error: ClientError) -> str:
    """Code and message of an AWS error, as people read them."""
    detail = error.response.get("Error", {})
    return f"{detail.get('Message', '')} (Service: {error.operation_name}; Error Code: {detail.get('Code', 'Unknown')})"
