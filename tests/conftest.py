"""In which order tests run, and which of them must run in one process.

`make test` runs them on every core. Tests that share a world (a rehearsal, a cloud) stay together: a file's by
default, a folder's where the folder shares one. What takes longest begins first, so that no core waits at the end.
"""

import contextlib
import os
import signal
import urllib.request
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from rehearsal.cloud.process.running import RunningCloud

# No verdict depends on how fast the machine is, or how busy, or on a die: a commit's examples are always the same.
# `ARGS=--hypothesis-profile=search` draws new ones. A pipeline's Build, which runs tests/project alone, has no
# hypothesis.
with contextlib.suppress(ModuleNotFoundError):
    from hypothesis import HealthCheck, settings

    _any_machine = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.register_profile("search", _any_machine)
    settings.register_profile("any machine", _any_machine, derandomize=True)
    settings.load_profile("any machine")

# A shell starts its background jobs with SIGINT ignored, and so would be all that the tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

CREDENTIALS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_CONFIG_FILE",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_PROFILE",
    "AWS_ROLE_ARN",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
)
"""Where SDKs find credentials. No test sees a build's role; what needs an account makes one and sets its own."""
for _name in CREDENTIALS:
    os.environ.pop(_name, None)
os.environ["AWS_EC2_METADATA_DISABLED"] = "true"

FOLDERS = ("tests/scenarios/road/", "tests/functions/")
"""Folders whose files share a world."""
LONGEST_FIRST = (
    "tests/scenarios/road/",
    "tests/scenarios/own/",
    "tests/scenarios/faults/test_matrix.py",
    "tests/scenarios/tour/test_interruption.py",
    "tests/rehearsal/preview/",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order."""
    items.sort(key=_rank)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Hand the tests out by group, in the order above."""
    # Imported here: the pipeline's Build tests a project without it.
    from xdist.scheduler import LoadScopeScheduling

    class ByGroup(LoadScopeScheduling):  # type: ignore[misc, unused-ignore]
        def _split_scope(self, nodeid: str) -> str:
            return _group(nodeid)

    return ByGroup(config, log)


def _group(nodeid: str) -> str:
    return next((folder for folder in FOLDERS if nodeid.startswith(folder)), nodeid.partition("::")[0])


def _rank(item: pytest.Item) -> int:
    for rank, start in enumerate(LONGEST_FIRST):
        if item.nodeid.startswith(start):
            return rank
    if item.get_closest_marker("e2e") or item.get_closest_marker("engine"):
        return len(LONGEST_FIRST)
    return len(LONGEST_FIRST) + 1


@pytest.fixture(scope="session")
def running_cloud(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[RunningCloud]":
    """The process's one gateway, on a free port, where an AWS minute lasts a fifth of a second."""
    # Imported here: the pipeline's Build tests a project without the rehearsal.
    from rehearsal.cloud.process.running import RunningCloud
    from rehearsal.environment import TOKEN_HEADER, token
    from tests.keys import SECRET_KEY

    running = RunningCloud(tmp_path_factory.mktemp("cloud"), port=0, seconds_per_minute=0.2, secret=SECRET_KEY).start()
    # Whatever a test asks this process's gateway itself.
    opener = urllib.request.build_opener()
    opener.addheaders = [(TOKEN_HEADER, token(SECRET_KEY))]
    urllib.request.install_opener(opener)
    yield running
    running.stop()
