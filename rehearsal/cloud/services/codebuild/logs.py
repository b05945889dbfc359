"""A build's log: masked, kept for the tour, and sent to CloudWatch Logs under the project's role."""

import threading
import time
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from rehearsal.cloud.services.codebuild.state import Build

_BATCH_LINES = 500
_BATCH_SECONDS = 1.0


class LogDeniedError(Exception):
    """The service role may not write the build's log."""


class BuildLog:
    """Line by line into the build's own list, in batches to CloudWatch Logs."""

    def __init__(self, build: "Build", client: Any | None, group: str, stream: str) -> None:
        self._build = build
        self._client = client
        self._group = group
        self._stream = stream
        self._hidden: list[str] = []
        self._pending: list[dict[str, Any]] = []
        self._sent = time.monotonic()
        self._lock = threading.Lock()

    def open(self) -> None:
        """Makes the stream, and the group where it is missing. Raises `LogDeniedError`."""
        if self._client is None:
            return
        try:
            self._create()
        except ClientError as error:
            raise LogDeniedError(
                f"Service role {self._build.data['serviceRole']} does not allow AWS CodeBuild to create Amazon "
                f"CloudWatch Logs log streams for build {self._build.data['arn']}. Error message: "
                f"{error.response['Error'].get('Message')}"
            ) from error

    def hide(self, values: set[str]) -> None:
        """Masks these values from now on; the longest first, so that a part never gives the whole away."""
        self._hidden = sorted({*self._hidden, *values}, key=len, reverse=True)

    def line(self, text: str) -> None:
        """One line of a command's output."""
        for value in self._hidden:
            text = text.replace(value, "***")
        self._build.log.append(text)
        if self._client is None:
            return
        with self._lock:
            # CloudWatch Logs refuses an empty message
            self._pending.append({"timestamp": int(time.time() * 1000), "message": text or " "})
        if len(self._pending) >= _BATCH_LINES or time.monotonic() - self._sent > _BATCH_SECONDS:
            self.flush()

    def note(self, text: str) -> None:
        """A line of CodeBuild itself."""
        stamp = time.strftime("%Y/%m/%d %H:%M:%S", time.gmtime())
        self.line(f"[Container] {stamp} {text}")

    def flush(self) -> None:
        """Sends what is pending."""
        if self._client is None:
            return
        with self._lock:
            batch, self._pending = self._pending, []
        self._sent = time.monotonic()
        if not batch:
            return
        try:
            self._client.put_log_events(logGroupName=self._group, logStreamName=self._stream, logEvents=batch)
        except ClientError as error:
            # the build goes on without its log, as in AWS; the reason stays readable here
            self._build.log.append(f"the log could not be written: {error}")
            self._client = None

    def _create(self) -> None:
        assert self._client is not None
        try:
            self._client.create_log_stream(logGroupName=self._group, logStreamName=self._stream)
        except ClientError as error:
            if error.response["Error"].get("Code") != "ResourceNotFoundException":
                raise
            self._client.create_log_group(logGroupName=self._group)
            self._client.create_log_stream(logGroupName=self._group, logStreamName=self._stream)
