"""Service Quotas: what accounts may use, and requests for more, which are granted after a while.

https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/. AWS grants small increases by itself within minutes
and asks a person for others; here every one is granted after five of AWS's minutes.
"""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from rehearsal.cloud.core import quotas
from rehearsal.cloud.core.api import AwsError, Call, operation
from rehearsal.cloud.core.quotas import SERVICE, Quota

_UNTIL_GRANTED = timedelta(minutes=5)


@operation(SERVICE, "GetServiceQuota")
def get(call: Call) -> dict[str, Any]:
    quota = _found(call)
    return {"Quota": _shown(call, quota, quotas.applied(call.cloud, call.account, call.region, quota))}


@operation(SERVICE, "GetAWSDefaultServiceQuota")
def get_default(call: Call) -> dict[str, Any]:
    quota = _found(call)
    return {"Quota": _shown(call, quota, quota.default)}


@operation(SERVICE, "ListServiceQuotas")
def list_applied(call: Call) -> dict[str, Any]:
    return _listed(call, lambda quota: quotas.applied(call.cloud, call.account, call.region, quota))


@operation(SERVICE, "ListAWSDefaultServiceQuotas")
def list_defaults(call: Call) -> dict[str, Any]:
    return _listed(call, lambda quota: quota.default)


@operation(SERVICE, "RequestServiceQuotaIncrease")
def request_increase(call: Call) -> dict[str, Any]:
    quota, wanted = _found(call), call.params["DesiredValue"]
    requests = call.cloud.store(SERVICE, call.account, call.region).setdefault("requests", [])
    if any(item["QuotaCode"] == quota.code and _status(call, item) == "PENDING" for item in requests):
        raise AwsError("ResourceAlreadyExistsException", "Only one open service quota increase request is allowed per"
                       " quota.")  # fmt: skip
    if wanted <= quotas.applied(call.cloud, call.account, call.region, quota):
        raise AwsError("IllegalArgumentException", "You must provide a quota value greater than the current quota"
                       " value.")  # fmt: skip
    now = call.cloud.clock.now()
    item = {
        "Id": uuid.uuid4().hex, "ServiceCode": quota.service, "ServiceName": quotas.NAMES[quota.service],
        "QuotaCode": quota.code, "QuotaName": quota.name, "DesiredValue": wanted, "Created": now, "LastUpdated": now,
        "Requester": call.principal.arn, "GlobalQuota": False, "_granted": call.cloud.clock.aws_now() + _UNTIL_GRANTED,
    }  # fmt: skip
    requests.append(item)
    return {"RequestedQuota": _request(call, item)}


@operation(SERVICE, "GetRequestedServiceQuotaChange")
def get_request(call: Call) -> dict[str, Any]:
    for item in call.cloud.store(SERVICE, call.account, call.region).get("requests", []):
        if item["Id"] == call.params["RequestId"]:
            return {"RequestedQuota": _request(call, item)}
    raise AwsError("NoSuchResourceException", "The request failed because the specified request does not exist.")


@operation(
    SERVICE, "ListRequestedServiceQuotaChangeHistory", "ListRequestedServiceQuotaChangeHistoryByQuota"
)  # fmt: skip
def list_requests(call: Call) -> dict[str, Any]:
    wanted = {name: call.params[name] for name in ("ServiceCode", "QuotaCode") if name in call.params}
    kept = call.cloud.store(SERVICE, call.account, call.region).get("requests", [])
    found = [_request(call, item) for item in kept if all(item[name] == value for name, value in wanted.items())]
    status = call.params.get("Status")
    return {"RequestedQuotas": [item for item in found if status in (None, item["Status"])]}


def _service(call: Call) -> dict[str, Quota]:
    found = quotas.known(call.params["ServiceCode"])
    if not found:
        raise AwsError("NoSuchResourceException", "The request failed because the specified service does not exist.")
    return found


def _found(call: Call) -> Quota:
    quota = _service(call).get(call.params["QuotaCode"])
    if quota is None:
        raise AwsError("NoSuchResourceException", "The request failed because the specified quota does not exist.")
    return quota


def _listed(call: Call, value: Callable[[Quota], float]) -> dict[str, Any]:
    found = list(_service(call).values())
    token = call.params.get("NextToken", "0")
    if not token.isdigit():
        raise AwsError("InvalidPaginationTokenException", "Invalid token was provided.")
    first, size = int(token), call.params.get("MaxResults", 100)
    answer: dict[str, Any] = {"Quotas": [_shown(call, quota, value(quota)) for quota in found[first : first + size]]}
    return answer | ({"NextToken": str(first + size)} if first + size < len(found) else {})


def _shown(call: Call, quota: Quota, value: float) -> dict[str, Any]:
    arn = f"arn:aws:servicequotas:{call.region}:{call.account}:{quota.service}/{quota.code}"
    return {
        "ServiceCode": quota.service, "ServiceName": quotas.NAMES[quota.service], "QuotaArn": arn,
        "QuotaCode": quota.code, "QuotaName": quota.name, "Value": value, "Unit": "None", "Adjustable": True,
        "GlobalQuota": False,
    }  # fmt: skip


def _status(call: Call, item: dict[str, Any]) -> str:
    return "APPROVED" if item["_granted"] <= call.cloud.clock.aws_now() else "PENDING"


def _request(call: Call, item: dict[str, Any]) -> dict[str, Any]:
    return {**{name: value for name, value in item.items() if name != "_granted"}, "Status": _status(call, item)}
