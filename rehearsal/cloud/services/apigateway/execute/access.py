"""Who may call: signatures, resource policies, API keys with usage plans, and rates."""

import fnmatch
import ipaddress
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rehearsal.cloud.authorization import signatures
from rehearsal.cloud.authorization.enforce import grants, judge
from rehearsal.cloud.core.accounts import Identity
from rehearsal.cloud.core.api import AwsError, Call, Cloud, Principal
from rehearsal.cloud.policy_language.evaluate import Decision
from rehearsal.cloud.services.apigateway.execute.answers import Refused, refuse
from rehearsal.cloud.services.apigateway.snapshot import Method, Snapshot
from rehearsal.cloud.wire.request import Request


def authenticate(cloud: Cloud, request: Request, region: str) -> Identity:
    """The identity that signed for execute-api. Raises Refused with API Gateway's words."""
    try:
        signature = signatures.read_signature(request)
        if signature.service != "execute-api":
            text = "Credential should be scoped to correct service: 'execute-api'. "
            raise AwsError("InvalidSignatureException", text, 403)
        if signature.region != region:
            text = f"Credential should be scoped to a valid region, not '{signature.region}'. "
            raise AwsError("InvalidSignatureException", text, 403)
        return signatures.authenticate(request, signature, cloud.accounts)
    except AwsError as problem:
        if problem.code == "MissingAuthenticationToken":
            raise refuse("MISSING_AUTHENTICATION_TOKEN") from None
        kind = {"ExpiredTokenException": "EXPIRED_TOKEN"}.get(problem.code, "INVALID_SIGNATURE")
        raise Refused(kind, 403, problem.message, problem.code) from None


def check_permission(
    cloud: Cloud, snapshot: Snapshot, identity: Identity | None, account: str, region: str, arn: str, source_ip: str
) -> None:
    """Identity and resource policies together, as API Gateway combines them. Raises Refused (ACCESS_DENIED)."""
    principal = identity.principal if identity else None
    who = principal.arn if principal else "anonymous"
    verdict = _resource_policy(snapshot, principal, arn, source_ip) if snapshot.policy else None
    allowed = verdict is True or (verdict is None and principal is None and not snapshot.policy)
    asked = _asked(cloud, identity, region, arn)
    if asked is not None and verdict is not False:
        by_identity = asked.decision.allowed
        allowed = (by_identity or verdict is True) if asked.account == account else by_identity and verdict is True
    how = "with an explicit deny" if verdict is False else "because no policy allows the execute-api:Invoke action"
    text = f"User: {who} is not authorized to perform: execute-api:Invoke on resource: {_masked(arn)} {how}"
    if principal is not None and asked is not None:
        if allowed:
            cloud.ledger.record(principal.ledger_key, "execute-api:Invoke", grants=grants(asked.decision))
        else:
            cloud.ledger.refuse(principal.ledger_key, "execute-api:Invoke", text)
    if not allowed:
        raise refuse("ACCESS_DENIED", text)


def _masked(arn: str) -> str:
    """API Gateway hides most of the account in what it answers a caller."""
    parts = arn.split(":")
    parts[4] = "********" + parts[4][-4:]
    return ":".join(parts)


@dataclass(frozen=True)
class _Asked:
    account: str
    decision: Decision
    """What the caller's identity policies say."""


def _asked(cloud: Cloud, identity: Identity | None, region: str, arn: str) -> _Asked | None:
    if identity is None:
        return None
    principal, key = identity.principal, identity.credentials.access_key_id
    params, action = {"resourceArn": arn}, "execute-api:Invoke"
    call = Call(cloud, principal.account, region, "execute-api", "Invoke", params, principal, key, action)
    return _Asked(principal.account, judge(call, own_account=True)[0].decision)


def _resource_policy(snapshot: Snapshot, principal: Principal | None, arn: str, source_ip: str) -> bool | None:
    """True for an allow, False for an explicit deny, None where nothing matches."""
    assert snapshot.policy is not None
    context = {"aws:sourceip": source_ip}
    if principal is not None:
        context |= {"aws:principalarn": principal.role_arn or principal.arn, "aws:principalaccount": principal.account}
    effects = {
        statement["Effect"]
        for statement in _list(snapshot.policy.get("Statement"))
        if _names(statement.get("Principal"), principal)
        and any(fnmatch.fnmatchcase("execute-api:Invoke", action) for action in _list(statement.get("Action")))
        and any(_covers(resource, arn) for resource in _list(statement.get("Resource")))
        and all(
            _holds(operator, context.get(key.lower()), _list(values))
            for operator, block in (statement.get("Condition") or {}).items()
            for key, values in block.items()
        )
    }
    return False if "Deny" in effects else True if "Allow" in effects else None


def _covers(resource: str, arn: str) -> bool:
    # `execute-api:/stage/METHOD/path` is short for the ARN of this very API.
    if resource.startswith("execute-api:/"):
        prefix = ":".join(arn.split(":")[:5])
        resource = f"{prefix}:{arn.split(':', 5)[5].partition('/')[0]}{resource.removeprefix('execute-api:')}"
    return fnmatch.fnmatchcase(arn, resource)


def _names(element: Any, principal: Principal | None) -> bool:
    if element == "*" or (isinstance(element, Mapping) and "*" in _list(element.get("AWS"))):
        return True
    if principal is None or not isinstance(element, Mapping):
        return False
    root = f"arn:aws:iam::{principal.account}:root"
    return any(
        name in (root, principal.account, principal.arn, principal.role_arn) for name in _list(element.get("AWS"))
    )


def _holds(operator: str, actual: str | None, values: list[str]) -> bool:
    match operator:
        case "IpAddress" | "NotIpAddress":
            inside = actual is not None and any(
                ipaddress.ip_address(actual) in ipaddress.ip_network(value, strict=False) for value in values
            )
            return inside == (operator == "IpAddress")
        case "StringEquals" | "ArnEquals":
            return actual in values
        case "StringNotEquals" | "ArnNotEquals":
            return actual not in values
        case "StringLike" | "ArnLike":
            return actual is not None and any(fnmatch.fnmatchcase(actual, value) for value in values)
        case "StringNotLike" | "ArnNotLike":
            return actual is None or not any(fnmatch.fnmatchcase(actual, value) for value in values)
        case _:
            raise NotImplementedError(f"the rehearsal does not implement condition {operator} in an API's policy")


def _list(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]


@dataclass
class _Bucket:
    """A token bucket."""

    rate: float
    burst: float
    tokens: float = field(init=False)
    stamp: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.tokens = self.burst

    def take(self) -> bool:
        now = time.monotonic()
        self.tokens = min(self.burst, self.tokens + (now - self.stamp) * self.rate)
        self.stamp = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


_buckets: dict[tuple[Any, ...], _Bucket] = {}
_used: dict[tuple[str, str, str], int] = {}
_lock = threading.Lock()


def _take(key: tuple[Any, ...], rate: float, burst: float) -> bool:
    with _lock:
        return _buckets.setdefault((*key, rate, burst), _Bucket(rate, burst)).take()


def check_rate(api_id: str, stage: Any, method: Method) -> None:
    """The stage's throttling settings: those of the method, else those of all methods. Raises Refused (THROTTLED)."""
    encoded = method.path.replace("/", "~1")
    names = (f"{encoded}/{method.verb}", f"{method.path.strip('/')}/{method.verb}", "*/*")
    settings = next((stage.method_settings[name] for name in names if name in stage.method_settings), None)
    if settings is None or float(settings.get("throttlingRateLimit", -1)) < 0:
        return
    key = (api_id, stage.name, method.path, method.verb)
    if not _take(key, float(settings["throttlingRateLimit"]), float(settings["throttlingBurstLimit"])):
        raise refuse("THROTTLED")


def check_api_key(backend: Any, snapshot: Snapshot, stage_name: str, method: Method, request: Request) -> Any:
    """The API key of the request, where the method needs one: it must be enabled and in a usage plan of this stage.

    Raises Refused (INVALID_API_KEY, THROTTLED, QUOTA_EXCEEDED). Returns moto's key, or None.
    """
    if not method.api_key_required:
        return None
    value = request.headers.get("x-api-key")
    key = next((key for key in backend.keys.values() if key.value == value and key.enabled), None) if value else None
    if key is None:
        raise refuse("INVALID_API_KEY")
    for plan in backend.usage_plans.values():
        stages = [s for s in plan.api_stages if s["apiId"] == snapshot.api_id and s["stage"] == stage_name]
        if stages and key.id in backend.usage_plan_keys.get(plan.id, {}):
            _check_plan(plan, stages[0], key.id, method)
            return key
    raise refuse("INVALID_API_KEY")


def _check_plan(plan: Any, stage: dict[str, Any], key_id: str, method: Method) -> None:
    throttle = (stage.get("throttle") or {}).get(f"{method.path}/{method.verb}") or plan.throttle
    if throttle.get("rateLimit") is not None:
        burst = float(throttle.get("burstLimit") or throttle["rateLimit"])
        if not _take((plan.id, key_id, method.path), float(throttle["rateLimit"]), burst):
            raise refuse("THROTTLED")
    if plan.quota.get("limit") is None:
        return
    formats = {"DAY": "%Y-%j", "WEEK": "%G-%V", "MONTH": "%Y-%m"}
    period = time.strftime(formats[plan.quota.get("period", "DAY")], time.gmtime())
    with _lock:
        used = _used.get((plan.id, key_id, period), 0)
        if used >= int(plan.quota["limit"]):
            raise refuse("QUOTA_EXCEEDED")
        _used[(plan.id, key_id, period)] = used + 1
