"""Signed requests to the production URL, and what came back."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


@dataclass(frozen=True)
class Answer:
    """One live request: when it was sent (monotonic seconds), what came back and from which release."""

    sent: float
    seconds: float
    status: int
    release: str | None
    inference_id: str | None
    error: str | None

    @property
    def ok(self) -> bool:
        """Whether the caller got a prediction."""
        return self.status == 200 and self.error is None


@dataclass
class Caller:
    """Signs and sends requests to one stage of the API."""

    url: str
    region: str
    credentials: Credentials
    pool: urllib3.PoolManager = field(
        default_factory=lambda: urllib3.PoolManager(maxsize=8, retries=False, timeout=urllib3.Timeout(30))
    )

    def post(self, body: bytes, content_type: str = "application/json") -> urllib3.BaseHTTPResponse:
        """POST to /predict, signed for execute-api."""
        request = AWSRequest("POST", f"{self.url}/predict", {"Content-Type": content_type}, body)
        SigV4Auth(self.credentials, "execute-api", self.region).add_auth(request)
        return self.pool.request("POST", request.url, body=body, headers=dict(request.headers.items()))

    def predict(self, instances: Sequence[Mapping[str, Any]]) -> Answer:
        """One prediction; never raises for what the service or the network does."""
        sent = time.monotonic()
        try:
            response = self.post(json.dumps({"instances": [dict(one) for one in instances]}).encode())
            return read_answer(sent, response.status, response.data)
        except urllib3.exceptions.HTTPError as error:
            return Answer(sent, time.monotonic() - sent, 0, None, None, str(error))


def read_answer(sent: float, status: int, data: bytes) -> Answer:
    """What a response says; one that is not a full prediction is an error whatever its status."""
    seconds = time.monotonic() - sent
    try:
        body = json.loads(data)
        if status == 200 and body["predictions"]:
            return Answer(sent, seconds, status, body["release"], body["inference_id"], None)
    except (ValueError, KeyError, TypeError):
        pass
    return Answer(sent, seconds, status, None, None, data.decode(errors="replace")[:300])
