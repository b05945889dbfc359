"""What the judge works with: boto3 clients, what the environment says, and the log that the update reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from contracts.judging import Shift
from functions.judge.reports import Source
from functions.shared.log import log


@dataclass(frozen=True)
class Clients:
    """boto3 clients, and what the environment says."""

    s3: Any
    codedeploy: Any
    cloudwatch: Any
    sagemaker: Any
    environment: Mapping[str, str]

    @classmethod
    def of(cls, session: Any, environment: Mapping[str, str]) -> Clients:
        """`session` makes clients as boto3 does."""
        s3, codedeploy, cloudwatch = map(session.client, ("s3", "codedeploy", "cloudwatch"))
        return cls(s3, codedeploy, cloudwatch, session.client("sagemaker"), environment)

    @property
    def source(self) -> Source:
        """Where the versions' reports are."""
        names = ("METRIC_NAMESPACE", "SERVICE", "FUNCTION_NAME", "ALIAS")
        return Source(self.cloudwatch, *(self.environment[name] for name in names))

    @property
    def bucket(self) -> str:
        """Where records and questions are."""
        return self.environment["CAPTURE_BUCKET"]


def say(fails: bool, sentence: str, shift: Shift) -> None:
    """In the log, where the update finds the reason."""
    log("ERROR" if fails else "INFO", sentence, deployment=shift.deployment, release=shift.release)
