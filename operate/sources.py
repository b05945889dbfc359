"""The hash of a source, as an approval names it: what a commit holds, whatever carried it into the build.

The builds of the pipeline take it in the shell, before anything of the source runs (definitions/buildspecs.py).
"""

import os
import tempfile
from pathlib import Path

from contracts import tree
from operate.previews import checkout


def of_commit(root: Path, reference: str) -> str:
    """SHA-256 of a commit's files. Raises UserError where there is no such commit."""
    with tempfile.TemporaryDirectory() as folder:
        return of_folder(checkout(root, reference, Path(folder)))


def of_folder(folder: Path) -> str:
    """SHA-256 over the sorted lines of `sha256sum` for each file, and one for all links."""
    lines, links = [], []
    for place, folders, files in os.walk(folder):
        for name in [*files, *folders]:
            path = Path(place, name)
            relative = b"./" + os.fsencode(path.relative_to(folder))
            if path.is_symlink():
                links.append((relative, os.readlink(os.fsencode(path))))
            elif path.is_file():
                lines.append(tree.file_line(relative, path.read_bytes()))
    return tree.digest(lines, links)
