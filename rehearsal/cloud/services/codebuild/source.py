"""Where a build's files come from and go to; every call under the project's role."""

from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from rehearsal.cloud.services.codebuild.artifacts import ArtifactError, collect, pack, unpack
from rehearsal.cloud.services.codebuild.buildspec import ArtifactSpec, Buildspec
from rehearsal.cloud.services.codebuild.state import Build, StoredArtifact

DEFAULT_BUILDSPEC = "buildspec.yml"


class PhaseError(Exception):
    """A phase of CodeBuild's own fails: the status code and message of its context."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def download(build: Build, s3: Any, folder: Path) -> dict[str, Path]:
    """Fetches the source; gives each source's folder by name, the primary one under ''. Raises `PhaseError`."""
    source = build.data["source"]
    if source["type"] == "CODEPIPELINE":
        return _download_inputs(build, s3, folder)
    primary = folder / "src"
    primary.mkdir(parents=True)
    if source["type"] == "NO_SOURCE":
        return {"": primary}
    if source["type"] != "S3":
        raise PhaseError("CLIENT_ERROR", f"source type {source['type']} is not implemented by the rehearsal")
    bucket, _, key = source["location"].removeprefix("arn:aws:s3:::").partition("/")
    version = build.data.get("sourceVersion")
    _fetch(s3, bucket, key, primary, version)
    if version:
        build.data["resolvedSourceVersion"] = version
    return {"": primary}


def read_buildspec(build: Build, s3: Any, primary: Path) -> str:
    """The text of the buildspec: inline, in S3, or a file of the source. Raises `PhaseError`."""
    given = build.data["source"].get("buildspec") or DEFAULT_BUILDSPEC
    if "\n" in given or given.lstrip().startswith("{"):
        return str(given)
    if given.startswith("arn:aws:s3:::"):
        bucket, _, key = given.removeprefix("arn:aws:s3:::").partition("/")
        return _get(s3, bucket, key, None).decode()
    path = primary / given
    if not path.is_file():
        raise PhaseError("YAML_FILE_ERROR", f"stat {given}: no such file or directory")
    return path.read_text()


def upload(build: Build, spec: Buildspec, s3: Any, primary: Path) -> None:
    """Packs and stores the artifacts that project and buildspec name. Raises `PhaseError`."""
    kind = build.project["artifacts"]["type"]
    try:
        if kind == "CODEPIPELINE":
            _upload_outputs(build, spec, s3, primary)
        if kind == "S3":
            _upload_to_bucket(build, spec, s3, primary)
        if build.project.get("secondaryArtifacts") and kind != "CODEPIPELINE":
            raise PhaseError("CLIENT_ERROR", "secondary artifacts outside a pipeline: not implemented by the rehearsal")
    except ArtifactError as error:
        raise PhaseError("CLIENT_ERROR", str(error)) from error


def _download_inputs(build: Build, s3: Any, folder: Path) -> dict[str, Path]:
    assert build.pipeline is not None
    folders: dict[str, Path] = {}
    for number, artifact in enumerate(build.pipeline.inputs):
        primary = artifact.name == build.pipeline.primary
        place = folder / ("src" if primary else f"secondary-{number}")
        _fetch(s3, artifact.bucket, artifact.key, place, None)
        folders["" if primary else artifact.name] = place
        if primary:
            build.data["sourceVersion"] = f"arn:aws:s3:::{artifact.bucket}/{artifact.key}"
    return folders


def _fetch(s3: Any, bucket: str, key: str, place: Path, version: str | None) -> None:
    try:
        unpack(_get(s3, bucket, key, version), place)
    except ArtifactError as error:
        raise PhaseError("CLIENT_ERROR", f"{error} (s3://{bucket}/{key})") from error


def _get(s3: Any, bucket: str, key: str, version: str | None) -> bytes:
    wanted = {"Bucket": bucket, "Key": key} | ({"VersionId": version} if version else {})
    try:
        return bytes(s3.get_object(**wanted)["Body"].read())
    except ClientError as error:
        detail = error.response["Error"]
        raise PhaseError(
            "CLIENT_ERROR", f"{detail.get('Code')}: {detail.get('Message')} for primary source s3://{bucket}/{key}"
        ) from error


def _upload_outputs(build: Build, spec: Buildspec, s3: Any, primary: Path) -> None:
    assert build.pipeline is not None
    outputs = build.pipeline.outputs
    shown: list[dict[str, Any]] = []
    for output in outputs:
        files = collect(_spec_for(output, spec, only=len(outputs) == 1), primary)
        _put(s3, output.bucket, output.key, pack(files), build.data["encryptionKey"])
        shown.append({"location": f"arn:aws:s3:::{output.bucket}/{output.key}", "artifactIdentifier": output.name})
    if len(shown) == 1:
        build.data["artifacts"] = {"location": shown[0]["location"]}
    elif shown:
        build.data["secondaryArtifacts"] = shown


def _spec_for(output: StoredArtifact, spec: Buildspec, only: bool) -> ArtifactSpec:
    if output.name in spec.secondary_artifacts:
        return spec.secondary_artifacts[output.name]
    if only and spec.artifacts:
        return spec.artifacts
    where = "artifacts section" if only else "entry under artifacts.secondary-artifacts"
    raise PhaseError("CLIENT_ERROR", f"the buildspec has no {where} for the output artifact {output.name}")


def _upload_to_bucket(build: Build, spec: Buildspec, s3: Any, primary: Path) -> None:
    if spec.artifacts is None:
        return
    wanted = build.project["artifacts"]
    files = collect(spec.artifacts, primary)
    parts = [wanted.get("path", "").strip("/")]
    if wanted.get("namespaceType") == "BUILD_ID":
        parts.append(build.id.partition(":")[2])
    name = spec.artifacts.name if wanted.get("overrideArtifactName") and spec.artifacts.name else wanted.get("name", "")
    parts.append(name.strip("/"))
    prefix = "/".join(part for part in parts if part)
    bucket = wanted["location"].removeprefix("arn:aws:s3:::")
    key = None if wanted.get("encryptionDisabled") else build.data["encryptionKey"]
    if wanted.get("packaging") == "ZIP":
        _put(s3, bucket, prefix or build.data["projectName"], pack(files), key)
    else:
        for path, file in files:
            _put(s3, bucket, f"{prefix}/{file}" if prefix else file, path.read_bytes(), key)
    build.data["artifacts"] = {"location": f"arn:aws:s3:::{bucket}/{prefix}"}


def _put(s3: Any, bucket: str, key: str, body: bytes, encryption_key: str | None) -> None:
    extra = {"ServerSideEncryption": "aws:kms"} if encryption_key else {}
    # the account's own S3 key is not named in the request: S3 takes it by itself
    if encryption_key and not encryption_key.endswith("alias/aws/s3"):
        extra["SSEKMSKeyId"] = encryption_key
    try:
        s3.put_object(Bucket=bucket, Key=key, Body=body, **extra)
    except ClientError as error:
        detail = error.response["Error"]
        raise PhaseError(
            "CLIENT_ERROR", f"Error in UPLOAD_ARTIFACTS phase: {detail.get('Code')}: {detail.get('Message')}"
        ) from error
