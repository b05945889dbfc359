"""The commit that the tour delivers: a zip of the working tree, as an S3 source holds it."""

import io
import subprocess
import zipfile
from collections.abc import Mapping
from pathlib import Path

# What a checkout without git must not carry along: caches, virtual environments and the rehearsal's own state.
SKIPPED = {".git", ".venv", ".rehearsal", "__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis"}
# The earliest time a zip can hold. A fixed one gives the same bytes for the same tree.
EPOCH = (1980, 1, 1, 0, 0, 0)


def tracked_files(root: Path) -> list[Path]:
    """Files of the working tree below `root`: those git tracks or would track; without git, all but caches."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=root,
        capture_output=True,
        check=False,
    )
    if listing.returncode == 0 and listing.stdout:
        names = listing.stdout.decode().split("\0")
        return sorted(Path(name) for name in names if name and (root / name).is_file())
    every = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
    return sorted(path for path in every if not SKIPPED.intersection(path.parts))


def source_zip(root: Path, instead: Mapping[str, str]) -> bytes:
    """The working tree as a zip with stable bytes; executable bits are kept. `instead` has other texts for files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path in tracked_files(root):
            info = zipfile.ZipInfo(path.as_posix(), EPOCH)
            mode = 0o755 if (root / path).stat().st_mode & 0o100 else 0o644
            info.external_attr = mode << 16
            other = instead.get(path.as_posix())
            content = (root / path).read_bytes() if other is None else other.encode()
            archive.writestr(info, content, compress_type=zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
