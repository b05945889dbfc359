"""Providers configured against the gateway."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from rehearsal.cloud.process.running import RunningCloud
from tests.keys import SECRET_KEY
from tests.rehearsal.provider.harness import Engine

ACCOUNT = "123456789012"
REGION = "eu-west-1"
FOREIGN = ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE")
_numbers = itertools.count(1)


@pytest.fixture
def aws(running_cloud: RunningCloud, monkeypatch: pytest.MonkeyPatch) -> str:
    """The environment of a plugin that talks to the gateway; its address."""
    address = f"http://127.0.0.1:{running_cloud.port}"
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", f"AKIA{ACCOUNT}")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for key in FOREIGN:
        monkeypatch.delenv(key, raising=False)
    return address


@pytest.fixture
def engine(aws: str) -> Iterator[Engine]:
    engine = Engine({"region": REGION})
    yield engine
    engine.close()


@pytest.fixture
def unique() -> str:
    """A part of a name that no other test uses."""
    return f"n{next(_numbers)}"


@pytest.fixture
def boto(aws: str) -> Callable[[str], Any]:
    """Makes clients that stand for another person's hands on the account."""
    import botocore.session

    session = botocore.session.Session()
    return lambda service: session.create_client(service, region_name=REGION, endpoint_url=aws)
