"""Give a child process its own `/opt/ml` without a container engine.

Where the kernel lets us (root, or user namespaces), the child gets a private mount namespace in which a folder of ours
is `/opt/ml`; several jobs run at once and the machine's own `/opt` is never touched. Elsewhere (macOS, locked-down
Linux) the paths in its arguments and variables are rewritten to the folder; a script with the path written into its
code then fails by itself, with the missing path in its message.
"""

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

MOUNT = "/opt/ml"

# A tmpfs that shows every entry of /opt and our folder as `ml` is laid over /opt, inside the namespace alone.
_SCRIPT = """
set -e
folder=$1; shift
stage=$(mktemp -d "$folder.XXXXXX")
mount -t tmpfs none "$stage"
mkdir -p "$stage/ml"
if [ -d /opt ]; then
  for entry in /opt/*; do
    [ -e "$entry" ] || continue
    [ "$entry" = /opt/ml ] && continue
    if [ -d "$entry" ]; then mkdir "$stage/${entry##*/}"; else : > "$stage/${entry##*/}"; fi
    mount --rbind "$entry" "$stage/${entry##*/}"
  done
fi
mount --bind "$folder" "$stage/ml"
mount --rbind "$stage" /opt
umount -l "$stage"
rmdir "$stage"
exec "$@"
"""


def prepare(argv: Sequence[str], env: Mapping[str, str], folder: Path) -> tuple[list[str], dict[str, str]]:
    """The command and environment that run `argv` with `folder` as `/opt/ml`."""
    command = [_interpreter(argv[0]), *argv[1:]]
    prefix = _namespace()
    if prefix is not None:
        return [*prefix, "sh", "-c", _SCRIPT, "sh", str(folder), *command], dict(env)
    return [_rewrite(part, folder) for part in command], {k: _rewrite(v, folder) for k, v in env.items()}


@functools.cache
def _namespace() -> list[str] | None:
    """How to enter a private mount namespace on this machine, or None."""
    if shutil.which("unshare") is None or not Path("/opt").is_dir():
        return None
    for prefix in (["unshare", "-m"], ["unshare", "-r", "-m"]):
        probe = [*prefix, "sh", "-c", "mount -t tmpfs none /opt"]
        if subprocess.run(probe, capture_output=True, check=False).returncode == 0:
            return prefix
    return None


def _interpreter(program: str) -> str:
    """A job's `python3` is the gateway's: it has what the managed image has."""
    return sys.executable if os.path.basename(program) in ("python", "python3") else program


def _rewrite(text: str, folder: Path) -> str:
    return text.replace(MOUNT + "/", f"{folder}/") if MOUNT in text else text
