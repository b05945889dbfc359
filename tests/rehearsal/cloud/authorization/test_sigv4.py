"""Signatures come out as botocore's own."""

import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from rehearsal.cloud.authorization import sigv4

TIMESTAMP = "20260101T120000Z"
SECRET = "wJalrXUtnFEMI"
HASH = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
CASES: tuple[tuple[str, str, str, dict[str, str]], ...] = (
    ("POST", "/", "", {}),
    ("GET", "/2015-03-31/functions/a%3Ab/", "", {}),
    ("GET", "/a//b/./c/../d", "", {}),
    ("GET", "/~x/%C3%BC", "b=2&a=1&a=0&c", {}),
    ("PUT", "/bucket/a%20b/%C3%BC%2B1.txt", "acl=", {"x-amz-meta-note": "  two   spaces "}),
    ("POST", "/", "x=%2F&y=a%20b", {"User-Agent": "boto3", "Expect": "100-continue", "Content-Type": "text/x-é"}),
)


def _botocore(signed: sigv4.Signed, scope: sigv4.Scope) -> str:
    signer = (S3SigV4Auth if scope.service == "s3" else SigV4Auth)(
        Credentials("AKIA", SECRET), scope.service, scope.region
    )
    url = f"http://host{signed.path}" + (f"?{signed.query}" if signed.query else "")
    request = AWSRequest(method=signed.method, url=url, headers=dict(signed.headers))
    request.context["timestamp"] = scope.timestamp
    return str(signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request))


@pytest.mark.parametrize("service", ["s3", "lambda"])
@pytest.mark.parametrize(("method", "path", "query", "headers"), CASES)
def test_signature_is_botocores(service: str, method: str, path: str, query: str, headers: dict[str, str]) -> None:
    # A header that is signed and holds the hash, so that botocore does not look for a body.
    everything = {"host": "host", "x-amz-content-sha256": HASH, **headers}
    signed = sigv4.Signed(method, path, query, everything, HASH)
    scope = sigv4.Scope(TIMESTAMP, "eu-west-1", service)
    assert sigv4.signature(signed, scope, SECRET) == _botocore(signed, scope)


def test_keys_are_kept_apart_by_all_they_are_derived_from() -> None:
    signed = sigv4.Signed("GET", "/", "", {"host": "host"}, HASH)
    scopes = [
        sigv4.Scope(TIMESTAMP, "eu-west-1", "sns"),
        sigv4.Scope(TIMESTAMP, "eu-west-2", "sns"),
        sigv4.Scope(TIMESTAMP, "eu-west-1", "sqs"),
        sigv4.Scope("20260102T120000Z", "eu-west-1", "sns"),
    ]
    found = {sigv4.signature(signed, scope, secret) for scope in scopes for secret in ("one", "two")}
    assert len(found) == 8
