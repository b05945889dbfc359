"""Entry point of the search for the champion: `functions.champion.handler.handle`.

| environment variable | meaning |
|---|---|
| `POINTER`       | parameter in production's account that records the release it serves |
| `POINTER_ROLE`  | ARN of the role there that may read it |
| `PACKAGE_GROUP` | model package group, for a champion whose manifest cannot be read |
| `DATASET_URI`   | address of the dataset's schema: target and features |

Event: `{"run"}`. Answer: `{"package": <ARN> | null, "artifact": "s3://…/model.tar.gz" | null, "problem": "", "release",
"sha256", "split": {"sql", "rule", "salt", "features", "inputs", "encoding", "nullable",
"refused", "target"} | null, "edges", "unbinned"}`:
an artifact only where the evaluation job can load it; else `problem` says what is wrong with it. `release` is its id,
`sha256` that of its model (empty where they are not known). `split` is how its rows were made, for the features job.
`edges` is the JSON list of the bins that its predictions are counted in, for the evaluation; empty where there are
none, and `unbinned` says why.
All are empty where production serves nothing yet.
"""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import Any

import boto3

from functions.champion.find import find
from functions.shared.dataset import read_dataset
from functions.shared.log import log
from functions.shared.serving import look_up


def handle(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Lambda's entry point."""
    s3, environment = boto3.client("s3"), os.environ
    dataset = read_dataset(s3, environment)
    record = look_up(environment, event["run"])
    found = find(s3, boto3.client("sagemaker"), environment["PACKAGE_GROUP"], record, dataset)
    if found.problem:
        log("WARNING", f"no comparison with the champion: {found.problem}", run=event["run"], package=found.package)
    if found.unbinned:
        log("WARNING", f"the evaluation makes no table of bins with the champion: {found.unbinned}", run=event["run"])
    return asdict(found)
