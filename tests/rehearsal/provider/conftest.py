"""A moto server for the tests of the provider, and providers configured against it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from moto.server import ThreadedMotoServer

from tests.rehearsal.provider.harness import Engine

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "AKIA000000000001",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_EC2_METADATA_DISABLED": "true",
}
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def moto_address() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def aws(moto_address: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The environment of a plugin that talks to moto; the address."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_address)
    for key, value in ENVIRONMENT.items():
        monkeypatch.setenv(key, value)
    for key in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.delenv(key, raising=False)
    return moto_address


@pytest.fixture
def engine(aws: str) -> Iterator[Engine]:
    engine = Engine({"region": "eu-west-1"})
    yield engine
    engine.close()


@pytest.fixture
def unique() -> str:
    """A part of a name that no other test uses."""
    return f"n{next(_numbers)}"


@pytest.fixture
def boto(aws: str) -> Any:
    """Makes clients that stand for another person's hands on the account."""
    import botocore.session

    session = botocore.session.Session()
    return lambda service: session.create_client(service, region_name="eu-west-1", endpoint_url=aws)
