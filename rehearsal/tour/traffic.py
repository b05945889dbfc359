"""A client that keeps calling the production URL while releases change behind it."""

import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

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

    def predict(self, instances: Sequence[dict[str, Any]]) -> Answer:
        """One prediction; never raises for what the service or the network does."""
        sent = time.monotonic()
        try:
            response = self.post(json.dumps({"instances": list(instances)}).encode())
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


class Traffic:
    """Calls at a steady rate (requests per second, may be changed) from a few threads until stopped; keeps answers."""

    def __init__(self, call: Callable[[int], Answer], rate: float = 30.0, threads: int = 3) -> None:
        self._call = call
        self.rate = rate
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self.answers: list[Answer] = []
        self._threads = [threading.Thread(target=self._run, args=(n,), daemon=True) for n in range(threads)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End the calls; returns when the last answer is in."""
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def counts(self) -> tuple[int, int]:
        """(requests, failed) so far."""
        with self._lock:
            return len(self.answers), sum(not answer.ok for answer in self.answers)

    def between(self, start: float, end: float) -> list[Answer]:
        """The answers to requests sent in this span of monotonic time."""
        with self._lock:
            return [answer for answer in self.answers if start <= answer.sent <= end]

    def _run(self, number: int) -> None:
        turn = number
        due = time.monotonic() + number / self.rate
        while not self._stopped.wait(max(0.0, due - time.monotonic())):
            answer = self._call(turn)
            with self._lock:
                self.answers.append(answer)
            turn += len(self._threads)
            due = max(due + len(self._threads) / self.rate, time.monotonic())
