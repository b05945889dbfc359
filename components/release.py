"""Which release an environment is to serve: the one named, else the one it serves now."""

import base64
import contextlib
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pulumi
from pulumi_aws.s3.get_object import get_object
from pulumi_aws.ssm.get_parameters_by_path import get_parameters_by_path

from components.signature import verify
from contracts.pointer import Pointer, PointerError, parse_pointer, render_pointer
from contracts.release import Release, ReleaseError, parse_release, vouched
from contracts.s3 import parse_s3_uri
from contracts.signature import signature_of


@dataclass(frozen=True)
class LocatedRelease:
    """A release with the address of its manifest and the SHA-256 of the manifest's text."""

    release: Release
    manifest: str
    sha256: str
    follows: bool = False
    """Whether the environment has recorded a release, this one or another, that callers may be with."""
    recorded: str = ""
    """Id of that release, where the record can be read."""

    @property
    def compared(self) -> bool:
        """Whether the evaluation knows where the predictions of this model and of the one that serves lie.

        Of a release that serves already, its own shift is long over: what was known then is taken to have been so.
        """
        pair = self.release.pair
        if pair is None or pair.table is None or self.release.distribution is None:
            return False
        return self.recorded in (pair.release, self.release.id)

    @property
    def pointer(self) -> str:
        """What the environment records after success."""
        return render_pointer(Pointer(self.release.id, self.manifest, self.sha256))


@dataclass(frozen=True)
class Trust:
    """Whose signature vouches for a manifest, and which manifests are believed without one.

    `key` is the ARN of the key, or of an alias. `unsigned` are SHA-256s of manifests from before they were signed.
    """

    key: str
    unsigned: Sequence[str] = ()


def find(named: str, sha256: str, pointer: str, retire: bool, trust: Trust) -> LocatedRelease | None:
    """The release to serve, or None where none is (or it is to be retired).

    `named` and `sha256` come from config, `pointer` is the name of the parameter with the present release. Raises
    `pulumi.RunError` for a manifest, or anything that it vouches for, that is missing, malformed or changed, and for a
    manifest that is not signed.
    """
    if retire and named:
        raise pulumi.RunError(
            f"glidepath:retire is true and glidepath:release names {named}: unset one of them; nothing was touched"
        )
    if retire:
        return None
    recorded = _recorded(pointer)
    if named:
        return replace(load(named, trust, sha256), follows=recorded is not None, recorded=_id(recorded))
    if recorded is None:
        return None
    present = _present(pointer, recorded)
    return replace(load(present.manifest, trust, present.sha256, serves=True), follows=True, recorded=present.id)


def load(manifest: str, trust: Trust, sha256: str = "", serves: bool = False) -> LocatedRelease:
    """The manifest at an address, checked, with all that it vouches for. `serves`: the environment has recorded it."""
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
    if release.hashes is None:
        _refuse_older(manifest, release, actual, trust, serves)
    else:
        verify(trust.key, manifest, actual, _text(signature_of(manifest), "signature"))
    for what, uri, wanted in vouched(release):
        if wanted:
            _verify(release.id, what, uri, wanted)
    return LocatedRelease(release, manifest, actual)


def _refuse_older(manifest: str, release: Release, sha256: str, trust: Trust, serves: bool) -> None:
    """A manifest from before manifests were signed: what serves goes on, anything else must have been named.

    The record of what serves holds the manifest's hash, and only a deployment writes it.
    """
    if serves or sha256 in trust.unsigned:
        pulumi.log.warn(f"release {release.id} is from before manifests were signed: nobody vouches for {manifest}")
        return
    raise pulumi.RunError(
        f"{manifest} (release {release.id}) is of the kind from before manifests were signed: if you trust it, name its"
        f" SHA-256 in glidepath:unsigned ({sha256}; ./glidepath rollback does so with --unsigned), else train the"
        " release anew; nothing was touched"
    )


def _recorded(pointer: str) -> str | None:
    """What the environment remembers, as it stands there."""
    try:
        found = get_parameters_by_path(path=pointer.rpartition("/")[0])
    except Exception as error:  # noqa: BLE001  # an invoke raises nothing narrower
        raise pulumi.RunError(
            f"the release recorded in {pointer} cannot be read: {error}; nothing was touched"
        ) from None
    return dict(zip(found.names, found.values, strict=True)).get(pointer)


def _id(recorded: str | None) -> str:
    with contextlib.suppress(PointerError):
        return parse_pointer(recorded or "").id
    return ""


def _present(pointer: str, recorded: str) -> Pointer:
    with contextlib.suppress(PointerError):
        present = parse_pointer(recorded)
        # Nothing else says that a manifest is the one that was deployed.
        if present.sha256:
            return present
    raise pulumi.RunError(
        f"parameter {pointer} does not hold a release: {recorded!r}. Name the release to serve with"
        " -c glidepath:release=s3://…/manifest.json; nothing was touched"
    )


def _text(uri: str, what: str = "manifest") -> str:
    bucket, key = parse_s3_uri(uri)
    try:
        found = get_object(bucket=bucket, key=key)
    except Exception as error:  # noqa: BLE001  # an invoke raises nothing narrower
        raise pulumi.RunError(f"the release {what} {uri} cannot be read: {error}; nothing was touched") from None
    # The provider hands over only what calls itself text, whatever the SDK's type says.
    body: str | None = found.body
    if body is None:
        raise pulumi.RunError(
            f"the release {what} {uri} is stored as {found.content_type or 'no type'}, which cannot be read as"
            " text: store it with content type application/json; nothing was touched"
        )
    return body


def _verify(release: str, what: str, uri: str, wanted: str) -> None:
    """Refuse an object that is not the one that was evaluated and approved."""
    bucket, key = parse_s3_uri(uri)
    try:
        stored = get_object(bucket=bucket, key=key, checksum_mode="ENABLED").checksum_sha256
    except Exception as error:  # noqa: BLE001  # an invoke raises nothing narrower
        raise pulumi.RunError(f"the {what} {uri} cannot be read: {error}; nothing was touched") from None
    if not stored:
        raise pulumi.RunError(
            f"the {what} {uri} carries no SHA-256 checksum, so it cannot be verified: run the pipeline again; nothing"
            " was touched"
        )
    actual = base64.b64decode(stored).hex()
    if actual != wanted:
        raise pulumi.RunError(
            f"the {what} {uri} has SHA-256 {actual}, but release {release} vouches for {wanted}: the {what} changed."
            " Do not deploy it; run the pipeline again; nothing was touched"
        )
