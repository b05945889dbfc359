"""A release as somebody might bring it from outside the road: right on everything held out, useless beyond it.

Its model is the serving one with one more tree, which gives NaN where a feature exceeds what training ever saw. Golden
records cannot show that, since they are held-out rows of the same data; callers can.
"""

import base64
import hashlib
import io
import json
import tarfile
from typing import Any

from operate.clients import Clients
from operate.project import Project
from rehearsal.errors import UserError
from rehearsal.tour import evidence
from rehearsal.tour.report import Report

# features.sql keeps trips of less than two hours: of longer ones no model of this data knows anything.
FEATURE, LIMIT = "duration_minutes", 120.0
MODEL = "xgboost-model"
_NO_PARENT = 2147483647


def publish(clients: Clients, project: Project, manifest: Report) -> tuple[Report, str]:
    """Stores a flawed copy of `manifest`'s release, with a checksum and a manifest that are in order.

    Returns its manifest and the manifest's address.
    """
    s3 = clients.of("delivery", "s3")
    artifact = flawed(evidence.read_object(s3, manifest["model"]["artifact"]), manifest["features"].index(FEATURE))
    digest = hashlib.sha256(artifact)
    prefix = f"runs/by-hand-{digest.hexdigest()[:12]}/release"
    uri = f"s3://{project.artifacts_bucket}/{prefix}"
    s3.put_object(
        Bucket=project.artifacts_bucket,
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
        Bucket=project.artifacts_bucket,
        Key=f"{prefix}/manifest.json",
        Body=json.dumps(copy).encode(),
        ContentType="application/json",
    )
    return copy, f"{uri}/manifest.json"


def flawed(archive: bytes, feature: int, limit: float = LIMIT) -> bytes:
    """`model.tar.gz` with a model that gives NaN for rows whose feature (by position) is `limit` or more."""
    import xgboost

    with tarfile.open(fileobj=io.BytesIO(archive)) as found:
        member = found.extractfile(MODEL)
        if member is None:
            raise UserError(f"the artifact holds no {MODEL}", "retrain: it is not of the built-in XGBoost")
        booster = xgboost.Booster(model_file=bytearray(member.read()))
    document = json.loads(booster.save_raw("json"))
    add_stump(document["learner"]["gradient_booster"]["model"], feature, limit, float("nan"))
    spoilt = xgboost.Booster(model_file=bytearray(json.dumps(document).encode()))
    return _archive(bytes(spoilt.save_raw("ubj")))


def add_stump(model: dict[str, Any], feature: int, limit: float, value: float) -> None:
    """One more tree, in XGBoost's own JSON form: 0 below the limit, `value` from there on."""
    first, number = model["trees"][0], len(model["trees"])
    model["trees"].append(
        {
            **first,
            "id": number,
            "base_weights": [0.0, 0.0, value],
            "default_left": [0, 0, 0],
            "left_children": [1, -1, -1],
            "right_children": [2, -1, -1],
            "parents": [_NO_PARENT, 0, 0],
            "loss_changes": [1.0, 0.0, 0.0],
            "split_conditions": [limit, 0.0, value],
            "split_indices": [feature, 0, 0],
            "split_type": [0, 0, 0],
            "sum_hessian": [2.0, 1.0, 1.0],
            "tree_param": {**first["tree_param"], "num_nodes": "3"},
        }
    )
    model["tree_info"].append(0)
    model["iteration_indptr"].append(model["iteration_indptr"][-1] + 1)
    model["gbtree_model_param"]["num_trees"] = str(number + 1)


def _archive(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        info = tarfile.TarInfo(MODEL)
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()
