"""The program once per shape, for all files of tests."""

import pytest

from tests.program.harness import SHAPES, Run, run_shape


@pytest.fixture(scope="session", params=SHAPES)
def ran(request: pytest.FixtureRequest) -> Run:
    return run_shape(request.param)
