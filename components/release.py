"""Which release an environment is to serve: the one named, else the one it serves now."""

import base64
import hashlib
import json
from dataclasses import dataclass, replace

import pulumi
from pulumi_aws.s3.get_object import get_object
from pulumi_aws.ssm.get_parameters_by_path import get_parameters_by_path

from contracts.release import Release, ReleaseError, parse_release
from contracts.s3 import parse_s3_uri


@dataclass(frozen=True)
class LocatedRelease:
    """A release with the address of its manifest and the SHA-256 of the manifest's text."""

    release: Release
    manifest: str
    sha256: str
    follows: bool = False
    """Whether the environment has recorded a release, this one or another, that callers may be with."""

    @property
    def pointer(self) -> str:
        """What the environment records after success."""
        return json.dumps({"id": self.release.id, "manifest": self.manifest, "sha256": self.sha256})


def find(named: str, sha256: str, pointer: str, retire: bool) -> LocatedRelease | None:
    """The release to serve, or None where none is (or it is to be retired).

    `named` and `sha256` come from config, `pointer` is the name of the parameter with the present release. Raises
    `pulumi.RunError` for a manifest or artifact that is missing, malformed or changed.
    """
    if retire and named:
        raise pulumi.RunError(
            f"glidepath:retire is true and glidepath:release names {named}: unset one of them; nothing was touched"
        )
    if retire:
        return None
    recorded = _recorded(pointer)
    if named:
        return replace(load(named, sha256), follows=recorded is not None)
    if recorded is None:
        return None
    present = _present(pointer, recorded)
    return replace(load(present["manifest"], present["sha256"]), follows=True)


def load(manifest: str, sha256: str = "") -> LocatedRelease:
    """The manifest at an address, checked, with the artifact it vouches for."""
    text = _text(manifest)
    actual = hashlib.sha256(text.encode()).hexdigest()
    if sha256 and actual != sha256:
        raise pulumi.RunError(
            f"{manifest} has SHA-256 {actual}, but {sha256} was approved: the manifest was changed. Run the pipeline"
            " again and approve its release; nothing was touched"
        )
    try:
        release = parse_release(text)
    except ReleaseError as error:
        raise pulumi.RunError(f"{manifest} is no release manifest: {error}; nothing was touched") from None
    _verify(release)
    return LocatedRelease(release, manifest, actual)


def _recorded(pointer: str) -> str | None:
    """What the environment remembers, as it stands there."""
    try:
        found = get_parameters_by_path(path=pointer.rpartition("/")[0])
    except Exception as error:  # noqa: BLE001  # an invoke raises nothing narrower
        raise pulumi.RunError(
            f"the release recorded in {pointer} cannot be read: {error}; nothing was touched"
        ) from None
    return dict(zip(found.names, found.values, strict=True)).get(pointer)


def _present(pointer: str, recorded: str) -> dict[str, str]:
    try:
        record = json.loads(recorded)
        return {"manifest": str(record["manifest"]), "sha256": str(record["sha256"])}
    except (ValueError, KeyError, TypeError):
        raise pulumi.RunError(
            f"parameter {pointer} does not hold a release: {recorded!r}. Name the release to serve with"
            " -c glidepath:release=s3://…/manifest.json; nothing was touched"
        ) from None


def _text(manifest: str) -> str:
    bucket, key = parse_s3_uri(manifest)
    try:
        found = get_object(bucket=bucket, key=key)
    except Exception as error:  # noqa: BLE001  # an invoke raises nothing narrower
        raise pulumi.RunError(f"the release manifest {manifest} cannot be read: {error}; nothing was touched") from None
    # The provider hands over only what calls itself text, whatever the SDK's type says.
    body: str | None = found.body
    if body is None:
        raise pulumi.RunError(
            f"the release manifest {manifest} is stored as {found.content_type or 'no type'}, which cannot be read as"
            " text: store it with content type application/json; nothing was touched"
        )
    return body


def _verify(release: Release) -> None:
    """Refuse an artifact that is not the one that was evaluated and approved."""
    bucket, key = parse_s3_uri(release.model.artifact)
    try:
        stored = get_object(bucket=bucket, key=key, checksum_mode="ENABLED").checksum_sha256
    except Exception as error:  # noqa: BLE001  # an invoke raises nothing narrower
        raise pulumi.RunError(
            f"the artifact {release.model.artifact} cannot be read: {error}; nothing was touched"
        ) from None
    if not stored:
        raise pulumi.RunError(
            f"the artifact {release.model.artifact} carries no SHA-256 checksum, so it cannot be verified: run the"
            " pipeline again; nothing was touched"
        )
    actual = base64.b64decode(stored).hex()
    if actual != release.model.sha256:
        raise pulumi.RunError(
            f"the artifact {release.model.artifact} has SHA-256 {actual}, but release {release.id} vouches for"
            f" {release.model.sha256}: the artifact was changed. Do not deploy it; run the pipeline again;"
            " nothing was touched"
        )
