"""Which model is the champion, and whether it can be asked about the dataset as it is now."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from botocore.exceptions import ClientError

from contracts.data import Target
from contracts.dataset import Dataset
from contracts.encoding import encodings, refused
from contracts.features import Feature
from contracts.pointer import Pointer, PointerError, parse_pointer, run_of
from contracts.release import Release, parse_release
from contracts.s3 import parse_s3_uri
from functions.shared.registry import package_of_run
from functions.shared.store import read_verified


@dataclass(frozen=True)
class Made:
    """How a champion's rows were made: address and SHA-256 of its features.sql, its salt, the columns of its matrix,
    the features that they are of, the SQL expression for each column, which columns may be NULL, under which conditions
    it would refuse a row, and what its target's values were like."""

    sql: str
    rule: str
    salt: str
    features: tuple[str, ...]
    inputs: tuple[str | dict[str, Any], ...]
    encoding: tuple[str, ...]
    nullable: tuple[str, ...]
    refused: tuple[str, ...]
    target: Target | None


@dataclass(frozen=True)
class Champion:
    """A package and its artifact; `artifact` is None, and `problem` says why, where it cannot be compared with.

    `release` is its id, `sha256` that of its model, where they are known. With a problem, `package` is None where
    neither manifest nor registry tells it. Without any, there is no champion. `split` tells the features job how the
    champion's rows were made; None for a release from before that was recorded.
    `edges` is the JSON list by which its predict function counts its predictions, `unbinned` why there is none.
    """

    package: str | None = None
    artifact: str | None = None
    problem: str = ""
    release: str = ""
    sha256: str = ""
    split: Made | None = None
    edges: str = ""
    unbinned: str = ""


def find(s3: Any, sagemaker: Any, group: str, recorded: str | None, dataset: Dataset) -> Champion:
    """The model of the release that production has recorded; none where nothing is recorded yet.

    A champion that is gone, or takes other features that nobody can make any more, stops nobody: what is wrong with it
    is handed on instead.
    """
    if recorded is None:
        return Champion()
    try:
        pointer = parse_pointer(recorded)
    except PointerError as error:
        return Champion(problem=f"what production has recorded is no release: {error}")
    try:
        release = parse_release(read_verified(s3, pointer.manifest, pointer.sha256, "production's record"))
    except (ClientError, ValueError) as error:
        return Champion(_registered(sagemaker, group, pointer), problem=_unreadable(pointer, error))
    package, artifact = release.model.package, release.model.artifact
    place = parse_s3_uri(artifact)
    try:
        s3.head_object(Bucket=place.bucket, Key=place.key)
    except ClientError as error:
        return Champion(package, problem=_unreadable(pointer, error))
    problem = _problem(release, dataset)
    found = Champion(package, None, problem, release.id, release.model.sha256)
    if problem:
        return found
    made = _made(release)
    edges, unbinned = _edges(release)
    return replace(found, artifact=artifact, split=made, edges=edges, unbinned=unbinned)


def _made(release: Release) -> Made | None:
    split = release.split
    if split is None:
        return None
    inputs = release.inputs or tuple(map(Feature, release.features))
    return Made(
        split.sql,
        split.rule,
        split.salt,
        release.features,
        tuple(feature.document() for feature in inputs),
        tuple(encodings(inputs)),
        tuple(column for feature in inputs if feature.nullable for column in feature.columns),
        tuple(refused(inputs)),
        release.data.target,
    )


def _registered(sagemaker: Any, group: str, pointer: Pointer) -> str | None:
    """What the registry knows of the run that made the release."""
    run = run_of(pointer)
    package = package_of_run(sagemaker, group, run) if run else None
    return package["ModelPackageArn"] if package else None


def _unreadable(pointer: Pointer, error: Exception) -> str:
    return f"release {pointer.id} cannot be read: {error}"


def _edges(release: Release) -> tuple[str, str]:
    """Of the bins that a release's predictions are counted in, as a text, which keeps every digit; or why there are
    none."""
    if release.distribution is None:
        return "", "its manifest is from before predictions were counted in bins"
    if not release.distribution.edges:
        return "", "it gives one answer to everything"
    return json.dumps(release.distribution.edges), ""


def _problem(release: Release, dataset: Dataset) -> str:
    if release.target != dataset.target:
        return f"it predicts {release.target}, and not {dataset.target}"
    if release.task != dataset.task:
        return f"it is a model of {release.task}, and not of {dataset.task}"
    if release.classes and dataset.classes and release.classes != dataset.classes:
        return f"it tells {', '.join(release.classes)} apart, and not {', '.join(dataset.classes)}"
    if release.split is None and release.features != dataset.features:
        return f"it takes {', '.join(release.features)}, and not {', '.join(dataset.features)}"
    return ""
