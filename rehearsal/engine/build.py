"""Build the engine from its Go modules."""

import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from rehearsal.engine.model import BUILD_VERSION, DYNAMIC_SCRIPT, EXEC_SCRIPT, EngineError
from rehearsal.engine.progress import Progress

_MODULE = Path(__file__).resolve().parent
_PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
_SDK = "github.com/pulumi/pulumi/sdk/v3"
_LOOK_SECONDS = 0.5
# What linking takes of a build, in our own builds.
_LINK_SHARE = 0.1
_HALF_SECONDS = 60.0
# How far the share may run ahead of the last package that was named.
_CREEP = 0.05
_SCRIPTS = {EXEC_SCRIPT: "python/cmd", DYNAMIC_SCRIPT: "python/dist"}


def go_on_path(env: Mapping[str, str]) -> str | None:
    """The Go tool chain, if there is one."""
    return shutil.which("go", path=env.get("PATH", ""))


def build(folder: Path, env: Mapping[str, str], progress: Progress) -> None:
    """Build `pulumi` into a folder (3 to 8 minutes on two cores, about 115 MB).

    Raises EngineError with the end of the compiler's output.
    """
    go = _go(env)
    progress.say(f"Building Pulumi {BUILD_VERSION} from its Go modules. This takes a few minutes, once.")
    # Listing downloads the modules that the package needs, and those alone.
    packages = _watch([go, "list", "-deps", _PACKAGE], env, 0, progress).splitlines()
    flags = f"-s -w -X {_SDK}/go/common/version.Version=v{BUILD_VERSION}"
    # `go build -v` names each package on stderr when it is done: that is the progress.
    _watch([go, "build", "-v", "-ldflags", flags, "-o", str(folder / "pulumi"), _PACKAGE], env, len(packages), progress)


def copy_scripts(folder: Path, env: Mapping[str, str]) -> None:
    """Copy the two launcher scripts of the Python SDK, which no package carries, out of the sdk module.

    Raises EngineError when the module cannot be had.
    """
    go = _go(env)
    _run([go, "mod", "download", _SDK], env, "downloading the sdk module")
    sdk = Path(_run([go, "list", "-m", "-f", "{{.Dir}}", _SDK], env, "locating the sdk module").strip())
    for name, where in _SCRIPTS.items():
        target = folder / name
        target.write_bytes((sdk / where / name).read_bytes())
        target.chmod(0o755)


def _go(env: Mapping[str, str]) -> str:
    go = go_on_path(env)
    if go is None:
        raise EngineError("Go is not on PATH")
    return go


def _environment(env: Mapping[str, str]) -> dict[str, str]:
    # What a person has set for their own modules (vendoring, workspaces) must not reach this build.
    return {**env, "GOWORK": "off", "GOFLAGS": "-mod=readonly -buildvcs=false"}


def _run(command: list[str], env: Mapping[str, str], what: str) -> str:
    result = subprocess.run(command, cwd=_MODULE, env=_environment(env), capture_output=True, text=True)
    if result.returncode != 0:
        raise EngineError(f"{what} failed: {_tail(result.stderr)}")
    return result.stdout


class Steps:
    """Lines of a command that names each step when it is done, and what share of `total` steps that is.

    The compiler names thousands of packages, but works for minutes on some, and links them all when the last one is
    named. So a share is kept for that, and between two lines the share creeps towards the next.
    """

    def __init__(self, total: int) -> None:
        """A total of 0 means unknown."""
        self._total = total
        self._heard = time.monotonic()
        self._shown = 0.0
        self.lines: list[str] = []

    def read(self, source: Iterable[str]) -> None:
        """Read lines to their end."""
        for line in source:
            self.lines.append(line)
            self._heard = time.monotonic()

    @property
    def last(self) -> str:
        """The step that was done last."""
        return self.lines[-1].strip() if self.lines else ""

    def share(self, waited: float | None = None) -> float | None:
        """From 0 to less than 1, never falling, `waited` seconds after the last line. None: the total is unknown."""
        if not self._total:
            return None
        waited = time.monotonic() - self._heard if waited is None else waited
        done = min(len(self.lines), self._total) / self._total * (1 - _LINK_SHARE)
        ahead = _LINK_SHARE if len(self.lines) >= self._total else min(_CREEP, 1 - _LINK_SHARE - done)
        # Half of what lies ahead in the first `_HALF_SECONDS` of silence, and never all of it.
        self._shown = max(self._shown, done + ahead * (1 - 0.5 ** (waited / _HALF_SECONDS)))
        return self._shown


def _watch(command: list[str], env: Mapping[str, str], total: int, progress: Progress) -> str:
    """Run a slow command with its stderr as progress; returns its stdout. Nothing of it survives an interrupt."""
    steps = Steps(total)
    with tempfile.TemporaryFile("w+") as output:
        child = subprocess.Popen(
            command,
            cwd=_MODULE,
            env=_environment(env),
            stdout=output,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            assert child.stderr is not None
            reader = threading.Thread(target=steps.read, args=(child.stderr,), daemon=True)
            reader.start()
            while reader.is_alive():
                reader.join(_LOOK_SECONDS)
                progress.step(steps.last, steps.share())
            code = child.wait()
        finally:
            progress.end()
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
        if code != 0:
            raise EngineError(f"`{' '.join(command[:2])}` failed: {_tail(''.join(steps.lines))}")
        output.seek(0)
        return output.read()


def _tail(text: str) -> str:
    return " / ".join(text.strip().splitlines()[-5:]) or "no output"
