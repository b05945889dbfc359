"""actionlint, where it can be had: on PATH, else built once from its Go module into the user's cache folder.

No package of Python's index holds its binary: the one of that name downloads it while it is installed.
"""

import os
import shutil
import subprocess
from pathlib import Path

from rehearsal.environment import cache_folder

VERSION = "1.7.12"
_MODULE = f"github.com/rhysd/actionlint/cmd/actionlint@v{VERSION}"


def find() -> Path | None:
    """The program, or None where it is neither here nor can be built."""
    on_path = shutil.which("actionlint")
    if on_path:
        return Path(on_path)
    folder = cache_folder() / "tools" / f"actionlint-{VERSION}"
    if not (folder / "actionlint").is_file():
        _build(folder)
    built = folder / "actionlint"
    return built if built.is_file() else None


def _build(folder: Path) -> None:
    if shutil.which("go") is None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    environ = {**os.environ, "GOBIN": str(folder), "GOFLAGS": "-trimpath"}
    subprocess.run(["go", "install", _MODULE], env=environ, capture_output=True, check=False, timeout=300)
