"""One hash over a folder, as a build's shell takes it (definitions/buildspecs.py) and as programs do."""

import hashlib
from collections.abc import Iterable


def file_line(name: bytes, body: bytes) -> bytes:
    """A line of GNU's sha256sum: where a name has a backslash or a line break, both are escaped by a backslash.

    `name` is relative to the folder and begins with `./`.
    """
    escaped = name.replace(b"\\", b"\\\\").replace(b"\n", b"\\n").replace(b"\r", b"\\r")
    return (b"\\" if escaped != name else b"") + hashlib.sha256(body).hexdigest().encode() + b"  " + escaped


def link_line(name: bytes, target: bytes) -> bytes:
    """The line of a symbolic link."""
    return name + b" -> " + target


def digest(lines: Iterable[bytes]) -> str:
    """SHA-256 over the sorted lines, as 64 hex digits."""
    return hashlib.sha256(b"".join(line + b"\n" for line in sorted(lines))).hexdigest()
