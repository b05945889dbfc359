"""Signature Version 4 calculated: what `botocore.auth` does for a client, from a request as it arrived.

The same text and the same signature (`tests/rehearsal/cloud/authorization/test_sigv4.py` compares them), without
building a client's request first. The key of a day, a region and a service is derived once.
"""

import functools
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from botocore.auth import SIGNED_HEADERS_BLACKLIST
from botocore.utils import normalize_url_path

_UNSIGNED = frozenset(SIGNED_HEADERS_BLACKLIST)


@dataclass(frozen=True)
class Signed:
    """What a signature is over. `path` and `query` are as they were sent, `headers` those that the client names."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    payload_hash: str


@dataclass(frozen=True)
class Scope:
    """Where and when a signature counts. `timestamp` is X-Amz-Date."""

    timestamp: str
    region: str
    service: str


def signature(signed: Signed, scope: Scope, secret: str) -> str:
    """In hexadecimal digits."""
    date = scope.timestamp[:8]
    digest = hashlib.sha256(_canonical(signed, keeps_path=scope.service == "s3").encode()).hexdigest()
    credential_scope = f"{date}/{scope.region}/{scope.service}/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{scope.timestamp}\n{credential_scope}\n{digest}"
    key = _signing_key(secret, date, scope.region, scope.service)
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def _canonical(signed: Signed, *, keeps_path: bool) -> str:
    path = signed.path if keeps_path else quote(normalize_url_path(signed.path), safe="/~")
    headers = {name: " ".join(value.split()) for name, value in _lowered(signed.headers).items()}
    names = sorted(headers)
    lines = "\n".join(f"{name}:{headers[name]}" for name in names)
    return (
        f"{signed.method.upper()}\n{path}\n{_canonical_query(signed.query)}\n"
        f"{lines}\n\n{';'.join(names)}\n{signed.payload_hash}"
    )


def _lowered(headers: Mapping[str, str]) -> dict[str, str]:
    lowered = {name.lower(): value for name, value in headers.items()}
    return {name: value for name, value in lowered.items() if name not in _UNSIGNED}


def _canonical_query(query: str) -> str:
    """Sorted by name, then by value. A bare `acl` is signed as `acl=`."""
    if not query:
        return ""
    pairs = sorted((name, value) for name, _, value in (pair.partition("=") for pair in query.split("&")))
    return "&".join(f"{name}={value}" for name, value in pairs)


@functools.lru_cache(maxsize=1024)
def _signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key
