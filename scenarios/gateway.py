"""The rehearsal's own routes, beside those that AWS has."""

import contextlib
import json
import urllib.request
from typing import Any


def ask(endpoint: str, method: str, path: str, body: Any = None) -> Any:
    """A request to the gateway itself; its JSON answer, or None. Raises OSError."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(endpoint + path, data, headers, method=method)  # noqa: S310 - our own gateway
    with urllib.request.urlopen(request, timeout=120) as response:  # noqa: S310 - as above
        text = response.read()
    return json.loads(text) if text else None


def announce(endpoint: str, rate: float, threads: int) -> None:
    """Have AWS's minutes last until the traffic that belongs into them was answered; a rate of 0 ends that.

    A gateway that is gone is found out by the requests themselves.
    """
    with contextlib.suppress(OSError):
        if rate:
            ask(endpoint, "PUT", "/_rehearsal/pace", {"rate": rate, "threads": threads})
        else:
            ask(endpoint, "DELETE", "/_rehearsal/pace")
