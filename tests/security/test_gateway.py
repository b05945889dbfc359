"""Attacks on the developer's machine while a rehearsal is up: another user, or a web page (F9, F21)."""

from __future__ import annotations

import http.client
import os
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError

from rehearsal.cloud.core.cloud import Cloud
from rehearsal.cloud.process import lifecycle
from rehearsal.cloud.process.running import RunningCloud
from rehearsal.environment import TOKEN_HEADER, Rehearsal, token
from tests.keys import SECRET_KEY

FORMER_SECRET = "rehearsal-secret-access-key"  # of every rehearsal, once
OWN = {TOKEN_HEADER: token(SECRET_KEY)}


@pytest.fixture
def cloud(running_cloud: RunningCloud) -> Cloud:
    return running_cloud.cloud


def status(cloud: Cloud, path: str, headers: Mapping[str, str], method: str = "GET", body: bytes | None = None) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", cloud.port, timeout=20)
    try:
        connection.request(method, path, body, dict(headers))
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.parametrize("secret", [FORMER_SECRET, "", "x"])
@pytest.mark.parametrize(("service", "code"), [("sts", "InvalidSignatureException"), ("s3", "SignatureDoesNotMatch")])
def test_f9_a_key_with_another_secret_opens_nothing(cloud: Cloud, secret: str, service: str, code: str) -> None:
    client = boto3.client(
        service,
        region_name="eu-west-1",
        endpoint_url=cloud.url,
        aws_access_key_id="AKIA111111111111",
        aws_secret_access_key=secret or "none",
    )
    with pytest.raises(ClientError) as caught:
        client.get_caller_identity() if service == "sts" else client.list_buckets()
    assert caught.value.response["Error"]["Code"] == code


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:4599", "127.0.0.1.evil.example", "localhost.evil", "[::1]"]
)
@pytest.mark.parametrize("path", ["/", "/_rehearsal/health", "/_rehearsal/ledger", "/_aws/execute-api/x/live/predict"])
def test_f9_another_name_of_this_machine_is_refused(cloud: Cloud, host: str, path: str) -> None:
    assert status(cloud, path, {**OWN, "Host": host}) == 403


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:4599"])
def test_f9_a_web_page_is_refused(cloud: Cloud, origin: str) -> None:
    headers = {**OWN, "Origin": origin, "Content-Type": "text/plain"}
    assert status(cloud, "/_rehearsal/faults", headers, "POST", b'{"service": "s3", "operation": "PutObject"}') == 403


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/_rehearsal/faults"),
        ("GET", "/_rehearsal/outbox"),
        ("GET", "/_rehearsal/ledger"),
        ("POST", "/_rehearsal/snapshot"),
        ("GET", "/_rehearsal/identity-token?host=github.com&subject=s&audience=a"),
        ("GET", "/_rehearsal/inventory"),
    ],
)
def test_f9_the_gateways_own_routes_want_the_token(cloud: Cloud, method: str, path: str) -> None:
    for headers in ({}, {TOKEN_HEADER: "x"}, {TOKEN_HEADER: token(FORMER_SECRET)}, {"Authorization": "Bearer x"}):
        assert status(cloud, path, headers, method) == 403
    assert status(cloud, "/_rehearsal/ledger", OWN) == 200
    assert status(cloud, "/_rehearsal/ledger", {"Authorization": f"bearer {token(SECRET_KEY)}"}) == 200
    assert status(cloud, "/_rehearsal/ledger", {**OWN, "Host": f"localhost:{cloud.port}"}) == 200


def test_f9_each_rehearsal_has_a_secret_that_only_its_owner_reads(tmp_path: Path) -> None:
    first, second = Rehearsal(folder=tmp_path / "a"), Rehearsal(folder=tmp_path / "b")
    assert len({first.secret(), second.secret(), FORMER_SECRET}) == 3
    assert first.secret() == Rehearsal(folder=tmp_path / "a").secret()
    assert stat.S_IMODE(first.secret_file.stat().st_mode) == 0o600
    first.write_credentials({"dev": "111111111111"})
    assert f"aws_secret_access_key = {first.secret()}" in first.aws_credentials.read_text()
    assert first.secret() not in "".join(first.headers().values())


def test_f9_profiles_of_before_get_the_new_secret(tmp_path: Path) -> None:
    before = Rehearsal(folder=tmp_path)
    before.write_credentials({"dev": "111111111111"})
    text = before.aws_credentials.read_text().replace(before.secret(), FORMER_SECRET)
    before.aws_credentials.write_text(text)
    before.secret_file.unlink()
    before.prepare()
    assert FORMER_SECRET not in before.aws_credentials.read_text()
    assert before.aws_credentials.read_text().count(before.secret()) == 2


@dataclass
class Bystander:
    """A process that is none of ours."""

    process: subprocess.Popen[bytes]

    @property
    def lives(self) -> bool:
        return self.process.poll() is None


@pytest.fixture
def bystander() -> Iterator[Bystander]:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)", "rehearsal.cloud"])
    yield Bystander(process)
    process.kill()
    process.wait()


def test_f21_down_ends_only_what_its_own_file_and_proc_name(
    bystander: Bystander, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rehearsal = Rehearsal(folder=tmp_path)
    pid = bystander.process.pid
    # Whoever has the port says that it is this process.
    monkeypatch.setattr(lifecycle, "status", lambda _: lifecycle.Status(pid, ours=True))
    assert not lifecycle.stop(rehearsal)
    # The number in the file is another process's by now, even one whose arguments look a little like ours.
    rehearsal.cloud.mkdir(parents=True)
    (rehearsal.cloud / "gateway.pid").write_text(f"{pid}\n")
    assert not lifecycle.stop(rehearsal)
    assert bystander.lives
    assert os.path.exists(f"/proc/{pid}") or not os.path.isdir("/proc/self")
