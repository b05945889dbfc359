"""Signature Version 4, checked as AWS checks it: who signed this request, and is the signature right?"""

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from botocore.auth import UNSIGNED_PAYLOAD

from rehearsal.cloud.authorization import sigv4
from rehearsal.cloud.core.accounts import Accounts, Identity
from rehearsal.cloud.wire.request import Request
from rehearsal.cloud.wire.types import AwsError

_HEADER = re.compile(
    r"AWS4-HMAC-SHA256\s+Credential=(?P<credential>[^,\s]+)\s*,\s*"
    r"SignedHeaders=(?P<headers>[^,\s]+)\s*,\s*Signature=(?P<signature>[0-9a-f]+)"
)
_SKEW_SECONDS = 15 * 60
_HEX = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Signature:
    """What a request claims: the credential scope, the headers signed, the signature."""

    access_key: str
    date: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str
    timestamp: str
    token: str | None
    expires: int | None = None
    """Seconds of validity of a presigned URL; None for a signed header."""


def read_signature(request: Request) -> Signature:
    """The signature of a request. Raises AwsError when it has none or a malformed one."""
    header = request.headers.get("Authorization", "")
    if header:
        return _from_header(header, request)
    if "X-Amz-Signature" in request.args:
        return _from_query(request)
    if "Signature" in request.args:
        text = "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256."
        raise AwsError("InvalidRequest", text, 400)
    raise AwsError("MissingAuthenticationToken", "Request is missing Authentication Token", 403)


def _from_header(header: str, request: Request) -> Signature:
    match = _HEADER.match(header)
    if not match:
        raise AwsError("IncompleteSignature", f"Authorization header cannot be read: {header[:60]!r}", 403)
    access_key, date, region, service = _scope(match["credential"])
    timestamp = request.headers.get("X-Amz-Date", "")
    token = request.headers.get("X-Amz-Security-Token")
    headers = tuple(match["headers"].split(";"))
    return Signature(access_key, date, region, service, headers, match["signature"], timestamp, token)


def _from_query(request: Request) -> Signature:
    arguments = request.args
    access_key, date, region, service = _scope(arguments.get("X-Amz-Credential", ""))
    return Signature(
        access_key,
        date,
        region,
        service,
        tuple(arguments.get("X-Amz-SignedHeaders", "host").split(";")),
        arguments["X-Amz-Signature"],
        arguments.get("X-Amz-Date", ""),
        arguments.get("X-Amz-Security-Token"),
        int(arguments.get("X-Amz-Expires", "3600")),
    )


def _scope(credential: str) -> tuple[str, str, str, str]:
    parts = credential.split("/")
    if len(parts) != 5 or parts[4] != "aws4_request":
        raise AwsError(
            "IncompleteSignature",
            f"Credential must be <key>/<date>/<region>/<service>/aws4_request, not {credential!r}",
            403,
        )
    return parts[0], parts[1], parts[2], parts[3]


def authenticate(request: Request, signature: Signature, accounts: Accounts) -> Identity:
    """The principal that signed. Raises AwsError for an unknown key, a wrong token, a wrong or stale signature."""
    is_s3 = signature.service == "s3"
    identity = accounts.find(signature.access_key)
    if identity is None:
        raise _unknown_key(is_s3)
    keys = identity.credentials
    if keys.session_token and signature.token != keys.session_token:
        raise _unknown_key(is_s3)
    if keys.expiration and keys.expiration < datetime.now(UTC):
        raise AwsError(
            "ExpiredToken" if is_s3 else "ExpiredTokenException",
            "The security token included in the request is expired",
            403,
        )
    _check_time(signature, is_s3)
    expected = _expected(request, signature, keys.secret_access_key, is_s3)
    if not hmac.compare_digest(expected, signature.signature):
        raise AwsError(
            "SignatureDoesNotMatch" if is_s3 else "InvalidSignatureException",
            "The request signature we calculated does not match the signature you provided. "
            "Check your AWS Secret Access Key and signing method.",
            403,
        )
    return identity


def _unknown_key(is_s3: bool) -> AwsError:
    if is_s3:
        return AwsError("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", 403)
    return AwsError("UnrecognizedClientException", "The security token included in the request is invalid.", 403)


def _check_time(signature: Signature, is_s3: bool) -> None:
    try:
        stamped = datetime.strptime(signature.timestamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise AwsError("IncompleteSignature", f"X-Amz-Date cannot be read: {signature.timestamp!r}", 403) from None
    if not signature.timestamp.startswith(signature.date):
        raise AwsError("InvalidSignatureException", "Date in Credential scope does not match X-Amz-Date", 403)
    age = (datetime.now(UTC) - stamped).total_seconds()
    if signature.expires is not None:
        if age > signature.expires:
            raise AwsError("AccessDenied", "Request has expired", 403)
        return
    if abs(age) <= _SKEW_SECONDS:
        return
    if is_s3:
        raise AwsError(
            "RequestTimeTooSkewed", "The difference between the request time and the current time is too large.", 403
        )
    raise AwsError("InvalidSignatureException", f"Signature expired: {signature.timestamp} is {age:.0f} s old", 403)


def _expected(request: Request, signature: Signature, secret: str, is_s3: bool) -> str:
    headers = _signed_headers(request, signature)
    headers.setdefault("host", request.host)
    payload_hash = _payload_hash(request, signature, is_s3)
    signed = sigv4.Signed(request.method, request.raw_path, _signed_query(request), headers, payload_hash)
    return sigv4.signature(signed, sigv4.Scope(signature.timestamp, signature.region, signature.service), secret)


def _signed_query(request: Request) -> str:
    query = request.query_string.decode("latin-1")
    return "&".join(pair for pair in query.split("&") if pair and not pair.startswith("X-Amz-Signature="))


def _signed_headers(request: Request, signature: Signature) -> dict[str, str]:
    missing = [name for name in signature.signed_headers if name not in request.headers]
    if missing:
        raise AwsError("InvalidSignatureException", f"signed headers are not in the request: {', '.join(missing)}", 403)
    return {name: request.headers[name] for name in signature.signed_headers}


def _payload_hash(request: Request, signature: Signature, is_s3: bool) -> str:
    claimed = request.headers.get("X-Amz-Content-SHA256")
    if claimed is None:
        if signature.expires is not None and is_s3:
            return str(UNSIGNED_PAYLOAD)
        return hashlib.sha256(request.get_data()).hexdigest()
    if _HEX.fullmatch(claimed) and hashlib.sha256(request.get_data()).hexdigest() != claimed:
        text = "The provided 'x-amz-content-sha256' header does not match what was computed."
        raise AwsError("XAmzContentSHA256Mismatch", text, 400)
    return claimed
