"""Start, find and stop the gateway of a checkout. Imports nothing heavy: the command line loads it."""

import contextlib
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from dataclasses import dataclass, replace
from pathlib import Path

from rehearsal.cloud.core.reaper import alive
from rehearsal.environment import Rehearsal
from rehearsal.errors import UserError

SNAPSHOT = "snapshot.pickle"
"""In the gateway's folder: the state it had when it was stopped."""

_START_SECONDS = 60.0
_STOP_SECONDS = 20.0
_KEEP_SECONDS = 180.0
# One that is up may be busy; where no process of ours lives, something else has the port and may never answer.
_ANSWER_SECONDS = 5.0
_STRANGER_SECONDS = 1.0


@dataclass(frozen=True)
class Status:
    """The gateway that answers on the rehearsal's port: its process, and whether it is this checkout's."""

    pid: int
    ours: bool


def status(rehearsal: Rehearsal) -> Status | None:
    """What answers on the port; None when no gateway does."""
    patience = _ANSWER_SECONDS if _pid(rehearsal) else _STRANGER_SECONDS
    try:
        with _opener().open(f"{rehearsal.endpoint}/_rehearsal/health", timeout=patience) as answer:
            health = json.load(answer)
        return Status(int(health["pid"]), Path(health["root"]) == rehearsal.cloud.resolve())
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _opener() -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))


def running(rehearsal: Rehearsal) -> bool:
    """Is this checkout's gateway up and answering?"""
    found = status(rehearsal)
    return found is not None and found.ours


def own_or_none(rehearsal: Rehearsal) -> Status | None:
    """This checkout's gateway, where it is up.

    Raises UserError when the port belongs to somebody else, or to a gateway whose folder was removed under it.
    """
    found = status(rehearsal)
    if found is not None and found.ours:
        if _pid(rehearsal) is None:
            raise UserError(
                f"a cloud (process {found.pid}) is up at {rehearsal.endpoint} whose folder {rehearsal.cloud} was"
                " removed meanwhile, and with it the secret that it asks for",
                f"end it with `kill {found.pid}`, then run this again",
            )
        return found
    if found is not None or _taken(rehearsal.port):
        raise _port_in_use(rehearsal, found)
    return None


def absence(rehearsal: Rehearsal) -> str | None:
    """Why this checkout's gateway does not answer, in a sentence; None when it does."""
    found = status(rehearsal)
    if found is not None:
        return None if found.ours else f"{_holder(found)} is up at {rehearsal.endpoint}, not this one's"
    pid = _pid(rehearsal)
    if pid is not None:
        return f"the rehearsal's cloud (process {pid}) does not answer at {rehearsal.endpoint}: see {_log(rehearsal)}"
    if _taken(rehearsal.port):
        return f"another program has port {rehearsal.port} on 127.0.0.1, and no rehearsal is up"
    if _pid_file(rehearsal).exists():
        return f"the rehearsal's cloud has ended without being stopped: see {_log(rehearsal)}"
    return f"no rehearsal is up at {rehearsal.endpoint}"


def died(rehearsal: Rehearsal) -> str | None:
    """The sentence of `absence` for a gateway that was started and is gone; None where all is as it was left."""
    return absence(rehearsal) if _pid_file(rehearsal).exists() else None


def start(rehearsal: Rehearsal, fresh: bool = False) -> int:
    """Start the gateway in the background and wait until it answers; the process id. One that is up is kept.

    It goes on with the state that the last one kept when it was stopped, unless it shall begin `fresh`.
    Raises UserError when the port belongs to somebody else, or when the gateway does not come up.
    """
    found = own_or_none(rehearsal)
    if found is not None:
        return found.pid
    _end_leftover(rehearsal)
    rehearsal.cloud.mkdir(parents=True, exist_ok=True)
    process = _spawn(rehearsal, fresh)
    _pid_file(rehearsal).write_text(f"{process.pid}\n")
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            _pid_file(rehearsal).unlink(missing_ok=True)
            if process.returncode == 3:
                raise _port_in_use(rehearsal, None)
            if process.returncode == 4:
                text = "the cloud's state of before cannot be used"
                raise UserError(text, f"{_tail(rehearsal)}\nBegin without it: up --fresh")
            raise UserError(
                f"the cloud did not come up (exit code {process.returncode})",
                f"See {_log(rehearsal)}:\n{_tail(rehearsal)}",
            )
        if running(rehearsal):
            # It is meant to outlive us: without this, Popen warns when it is collected.
            process.returncode = 0
            return process.pid
        time.sleep(0.05)
    process.kill()
    raise UserError(
        f"the cloud did not answer within {_START_SECONDS:.0f} s", f"See {_log(rehearsal)}:\n{_tail(rehearsal)}"
    )


def stop(rehearsal: Rehearsal, keep: bool = False) -> bool:
    """Stop this checkout's gateway and all it started, where wanted with its state kept. False when none was up."""
    # Whoever listens on the port may name any process: only our own file counts, and what /proc says of it.
    pid = _pid(rehearsal)
    if pid is None:
        _pid_file(rehearsal).unlink(missing_ok=True)
        return False
    ended = _end(pid, keep)
    _pid_file(rehearsal).unlink(missing_ok=True)
    return ended


def restart(rehearsal: Rehearsal) -> int:
    """Stop the gateway and start it again as it was; the new process id. Raises UserError where none was up."""
    if not stop(rehearsal, keep=True):
        raise UserError(absence(rehearsal) or f"no rehearsal is up at {rehearsal.endpoint}")
    return start(rehearsal)


def fork(rehearsal: Rehearsal, folder: Path, port: int) -> Rehearsal:
    """Another rehearsal in `folder` with all that this one has now, up on its own port; this one goes on.

    What was executing here has failed there. URLs with the port that were handed out before lead here, and so does
    what only asks for them: `pulumi refresh` there first. Raises UserError where this one is not up.
    """
    missing = absence(rehearsal)
    if missing:
        raise UserError(missing)
    url = f"{rehearsal.endpoint}/_rehearsal/snapshot"
    request = urllib.request.Request(url, headers=rehearsal.headers(), method="POST")  # noqa: S310
    with _opener().open(request, timeout=_START_SECONDS) as answer:
        saved = Path(json.load(answer)["file"])
    made = replace(rehearsal, folder=folder, port=port)
    for name in ("state", "pulumi-home", "bin", "aws"):
        if (rehearsal.folder / name).exists():
            shutil.copytree(rehearsal.folder / name, folder / name, symlinks=True)
    made.cloud.mkdir(parents=True, exist_ok=True)
    shutil.move(saved, made.cloud / SNAPSHOT)
    start(made)
    return made


def _spawn(rehearsal: Rehearsal, fresh: bool) -> "subprocess.Popen[bytes]":
    argv = [
        str(rehearsal.python), "-m", "rehearsal.cloud", "--port", str(rehearsal.port), "--root", str(rehearsal.cloud),
        "--seconds-per-minute", f"{rehearsal.seconds_per_minute:g}", "--accounts", rehearsal.accounts,
        "--secret", str(rehearsal.secret_file), *(["--fresh"] if fresh else []),
        *(["--warm", str(rehearsal.warm)] if rehearsal.warm else []),
    ]  # fmt: skip
    rehearsal.secret()
    env = rehearsal.tools()
    # The gateway's own boto3 clients are given their endpoint one by one.
    env.pop("AWS_ENDPOINT_URL", None)
    env["PYTHONPATH"] = os.pathsep.join([str(rehearsal.root), *filter(None, [env.get("PYTHONPATH")])])
    with open(_log(rehearsal), "wb") as log:
        return subprocess.Popen(
            argv, cwd=rehearsal.root, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )


def _end(pid: int, keep: bool = False) -> bool:
    try:
        os.kill(pid, signal.SIGTERM if keep else signal.SIGINT)
    except ProcessLookupError:
        return False
    deadline = time.monotonic() + (_KEEP_SECONDS if keep else _STOP_SECONDS)
    while time.monotonic() < deadline:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
        if not alive(pid):
            return True
        time.sleep(0.03)
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    return True


def _end_leftover(rehearsal: Rehearsal) -> None:
    """A gateway that holds no port any more, e.g. one that hangs, must not live beside the new one."""
    pid = _pid(rehearsal)
    if pid is not None:
        _end(pid)
    _pid_file(rehearsal).unlink(missing_ok=True)


def _pid(rehearsal: Rehearsal) -> int | None:
    """The process in the pid file, if it is a gateway still: numbers are used again."""
    try:
        pid = int(_pid_file(rehearsal).read_text())
        os.kill(pid, 0)
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0") if Path("/proc/self").exists() else None
    except (OSError, ValueError):
        return None
    if command is None:
        return pid
    pairs = list(itertools.pairwise(command))
    roots = [Path(os.fsdecode(value)) for option, value in pairs if option == b"--root"]
    ours = (b"-m", b"rehearsal.cloud") in pairs and any(root.resolve() == rehearsal.cloud.resolve() for root in roots)
    return pid if ours else None


def _taken(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def _port_in_use(rehearsal: Rehearsal, found: Status | None) -> UserError:
    who = _holder(found) if found else "another program"
    return UserError(
        f"port {rehearsal.port} on 127.0.0.1 is in use by {who}",
        f"Stop it, or choose another port: GLIDEPATH_PORT={rehearsal.port + 1}",
    )


def _holder(found: Status) -> str:
    return f"another checkout's rehearsal (process {found.pid})"


def _pid_file(rehearsal: Rehearsal) -> Path:
    return rehearsal.cloud / "gateway.pid"


def _log(rehearsal: Rehearsal) -> Path:
    return rehearsal.cloud / "gateway.log"


def _tail(rehearsal: Rehearsal) -> str:
    try:
        return "\n".join(_log(rehearsal).read_text(errors="replace").splitlines()[-15:])
    except OSError:
        return ""
