"""What retraining leaves in the stores, and who may say that a run is one: `functions.retrain` alone writes there."""

from __future__ import annotations

import hashlib

OWN_REASONS = ("drift", "schedule")
"""Reasons that only `functions.retrain` may give; the workflow refuses them for a run that it has not started."""
REASONS = ("commit", "data", "manual", *OWN_REASONS)
"""Every reason that a run may have."""
UPLOADED = "datasets/"
"""Where new rows are uploaded, in the data bucket: each starts a run."""
COLLECTED = "collected/"
"""Where rows wait for a retraining, in the data bucket: an upload there starts nothing by itself."""
JOINED = "windows/"
"""Where joined windows lie, in the data bucket."""
FOLDER = "retrain/"
"""Where the function keeps what it knows, in the artifacts bucket."""
LEDGER_KEY = f"{FOLDER}ledger.json"
"""Runs that were started, and the last decisions."""
TOLD = "told/"
"""What people were told of files that start no run, in the artifacts bucket."""
TRAINED = "trained/"
"""Which data was judged by the gate, in the artifacts bucket."""


def start_key(execution: str) -> str:
    """Where it is written down, in the artifacts bucket, that a run of the pipeline was started by the function."""
    return f"{FOLDER}starts/{execution}.json"


def trained_key(uri: str, version: str) -> str:
    """Where it is written down, in the artifacts bucket, that a model of one object version came to the gate."""
    return f"{TRAINED}{identity(uri, version)}.json"


def identity(uri: str, version: str) -> str:
    """Short name of one version of one object."""
    return hashlib.sha256(f"{uri}@{version}".encode()).hexdigest()[:32]
