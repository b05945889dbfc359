"""Data capture: every sampled request and answer as JSON lines in S3, as the endpoint's instances write them."""

import base64
import json
import random
import threading
import uuid
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rehearsal.cloud.compute import objects as s3
from rehearsal.cloud.core.api import Cloud, Credentials

_FLUSH_SECONDS = 0.5
# Where the configuration names no content types of its own, these are written as they are; all else in base64.
_CSV = ("text/csv",)
_JSON = ("application/json", "application/jsonlines")


@dataclass(frozen=True)
class Payload:
    content_type: str
    data: bytes


class Capture:
    """Buffers records and writes them within about a second, with the keys of the variant's model role."""

    def __init__(self, cloud: Cloud, account: str, region: str, endpoint: str, config: dict[str, Any]) -> None:
        self._cloud, self._account, self._region, self._endpoint = cloud, account, region, endpoint
        self._config = config
        self.enabled: bool = config.get("EnableCapture", False)
        self._modes = {option["CaptureMode"] for option in config["CaptureOptions"]}
        types = config.get("CaptureContentTypeHeader", {})
        self._csv = tuple(types.get("CsvContentTypes", _CSV))
        self._json = tuple(types.get("JsonContentTypes", _JSON))
        self._records: dict[str, tuple[Credentials, list[tuple[datetime, str]]]] = {}
        self._lock = threading.Lock()
        self._scheduled = False

    def describe(self) -> dict[str, Any]:
        """The summary that DescribeEndpoint shows."""
        return {
            "EnableCapture": self.enabled,
            "CaptureStatus": "Started" if self.enabled else "Stopped",
            "CurrentSamplingPercentage": self._config["InitialSamplingPercentage"],
            "DestinationS3Uri": self._config["DestinationS3Uri"],
            "KmsKeyId": self._config.get("KmsKeyId", ""),
        }

    def add(
        self,
        variant: str,
        credentials: Credentials,
        request: Payload,
        answer: Payload,
        *,
        inference_id: str | None,
        attributes: str | None,
        modes: tuple[str, ...] | None = None,
    ) -> None:
        """Sample one exchange. A shadow variant has `modes` of its own."""
        if not self.enabled or random.random() * 100 >= self._config["InitialSamplingPercentage"]:  # noqa: S311
            return
        # By AWS's calendar, as schedules are: an hour of captured requests is the one between two of their beats.
        now = self._cloud.clock.aws_now()
        wanted = self._modes if modes is None else self._modes & set(modes)
        data: dict[str, Any] = {}
        if wanted & {"Input", "InputAndOutput"}:
            data["endpointInput"] = self._side("INPUT", request)
        if wanted & {"Output", "InputAndOutput"}:
            data["endpointOutput"] = self._side("OUTPUT", answer)
        metadata: dict[str, Any] = {"eventId": str(uuid.uuid4())}
        if attributes:
            metadata["customAttributes"] = [attributes]
        if inference_id:
            metadata["inferenceId"] = inference_id
        metadata["inferenceTime"] = now.strftime("%Y-%m-%dT%H:%M:%SZ")
        line = json.dumps({"captureData": data, "eventMetadata": metadata, "eventVersion": "0"})
        self._keep(variant, credentials, now, line)

    def _side(self, mode: str, payload: Payload) -> dict[str, Any]:
        kind = payload.content_type.split(";")[0].strip().lower()
        side = {"observedContentType": payload.content_type, "mode": mode}
        if kind in self._csv or kind in self._json:
            try:
                text = payload.data.decode("utf-8")
                return {**side, "data": text, "encoding": "CSV" if kind in self._csv else "JSON"}
            except UnicodeDecodeError:
                pass
        return {**side, "data": base64.b64encode(payload.data).decode(), "encoding": "BASE64"}

    def _keep(self, variant: str, credentials: Credentials, now: datetime, line: str) -> None:
        with self._lock:
            self._records.setdefault(variant, (credentials, []))[1].append((now, line))
            if self._scheduled:
                return
            self._scheduled = True
        self._cloud.background(self._flush_soon, name=f"capture {self._endpoint}")

    def _flush_soon(self) -> None:
        self._cloud.clock.pause(_FLUSH_SECONDS)
        self.flush()

    def flush(self) -> None:
        """Write what is buffered."""
        with self._lock:
            records, self._records, self._scheduled = self._records, {}, False
        for variant, (credentials, lines) in records.items():
            self._write(variant, credentials, lines)

    def _write(self, variant: str, credentials: Credentials, lines: list[tuple[datetime, str]]) -> None:
        hours: defaultdict[str, list[tuple[datetime, str]]] = defaultdict(list)
        for moment, line in lines:
            hours[moment.strftime("%Y/%m/%d/%H")].append((moment, line))
        client = self._cloud.client("s3", self._account, self._region, credentials)
        for hour, group in hours.items():
            first = group[0][0]
            name = f"{first:%M-%S}-{first.microsecond // 1000:03d}-{uuid.uuid4()}.jsonl"
            uri = f"{self._config['DestinationS3Uri'].rstrip('/')}/{self._endpoint}/{variant}/{hour}/{name}"
            body = "".join(f"{line}\n" for _, line in group).encode()
            s3.write(client, uri, body, self._config.get("KmsKeyId"), ContentType="application/jsonlines")
