"""In which order tests run, and which of them must run in one process.

`make test` runs them on every core. Tests that share a world (a rehearsal, a cloud) stay together: a file's by
default, a folder's where the folder shares one. What takes longest begins first, so that no core waits at the end.
"""

import pytest

FOLDERS = ("tests/scenarios/road/", "tests/ci/", "tests/rehearsal/cloud/core/")
"""Folders whose files share a world."""
LONGEST_FIRST = ("tests/scenarios/road/", "tests/scenarios/own/", "tests/scenarios/faults/test_matrix.py")


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups in the same hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Group and order."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(item.nodeid)))
    items.sort(key=_rank)


def _group(nodeid: str) -> str:
    return next((folder for folder in FOLDERS if nodeid.startswith(folder)), nodeid.partition("::")[0])


def _rank(item: pytest.Item) -> int:
    for rank, start in enumerate(LONGEST_FIRST):
        if item.nodeid.startswith(start):
            return rank
    if item.get_closest_marker("e2e") or item.get_closest_marker("engine"):
        return len(LONGEST_FIRST)
    return len(LONGEST_FIRST) + 1
