"""Tests do not see the credentials of whoever runs them, a build's role least of all."""

import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import CREDENTIALS

ROOT = Path(__file__).resolve().parents[2]
SEEN = "import os, tests.conftest as found; print([name for name in found.CREDENTIALS if name in os.environ])"


def test_no_test_sees_the_credentials_of_a_build() -> None:
    environment = {**os.environ, **dict.fromkeys(CREDENTIALS, "/build")}
    done = subprocess.run(
        [sys.executable, "-c", SEEN], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
