"""The session's gateway and engine; every test has accounts of its own."""

import itertools
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rehearsal.cloud.core.cloud import Cloud
from rehearsal.cloud.process.running import RunningCloud
from rehearsal.engine.ensure import ensure_engine
from rehearsal.environment import Rehearsal, cache_folder
from rehearsal.warm import SERVER
from tests.keys import SECRET_KEY
from tests.processes import until

_ACCOUNTS = itertools.count(100000000001)


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


@pytest.fixture(scope="session")
def engine_home(running_cloud: RunningCloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    """The engine and its plugins, whose Python processes start warm as in any rehearsal.

    What a project may write to, its state and credentials, is its own: `own_environ`.
    """
    if not (cache_folder() / "engine").is_dir() and not shutil.which("pulumi"):
        pytest.skip("no engine yet: `python -m rehearsal.engine` makes one")
    made = Rehearsal(folder=tmp_path_factory.mktemp("engine"), port=running_cloud.port, python=Path(sys.executable))
    ensure_engine(made)
    made.keep_state_here()
    if made.warm is None:
        yield made
        return
    server = subprocess.Popen([sys.executable, "-P", str(SERVER), str(made.warm)])
    try:
        until(made.warm.exists)
        yield made
    finally:
        server.terminate()
        server.wait(60)


@pytest.fixture
def own_environ(engine_home: Rehearsal, tmp_path: Path) -> Callable[[str], dict[str, str]]:
    """The environment of the engine for an account's administrator, with a state that no other test sees."""

    def environ(account: str) -> dict[str, str]:
        own = replace(engine_home, folder=tmp_path / "home")
        # The gateway is this process's, and so is its secret.
        own.secret_file.parent.mkdir(parents=True, exist_ok=True)
        own.secret_file.write_text(SECRET_KEY)
        own.prepare()
        own.keep_state_here()
        own.write_credentials({"default": account})
        mine = own.environ()
        return engine_home.environ() | {
            name: mine[name] for name in ("PULUMI_BACKEND_URL", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE")
        }

    return environ
