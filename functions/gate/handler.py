"""Entry point of the gate: `functions.gate.handler.handle`.

| environment variable | meaning |
|---|---|
| `DATASET_URI`   | address of the dataset's schema: its metric and threshold |

Event: `{"run", "reason", "evaluation", "champion", "data"}`: `s3://…/evaluation/evaluation.json`, and the answers of
`functions.champion` and `functions.validate`.
Answer: `{"passed", "reason", "metrics", "champion", "distribution", "pair"}`, also written as `gate.json`, beside
the evaluation. Which data was judged is written below `trained/`: nothing retrains on it by itself again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

import boto3

from contracts.retraining import trained_key
from contracts.s3 import S3Location, parse_s3_uri
from functions.gate.decide import Champion, decide
from functions.shared.dataset import read_dataset
from functions.shared.evaluation import parse_evaluation
from functions.shared.log import log
from functions.shared.store import read_text

_CHAMPION = ("package", "problem", "release", "sha256")


def handle(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Lambda's entry point."""
    return judge(boto3.client("s3"), event, os.environ)


def judge(s3: Any, event: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """Read, decide, and write the verdict down either way."""
    dataset = read_dataset(s3, environment)
    evaluation = parse_evaluation(read_text(s3, event["evaluation"]))
    found, data = event["champion"], event["data"]
    known = {key: found[key] for key in _CHAMPION}
    recorded = found.get("split") is not None
    edges = tuple(json.loads(found.get("edges") or "[]"))
    champion = Champion(**known, recorded=recorded, edges=edges) if found["package"] or found["problem"] else None
    verdict = decide(evaluation, dataset.metric, champion, event["reason"], dataset.classes)
    place = _beside(parse_s3_uri(event["evaluation"]))
    _write(s3, place, verdict)
    trained = {"run": event["run"], "reason": event["reason"], "passed": verdict["passed"], "data": data["uri"]}
    _write(s3, S3Location(place.bucket, trained_key(data["uri"], data["version"])), trained)
    log("INFO", verdict["reason"], run=event["run"])
    return verdict


def _write(s3: Any, place: S3Location, document: Mapping[str, Any]) -> None:
    s3.put_object(Bucket=place.bucket, Key=place.key, Body=json.dumps(document, indent=2).encode())


def _beside(evaluation: S3Location) -> S3Location:
    return S3Location(evaluation.bucket, evaluation.key.rpartition("/")[0]).join("gate.json")
