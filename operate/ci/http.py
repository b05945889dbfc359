"""JSON over HTTPS with the CI's own API, with errors that name the address and the answer."""

import json
from collections.abc import Mapping
from typing import Any

import urllib3

from contracts.errors import UserError

_POOL = urllib3.PoolManager(retries=urllib3.Retry(3, backoff_factor=0.5), timeout=urllib3.Timeout(20))


def ask(method: str, url: str, headers: Mapping[str, str], body: Any = None, fix: str = "") -> Any:
    """The JSON answer. Raises UserError for an address that cannot be reached or an answer that is an error."""
    data = None if body is None else json.dumps(body).encode()
    sent = {"Accept": "application/json", "Content-Type": "application/json", **headers}
    try:
        answer = _POOL.request(method, url, body=data, headers=sent)
    except urllib3.exceptions.HTTPError as error:
        raise UserError(f"{url} cannot be reached: {error}", fix) from None
    if answer.status >= 400:
        raise UserError(f"{method} {url} was answered with {answer.status}: {answer.data.decode()[:200]}", fix)
    return json.loads(answer.data) if answer.data else None
