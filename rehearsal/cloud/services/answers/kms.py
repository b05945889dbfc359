"""KMS: https://docs.aws.amazon.com/kms/latest/APIReference/API_KeyMetadata.html and the pages of the operations."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512

from rehearsal.cloud.core.api import AwsError, Call, not_implemented, operation

_ROTATION_DAYS = 365
_HASHES = {"256": SHA256(), "384": SHA384(), "512": SHA512()}


@operation("kms", "CreateKey")
def create_key(call: Call) -> dict[str, Any]:
    """Only keys whose material KMS makes: nothing is imported here, and there is no key store."""
    params = {"KeyUsage": "ENCRYPT_DECRYPT", "MultiRegion": False, **call.params}
    if params.get("Origin", "AWS_KMS") != "AWS_KMS":
        raise not_implemented("kms", f"CreateKey with Origin {params['Origin']}")
    found = call.forward(params)["KeyMetadata"]
    if found["KeySpec"].startswith("HMAC_"):
        _repeatable(call, found)
    return {"KeyMetadata": _metadata(found)}


def _repeatable(call: Call, found: dict[str, Any]) -> None:
    """A secret of one's own would have each rehearsal end otherwise. Nobody who uses a key can tell the difference."""
    keys = call.cloud.backend("kms", call.account, call.region).keys
    number = sum(key.key_spec == found["KeySpec"] for key in keys.values())
    length = int(found["KeySpec"].removeprefix("HMAC_")) // 8
    seed = f"{call.account} {call.region} {found['KeySpec']} {number}"
    keys[found["KeyId"]].key_material = hashlib.shake_256(seed.encode()).digest(length)


@operation("kms", "DescribeKey")
def describe_key(call: Call) -> dict[str, Any]:
    return {"KeyMetadata": _metadata(call.forward()["KeyMetadata"])}


def _metadata(found: dict[str, Any]) -> dict[str, Any]:
    usage, spec = found.get("KeyUsage"), found["KeySpec"]
    if usage != "ENCRYPT_DECRYPT":
        found.pop("EncryptionAlgorithms", None)
    if usage != "SIGN_VERIFY":
        found.pop("SigningAlgorithms", None)
    if usage == "GENERATE_VERIFY_MAC":
        found["MacAlgorithms"] = [spec.replace("HMAC_", "HMAC_SHA_")]
    if spec == "SYMMETRIC_DEFAULT" and found["KeyState"] != "PendingDeletion":
        found["CurrentKeyMaterialId"] = _material(found["KeyId"])
    return found


def _material(key_id: str) -> str:
    return hashlib.sha256(key_id.encode()).hexdigest()


@operation("kms", "EnableKeyRotation")
def enable_rotation(call: Call) -> dict[str, Any]:
    answer = call.forward()
    key = _key(call)
    key.rotation_days = call.params.get("RotationPeriodInDays") or getattr(key, "rotation_days", _ROTATION_DAYS)
    key.rotation_since = datetime.now(UTC)
    return answer


@operation("kms", "GetKeyRotationStatus")
def rotation_status(call: Call) -> dict[str, Any]:
    answer = call.forward()
    key = _key(call)
    answer["KeyId"] = key.id
    if answer["KeyRotationEnabled"]:
        days = getattr(key, "rotation_days", _ROTATION_DAYS)
        since = getattr(key, "rotation_since", None) or datetime.fromtimestamp(key.creation_date, UTC)
        answer |= {"RotationPeriodInDays": days, "NextRotationDate": since + timedelta(days=days)}
    return answer


def _key(call: Call) -> Any:
    backend = call.cloud.backend("kms", call.account, call.region)
    return backend.keys[backend.any_id_to_key_id(call.params["KeyId"])]


@operation("kms", "Encrypt")
def encrypt(call: Call) -> dict[str, Any]:
    return {**call.forward(), "EncryptionAlgorithm": call.params.get("EncryptionAlgorithm", "SYMMETRIC_DEFAULT")}


@operation("kms", "Decrypt")
def decrypt(call: Call) -> dict[str, Any]:
    """A key that is named must be the one that encrypted."""
    _check_source(call, call.params.get("KeyId"))
    return {**call.forward(), "EncryptionAlgorithm": call.params.get("EncryptionAlgorithm", "SYMMETRIC_DEFAULT")}


@operation("kms", "ReEncrypt")
def re_encrypt(call: Call) -> dict[str, Any]:
    _check_source(call, call.params.get("SourceKeyId"))
    return call.forward() | {
        name: call.params.get(name, "SYMMETRIC_DEFAULT")
        for name in ("SourceEncryptionAlgorithm", "DestinationEncryptionAlgorithm")
    }


def _check_source(call: Call, named: str | None) -> None:
    if named is None:
        return
    backend = call.cloud.backend("kms", call.account, call.region)
    # moto writes the key's id before what it encrypts.
    used = bytes(call.params["CiphertextBlob"])[:36].decode("ascii", "replace")
    if used in backend.keys and backend.any_id_to_key_id(named) != used:
        text = "The key ID in the request does not identify a CMK that can perform this operation."
        raise AwsError("IncorrectKeyException", text)


@operation("kms", "GetPublicKey")
def public_key(call: Call) -> dict[str, Any]:
    """With what the key is for: https://docs.aws.amazon.com/kms/latest/APIReference/API_GetPublicKey.html"""
    key = _pair_of(call)
    if key.key_usage != "SIGN_VERIFY":
        return call.forward()
    about = {"KeySpec": key.key_spec, "CustomerMasterKeySpec": key.key_spec, "KeyUsage": key.key_usage}
    found = {"PublicKey": key.private_key.public_key(), "SigningAlgorithms": key.signing_algorithms}
    return {"KeyId": key.arn, **about, **found}


@operation("kms", "Sign")
def sign(call: Call) -> dict[str, Any]:
    """A digest is signed as it is: moto would hash it once more."""
    key, algorithm, message = _pair_of(call), call.params["SigningAlgorithm"], bytes(call.params["Message"])
    if call.params.get("MessageType", "RAW") == "RAW":
        signature = key.private_key.sign(message, algorithm)
    else:
        signature = _curve(call, key).sign(message, _prehashed(algorithm))
    return {"KeyId": key.arn, "Signature": signature, "SigningAlgorithm": algorithm}


@operation("kms", "Verify")
def verify(call: Call) -> dict[str, Any]:
    """ "If the signature verification fails, the Verify operation fails with an KMSInvalidSignatureException."""
    key, algorithm, message = _pair_of(call), call.params["SigningAlgorithm"], bytes(call.params["Message"])
    signature = bytes(call.params["Signature"])
    if call.params.get("MessageType", "RAW") == "RAW":
        valid = key.private_key.verify(message, signature, algorithm)
    else:
        valid = _of_digest(_curve(call, key), message, signature, algorithm)
    if not valid:
        raise AwsError("KMSInvalidSignatureException", "")
    return {"KeyId": key.arn, "SignatureValid": True, "SigningAlgorithm": algorithm}


def _pair_of(call: Call) -> Any:
    """The key that is named. "To specify a KMS key in a different AWS account, you must use the key ARN or alias ARN":
    moto knows the caller's own alone."""
    named = str(call.params["KeyId"])
    parts = named.split(":")
    account, region = (parts[4], parts[3]) if len(parts) == 6 else (call.account, call.region)
    backend = call.cloud.backend("kms", account, region)
    try:
        return backend.keys[backend.any_id_to_key_id(named)]
    except KeyError:
        raise AwsError("NotFoundException", f"Key '{named}' does not exist") from None


def _curve(call: Call, key: Any) -> ec.EllipticCurvePrivateKey:
    """The pair of a key on an elliptic curve."""
    pair = key.private_key.private_key
    if not isinstance(pair, ec.EllipticCurvePrivateKey):
        raise not_implemented("kms", f"{call.operation} of a digest by a key that is not of an elliptic curve")
    return pair


def _of_digest(pair: ec.EllipticCurvePrivateKey, digest: bytes, signature: bytes, algorithm: str) -> bool:
    try:
        pair.public_key().verify(signature, digest, _prehashed(algorithm))
    except InvalidSignature:
        return False
    return True


def _prehashed(algorithm: str) -> ec.ECDSA:
    return ec.ECDSA(Prehashed(_HASHES[algorithm[-3:]]))
