"""What plans and deploys in the pipeline's builds: pinned by an administrator, fetched before any of the source runs.

A source that brought its own would be free to leave out what it is to be checked for.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from contracts import tree

LOCK = "requirements.lock"
"""What builds install."""


@dataclass(frozen=True)
class Tools:
    """`sha256` names the folder (contracts/tree.py), `lock_sha256` the libraries that it needs."""

    sha256: str
    lock_sha256: str

    @property
    def key(self) -> str:
        """Key of the archive in the artifacts bucket."""
        return f"tools/{self.sha256}.zip"


def pin(files: Mapping[str, bytes]) -> Tools:
    """The hashes of these files, by their path. `requirements.lock` is one of them."""
    lines = (tree.file_line(f"./{name}".encode(), body) for name, body in files.items())
    return Tools(tree.digest(lines), hashlib.sha256(files[LOCK]).hexdigest())
