"""Condition keys of a call: who asks, from where, when, and with which tags."""

import time
from datetime import UTC, datetime
from typing import Any

from rehearsal.cloud.authorization import tagging
from rehearsal.cloud.authorization.need import Need, many
from rehearsal.cloud.authorization.resourcetags import WithTags
from rehearsal.cloud.core.call import Call
from rehearsal.cloud.policy_language.template import Context
from rehearsal.cloud.wire.types import Principal


def of_call(call: Call, item: Any) -> Context:
    """What is the same for all that a call needs. `item` is moto's role or user behind the principal."""
    now = time.time()
    request = call.request
    return (
        of_principal(call.principal, item)
        | many(
            {
                # Loopback stands for TLS: the gateway cannot be reached from elsewhere.
                "aws:SecureTransport": True,
                "aws:SourceIp": (request.remote_addr if request is not None else None) or "127.0.0.1",
                "aws:UserAgent": request.headers.get("User-Agent") if request is not None else None,
                "aws:RequestedRegion": call.region,
                "aws:CurrentTime": datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "aws:EpochTime": int(now),
                "aws:ViaAWSService": False,
                "aws:PrincipalIsAWSService": call.principal.kind == "service",
            }
        )
        | dict(tagging.context(call.params))
    )


def of_principal(principal: Principal, item: Any) -> dict[str, tuple[str, ...]]:
    """Keys that say who asks."""
    if principal.kind == "service":
        return _of_service(principal)
    session = principal.role_arn is not None
    tags = {tag["Key"]: tag["Value"] for tag in (getattr(item, "tags", None) or ())} | dict(principal.session_tags)
    return many(
        {
            "aws:PrincipalArn": principal.ledger_key,
            "aws:PrincipalAccount": principal.account,
            "aws:PrincipalType": "AssumedRole" if session else "User",
            "aws:userid": principal.user_id,
            "aws:username": None if session else principal.arn.rpartition("/")[2],
            "aws:MultiFactorAuthPresent": False if session else None,
            **{f"aws:PrincipalTag/{key}": value for key, value in tags.items()},
            # Of a session that a service uses for a resource, e.g. EventBridge for a rule.
            **dict(principal.source),
        }
    )


def _of_service(principal: Principal) -> dict[str, tuple[str, ...]]:
    keys = {"aws:PrincipalServiceName": principal.arn, **dict(principal.source)}
    if principal.arn == "cloudwatch.amazonaws.com":
        # The default policy of a topic lets its owner's alarms in.
        keys["aws:SourceOwner"] = principal.account
    return many(keys)


def of_need(call: Call, need: Need, shared: Context) -> Context:
    """With what concerns one need alone. A service's use of a key in the caller's name is a call of its own."""
    own: dict[str, tuple[str, ...]] = {"aws:resourceaccount": (need.account or call.account,)}
    via = need.context.get("kms:viaservice")
    if via and call.service != "kms":
        service = via[0].partition(".")[0]
        own |= {
            "aws:viaawsservice": ("true",),
            "aws:calledvia": (f"{service}.amazonaws.com",),
            "aws:calledviafirst": (f"{service}.amazonaws.com",),
            "aws:calledvialast": (f"{service}.amazonaws.com",),
        }
    return WithTags(call, need, {**shared, **own, **need.context})
