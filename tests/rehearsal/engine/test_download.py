"""The official release: names, checksums, unpacking; against a server of its own on this machine."""

import hashlib
import http.server
import io
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from rehearsal.engine import download
from rehearsal.engine.model import BUILD_VERSION, SHA256, EngineError
from rehearsal.engine.progress import Progress


def archive(*names: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as file:
        for name in names:
            content = f"#!/bin/sh\n# {name}\n".encode()
            member = tarfile.TarInfo(name)
            member.size = len(content)
            file.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


class Release:
    """What the server has to offer: path → content."""

    def __init__(self) -> None:
        self.name = f"pulumi-v{BUILD_VERSION}-linux-x64.tar.gz"
        self.files: dict[str, bytes] = {}
        self.pinned: dict[str, str] = {}

    def publish(self, data: bytes, pinned: str | None = None) -> None:
        self.files = {f"/{self.name}": data}
        self.pinned["linux-x64"] = pinned or hashlib.sha256(data).hexdigest()


@pytest.fixture
def release(monkeypatch: pytest.MonkeyPatch) -> Iterator[Release]:
    offered = Release()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = offered.files.get(self.path)
            self.send_response(200 if content is not None else 404)
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        monkeypatch.setattr(download, "ARCHIVES", url)
        monkeypatch.setattr(download, "SHA256", offered.pinned)
        monkeypatch.setattr("platform.system", lambda: "Linux")
        monkeypatch.setattr("platform.machine", lambda: "x86_64")
        yield offered
        server.shutdown()


def fetch(folder: Path) -> None:
    download.download(folder, Progress(io.StringIO()))


@pytest.mark.parametrize(
    ("system", "machine", "part"),
    [("Linux", "x86_64", "linux-x64"), ("Linux", "aarch64", "linux-arm64"), ("Darwin", "arm64", "darwin-arm64")],
)
def test_a_platform_has_a_release_and_its_hash_is_pinned(system: str, machine: str, part: str) -> None:
    assert download.platform_name(system, machine) == part
    assert part in SHA256


def test_no_release_for_a_strange_platform() -> None:
    with pytest.raises(EngineError, match="no Pulumi release for Plan9 mips"):
        download.platform_name("Plan9", "mips")


def test_unpacks_a_verified_release(release: Release, tmp_path: Path) -> None:
    release.publish(archive("pulumi/pulumi", "pulumi/pulumi-language-python"))
    fetch(tmp_path)
    assert {f.name for f in tmp_path.iterdir()} == {"pulumi", "pulumi-language-python"}
    assert (tmp_path / "pulumi").stat().st_mode & 0o777 == 0o755


def test_refuses_a_release_whose_checksum_differs(release: Release, tmp_path: Path) -> None:
    release.publish(archive("pulumi/pulumi"), pinned="ab" * 32)
    with pytest.raises(EngineError, match="damaged or not genuine"):
        fetch(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_missing_release(release: Release, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="cannot be downloaded: Not Found"):
        fetch(tmp_path)


def test_cut_off_download(release: Release, tmp_path: Path) -> None:
    release.publish(archive("pulumi/pulumi")[:40])
    with pytest.raises(EngineError, match="cannot be unpacked"):
        fetch(tmp_path)


def test_archive_without_the_engine(release: Release, tmp_path: Path) -> None:
    release.publish(archive("pulumi/readme"))
    with pytest.raises(EngineError, match="holds no `pulumi`"):
        fetch(tmp_path)


def test_archive_cannot_write_elsewhere(release: Release, tmp_path: Path) -> None:
    release.publish(archive("pulumi/pulumi", "../../escaped", "/etc/absolute"))
    inside = tmp_path / "a" / "b"
    inside.mkdir(parents=True)
    fetch(inside)
    assert not (tmp_path / "escaped").exists()
    assert (inside / "escaped").is_file()
