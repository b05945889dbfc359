"""Packages of the model registry: whose they are, and the request that says what became of one.

Limits: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateModelPackage.html
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

RUN_KEY = "run"
"""Name of the run that made a package, in its metadata."""
DECIDED_KEY = "decided"
"""Name of the moment that its status is from, in its metadata."""
APPROVED, REJECTED, PENDING = "Approved", "Rejected", "PendingManualApproval"
"""It serves production or has served it; it was refused, or left; nobody has decided."""
_MOST = 1024
"""Characters of an ApprovalDescription."""


def moment(at: datetime) -> str:
    """As events have their time, to the second: such texts are ordered as the moments are."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def decision(package: Mapping[str, Any], status: str, why: str, at: str) -> dict[str, Any]:
    """Input of UpdateModelPackage for a package as DescribeModelPackage has it. `at` is from `moment`.

    All its metadata goes along: that what is not named stays, the reference does not say.
    """
    return {
        "ModelPackageArn": package["ModelPackageArn"],
        "ModelApprovalStatus": status,
        # A line's end is none of the characters that it takes.
        "ApprovalDescription": "".join(letter if letter.isprintable() else " " for letter in why)[:_MOST],
        "CustomerMetadataProperties": {**_metadata(package), DECIDED_KEY: at},
    }


def run_of(package: Mapping[str, Any]) -> str:
    """The run that made a described package; empty where it does not say so."""
    return _metadata(package).get(RUN_KEY, "")


def decided_after(package: Mapping[str, Any], at: str) -> bool:
    """Whether a described package has a status from after this moment: events come late, and in any order."""
    return _metadata(package).get(DECIDED_KEY, "") > at


def _metadata(package: Mapping[str, Any]) -> dict[str, str]:
    return dict(package.get("CustomerMetadataProperties") or {})
