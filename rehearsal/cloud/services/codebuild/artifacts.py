"""Files into and out of a build: unpacking inputs, collecting and packing outputs."""

import io
import zipfile
from fnmatch import fnmatch
from pathlib import Path

from rehearsal.cloud.services.codebuild.buildspec import ArtifactSpec

_MODE_SHIFT = 16


class ArtifactError(ValueError):
    """An input that is no archive, or an output without files."""


def unpack(data: bytes, folder: Path) -> None:
    """Unpacks a zip into `folder`, file modes included. Raises `ArtifactError` for anything else."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for entry in archive.infolist():
                path = Path(archive.extract(entry, folder))
                mode = (entry.external_attr >> _MODE_SHIFT) & 0o777
                if mode and not entry.is_dir():
                    path.chmod(mode | 0o600)
    except zipfile.BadZipFile as error:
        raise ArtifactError(f"the input artifact is not a zip archive: {error}") from error


def collect(spec: ArtifactSpec, source: Path) -> list[tuple[Path, str]]:
    """The files `spec` names as (path, name in the artifact). Raises `ArtifactError` where there are none."""
    base = _base(spec, source)
    found: dict[str, Path] = {}
    for pattern in spec.files:
        for path in _matches(base, pattern):
            name = path.relative_to(base).as_posix()
            if any(fnmatch(name, excluded) for excluded in spec.exclude_paths):
                continue
            found[path.name if spec.discard_paths else name] = path
    if not found:
        raise ArtifactError(f"no matching artifact paths found for {', '.join(spec.files)} in {spec.base_directory}")
    return [(path, name) for name, path in sorted(found.items())]


def pack(files: list[tuple[Path, str]]) -> bytes:
    """The files as a zip, modes included."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, name in files:
            archive.write(path, name)
    return buffer.getvalue()


def _base(spec: ArtifactSpec, source: Path) -> Path:
    base = Path(spec.base_directory)
    if base.is_absolute():
        candidates = [base] if base.is_dir() else []
    else:
        # a base directory may be a pattern; the source itself is one no pattern can name
        candidates = sorted(path for path in source.glob(str(base)) if path.is_dir()) if base.parts else [source]
    if not candidates:
        raise ArtifactError(f"no matching base directory path found for {spec.base_directory}")
    return candidates[0]


def _matches(base: Path, pattern: str) -> list[Path]:
    # pathlib's trailing ** finds folders alone, CodeBuild's finds files
    wanted = f"{pattern}/*" if pattern.endswith("**") else pattern
    root, relative = (Path("/"), wanted.lstrip("/")) if wanted.startswith("/") else (base, wanted)
    return sorted(path for path in root.glob(relative) if path.is_file())
