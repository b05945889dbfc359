"""A release as somebody might bring it from outside the pipeline: right on everything held out, useless beyond it.

Its model is the serving one with one more tree, which gives NaN where a feature exceeds what training ever saw. Golden
records cannot show that, since they are held-out rows of the same data, nor can what callers asked before; callers can
who ask for such a value only now.
"""

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from contracts.errors import UserError
from contracts.features import parse_feature
from operate.clients import Clients
from operate.project import Project
from scenarios import boosters, vouching
from scenarios.tour import evidence
from scenarios.tour.evidence import Row
from scenarios.tour.report import Report

# The model holds limits in 32 bits; what lies near their end cannot be exceeded.
_LARGEST = 1e30
_MARGIN = 0.05


@dataclass(frozen=True)
class Flaw:
    """The model knows nothing where `feature` is `limit` or more; `beyond` is such a value. No row of its data is."""

    feature: str
    limit: float
    beyond: float


def choose(features: Sequence[str], rows: Sequence[Row]) -> Flaw:
    """A flaw that none of these rows shows, in the feature with the most values.

    Raises UserError where every feature has values near the largest that a model can hold.
    """
    found: list[tuple[int, Flaw]] = []
    for feature in features:
        values = {value for row in rows if (value := row[feature]) is not None}
        highest = max(values)
        margin = max(highest - min(values), _MARGIN * abs(highest), 1.0)
        if abs(highest) + 2 * margin < _LARGEST:
            found.append((len(values), Flaw(feature, highest + margin, highest + 2 * margin)))
    if not found:
        raise UserError("every feature has values above 1e30, so no request can exceed them", "scale the features")
    return max(found, key=lambda item: item[0])[1]


def numbers(manifest: Report) -> list[str]:
    """The features that are numbers: of a category no request goes beyond what there is."""
    inputs = [parse_feature(feature, "inputs") for feature in manifest.get("inputs") or manifest["features"]]
    return [feature.name for feature in inputs if not feature.categories]


def seen(clients: Clients, manifest: Report) -> list[Row]:
    """All rows that the release was trained, validated and tested on."""
    return [row for part in ("train", "validation", "test") for row in evidence.feature_rows(clients, manifest, part)]


def publish(clients: Clients, project: Project, manifest: Report, flaw: Flaw) -> tuple[Report, str]:
    """Stores a flawed copy of `manifest`'s release, with a checksum and a manifest that are in order, and signed.

    Returns its manifest and the manifest's address.
    """
    s3 = clients.of("delivery", "s3")
    change = boosters.nan_from(manifest["features"].index(flaw.feature), flaw.limit)
    artifact = boosters.spoil(evidence.read_object(s3, manifest["model"]["artifact"]), change)
    digest = hashlib.sha256(artifact)
    whose = hashlib.sha256(json.dumps(manifest).encode() + digest.digest()).hexdigest()
    prefix = f"runs/by-hand-{whose[:12]}/release"
    uri = f"s3://{project.names.artifacts_bucket}/{prefix}"
    s3.put_object(
        Bucket=project.names.artifacts_bucket,
        Key=f"{prefix}/model.tar.gz",
        Body=artifact,
        ChecksumAlgorithm="SHA256",
        ChecksumSHA256=base64.b64encode(digest.digest()).decode(),
        IfNoneMatch="*",
    )
    model = {**manifest["model"], "artifact": f"{uri}/model.tar.gz", "sha256": digest.hexdigest()}
    copy = {
        **manifest,
        "id": f"{manifest['id'].partition('-')[0]}-{digest.hexdigest()[:8]}",
        "reason": "manual",
        "model": model,
    }
    vouching.publish(clients, project, f"{uri}/manifest.json", json.dumps(copy).encode())
    return copy, f"{uri}/manifest.json"
