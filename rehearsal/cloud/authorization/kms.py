"""Keys: which one is meant, and what services ask of it in a caller's name."""

from collections.abc import Mapping
from typing import Any

from moto.kms.models import kms_backends

from rehearsal.cloud.authorization.need import Need, many
from rehearsal.cloud.core.call import Call
from rehearsal.cloud.policy_language.principals import Requester
from rehearsal.cloud.policy_language.template import Context
from rehearsal.cloud.wire.types import AwsError

_NO_KEY = frozenset({"CreateKey", "ListKeys", "ListAliases", "GenerateRandom", "ListRetirableGrants"})


def find(text: str, account: str, region: str) -> Any:
    """moto's key for an id, an alias or the ARN of either; None for one that nobody made."""
    if text.startswith("arn:"):
        parts = text.split(":", 5)
        region, account, text = parts[3], parts[4], parts[5].removeprefix("key/")
    if account not in kms_backends or region not in kms_backends[account]:
        return None
    keys = kms_backends[account][region].keys
    if text.startswith("alias/"):
        return next((key for key in list(keys.values()) if text in key.aliases), None)
    return keys.get(text)


def needs(call: Call) -> list[Need]:
    """A direct call of KMS."""
    params = call.params
    text = params.get("KeyId") or params.get("TargetKeyId") or params.get("DestinationKeyId")
    if text is None and params.get("CiphertextBlob"):
        text = _of_ciphertext(params["CiphertextBlob"], call)
    if text is None or call.operation in _NO_KEY:
        return [Need(call.action, "*")]
    key = find(str(text), call.account, call.region)
    if key is None:
        given = str(text)
        arn = given if given.startswith("arn:") else f"arn:aws:kms:{call.region}:{call.account}:key/{given}"
        return [Need(call.action, arn, arn.split(":")[4])]
    return [Need(call.action, key.arn, key.account_id, _context(key, call.account, _encryption(params), params))]


def _of_ciphertext(blob: Any, call: Call) -> str | None:
    # moto puts the key's id in front of what it encrypts.
    key_id = bytes(blob)[:36].decode(errors="replace")
    return key_id if find(key_id, call.account, call.region) else None


def _encryption(params: Mapping[str, Any]) -> Mapping[str, str]:
    return params.get("EncryptionContext") or {}


def via(
    service: str, action: str, key_text: str, account: str, region: str, encryption: Mapping[str, str] | None = None
) -> list[Need]:
    """What a service such as `s3` asks of a key in the caller's name. A key of AWS's own asks nothing."""
    key = find(key_text, account, region)
    if key is None:
        return []
    context = _context(key, account, encryption or {}, {})
    return [
        Need(action, key.arn, key.account_id, {**context, "kms:viaservice": (f"{service}.{region}.amazonaws.com",)})
    ]


def _context(key: Any, caller: str, encryption: Mapping[str, str], params: Mapping[str, Any]) -> Context:
    context = many({f"kms:EncryptionContext:{name}": value for name, value in encryption.items()})
    if encryption:
        context["kms:encryptioncontextkeys"] = tuple(encryption)
    if key.aliases:
        context["kms:resourcealiases"] = tuple(key.aliases)
    asked = params.get("KeyId", "")
    alias = asked.partition("alias/")[2]
    return (
        context
        | many(
            {
                "kms:CallerAccount": caller,
                "kms:KeySpec": key.key_spec,
                "kms:KeyUsage": key.key_usage,
                "kms:KeyOrigin": key.origin,
                "kms:RequestAlias": f"alias/{alias}" if alias else None,
                "kms:GranteePrincipal": params.get("GranteePrincipal"),
            }
        )
        | ({"kms:grantoperations": tuple(params["Operations"])} if params.get("Operations") else {})
    )


_DISABLED = {
    "s3": "KMS.DisabledException",
    "sagemaker": "ValidationException",
    "sns": "KMSDisabledException",
    "sqs": "KMS.DisabledException",
}
# What a key that is switched off still answers: reading about it, and switching it on again.
_USES = frozenset({"Decrypt", "Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "CreateGrant"})


def disabled(need: Need, service: str) -> AwsError | None:
    """What a service answers whose caller may use a key that is switched off; None where it can be used."""
    if need.service != "kms" or need.action.partition(":")[2] not in _USES or need.resource == "*":
        return None
    key = find(need.resource, need.account, need.resource.split(":")[3])
    if key is None or key.enabled:
        return None
    return AwsError(_DISABLED.get(service, "DisabledException"), f"{key.arn} is disabled.")


def granted(need: Need, requester: Requester, context: Context) -> bool:
    """Does a grant of the key let the requester do this?"""
    if need.service != "kms" or need.resource == "*":
        return False
    key = find(need.resource, need.account, need.resource.split(":")[3])
    names = {requester.arn, requester.role_arn, requester.root}
    operation = need.action.partition(":")[2]
    return any(
        grant.grantee_principal in names and operation in grant.operations and _constrained(grant, context)
        for grant in list(key.grants.values() if key else ())
    )


def _constrained(grant: Any, context: Context) -> bool:
    constraints = grant.constraints or {}
    given = {name.partition("kms:encryptioncontext:")[2]: values[0] for name, values in context.items()}
    subset = {name.lower(): value for name, value in (constraints.get("EncryptionContextSubset") or {}).items()}
    equal = {name.lower(): value for name, value in (constraints.get("EncryptionContextEquals") or {}).items()}
    named = {name: value for name, value in given.items() if name}
    return subset.items() <= named.items() and (not equal or equal == named)
