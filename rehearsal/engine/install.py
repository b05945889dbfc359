"""Fill the rehearsal's bin folder and its plugin home."""

import importlib.metadata
import os
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

from rehearsal.engine.model import DYNAMIC_SCRIPT, EXEC_SCRIPT, HOST, EngineError, LocatedEngine
from rehearsal.environment import Rehearsal
from rehearsal.warm import START

_HOST_MODULE = Path(__file__).resolve().parent / "host.py"


def link_engine(rehearsal: Rehearsal, found: LocatedEngine) -> None:
    """Put an engine that has its own language host on the children's PATH."""
    assert found.host is not None
    _empty(rehearsal.bin)
    for folder in (found.host, found.path.resolve().parent):
        for file in folder.glob("pulumi*"):
            link = rehearsal.bin / file.name
            if file.is_file() and os.access(file, os.X_OK) and not link.exists():
                link.symlink_to(file)


def add_host(rehearsal: Rehearsal, found: LocatedEngine, scripts: Path) -> None:
    """Put an engine without a language host on the children's PATH, with ours beside it.

    The engine warns about a host that does not lie next to its own executable, symbolic links resolved; so the
    executable itself is brought here.
    """
    _empty(rehearsal.bin)
    _bring(found.path.resolve(), rehearsal.bin / "pulumi")
    shutil.copy2(scripts / EXEC_SCRIPT, rehearsal.bin / EXEC_SCRIPT)
    shutil.copy2(scripts / DYNAMIC_SCRIPT, rehearsal.bin / f"cold-{DYNAMIC_SCRIPT}")
    warm = f" --warm {_quote(START)} {_quote(rehearsal.warm)}" if rehearsal.warm else ""
    _write(
        rehearsal.bin / HOST,
        _script(
            f"{_start(rehearsal)} {_quote(rehearsal.python)} -P {_quote(_HOST_MODULE)} {_quote(rehearsal.bin)}{warm}"
        ),
    )
    _write(rehearsal.bin / DYNAMIC_SCRIPT, _dynamic(rehearsal))


def _dynamic(rehearsal: Rehearsal) -> str:
    """The launcher of dynamic providers: warm where the SDK's own would take the `python3` on PATH."""
    cold = _quote(rehearsal.bin / f"cold-{DYNAMIC_SCRIPT}")
    if not rehearsal.warm:
        return f'#!/bin/sh\nexec {cold} "$@"\n'
    start = f'exec {_start(rehearsal)} python3 -u -m pulumi.dynamic "$@"'
    named = "${PULUMI_RUNTIME_VIRTUALENV:-}${PULUMI_RUNTIME_TOOLCHAIN:-}${PULUMI_PYTHON_CMD:-}"
    return f'#!/bin/sh\n[ -n "{named}" ] || {start}\nexec {cold} "$@"\n'


def _start(rehearsal: Rehearsal) -> str:
    return f"{_quote(rehearsal.python)} -I -S {_quote(START)} {_quote(rehearsal.warm)}" if rehearsal.warm else ""


def _write(file: Path, text: str) -> None:
    file.write_text(text)
    file.chmod(0o755)


def install_provider(rehearsal: Rehearsal) -> None:
    """Install the stand-in AWS provider into the rehearsal's own plugin home, unless it is there already.

    Raises EngineError with the engine's words when it refuses, and where pulumi-aws is not installed.
    """
    version = _version()
    launcher = _script(
        f"PYTHONPATH={_quote(rehearsal.root)}${{PYTHONPATH:+:$PYTHONPATH}} "
        f"{_start(rehearsal)} {_quote(rehearsal.python)} -P -m rehearsal.provider".replace("  ", " ")
    )
    installed = rehearsal.pulumi_home / "plugins" / f"resource-aws-v{version}" / "pulumi-resource-aws"
    if installed.is_file() and installed.read_text(errors="replace") == launcher:
        return
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "pulumi-resource-aws"
        file.write_text(launcher)
        file.chmod(0o755)
        command = ["plugin", "install", "resource", "aws", version, "-f", str(file), "--reinstall"]
        result = subprocess.run(
            [rehearsal.bin / "pulumi", *command], env=rehearsal.environ(), cwd=scratch, capture_output=True, text=True
        )
    if result.returncode != 0:
        raise EngineError(f"the stand-in provider cannot be installed: {result.stderr.strip()}")


def _version() -> str:
    """The stand-in answers for the installed SDK's version, and reads the names of properties there."""
    try:
        return importlib.metadata.version("pulumi_aws")
    except importlib.metadata.PackageNotFoundError as error:
        raise EngineError(
            "pulumi-aws is not installed", "Install it beside the rehearsal: pip install 'glidepath-rehearsal[pulumi]'"
        ) from error


def _empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def _bring(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copy2(source, target)


def _script(command: str) -> str:
    # env assignments before `exec` would outlive it in some shells: `env` keeps them to the child.
    return f'#!/bin/sh\nexec env {command} "$@"\n'


def _quote(path: Path) -> str:
    return shlex.quote(str(path))
