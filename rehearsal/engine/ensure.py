"""From nothing to an engine that is ready: find, else install, else build."""

import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from rehearsal.engine import build, discover, download, install
from rehearsal.engine.model import (
    BUILD_VERSION,
    DYNAMIC_SCRIPT,
    EXEC_SCRIPT,
    HOST,
    MINIMUM,
    Engine,
    EngineError,
    LocatedEngine,
)
from rehearsal.engine.progress import Progress
from rehearsal.environment import Rehearsal, cache_folder

_STAMP = "engine.json"


def ensure_engine(
    rehearsal: Rehearsal | None = None, progress: Progress | None = None, env: Mapping[str, str] | None = None
) -> Engine:
    """The engine, ready to run Python programs and the stand-in provider in the rehearsal's environment.

    Looks on PATH, then in the user's cache folder; else installs it from get.pulumi.com; else builds it with Go.
    A second call costs a few milliseconds. Raises EngineError, which says what to install, where nothing works.
    """
    rehearsal = Rehearsal.here() if rehearsal is None else rehearsal
    progress = Progress() if progress is None else progress
    env = os.environ if env is None else env
    rehearsal.prepare()
    with _lock(rehearsal.folder / "engine.lock"):
        candidate = discover.on_path(env, rehearsal.bin)
        key = _key(rehearsal, candidate)
        engine = _stamped(rehearsal, key)
        if engine is None:
            engine = _install(rehearsal, candidate, env, progress)
            _stamp(rehearsal, key, engine)
        install.install_provider(rehearsal)
    return engine


def _install(rehearsal: Rehearsal, candidate: Path | None, env: Mapping[str, str], progress: Progress) -> Engine:
    found = _usable(candidate, env, progress)
    if found is not None and found.host is not None:
        install.link_engine(rehearsal, found)
        return Engine(rehearsal.bin / "pulumi", found.version, built=False)
    cache = cache_folder(env) / "engine"
    cache.mkdir(parents=True, exist_ok=True)
    with _lock(cache / "lock"):
        if found is not None and build.go_on_path(env):
            progress.say(f"{found.path} has no Python language host beside it; the project's own is added")
            install.add_host(rehearsal, found, _scripts(cache, env))
            return Engine(rehearsal.bin / "pulumi", found.version, built=False)
        cached = _cached(cache) or _make(cache, env, progress)
        if cached.host is not None:
            install.link_engine(rehearsal, cached)
        else:
            install.add_host(rehearsal, cached, _scripts(cache, env))
    return Engine(rehearsal.bin / "pulumi", cached.version, cached.built)


def _usable(candidate: Path | None, env: Mapping[str, str], progress: Progress) -> LocatedEngine | None:
    if candidate is None:
        return None
    found = discover.examine(candidate, env)
    if isinstance(found, LocatedEngine):
        return found
    progress.say(f"Not used: {found}")
    return None


def _cached(cache: Path) -> LocatedEngine | None:
    folder = cache / BUILD_VERSION
    if not os.access(folder / "pulumi", os.X_OK):
        return None
    has_host = (folder / HOST).exists()
    return LocatedEngine(folder / "pulumi", BUILD_VERSION, built=not has_host, host=folder if has_host else None)


def _make(cache: Path, env: Mapping[str, str], progress: Progress) -> LocatedEngine:
    reasons = []
    ways: list[Callable[[Path], None]] = [
        lambda folder: download.download(folder, progress),
        lambda folder: build.build(folder, env, progress),
    ]
    for way in ways:
        try:
            _into(cache / BUILD_VERSION, way)
        except EngineError as error:
            reasons.append(error.message)
            continue
        made = _cached(cache)
        assert made is not None
        return made
    wanted = ".".join(map(str, MINIMUM[:2]))
    raise EngineError(
        f"no usable Pulumi: none on PATH; the release {reasons[0]}; a build from Go modules: {reasons[1]}",
        f"Install Pulumi {wanted} or newer (https://www.pulumi.com/docs/install/), or Go 1.25.11 or newer "
        "(https://go.dev/dl/) to have it built, and start again.",
    )


def _scripts(cache: Path, env: Mapping[str, str]) -> Path:
    folder = cache / f"scripts-{BUILD_VERSION}"
    if not all((folder / name).is_file() for name in (EXEC_SCRIPT, DYNAMIC_SCRIPT)):
        _into(folder, lambda draft: build.copy_scripts(draft, env))
    return folder


def _into(folder: Path, fill: Callable[[Path], None]) -> None:
    """Fill a folder all or nothing: an interrupted download or build leaves no half engine."""
    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=folder.parent))
    try:
        fill(draft)
        shutil.rmtree(folder, ignore_errors=True)
        draft.chmod(0o755)
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _key(rehearsal: Rehearsal, candidate: Path | None) -> list[str | int]:
    """What the contents of the bin folder depend on."""
    key: list[str | int] = [str(rehearsal.root), str(rehearsal.python), BUILD_VERSION]
    if candidate is not None:
        status = candidate.stat()
        key += [str(candidate), status.st_size, status.st_mtime_ns]
    return key


def _stamped(rehearsal: Rehearsal, key: list[str | int]) -> Engine | None:
    try:
        stamp = json.loads((rehearsal.bin / _STAMP).read_text())
        engine = Engine(rehearsal.bin / "pulumi", stamp["version"], stamp["built"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    complete = all(os.access(rehearsal.bin / name, os.X_OK) for name in ("pulumi", HOST))
    return engine if stamp.get("key") == key and complete else None


def _stamp(rehearsal: Rehearsal, key: list[str | int], engine: Engine) -> None:
    content = {"version": engine.version, "built": engine.built, "key": key}
    (rehearsal.bin / _STAMP).write_text(json.dumps(content))


@contextmanager
def _lock(file: Path) -> Iterator[None]:
    """Two commands started at once must not install at once; the second waits."""
    with open(file, "w", encoding="utf-8") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
