"""A release as somebody might bring it from outside the road: right on everything held out, useless beyond it.

Its model is the serving one with one more tree, which gives NaN where a feature exceeds what training ever saw. Golden
records cannot show that, since they are held-out rows of the same data; callers can.
"""

import base64
import hashlib
import json

from operate.clients import Clients
from operate.project import Project
from scenarios import boosters
from scenarios.tour import evidence
from scenarios.tour.report import Report

# features.sql keeps trips of less than two hours: of longer ones no model of this data knows anything.
FEATURE, LIMIT = "duration_minutes", 120.0


def publish(clients: Clients, project: Project, manifest: Report) -> tuple[Report, str]:
    """Stores a flawed copy of `manifest`'s release, with a checksum and a manifest that are in order.

    Returns its manifest and the manifest's address.
    """
    s3 = clients.of("delivery", "s3")
    change = boosters.nan_from(manifest["features"].index(FEATURE), LIMIT)
    artifact = boosters.spoil(evidence.read_object(s3, manifest["model"]["artifact"]), change)
    digest = hashlib.sha256(artifact)
    prefix = f"runs/by-hand-{digest.hexdigest()[:12]}/release"
    uri = f"s3://{project.names.artifacts_bucket}/{prefix}"
    s3.put_object(
        Bucket=project.names.artifacts_bucket,
        Key=f"{prefix}/model.tar.gz",
        Body=artifact,
        ChecksumAlgorithm="SHA256",
        ChecksumSHA256=base64.b64encode(digest.digest()).decode(),
    )
    model = {**manifest["model"], "artifact": f"{uri}/model.tar.gz", "sha256": digest.hexdigest()}
    copy = {
        **manifest,
        "id": f"{manifest['id'].partition('-')[0]}-{digest.hexdigest()[:8]}",
        "reason": "manual",
        "model": model,
    }
    s3.put_object(
        Bucket=project.names.artifacts_bucket,
        Key=f"{prefix}/manifest.json",
        Body=json.dumps(copy).encode(),
        ContentType="application/json",
    )
    return copy, f"{uri}/manifest.json"
