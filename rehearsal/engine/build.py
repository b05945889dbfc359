"""Build the engine from its Go modules."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from rehearsal.engine.model import BUILD_VERSION, DYNAMIC_SCRIPT, EXEC_SCRIPT, EngineError
from rehearsal.engine.progress import Progress

_MODULE = Path(__file__).resolve().parent
_PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
_SDK = "github.com/pulumi/pulumi/sdk/v3"
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


def _watch(command: list[str], env: Mapping[str, str], total: int, progress: Progress) -> str:
    """Run a slow command with its stderr as progress; returns its stdout. Nothing of it survives an interrupt."""
    lines: list[str] = []
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
            for line in child.stderr:
                lines.append(line)
                progress.step(line.strip(), len(lines), total)
            code = child.wait()
        finally:
            progress.end()
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
        if code != 0:
            raise EngineError(f"`{' '.join(command[:2])}` failed: {_tail(''.join(lines))}")
        output.seek(0)
        return output.read()


def _tail(text: str) -> str:
    return " / ".join(text.strip().splitlines()[-5:]) or "no output"
