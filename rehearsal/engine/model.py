"""What an engine is, and which versions will do."""

import re
from dataclasses import dataclass
from pathlib import Path

from rehearsal.errors import UserError

MINIMUM = (3, 237, 0)
"""The oldest engine that speaks the protocol of the installed SDK and policy packs."""

BUILD_VERSION = "3.259.0"
"""The version that is installed or built where none is found: the newest one served as Go modules."""

SHA256 = {
    "linux-x64": "94ba357acac23d01474084c4b00098dc0f7bc70ce13f34c777459254a5f718e5",
    "linux-arm64": "edc8327463a72160bb36cf82cf5062da9c8a244290a706d9980988e7bf486853",
    "darwin-x64": "eaca4c3b8277bfa3ab061fa3b270d1c66358a0b2e613da8c5587a04b7226c534",
    "darwin-arm64": "57c27f179e527e2cf9f62b841a448af72a020e44b2fb4ee0d9bd85556c00c864",
}
"""Of BUILD_VERSION's release archives, as Pulumi publishes them (Formula/pulumi.rb in github.com/pulumi/homebrew-tap):
pinned here, since a list that is fetched together with the archive says nothing about it."""

HOST = "pulumi-language-python"
EXEC_SCRIPT = "pulumi-language-python-exec"
DYNAMIC_SCRIPT = "pulumi-resource-pulumi-python"

_VERSION = re.compile(r"v?(\d+)\.(\d+)\.(\d+)(?:[-+].*)?")


class EngineError(UserError):
    """There is no usable engine; the fix says what to install."""


@dataclass(frozen=True)
class Engine:
    """An engine that is ready to run.

    path: the `pulumi` executable to start (in the rehearsal's own bin folder).
    version: without a leading "v".
    built: it was built here from its Go modules.
    """

    path: Path
    version: str
    built: bool


@dataclass(frozen=True)
class LocatedEngine:
    """A `pulumi` executable somewhere on this machine.

    host: the folder of its Python language host, None where it lacks one.
    """

    path: Path
    version: str
    built: bool
    host: Path | None


def parse_version(text: str) -> tuple[int, int, int] | None:
    """The three numbers of "v3.259.0", "3.259.0-alpha" …; None for anything else."""
    match = _VERSION.fullmatch(text.strip())
    if match is None:
        return None
    return int(match[1]), int(match[2]), int(match[3])
