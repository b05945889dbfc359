"""The evaluation job's arguments, for the state machine that starts it.

Apart from `evaluate.py`, which runs alone in its container, on that container's older Python.
"""

from __future__ import annotations

from contracts.dataset import Dataset, Slice
from contracts.tasks import REGRESSION

# SageMaker's limits for `ContainerArguments`: how many, and how long each.
_MOST, _LONGEST = 100, 256
_KEPT = 6
"""Arguments that the workflow adds: where baseline, champion and pairs are."""


def evaluation_arguments(dataset: Dataset) -> list[str]:
    """`ContainerArguments` of the processing job. Raises ValueError where SageMaker would refuse them."""
    arguments = ["--metric", dataset.metric.name, "--features", *dataset.features]
    if dataset.task != REGRESSION:
        arguments += ["--task", dataset.task, "--classes", str(dataset.class_count)]
    for part in dataset.slices:
        arguments += ["--slice", _slice(part)]
    too_long = [argument for argument in arguments if len(argument) > _LONGEST]
    if too_long:
        raise ValueError(f"{too_long[0][:60]}… is longer than {_LONGEST} characters: give the slice fewer edges")
    if len(arguments) > _MOST - _KEPT:
        needed = len(arguments) + _KEPT
        raise ValueError(
            f"the evaluation needs {needed} arguments, SageMaker takes {_MOST}: use fewer slices or features"
        )
    return arguments


def _slice(part: Slice) -> str:
    if part.quantiles:
        return f"{part.feature}=quantiles:{part.quantiles}"
    return f"{part.feature}={','.join(map(repr, part.edges))}"
