"""Runs the engine, `pulumi`, as a command (docs/adr/0006). Nothing else in the project's own commands starts it.

Which one: the `pulumi` on PATH; else the one that `make setup` has left in `bin` of the rehearsal's folder, which is
`GLIDEPATH_FOLDER`, or `.rehearsal` in the checkout.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from contracts.errors import UserError
from operate import ROOT

_PLAIN = ("--non-interactive", "--color", "never")
_HEADINGS = ("Policies:", "Diagnostics:")
_NOISE = ("preview failed", "an unhandled error occurred: program exited")
_LINES = 40
_LONGEST = 600

Environ = Mapping[str, str]
Output = int | IO[Any] | None
"""Where what the engine writes goes: None for our own, or what subprocess takes."""


def start(
    arguments: Sequence[str],
    root: Path,
    environ: Environ | None = None,
    *,
    stdout: Output = None,
    stderr: Output = None,
    session: bool = False,
) -> subprocess.Popen[str]:
    """The engine at work on the program in `root`; it asks nothing, and reads no input.

    `environ` is ours where it is left out. `session` gives it a session of its own, which a terminal's Ctrl-C does not
    reach. Raises UserError where there is no engine.
    """
    command, environ = _command(os.environ if environ is None else environ)
    return subprocess.Popen(
        [*command, *arguments],
        cwd=root,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        text=True,
        start_new_session=session,
    )


def run(arguments: Sequence[str], root: Path, environ: Environ | None = None) -> subprocess.CompletedProcess[str]:
    """What the engine says, and its exit code. Raises UserError where there is no engine."""
    engine = start(arguments, root, environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with engine:
        try:
            stdout, stderr = engine.communicate()
        except BaseException:
            engine.kill()
            raise
    return subprocess.CompletedProcess(engine.args, engine.returncode, stdout, stderr)


def outputs(stack: str, root: Path, *, secrets: bool = False) -> dict[str, Any]:
    """The outputs of a stack; `secrets` has them in the clear. Raises UserError where the engine has none to give."""
    done = run(["stack", "output", "--json", "--stack", stack, *(["--show-secrets"] if secrets else [])], root)
    if done.returncode:
        raise UserError(f"pulumi stack output failed:\n{tail(done.stderr)}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def diagnostics(text: str) -> str:
    """What the engine says of policies and errors, without the list of resources above; its end where it says none."""
    starts = [text.find(heading) for heading in _HEADINGS if heading in text]
    return text[min(starts) :].strip() if starts else tail(text)


def tail(text: str) -> str:
    """The end of a long text."""
    return "\n".join(text.strip().splitlines()[-_LINES:])


def sentence(error: str) -> str:
    """What is wrong, on one line: of a traceback its last line. Empty where the engine only says that it failed."""
    lines = [line.strip() for line in error.strip().splitlines() if line.strip()]
    if any(line.startswith("Traceback") for line in lines):
        lines = lines[-1:]
    text = " ".join(lines).removeprefix("error: ")
    if text.startswith(_NOISE):
        return ""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _command(environ: Environ) -> tuple[list[str], dict[str, str]]:
    """How the engine is started, and its environment. Raises UserError where there is none."""
    path = environ.get("PATH", os.defpath)
    ours = {**environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    found = shutil.which("pulumi", path=path)
    if found:
        return [found, *_PLAIN], ours
    folder = Path(environ.get("GLIDEPATH_FOLDER") or ROOT / ".rehearsal").absolute() / "bin"
    found = shutil.which("pulumi", path=str(folder))
    if not found:
        raise UserError(
            "pulumi is not on PATH", "install it (https://www.pulumi.com/docs/install/), or have it built: make setup"
        )
    # It comes with a language host, which lies beside it and takes the `python3` on PATH for the program's.
    folders = [str(folder), str(Path(sys.executable).parent), path]
    return [found, *_PLAIN], {**ours, "PATH": os.pathsep.join(folders)}
