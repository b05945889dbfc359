"""What a commit of a project must pass, whatever it has made of its config, data and SQL. Needs no cloud."""

from pathlib import Path

from contracts.dataset import Dataset
from contracts.errors import UserError
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


def dataset_of(root: Path) -> Dataset:
    """The declaration of the data in the delivery stack's config. Raises UserError where none is without faults."""
    read, configs = config.check(root)
    dataset = configs.settings[DELIVERY].dataset if DELIVERY in configs.settings else None
    if dataset:
        return dataset
    file = f"Pulumi.{DELIVERY}.yaml"
    found = next((str(each) for each in read.findings if each.where == file), f"{file} has no glidepath:dataset")
    raise UserError(found, "./glidepath check says what else is wrong with the config")


def lines(result: Result) -> list[str]:
    """A result for a person: one line, and one for each finding and note."""
    head = f"{result.check:<9} {'ok' if result.ok else 'NOT OK'}  {result.summary}"
    return [head, *(f"  {found}" for found in result.findings), *(f"  note: {note}" for note in result.notes)]
