"""Signatures by an asymmetric key: what anybody with the public key can check, and what KMS refuses."""

import hashlib
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from rehearsal.cloud.process.running import RunningCloud

ACCOUNT, REGION = "320000000001", "eu-west-1"
P256 = "ECDSA_SHA_256"
TEXT = b"what was written"


@pytest.fixture
def kms(running_cloud: RunningCloud) -> Any:
    return running_cloud.cloud.client("kms", ACCOUNT, REGION)


@pytest.fixture
def key(kms: Any) -> str:
    made = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]
    assert made["SigningAlgorithms"] == [P256]
    return str(made["Arn"])


def sign(kms: Any, key: str, message: bytes = TEXT, kind: str = "RAW", algorithm: str = P256) -> bytes:
    answer = kms.sign(KeyId=key, Message=message, MessageType=kind, SigningAlgorithm=algorithm)
    assert answer["KeyId"] == key
    assert answer["SigningAlgorithm"] == algorithm
    return bytes(answer["Signature"])


def verify(
    kms: Any, key: str, signature: bytes, message: bytes = TEXT, kind: str = "RAW", algorithm: str = P256
) -> Any:
    return kms.verify(KeyId=key, Message=message, MessageType=kind, Signature=signature, SigningAlgorithm=algorithm)


@pytest.mark.parametrize("kind", ["RAW", "DIGEST"])
def test_the_public_key_checks_a_signature_of_the_message_itself(kms: Any, key: str, kind: str) -> None:
    """A digest is signed as it is, and not hashed once more."""
    message = TEXT if kind == "RAW" else hashlib.sha256(TEXT).digest()
    found = kms.get_public_key(KeyId=key)
    assert (found["KeySpec"], found["KeyUsage"], found["SigningAlgorithms"]) == ("ECC_NIST_P256", "SIGN_VERIFY", [P256])
    public = load_der_public_key(found["PublicKey"])
    assert isinstance(public, ec.EllipticCurvePublicKey)
    public.verify(sign(kms, key, message, kind), TEXT, ec.ECDSA(SHA256()))


def test_either_form_of_a_message_is_verified(kms: Any, key: str) -> None:
    digest = hashlib.sha256(TEXT).digest()
    assert verify(kms, key, sign(kms, key), digest, "DIGEST")["SignatureValid"] is True
    assert verify(kms, key, sign(kms, key, digest, "DIGEST"))["SignatureValid"] is True


def test_another_message_another_key_and_no_signature_are_refused(kms: Any, key: str) -> None:
    other = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    signature = sign(kms, key)
    for by, given, message in (
        (key, signature, b"another"),
        (other, signature, TEXT),
        (key, b"no signature at all", TEXT),
        (key, signature, hashlib.sha256(TEXT).digest()),
    ):
        with pytest.raises(ClientError, match="KMSInvalidSignatureException"):
            verify(kms, by, given, message)


@pytest.mark.parametrize(
    ("given", "code", "words"),
    [
        ({"kind": "DIGEST"}, "ValidationException", "Digest is invalid length for algorithm ECDSA_SHA_256."),
        (
            {"algorithm": "ECDSA_SHA_384"},
            "InvalidKeyUsageException",
            "Algorithm ECDSA_SHA_384 is incompatible with key spec ECC_NIST_P256.",
        ),
        (
            {"algorithm": "RSASSA_PSS_SHA_256"},
            "InvalidKeyUsageException",
            "Algorithm RSASSA_PSS_SHA_256 is incompatible with key spec ECC_NIST_P256.",
        ),
        ({"message": b"x" * 4097}, "ValidationException", "4096"),
    ],
)
def test_what_does_not_fit_the_key_is_refused(kms: Any, key: str, given: dict[str, Any], code: str, words: str) -> None:
    for attempt in (lambda: sign(kms, key, **given), lambda: verify(kms, key, b"x", **given)):
        with pytest.raises(ClientError) as caught:
            attempt()
        assert caught.value.response["Error"]["Code"] == code
        assert words in caught.value.response["Error"]["Message"]


def test_a_key_that_encrypts_does_not_sign(kms: Any) -> None:
    made = kms.create_key()["KeyMetadata"]["Arn"]
    with pytest.raises(ClientError, match="key usage is ENCRYPT_DECRYPT which is not valid for Sign"):
        sign(kms, made)
