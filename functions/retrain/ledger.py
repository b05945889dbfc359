"""What the function remembers: the runs that it began, and its last decisions. One object, replaced as a whole.

Every decision is written against the very ledger that it was made on: who comes second finds another one there, and
decides again. So two events at once are two decisions after one another.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from contracts.retraining import LEDGER_KEY

_RUNS, _DECISIONS = 200, 20
_LOST = ("PreconditionFailed", "ConditionalRequestConflict", "412", "409")


class LostRace(Exception):  # noqa: N818  an outcome
    """Somebody else has written the ledger in the meantime."""


@dataclass(frozen=True)
class Run:
    """A run that was begun. `execution` is empty until the pipeline has answered."""

    at: datetime
    event: str
    reason: str
    why: str
    key: str
    version: str
    uri: str
    parts: tuple[str, ...]
    token: str
    execution: str = ""


@dataclass(frozen=True)
class Decision:
    """What came of one event: the `execution` that it began, or the `brake` that held, in words."""

    at: datetime
    event: str
    reason: str
    why: str
    brake: str
    words: str
    execution: str = ""


@dataclass(frozen=True)
class Ledger:
    """Runs and decisions, the oldest first."""

    runs: tuple[Run, ...] = ()
    decisions: tuple[Decision, ...] = ()

    @property
    def unanswered(self) -> Run | None:
        """A run that was decided on, and whose start is not known to have succeeded."""
        return next((run for run in self.runs if not run.execution), None)

    def began(self, run: Run) -> Ledger:
        """With one more run."""
        return replace(self, runs=(*self.runs, run)[-_RUNS:])

    def answered(self, token: str, execution: str) -> Ledger:
        """With the execution of a run."""
        runs = (replace(run, execution=execution) if run.token == token else run for run in self.runs)
        return replace(self, runs=tuple(runs))

    def decided(self, decision: Decision) -> Ledger:
        """With one more decision."""
        return replace(self, decisions=(*self.decisions, decision)[-_DECISIONS:])


class Book:
    """The ledger where it lies. `s3` is a boto3 S3 client."""

    def __init__(self, s3: Any, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def read(self) -> tuple[Ledger, str]:
        """The ledger and its ETag, which is empty where there is none yet."""
        # Without the right to list the bucket, S3 would call an object that is missing a forbidden one.
        listed = self._s3.list_objects_v2(Bucket=self._bucket, Prefix=LEDGER_KEY, MaxKeys=1)
        if not listed.get("KeyCount"):
            return Ledger(), ""
        found = self._s3.get_object(Bucket=self._bucket, Key=LEDGER_KEY)
        return parse_ledger(found["Body"].read().decode()), found["ETag"]

    def write(self, ledger: Ledger, etag: str) -> str:
        """Replace the ledger that was read with `etag`; the new one's ETag. Raises LostRace."""
        condition = {"IfMatch": etag} if etag else {"IfNoneMatch": "*"}
        body = render_ledger(ledger).encode()
        try:
            written = self._s3.put_object(
                Bucket=self._bucket, Key=LEDGER_KEY, Body=body, ContentType="application/json", **condition
            )
        except ClientError as error:
            if error.response["Error"]["Code"] not in _LOST:
                raise
            raise LostRace from error
        return str(written["ETag"])


def render_ledger(ledger: Ledger) -> str:
    """The ledger's text."""
    return json.dumps(asdict(ledger), default=datetime.isoformat, indent=1)


def parse_ledger(text: str) -> Ledger:
    """The ledger of a text."""
    document = json.loads(text)
    runs = tuple(Run(**{**_dated(run), "parts": tuple(run["parts"])}) for run in document["runs"])
    return Ledger(runs, tuple(Decision(**_dated(decision)) for decision in document["decisions"]))


def _dated(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {**entry, "at": datetime.fromisoformat(entry["at"])}
