"""KMS. The page of each operation below https://docs.aws.amazon.com/kms/latest/APIReference/."""

import re
from typing import Any

from rehearsal.cloud.core.api import AwsError, Call, request_rule, state_rule
from rehearsal.cloud.policy_language import grammar
from rehearsal.cloud.services.rules import tags

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_MULTI = re.compile(r"mrk-[0-9a-f]{32}")
_ON_KEYS = (
    "DescribeKey", "GetKeyPolicy", "PutKeyPolicy", "EnableKey", "DisableKey", "ScheduleKeyDeletion",
    "CancelKeyDeletion", "EnableKeyRotation", "DisableKeyRotation", "GetKeyRotationStatus", "UpdateKeyDescription",
    "TagResource", "UntagResource", "ListResourceTags", "CreateGrant", "ListGrants", "RevokeGrant", "Encrypt",
    "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "GenerateMac", "VerifyMac", "Sign", "Verify", "GetPublicKey",
    "RotateKeyOnDemand", "ListKeyPolicies",
)  # fmt: skip
_USED_FOR = {
    "Encrypt": "ENCRYPT_DECRYPT", "GenerateDataKey": "ENCRYPT_DECRYPT",
    "GenerateDataKeyWithoutPlaintext": "ENCRYPT_DECRYPT", "Sign": "SIGN_VERIFY", "Verify": "SIGN_VERIFY",
    "GenerateMac": "GENERATE_VERIFY_MAC", "VerifyMac": "GENERATE_VERIFY_MAC",
}  # fmt: skip
_DIGESTS = {"256": 32, "384": 48, "512": 64}
_MODULUS = {"RSA_2048": 256, "RSA_3072": 384, "RSA_4096": 512}
_PADDING = {"RSAES_OAEP_SHA_1": 42, "RSAES_OAEP_SHA_256": 66}
_GRANTED = frozenset({
    "Decrypt", "Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "ReEncryptFrom", "ReEncryptTo",
    "CreateGrant", "RetireGrant", "DescribeKey",
})  # fmt: skip


def _tag(text: str) -> AwsError:
    return AwsError("TagException", text)


def _invalid(text: str) -> AwsError:
    return AwsError("ValidationException", text)


@request_rule("kms", *_ON_KEYS)
def known_key(call: Call) -> None:
    """What names no key of the caller's own is not found, whoever asks. Another account's is for its policies."""
    text = call.params.get("KeyId")
    if text is None:
        return
    if text.startswith("alias/") or ":alias/" in text:
        _known_alias(call, text)
        return
    account, region, name = _named(call, text)
    key = name.removeprefix("key/")
    if not _UUID.fullmatch(key) and not _MULTI.fullmatch(key):
        raise AwsError("NotFoundException", f"Invalid keyId '{key}'")
    arn = f"arn:aws:kms:{region}:{account}:key/{key}"
    if region != call.region:
        raise AwsError("NotFoundException", f"Invalid arn {region}")
    if account == call.account and key not in call.cloud.backend("kms", account, region).keys:
        raise AwsError("NotFoundException", f"Key '{arn}' does not exist")


def _named(call: Call, text: str) -> tuple[str, str, str]:
    """Account, region and name of what an ARN or a bare name means."""
    parts = text.split(":")
    return (parts[4], parts[3], parts[5]) if len(parts) == 6 else (call.account, call.region, text)


def _known_alias(call: Call, text: str) -> None:
    """The sentence is AWS's (cloudposse/docs#152). Aliases of AWS's own come with their first use."""
    account, region, alias = _named(call, text)
    if account != call.account or region != call.region or alias.startswith("alias/aws/"):
        return
    keys = list(call.cloud.backend("kms", account, region).keys.values())
    if not any(alias in key.aliases for key in keys):
        arn = f"arn:aws:kms:{region}:{account}:{alias}"
        raise AwsError("NotFoundException", f"Alias {arn} is not found.")


def _key(call: Call) -> Any:
    """moto's key, or None."""
    text = str(call.params.get("KeyId") or "")
    account, region, _ = _named(call, text)
    backend = call.cloud.backend("kms", account, region)
    try:
        return backend.keys.get(backend.any_id_to_key_id(text))
    except Exception:  # noqa: BLE001  moto's own errors come when it is asked
        return None


# --- keys ------------------------------------------------------------------------------------------------------------


@request_rule("kms", "CreateKey")
def create_key(call: Call) -> None:
    params = call.params
    spec = params.get("KeySpec") or params.get("CustomerMasterKeySpec") or "SYMMETRIC_DEFAULT"
    usage = params.get("KeyUsage")
    if spec != "SYMMETRIC_DEFAULT" and usage is None:
        raise _invalid("You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.")
    if usage is not None and usage not in _usages(spec):
        raise _invalid(f"KeyUsage {usage} is not compatible with KeySpec {spec}")
    _policy(params.get("Policy"), "MalformedPolicyDocumentException")
    tags.check(params.get("Tags"), _tag)


def _usages(spec: str) -> tuple[str, ...]:
    """https://docs.aws.amazon.com/kms/latest/developerguide/create-keys.html#key-usage"""
    if spec == "SYMMETRIC_DEFAULT":
        return ("ENCRYPT_DECRYPT",)
    if spec.startswith("HMAC"):
        return ("GENERATE_VERIFY_MAC",)
    if spec.startswith("RSA"):
        return ("ENCRYPT_DECRYPT", "SIGN_VERIFY")
    if spec.startswith("ECC_NIST"):
        return ("SIGN_VERIFY", "KEY_AGREEMENT") if "ED25519" not in spec else ("SIGN_VERIFY",)
    return ("SIGN_VERIFY", "ENCRYPT_DECRYPT", "KEY_AGREEMENT") if spec == "SM2" else ("SIGN_VERIFY",)


@request_rule("kms", "PutKeyPolicy")
def put_key_policy(call: Call) -> None:
    if call.params.get("PolicyName", "default") != "default":
        raise AwsError("NotFoundException", "No such policy exists")
    _policy(call.params["Policy"], "MalformedPolicyDocumentException")


def _policy(text: str | None, code: str) -> None:
    """https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html"""
    if text is None:
        return
    if len(text) > 32768:
        raise AwsError("LimitExceededException", "A key policy has at most 32768 bytes.")
    try:
        grammar.check(text, grammar.RESOURCE)
    except grammar.PolicyError as error:
        raise AwsError(code, str(error)) from None


@state_rule("kms", "CreateKey", "PutKeyPolicy")
def not_locked_out(call: Call) -> None:
    """ "The key policy must allow the principal who is making the request to make a subsequent PutKeyPolicy request."""
    text = call.params.get("Policy")
    if text is None or call.params.get("BypassPolicyLockoutSafetyCheck"):
        return
    principal = call.principal
    if not any(_lets(statement, principal) for statement in grammar.statements(text)):
        raise AwsError("MalformedPolicyDocumentException",
                       "The new key policy will not allow you to update the key policy in the future.")  # fmt: skip


def _lets(statement: dict[str, Any], principal: Any) -> bool:
    if statement.get("Effect") != "Allow":
        return False
    actions = statement.get("Action", [])
    listed = [actions] if isinstance(actions, str) else actions
    if not any(re.fullmatch(re.escape(each.lower()).replace(r"\*", ".*"), "kms:putkeypolicy") for each in listed):
        return False
    named = statement.get("Principal")
    names = named.get("AWS", []) if isinstance(named, dict) else [named]
    names = [names] if isinstance(names, str) else names
    root = f"arn:aws:iam::{principal.account}:root"
    return bool({"*", principal.account, root, principal.arn, principal.role_arn} & set(names))


@request_rule("kms", "TagResource")
def tag_resource(call: Call) -> None:
    tags.check(call.params["Tags"], _tag)


@request_rule("kms", "UntagResource")
def untag_resource(call: Call) -> None:
    tags.check_keys(call.params["TagKeys"], _tag)


@request_rule("kms", "CreateAlias", "UpdateAlias", "DeleteAlias")
def alias(call: Call) -> None:
    name = call.params["AliasName"]
    if not name.startswith("alias/"):
        raise _invalid('Alias must start with the prefix "alias/". Please see '
                       "https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html")  # fmt: skip
    if not re.fullmatch(r"alias/[a-zA-Z0-9/_-]+", name):
        raise AwsError("InvalidAliasNameException", "Alias contains invalid characters for an alias")
    if name.startswith("alias/aws/"):
        raise AwsError("NotAuthorizedException", "")
    if call.operation != "DeleteAlias" and "alias/" in call.params["TargetKeyId"]:
        raise _invalid("Aliases must refer to keys. Not aliases")


@request_rule("kms", "CreateGrant")
def create_grant(call: Call) -> None:
    params = call.params
    for name in ("GranteePrincipal", "RetiringPrincipal"):
        if params.get(name) and not re.fullmatch(r"arn:[\w-]+:(iam|sts)::\d{12}:.+|[\w.-]+\.amazonaws\.com",
                                                 params[name]):  # fmt: skip
            raise AwsError("InvalidArnException", f"{name} {params[name]} is not a valid ARN")
    constraints = params.get("Constraints") or {}
    if len(constraints) > 1:
        raise _invalid("Only one of EncryptionContextEquals and EncryptionContextSubset may be specified")


@state_rule("kms", "CreateGrant")
def granted_operations(call: Call) -> None:
    key = _key(call)
    if key is None or key.key_spec != "SYMMETRIC_DEFAULT":
        return
    wrong = sorted(set(call.params["Operations"]) - _GRANTED)
    if wrong:
        raise _invalid(f"Operation {wrong[0]} is not valid for a grant on a symmetric encryption key")


@request_rule("kms", "ScheduleKeyDeletion")
def deletion(call: Call) -> None:
    days = call.params.get("PendingWindowInDays")
    if days is not None and not 7 <= days <= 30:
        raise _invalid("PendingWindowInDays must be between 7 and 30, inclusive")


@request_rule("kms", "EnableKeyRotation")
def rotation(call: Call) -> None:
    days = call.params.get("RotationPeriodInDays")
    if days is not None and not 90 <= days <= 2560:
        raise _invalid("RotationPeriodInDays must be between 90 and 2560, inclusive")


# --- using keys ------------------------------------------------------------------------------------------------------


@request_rule("kms", "GenerateRandom")
def random(call: Call) -> None:
    if call.params.get("NumberOfBytes") is None and not call.params.get("Recipient"):
        raise _invalid("NumberOfBytes is required.")


@request_rule("kms", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext")
def data_key(call: Call) -> None:
    """ "You must specify either the KeySpec or the NumberOfBytes parameter (but not both)."""
    given = [name for name in ("KeySpec", "NumberOfBytes") if call.params.get(name) is not None]
    if len(given) != 1:
        raise _invalid("Please specify either number of bytes or key spec.")


@state_rule("kms", "Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "Sign", "Verify", "GenerateMac",
            "VerifyMac", "RotateKeyOnDemand", "EnableKeyRotation", "CreateGrant", "Decrypt", "UpdateKeyDescription",
            "DisableKeyRotation", "CreateAlias")  # fmt: skip
def usable(call: Call) -> None:
    """https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html"""
    key = _key(call)
    if key is None:
        return
    if key.key_state == "Disabled" and call.operation not in ("CreateAlias", "UpdateKeyDescription"):
        raise AwsError("DisabledException", f"{key.arn} is disabled.")
    if key.key_state == "PendingDeletion":
        raise AwsError("KMSInvalidStateException", f"{key.arn} is pending deletion.")
    wanted = _USED_FOR.get(call.operation)
    if wanted is not None and key.key_usage != wanted:
        text = f"{key.arn} key usage is {key.key_usage} which is not valid for {call.operation}."
        raise AwsError("InvalidKeyUsageException", text)
    if call.operation in ("EnableKeyRotation", "RotateKeyOnDemand") and key.key_spec != "SYMMETRIC_DEFAULT":
        raise AwsError("UnsupportedOperationException", "")


@state_rule("kms", "CancelKeyDeletion", "EnableKey", "DisableKey")
def pending(call: Call) -> None:
    key = _key(call)
    if key is None:
        return
    cancels = call.operation == "CancelKeyDeletion"
    if cancels != (key.key_state == "PendingDeletion"):
        text = "is not pending deletion." if cancels else "is pending deletion."
        raise AwsError("KMSInvalidStateException", f"{key.arn} {text}")


@state_rule("kms", "Encrypt")
def plaintext(call: Call) -> None:
    key, algorithm = _key(call), call.params.get("EncryptionAlgorithm", "SYMMETRIC_DEFAULT")
    if key is None:
        return
    known = key.encryption_algorithms or []
    if algorithm not in known:
        text = f"Algorithm {algorithm} and key spec {key.key_spec} are incompatible."
        raise AwsError("InvalidKeyUsageException", text)
    if algorithm in _PADDING:
        most = _MODULUS[key.key_spec] - _PADDING[algorithm]
        if len(call.params["Plaintext"]) > most:
            raise _invalid(f"Algorithm {algorithm} and key spec {key.key_spec} cannot encrypt data larger than "
                           f"{most} bytes.")  # fmt: skip


@state_rule("kms", "Sign", "Verify")
def digest(call: Call) -> None:
    """A sentence of AWS's own: JackOfMostTrades/aws-kms-pkcs11#18. A digest is as long as the algorithm's hash:
    https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html#KMS-Sign-request-MessageType"""
    params, key = call.params, _key(call)
    algorithm = params["SigningAlgorithm"]
    if key is not None and algorithm not in (key.signing_algorithms or []):
        text = f"Algorithm {algorithm} is incompatible with key spec {key.key_spec}."
        raise AwsError("InvalidKeyUsageException", text)
    size = _DIGESTS.get(algorithm[-3:])
    if params.get("MessageType") == "DIGEST" and size is not None and len(params["Message"]) != size:
        raise _invalid(f"Digest is invalid length for algorithm {algorithm}.")


@state_rule("kms", "GenerateMac", "VerifyMac")
def mac(call: Call) -> None:
    key, algorithm = _key(call), call.params["MacAlgorithm"]
    if key is not None and algorithm.replace("_SHA", "") != key.key_spec:
        text = f"Algorithm {algorithm} is incompatible with key spec {key.key_spec}."
        raise AwsError("InvalidKeyUsageException", text)
