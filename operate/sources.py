"""The hash of a source, as an approval names it: what a commit holds, whatever carried it into the build.

The builds of the pipeline take it in the shell, before anything of the source runs (definitions/buildspecs.py).
"""

import hashlib
import os
import tempfile
from pathlib import Path

from operate.previews import checkout


def of_commit(root: Path, reference: str) -> str:
    """SHA-256 of a commit's files. Raises UserError where there is no such commit."""
    with tempfile.TemporaryDirectory() as folder:
        return of_folder(checkout(root, reference, Path(folder)))


def of_folder(folder: Path) -> str:
    """SHA-256 over the sorted lines of `sha256sum` for each file, and a line `path -> target` for each link."""
    lines = []
    for place, folders, files in os.walk(folder):
        for name in [*files, *folders]:
            path = Path(place, name)
            relative = b"./" + os.fsencode(path.relative_to(folder))
            if path.is_symlink():
                lines.append(relative + b" -> " + os.readlink(os.fsencode(path)))
            elif path.is_file():
                lines.append(_line(hashlib.sha256(path.read_bytes()).hexdigest().encode(), relative))
    return hashlib.sha256(b"".join(line + b"\n" for line in sorted(lines))).hexdigest()


def _line(digest: bytes, name: bytes) -> bytes:
    """As GNU's sha256sum writes it: where a name has a backslash or a line break, both are escaped by a backslash."""
    escaped = name.replace(b"\\", b"\\\\").replace(b"\n", b"\\n").replace(b"\r", b"\\r")
    return (b"\\" if escaped != name else b"") + digest + b"  " + escaped
