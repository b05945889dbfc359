"""One hash over a folder, as a build's shell takes it (definitions/buildspecs.py) and as programs do."""

import hashlib
from collections.abc import Iterable


def file_line(name: bytes, body: bytes) -> bytes:
    """A line of GNU's sha256sum: where a name has a backslash or a line break, both are escaped by a backslash.

    `name` is relative to the folder and begins with `./`.
    """
    escaped = name.replace(b"\\", b"\\\\").replace(b"\n", b"\\n").replace(b"\r", b"\\r")
    return (b"\\" if escaped != name else b"") + hashlib.sha256(body).hexdigest().encode() + b"  " + escaped


def links_line(links: Iterable[tuple[bytes, bytes]]) -> bytes:
    """One line for all symbolic links, by name and target: what GNU's sha256sum says of its input.

    Names and targets may hold anything, lines of files too. No name holds two slashes in a row, and nothing a NUL.
    """
    records = sorted(name + b"//" + target + b"\0" for name, target in links)
    return hashlib.sha256(b"".join(records)).hexdigest().encode() + b"  -"


def digest(files: Iterable[bytes], links: Iterable[tuple[bytes, bytes]] = ()) -> str:
    """SHA-256 over the sorted lines of the files and the links, as 64 hex digits."""
    lines = sorted([*files, links_line(links)])
    return hashlib.sha256(b"".join(line + b"\n" for line in lines)).hexdigest()
