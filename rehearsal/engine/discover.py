"""Find a usable `pulumi` on this machine."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from rehearsal.engine.model import HOST, MINIMUM, LocatedEngine, parse_version


def on_path(env: Mapping[str, str], own_bin: Path) -> Path | None:
    """The first `pulumi` on PATH; the rehearsal's own bin folder does not count."""
    folders = [p for p in env.get("PATH", "").split(os.pathsep) if p and Path(p) != own_bin]
    path = shutil.which("pulumi", path=os.pathsep.join(folders))
    return Path(path).absolute() if path else None


def examine(path: Path, env: Mapping[str, str]) -> LocatedEngine | str:
    """The engine behind an executable, or the reason why it will not do."""
    try:
        result = subprocess.run([path, "version"], capture_output=True, text=True, timeout=30, env=_quiet(env))
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{path} does not run: {error}"
    version = parse_version(result.stdout)
    if result.returncode != 0 or version is None:
        return f"{path} does not report its version"
    if version < MINIMUM:
        wanted = ".".join(map(str, MINIMUM))
        return f"{path} is {'.'.join(map(str, version))}, older than {wanted}"
    return LocatedEngine(path, ".".join(map(str, version)), built=False, host=_host_folder(path, env))


def _host_folder(path: Path, env: Mapping[str, str]) -> Path | None:
    beside = path.resolve().parent
    if os.access(beside / HOST, os.X_OK):
        return beside
    elsewhere = shutil.which(HOST, path=env.get("PATH", ""))
    return Path(elsewhere).absolute().parent if elsewhere else None


def _quiet(env: Mapping[str, str]) -> dict[str, str]:
    return {**env, "PULUMI_SKIP_UPDATE_CHECK": "true"}
