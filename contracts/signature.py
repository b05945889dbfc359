"""The signature of a release manifest: who may make one, KMS decides; what it stands for, this module (docs/adr/0015).

It lies beside the manifest, as Base64. What is signed is a short text with the manifest's address and the SHA-256 of
its text, so that the signature of one run's manifest vouches for no other run's.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

ALGORITHM = "ECDSA_SHA_256"
"""Of a key on the curve P-256: https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-choose-key-spec.html"""
KEY_SPEC = "ECC_NIST_P256"
"""Of the signing key."""
FILE = "manifest.sig"
"""Name of the signature, in the manifest's folder."""


class SignatureError(Exception):
    """A manifest that its signature does not vouch for; the message says why."""


def signature_of(manifest: str) -> str:
    """Address of the signature of the manifest at an address."""
    return f"{manifest.rpartition('/')[0]}/{FILE}"


def statement(manifest: str, sha256: str) -> bytes:
    """What is signed. `openssl dgst -sha256 -verify` checks it without AWS: KMS hashes a raw message by itself."""
    return f"glidepath release manifest\n{manifest}\n{sha256}\n".encode()


def sign(kms: Any, key: str, manifest: str, sha256: str) -> str:
    """The signature, by a boto3 KMS client of somebody who may use the key."""
    answer = kms.sign(KeyId=key, Message=statement(manifest, sha256), MessageType="RAW", SigningAlgorithm=ALGORITHM)
    return base64.b64encode(answer["Signature"]).decode()


def check(kms: Any, key: str, manifest: str, sha256: str, signature: str) -> None:
    """Raises SignatureError unless `key`, and no other, signed this manifest at this address.

    Verify raises where a signature is not that of the key named in the request:
    https://docs.aws.amazon.com/kms/latest/APIReference/API_Verify.html
    """
    try:
        given = base64.b64decode(signature.strip(), validate=True)
    except (binascii.Error, ValueError):
        given = b""
    if not given:
        raise SignatureError(f"{signature_of(manifest)} holds no signature")
    request = {"KeyId": key, "Message": statement(manifest, sha256), "MessageType": "RAW", "Signature": given}
    try:
        valid = kms.verify(**request, SigningAlgorithm=ALGORITHM)["SignatureValid"]
    except kms.exceptions.KMSInvalidSignatureException:
        valid = False
    if not valid:
        raise SignatureError(
            f"{signature_of(manifest)} is not the signature of {key} for {manifest} with SHA-256 {sha256}"
        )
