"""What a commit of a project must pass, whatever it has made of its config, data and SQL. Needs no cloud."""

from pathlib import Path

from contracts.names import DELIVERY
from operate.checks import config, features, locks, own, program
from operate.checks.finding import Result


def run(root: Path, data: Path | None = None) -> list[Result]:
    """All checks. What needs the config is left out where that has faults: it would only repeat them."""
    read, configs = config.check(root)
    results = [read]
    dataset = configs.settings[DELIVERY].dataset if DELIVERY in configs.settings else None
    if dataset:
        results.append(features.check(root, dataset, data))
    if read.ok:
        results.append(program.check(root, configs))
    return [*results, locks.check(root), own.check(root)]


def lines(result: Result) -> list[str]:
    """A result for a person: one line, and one for each finding and note."""
    head = f"{result.check:<9} {'ok' if result.ok else 'NOT OK'}  {result.summary}"
    return [head, *(f"  {found}" for found in result.findings), *(f"  note: {note}" for note in result.notes)]
