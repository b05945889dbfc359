"""One gateway for the whole test session; every test has accounts of its own."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from rehearsal.cloud.core.cloud import Cloud
from rehearsal.cloud.process.running import RunningCloud

_ACCOUNTS = itertools.count(100000000001)


@pytest.fixture(scope="session")
def running_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCloud]:
    """A gateway on a free port, where an AWS minute lasts a fifth of a second."""
    folder: Path = tmp_path_factory.mktemp("cloud")
    running = RunningCloud(folder, port=0, seconds_per_minute=0.2).start()
    yield running
    running.stop()


@pytest.fixture
def cloud(running_cloud: RunningCloud) -> Cloud:
    """The cloud; state of other tests lies in other accounts (but bucket names are global: put the account in)."""
    return running_cloud.cloud


@pytest.fixture
def account() -> str:
    """The id of an account that nobody used before."""
    return str(next(_ACCOUNTS))


@pytest.fixture
def other_account() -> str:
    """A second unused account, for what crosses accounts."""
    return str(next(_ACCOUNTS))


@pytest.fixture
def region() -> str:
    return "eu-west-1"
