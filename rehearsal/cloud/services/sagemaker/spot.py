"""Managed Spot training: its rules, checkpoints, and what time it may take.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-managed-spot-training.html, and model-checkpoints.html beside it.
"""

import json
import math
import re
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from rehearsal.cloud.compute import objects as s3
from rehearsal.cloud.compute.jobs import Job, JobTimedOut, limit
from rehearsal.cloud.core.api import Cloud
from rehearsal.cloud.services.sagemaker import state
from rehearsal.cloud.services.sagemaker.inputs import refuse

FOLDER = "/opt/ml/checkpoints"
_PRICE = 0.3
"""Share of the price that Spot machines cost. AWS promises "up to 90 %" less, and names no share for a type."""
_WITHOUT_CHECKPOINTS = 3600
"""Longest MaxWaitTimeInSeconds of a built-in algorithm that does not checkpoint."""
_DAY = 86400


class MaxWaitExceeded(JobTimedOut):
    """A Spot job was not done within MaxWaitTimeInSeconds."""

    secondary = "MaxWaitTimeExceeded"


def check(params: Mapping[str, Any]) -> None:
    """Refuse what AWS refuses beside the rules of `rules/jobs.py`, and what is not executed here."""
    config = params.get("CheckpointConfig")
    if config:
        # The pattern of CheckpointConfig in the API reference is that of https addresses as well.
        s3_uri = re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/.*)?", config["S3Uri"])
        if not s3_uri:
            raise state.invalid(f"The S3Uri of CheckpointConfig, {config['S3Uri']}, is not a valid S3 URI")
        local = config.get("LocalPath", FOLDER).rstrip("/")
        refuse(local != FOLDER, f"a LocalPath of checkpoints other than {FOLDER}")
    waits = params["StoppingCondition"].get("MaxWaitTimeInSeconds", 0)
    if not config and waits > _WITHOUT_CHECKPOINTS:
        raise state.invalid(
            "Built-in algorithms that do not checkpoint are limited to a MaxWaitTimeInSeconds of"
            f" {_WITHOUT_CHECKPOINTS} seconds"
        )


def restore(run: Job, job: state.Record, hosts: Sequence[Path]) -> None:
    """Checkpoints that lie below the address, and word of it for every host. Raises TransferError."""
    wanted = job.get("CheckpointConfig")
    if not wanted:
        return
    folder = run.root / "checkpoints"
    folder.mkdir()
    for host in hosts:
        (host / "input" / "config" / "checkpointconfig.json").write_text(json.dumps({"LocalPath": str(folder)}))
    client, uri = run.client("s3"), f"{wanted['S3Uri'].rstrip('/')}/"
    try:
        there = next(s3.keys(client, uri), None)
    except ClientError as error:
        raise s3.TransferError(f"checkpoints {uri}: {error}") from None
    if there:
        s3.download(client, uri, folder, run.role)


def keep(run: Job, job: state.Record) -> None:
    """What the container left in its folder. AWS copies while it trains; here, when its process has ended."""
    wanted = job.get("CheckpointConfig")
    if wanted:
        # By no key that the job names: OutputDataConfig's is for the model (its page of the API reference).
        s3.upload(run.client("s3"), run.root / "checkpoints", wanted["S3Uri"])


def billable(job: state.Record, seconds: int) -> int:
    """Spot's discount is told by the time that is billed: savings are 1 - billable / training time."""
    return math.ceil(seconds * _PRICE) if job.get("EnableManagedSpotTraining") else seconds


class Budget:
    """Real seconds that a job may still compute, and wait in all."""

    def __init__(self, cloud: Cloud, condition: Mapping[str, int]) -> None:
        runtime = condition.get("MaxRuntimeInSeconds", _DAY)
        self._runtime = limit(cloud, runtime)
        self._end = time.monotonic() + limit(cloud, condition.get("MaxWaitTimeInSeconds", 2 * runtime))

    def spend(self, work: Callable[[float], int]) -> int:
        """Have `work` done within what is left. Raises MaxWaitExceeded, and what `work` raises."""
        begun = time.monotonic()
        waiting = self._end - begun
        if waiting <= 0:
            raise MaxWaitExceeded
        try:
            return work(min(self._runtime, waiting))
        except JobTimedOut:
            if waiting < self._runtime:
                raise MaxWaitExceeded from None
            raise
        finally:
            self._runtime -= time.monotonic() - begun
