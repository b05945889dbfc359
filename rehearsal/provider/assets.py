"""Contents of Pulumi's assets and archives. The same contents always give the same bytes."""

from __future__ import annotations

import io
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rehearsal.provider.errors import ProviderError
from rehearsal.provider.values import Asset

EPOCH = (1980, 1, 1, 0, 0, 0)


def asset_bytes(asset: Asset) -> bytes:
    """The bytes of a file, text or remote asset; an archive becomes a zip."""
    if asset.kind == "archive":
        return archive_bytes(asset)
    return _leaf_bytes(asset.fields)


def _leaf_bytes(fields: Any) -> bytes:
    if fields.get("path"):
        return _file(Path(fields["path"]))
    if fields.get("uri"):
        return _remote(str(fields["uri"]))
    return str(fields.get("text", "")).encode()


def _file(path: Path) -> bytes:
    if not path.is_file():
        raise ProviderError(f"asset {path}: no such file (looked in {Path.cwd()})")
    return path.read_bytes()


def _remote(uri: str) -> bytes:
    if not uri.startswith(("http://", "https://", "file://")):
        raise ProviderError(f"asset {uri}: expected an http, https or file address")
    try:
        with urllib.request.urlopen(uri, timeout=60) as answer:  # noqa: S310 - the schemes are checked above
            return bytes(answer.read())
    except OSError as error:
        raise ProviderError(f"asset {uri}: {error}") from error


def archive_bytes(archive: Asset) -> bytes:
    """A zip of the archive: sorted names, one fixed date, so that equal contents are equal bytes."""
    path = archive.fields.get("path")
    if path and Path(path).is_file():
        return _file(Path(path))
    if archive.fields.get("uri"):
        return _remote(str(archive.fields["uri"]))
    return _zip(sorted(_members(archive, "")))


def _members(archive: Asset, prefix: str) -> Iterator[tuple[str, bytes]]:
    path = archive.fields.get("path")
    if path:
        yield from _folder(Path(path), prefix)
        return
    if archive.fields.get("uri"):
        raise ProviderError("a remote archive cannot be nested in another archive by the rehearsal")
    for name, item in dict(archive.fields.get("assets") or {}).items():
        inner = f"{prefix}{name}"
        if item.kind == "archive":
            yield from _members(item, inner.rstrip("/") + "/" if inner not in ("", ".") else "")
        else:
            yield inner, _leaf_bytes(item.fields)


def _folder(path: Path, prefix: str) -> Iterator[tuple[str, bytes]]:
    if path.is_file() and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as inner:
            yield from ((prefix + name, inner.read(name)) for name in inner.namelist() if not name.endswith("/"))
        return
    if not path.is_dir():
        raise ProviderError(f"archive {path}: no such folder or zip file (looked in {Path.cwd()})")
    for item in path.rglob("*"):
        if item.is_file():
            yield prefix + item.relative_to(path).as_posix(), item.read_bytes()


def _zip(members: list[tuple[str, bytes]]) -> bytes:
    if not members:
        raise ProviderError("the archive is empty")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in members:
            info = zipfile.ZipInfo(name, EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            target.writestr(info, content)
    return buffer.getvalue()
