"""Which tests take the time: shares of all tests' seconds, set-up included, by file, and the twenty slowest."""

import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.etree import ElementTree

from bench.measure import Result
from contracts.errors import UserError

ROOT = Path(__file__).resolve().parent.parent
SHOWN = 20


def measure() -> Iterator[Result]:
    """Runs `make test`; raises UserError where tests fail."""
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch) / "report.xml"
        done = subprocess.run(["make", "test", f"ARGS=--junitxml={report}"], cwd=ROOT, stdout=sys.stderr)
        if done.returncode:
            raise UserError("the tests failed, so they cannot be measured")
        # Written by pytest a moment ago.
        suite = ElementTree.parse(report).getroot().find("testsuite")  # noqa: S314
    assert suite is not None
    wall = float(suite.attrib["time"])
    tests = {f"{case.attrib['classname']}.{case.attrib['name']}": float(case.attrib["time"]) for case in suite}
    total = sum(tests.values())
    yield Result("all tests, beside the time that passed", total / wall, "×")
    files: defaultdict[str, float] = defaultdict(float)
    for case in suite:
        files[case.attrib["classname"]] += float(case.attrib["time"])
    for name, seconds in [*_most(files), *_most(tests)]:
        yield Result(name[-52:], seconds / total, "×")


def _most(seconds: Mapping[str, float]) -> list[tuple[str, float]]:
    return sorted(seconds.items(), key=lambda item: -item[1])[:SHOWN]
