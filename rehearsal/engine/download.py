"""Install the engine the official way: the release archive from get.pulumi.com."""

import hashlib
import http.client
import io
import platform
import tarfile
import urllib.error
import urllib.request
from pathlib import Path

from rehearsal.engine.model import BUILD_VERSION, SHA256, EngineError
from rehearsal.engine.progress import Progress

ARCHIVES = "https://get.pulumi.com/releases/sdk"

_CONNECT_SECONDS = 5.0
_SYSTEMS = {"Linux": "linux", "Darwin": "darwin"}
_MACHINES = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}
_CHUNK = 1 << 18


def platform_name(system: str, machine: str) -> str:
    """A platform as the releases spell it. Raises EngineError where none is published for it."""
    if system not in _SYSTEMS or machine.lower() not in _MACHINES:
        raise EngineError(f"no Pulumi release for {system} {machine}")
    return f"{_SYSTEMS[system]}-{_MACHINES[machine.lower()]}"


def download(folder: Path, progress: Progress) -> None:
    """Download, verify and unpack the release into a folder. Raises EngineError."""
    platform_ = platform_name(platform.system(), platform.machine())
    name = f"pulumi-v{BUILD_VERSION}-{platform_}.tar.gz"
    try:
        progress.say(f"Downloading {name} from get.pulumi.com")
        data = _get(f"{ARCHIVES}/{name}", progress)
    except (OSError, http.client.HTTPException) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise EngineError(f"cannot be downloaded: {reason}") from error
    actual = hashlib.sha256(data).hexdigest()
    if actual != SHA256[platform_]:
        raise EngineError(f"{name} is damaged or not genuine: its sha256 is {actual}, pinned is {SHA256[platform_]}")
    unpack(data, folder)


def unpack(data: bytes, folder: Path) -> None:
    """Unpack a release archive; its executables lie flat in a folder named `pulumi`. Raises EngineError."""
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as archive:
            for member in archive.getmembers():
                file = archive.extractfile(member) if member.isfile() else None
                if file is None:
                    continue
                # Only the last part of the name is used: an archive cannot write outside the folder.
                target = folder / Path(member.name).name
                target.write_bytes(file.read())
                target.chmod(0o755)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise EngineError(f"the downloaded archive cannot be unpacked: {error}") from error
    if not (folder / "pulumi").is_file():
        raise EngineError("the downloaded archive holds no `pulumi`")


def _get(url: str, progress: Progress | None = None) -> bytes:
    with urllib.request.urlopen(url, timeout=_CONNECT_SECONDS) as response:  # noqa: S310  https, see above
        total = int(response.headers.get("Content-Length") or 0)
        chunks: list[bytes] = []
        size = 0
        while chunk := response.read(_CHUNK):
            chunks.append(chunk)
            size += len(chunk)
            if progress is not None:
                progress.step("downloaded", size / total if total else None)
    if progress is not None:
        progress.end()
    return b"".join(chunks)
