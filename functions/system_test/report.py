"""Running checks one after the other, and telling how it went."""

from __future__ import annotations

import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from functions.shared.api import CallError
from functions.system_test.checks import CheckError


@dataclass(frozen=True)
class Outcome:
    """One check: what it found, or why it failed, and how long it took."""

    name: str
    passed: bool
    detail: str
    seconds: float


def run(checks: Mapping[str, Callable[[], str]], say: Callable[[str], None]) -> list[Outcome]:
    """Run all checks, also after one failed: the whole picture helps more than the first trouble."""
    outcomes = []
    for name, check in checks.items():
        outcome = _run(name, check)
        say(f"{'ok    ' if outcome.passed else 'FAILED'}  {name}: {outcome.detail} ({outcome.seconds:.1f} s)")
        outcomes.append(outcome)
    return outcomes


def junit(outcomes: list[Outcome]) -> str:
    """The outcomes as JUnit XML, which CodeBuild shows as a test report."""
    failed = sum(not outcome.passed for outcome in outcomes)
    seconds = f"{sum(outcome.seconds for outcome in outcomes):.3f}"
    attributes = {"name": "system_test", "tests": str(len(outcomes)), "failures": str(failed), "time": seconds}
    suite = ElementTree.Element("testsuite", attributes)
    for outcome in outcomes:
        case = ElementTree.SubElement(
            suite, "testcase", {"classname": "system_test", "name": outcome.name, "time": f"{outcome.seconds:.3f}"}
        )
        if outcome.passed:
            ElementTree.SubElement(case, "system-out").text = outcome.detail
        else:
            ElementTree.SubElement(case, "failure", {"message": outcome.detail})
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True)


def _run(name: str, check: Callable[[], str]) -> Outcome:
    started = time.monotonic()
    try:
        detail, passed = check(), True
    except (CheckError, CallError) as error:
        detail, passed = str(error), False
    return Outcome(name, passed, detail, time.monotonic() - started)
