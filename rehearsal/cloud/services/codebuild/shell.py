"""One shell for a whole build: exports, variables and the folder last from command to command."""

import contextlib
import os
import re
import selectors
import shlex
import signal
import subprocess
import time
import uuid
from collections.abc import Callable
from pathlib import Path

# The shell reads names of scripts from its standard input and sources each; what the script prints comes out as it
# is, and a marker line carries the status. A script may `exit`: the trap still saves exports and folder, and the next
# command gets a fresh shell that starts from them.
_DRIVER = """\
__cb_save() {{ export -p > {state}/env.sh; pwd > {state}/dir; }}
__cb_mark() {{ printf '\\n%s %s\\n' {marker} "$1"; }}
trap '__cb_status=$?; __cb_save; __cb_mark "$__cb_status ended"' EXIT
if [ -f {state}/env.sh ]; then . {state}/env.sh; cd "$(cat {state}/dir)" || exit 1; fi
while IFS= read -r __cb_script; do
  . "$__cb_script" < /dev/null
  __cb_status=$?
  __cb_save
  __cb_mark $__cb_status
done
trap - EXIT
"""
KILL_GRACE_SECONDS = 5.0


class Session:
    """A shell session. `run` gives a command's exit status; `kill` ends it with everything it started.

    `start` is `subprocess.Popen` with a new session (`start_new_session`) for the child.
    """

    def __init__(
        self,
        shell: str,
        env: dict[str, str],
        cwd: Path,
        state: Path,
        on_line: Callable[[str], None],
        stopped: Callable[[], bool],
        start: Callable[..., subprocess.Popen[bytes]],
    ) -> None:
        self._shell = shell
        self._env = env
        self._cwd = cwd
        self._state = state
        self._on_line = on_line
        self._stopped = stopped
        self._start = start
        self._mark = f"CODEBUILD_BUILD_ID={env.get('CODEBUILD_BUILD_ID', uuid.uuid4())}".encode()
        self._marker = f"__codebuild_{uuid.uuid4().hex}"
        self._count = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._killed = False
        state.mkdir(parents=True, exist_ok=True)
        self._driver = state / "driver.sh"
        self._driver.write_text(_DRIVER.format(state=shlex.quote(str(state)), marker=self._marker))

    def run(self, command: str, deadline: float | None = None) -> int:
        """Runs `command` and returns its exit status; `TimeoutError` after `deadline` (monotonic seconds)."""
        if self._killed:
            return 137
        self._count += 1
        script = self._state / f"script-{self._count}.sh"
        script.write_text(command + "\n")
        process = self._alive()
        assert process.stdin is not None
        process.stdin.write(f"{script}\n".encode())
        process.stdin.flush()
        return self._await_status(process, deadline)

    def exported(self) -> dict[str, str]:
        """The variables now exported by the session."""
        listing = self._state / "exported"
        # `env -0` alone keeps values with newlines apart
        self.run(f"env -0 > {shlex.quote(str(listing))}")
        pairs = listing.read_bytes().split(b"\0") if listing.exists() else []
        entries = (pair.decode(errors="replace").partition("=") for pair in pairs if pair)
        return {name: value for name, _, value in entries}

    def kill(self) -> None:
        """Ends the shell and all that runs in its session."""
        self._killed = True
        process = self._process
        if process is not None:
            end_session(process, self._mark)

    def _alive(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        # a session of its own: no controlling terminal, and one id by which all that it starts can be found
        self._process = self._start(
            [self._shell, str(self._driver)],
            env=self._env,
            cwd=self._cwd,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        return self._process

    def _await_status(self, process: subprocess.Popen[bytes], deadline: float | None) -> int:
        assert process.stdout is not None
        pattern = re.compile(rb"\n?" + self._marker.encode() + rb" (\d+)( ended)?\n")
        pending = b""
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while True:
                if self._stopped():
                    self.kill()
                if deadline is not None and time.monotonic() > deadline:
                    self.kill()
                    raise TimeoutError
                ready = selector.select(0.2)
                chunk = os.read(process.stdout.fileno(), 65536) if ready else b""
                pending += chunk
                found = pattern.search(pending)
                if found:
                    self._emit(pending[: found.start()], final=True)
                    if found.group(2):
                        process.wait()
                    return int(found.group(1))
                pending = self._emit(pending, final=False)
                if not chunk and process.poll() is not None:
                    self._emit(pending, final=True)
                    return 137 if process.returncode < 0 else process.returncode or 1

    def _emit(self, data: bytes, final: bool) -> bytes:
        """Hands complete lines on; the rest, which may hold half a marker, is returned."""
        lines = data.split(b"\n")
        # the marker starts with a newline of its own, so an empty line waits for what follows it
        keep = 2 if lines[-2:-1] == [b""] else 1
        ready, rest = lines[:-keep], lines[-keep:]
        if final:
            ready, rest = (lines[:-1] if lines[-1] == b"" else lines), []
        for line in ready:
            self._on_line(line.decode(errors="replace").rstrip("\r"))
        return b"\n".join(rest)


def end_session(process: subprocess.Popen[bytes], mark: bytes, grace: float = KILL_GRACE_SECONDS) -> None:
    """Ends a session leader and everything it started: first kindly, then for certain.

    `mark` is an entry of the environment (`NAME=value`) that tells what belongs to it, also outside its session.
    """
    until = time.monotonic() + grace
    _signal_all(process, mark, signal.SIGTERM)
    while time.monotonic() < until and _members(process.pid, mark):
        process.poll()
        time.sleep(0.05)
    _signal_all(process, mark, signal.SIGKILL)
    process.wait()


def _signal_all(process: subprocess.Popen[bytes], mark: bytes, number: signal.Signals) -> None:
    if not Path("/proc").is_dir():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
    # each process once: a second SIGTERM tells Pulumi to drop what it is doing
    for pid in _members(process.pid, mark):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def _members(leader: int, mark: bytes) -> set[int]:
    """Processes of the session or with the mark: Pulumi's plugins have process groups of their own."""
    found: set[int] = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            marked = mark in (folder / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if (fields[3] == str(leader) or marked) and fields[0] != "Z":
            found.add(int(folder.name))
    return found
