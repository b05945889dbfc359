"""Entry point of the gate: `functions.gate.handler.handle`.

| environment variable | meaning |
|---|---|
| `DATASET`       | the dataset's schema as JSON: its metric and threshold |
| `PACKAGE_GROUP` | model package group; its newest approved package is the champion |

Event: `{"run", "reason", "evaluation"}`, the last being `s3://…/evaluation/evaluation.json`.
Answer: `{"passed", "reason", "metrics", "champion", "distribution"}`, also written as `gate.json`, beside
the evaluation.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

import boto3

from contracts.dataset import parse_dataset
from contracts.s3 import S3Location, parse_s3_uri
from functions.gate.decide import Champion, decide
from functions.shared.evaluation import parse_evaluation
from functions.shared.log import log
from functions.shared.registry import champion_package
from functions.shared.store import read_text


def handle(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Lambda's entry point."""
    return judge(boto3.client("s3"), boto3.client("sagemaker"), event, os.environ)


def judge(s3: Any, sagemaker: Any, event: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """Read, decide, and write the verdict down either way."""
    metric = parse_dataset(environment["DATASET"]).metric
    evaluation = parse_evaluation(read_text(s3, event["evaluation"]))
    found = champion_package(sagemaker, environment["PACKAGE_GROUP"], metric.name)
    champion = Champion(*found) if found else None
    verdict = decide(evaluation, metric, champion, event["reason"])
    place = _beside(parse_s3_uri(event["evaluation"]))
    s3.put_object(Bucket=place.bucket, Key=place.key, Body=json.dumps(verdict, indent=2).encode())
    log("INFO", verdict["reason"], run=event["run"])
    return verdict


def _beside(evaluation: S3Location) -> S3Location:
    return S3Location(evaluation.bucket, evaluation.key.rpartition("/")[0]).join("gate.json")
