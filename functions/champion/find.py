"""Which model is the champion, and whether it can be asked about the dataset as it is now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from contracts.dataset import Dataset
from contracts.release import Release, ReleaseError, parse_release
from contracts.s3 import S3Location, parse_s3_uri
from functions.shared.registry import champion_package
from functions.shared.store import read_text


@dataclass(frozen=True)
class Champion:
    """A package and its artifact; `artifact` is None, and `problem` says why, where it cannot be compared with."""

    package: str | None = None
    artifact: str | None = None
    problem: str = ""


def find(s3: Any, sagemaker: Any, group: str, bucket: str, dataset: Dataset) -> Champion:
    """The newest approved package of the group; `package` is None where there is none yet.

    A champion that takes other features, or is gone, stops nobody: what is wrong with it is handed on instead.
    """
    found = champion_package(sagemaker, group)
    if found is None:
        return Champion()
    package, run = found
    manifest = S3Location(bucket, f"runs/{run}/release/manifest.json")
    try:
        release = parse_release(read_text(s3, str(manifest)))
        artifact = parse_s3_uri(release.model.artifact)
        s3.head_object(Bucket=artifact.bucket, Key=artifact.key)
    except (ClientError, ReleaseError) as error:
        return Champion(package, problem=f"it cannot be read: {error}")
    problem = _problem(release, dataset)
    return Champion(package, None if problem else release.model.artifact, problem)


def _problem(release: Release, dataset: Dataset) -> str:
    if release.target != dataset.target:
        return f"it predicts {release.target}, and not {dataset.target}"
    if release.features != dataset.features:
        return f"it takes {', '.join(release.features)}, and not {', '.join(dataset.features)}"
    return ""
