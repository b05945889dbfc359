"""Calling the API as its callers do: signed with SigV4."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError
from botocore.httpsession import URLLib3Session

# API Gateway itself gives up after 29 seconds.
_TIMEOUT_SECONDS = 35


class CallError(Exception):
    """The API could not be reached at all."""


@dataclass(frozen=True)
class Answer:
    """Status, headers (lower case names), body and how long it took in milliseconds."""

    status: int
    headers: dict[str, str]
    body: str
    milliseconds: float

    def json(self) -> dict[str, Any]:
        """The body as an object; empty where it is none."""
        try:
            document = json.loads(self.body)
        except ValueError:
            return {}
        return document if isinstance(document, dict) else {}


class Caller(Protocol):
    """What the checks need of a client."""

    def post(self, body: bytes, headers: Mapping[str, str], signed: bool = True) -> Answer:
        """POST to `/predict`."""


class ApiClient:
    """POST to `<url>/predict`; `credentials` are botocore credentials that may call the API."""

    def __init__(self, url: str, region: str, credentials: Any) -> None:
        self._url = f"{url.rstrip('/')}/predict"
        self._signer = SigV4Auth(credentials, "execute-api", region)
        self._session = URLLib3Session(timeout=_TIMEOUT_SECONDS)

    def post(self, body: bytes, headers: Mapping[str, str], signed: bool = True) -> Answer:
        """Send one request. Raises CallError where there is no answer."""
        request = AWSRequest("POST", self._url, headers=dict(headers), data=body)
        if signed:
            self._signer.add_auth(request)
        started = time.perf_counter()
        try:
            response = self._session.send(request.prepare())
        except BotoCoreError as error:
            raise CallError(f"{self._url} does not answer: {error}") from error
        milliseconds = (time.perf_counter() - started) * 1000
        found = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, found, response.text, milliseconds)
