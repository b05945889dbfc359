"""The workflow's input, checked as a whole: whoever starts it could put anything there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from contracts.fields import FieldError, Fields
from contracts.retraining import COLLECTED, JOINED, OWN_REASONS, REASONS, start_key
from contracts.s3 import S3Location
from functions.shared.store import read_text


class RequestError(Exception):
    """The workflow was asked for something that it may not do; the message says what."""


@dataclass(frozen=True)
class Request:
    """What a run is asked for: its id, why it began, and which object version it is to use."""

    run: str
    reason: str
    key: str
    version: str

    def prefixes(self, usual: str) -> tuple[str, ...]:
        """Where its data may lie: what waits for a retraining is for retrainings alone."""
        return (usual, COLLECTED, JOINED) if self.reason in OWN_REASONS else (usual,)


def parse_request(document: object) -> Request:
    """Exactly the members that the pipeline gives, and no other. Raises RequestError."""
    try:
        fields = Fields(document, "input")
        run = fields.text("run", r"[A-Za-z0-9-]{1,64}", "an execution id")
        reason = fields.text("reason", "|".join(REASONS), f"one of {', '.join(REASONS)}")
        fields.text("commit")
        fields.uri("code")
        data = Fields(fields.raw("data"), "input.data")
        request = Request(run, reason, data.text("key"), data.text("version"))
        data.done()
        fields.done()
    except FieldError as error:
        raise RequestError(f"The run was started with an input that is not as agreed: {error}.") from None
    return request


def prove(s3: Any, bucket: str, request: Request) -> None:
    """Refuse a reason that only `functions.retrain` may give, unless it wrote down that it began this run.

    Nobody else may write there. Raises RequestError.
    """
    if request.reason not in OWN_REASONS:
        return
    place = S3Location(bucket, start_key(request.run))
    try:
        written = json.loads(read_text(s3, str(place)))
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("NoSuchKey", "AccessDenied"):
            raise
        written = None
    if written != {"reason": request.reason, "key": request.key, "version": request.version}:
        raise RequestError(
            f"The run says that its reason is {request.reason}, but it was not the retraining that began it with this"
            f" data: start it with the reason manual, or let the retraining decide."
        )
