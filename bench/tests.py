"""`make test` beside another commit's, where AGAINST names one; and which tests take the time, set-up included.

Both run in turns, RUNS times each, as their own Makefiles have it; ARGS goes to both, e.g. to take a part of the tests.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from bench.measure import Result
from bench.processes import Sampler
from contracts.errors import UserError

ROOT = Path(__file__).resolve().parent.parent
SHOWN = 20
AIM = 0.45
# An environment that was made for the same requirements serves both checkouts.
REQUIREMENTS = ("requirements.txt", "requirements-build.txt", "requirements-notebook.txt", "requirements-dev.txt",
                "constraints.txt")  # fmt: skip


@dataclass(frozen=True)
class Run:
    """One run of `make test`: what it took in all, its tests' seconds by name, and how many failed.

    processor: seconds of processes with the checkout in their command line or as their folder.
    """

    wall: float
    processor: float
    tests: Mapping[str, float]
    failed: int


def measure() -> Iterator[Result]:
    """Raises UserError where tests of this checkout fail, or where there is no such commit."""
    rounds = int(os.environ.get("RUNS") or 1)
    against = os.environ.get("AGAINST")
    if not against:
        yield from _shares(_good(ROOT))
        return
    ours, theirs = [], []
    with _checkout(against) as other:
        for _ in range(rounds):
            ours.append(_good(ROOT))
            theirs.append(run(other))
    count = f"{len(ours[-1].tests)} tests here, {len(theirs[-1].tests)} there, {theirs[-1].failed} of those failed"
    yield Result(
        f"make test, beside {against}", ratio([r.wall for r in ours], [r.wall for r in theirs]), "×", count, AIM
    )
    processor = ratio([r.processor for r in ours], [r.processor for r in theirs])
    yield Result("its processor time", processor, "×", f"{rounds} runs each, in turns")
    yield from _shares(ours[-1])


def ratio(first: list[float], second: list[float]) -> float:
    """Of the medians."""
    return statistics.median(first) / statistics.median(second)


def run(checkout: Path) -> Run:
    """`make test` of a checkout. Raises UserError where it ends before it has run tests."""
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch) / "report.xml"
        arguments = f"ARGS={os.environ.get('ARGS', '')} --junitxml={report}"
        # What this make was told is not for that one.
        environ = {key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MAKELEVEL", "ARGS")}
        subprocess.run(["make", "setup"], cwd=checkout, env=environ, stdout=sys.stderr, check=False)
        with Sampler(str(checkout), lambda: "") as sampler:
            subprocess.run(["make", "test", arguments], cwd=checkout, env=environ, stdout=sys.stderr, check=False)
        if not report.is_file():
            raise UserError(f"make test in {checkout} ended without a report")
        return read(report, sum(sampler.seconds.values()))


def read(report: Path, processor: float) -> Run:
    """What pytest's report says of a run."""
    # Written by pytest a moment ago.
    suite = ElementTree.parse(report).getroot().find("testsuite")  # noqa: S314
    assert suite is not None
    tests = {f"{case.attrib['classname']}.{case.attrib['name']}": float(case.attrib["time"]) for case in suite}
    failed = int(suite.attrib["failures"]) + int(suite.attrib["errors"])
    return Run(float(suite.attrib["time"]), processor, tests, failed)


def _good(checkout: Path) -> Run:
    done = run(checkout)
    if done.failed:
        raise UserError(f"{done.failed} tests failed, so they cannot be measured")
    return done


@contextmanager
def _checkout(commit: str) -> Iterator[Path]:
    """Another commit's checkout, with this one's environment where it needs the same."""
    with tempfile.TemporaryDirectory() as scratch:
        made = Path(scratch) / "checkout"
        added = _git("worktree", "add", "--quiet", "--detach", str(made), commit)
        if added.returncode:
            raise UserError(f"{commit} cannot be checked out: {added.stderr.strip()}")
        try:
            _share_environment(made)
            yield made
        finally:
            _git("worktree", "remove", "--force", str(made))


def _share_environment(made: Path) -> None:
    if any(not (made / name).is_file() or not _same(made / name, ROOT / name) for name in REQUIREMENTS):
        return
    (made / ".venv").symlink_to(ROOT / ".venv")
    for name in REQUIREMENTS:
        # make compares times.
        shutil.copystat(ROOT / name, made / name)


def _same(one: Path, other: Path) -> bool:
    return one.read_bytes() == other.read_bytes()


def _git(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


def _shares(done: Run) -> Iterator[Result]:
    total = sum(done.tests.values())
    yield Result("all tests, beside the time that passed", total / done.wall, "×")
    files: defaultdict[str, float] = defaultdict(float)
    for name, seconds in done.tests.items():
        files[_file(name)] += seconds
    for name, seconds in [*_most(files), *_most(done.tests)]:
        yield Result(name[-52:], seconds / total, "×")


def _file(name: str) -> str:
    """`tests.unit.test_layers` of a test's name in it, whose parameters may hold anything."""
    return name.partition("[")[0].rpartition(".")[0]


def _most(seconds: Mapping[str, float]) -> list[tuple[str, float]]:
    return sorted(seconds.items(), key=lambda item: -item[1])[:SHOWN]
