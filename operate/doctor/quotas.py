"""Whether the accounts may use what a release needs: Service Quotas, and what Lambda says of itself.

An applied value is not kept for every quota; where there is none, AWS's default holds
(https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/API_ListServiceQuotas.html).
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from operate.doctor.finding import FINE, NOTE, PROBLEM, Finding, Unread, attempt
from operate.doctor.needs import CONCURRENCY, LAMBDA, SAGEMAKER, Total

_CHECK = "quotas"
_ENDPOINT = " for endpoint usage"
_ENDPOINTS_READ = 50
LAMBDA_CODE = "L-B99A9384"
LEAST_UNRESERVED = 100
"""What Lambda keeps for functions that reserve nothing: only what lies above can be reserved or provisioned."""


@dataclass(frozen=True)
class Allowed:
    """A quota as it is for an account."""

    code: str
    value: float


@dataclass(frozen=True)
class Account:
    """What an account may use, and what others use of it. `quotas` by service and name."""

    region: str
    profile: str
    quotas: Mapping[str, Mapping[str, Allowed] | Unread]
    concurrency: Allowed | Unread
    unreserved: int = 0
    others: Mapping[str, int] | Unread = field(default_factory=dict)
    """Instances of endpoints that are not the project's, by type."""


def look(clients: Any, region: str, profile: str, services: Iterable[str], prefixes: tuple[str, ...]) -> Account:
    """Reads an account. `clients` gives its client of a service; endpoints that begin with a prefix are our own."""
    quotas = {name: attempt(partial(_quotas, clients, name)) for name in services}
    settings = attempt(lambda: clients("lambda").get_account_settings()["AccountLimit"])
    others = attempt(lambda: _others(clients("sagemaker"), prefixes))
    if isinstance(settings, Unread):
        return Account(region, profile, quotas, settings, 0, others)
    allowed = Allowed(LAMBDA_CODE, settings["ConcurrentExecutions"])
    return Account(region, profile, quotas, allowed, settings["UnreservedConcurrentExecutions"], others)


def _quotas(clients: Any, service: str) -> dict[str, Allowed]:
    found: dict[str, Allowed] = {}
    for operation in ("list_aws_default_service_quotas", "list_service_quotas"):
        for page in clients("service-quotas").get_paginator(operation).paginate(ServiceCode=service):
            found |= {item["QuotaName"]: Allowed(item["QuotaCode"], item["Value"]) for item in page["Quotas"]}
    return found


def _others(client: Any, prefixes: tuple[str, ...]) -> dict[str, int]:
    used: Counter[str] = Counter()
    listed = client.list_endpoints(MaxResults=_ENDPOINTS_READ, StatusEquals="InService")["Endpoints"]
    for item in listed:
        if item["EndpointName"].startswith(prefixes):
            continue
        endpoint = client.describe_endpoint(EndpointName=item["EndpointName"])
        config = client.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
        types = {variant["VariantName"]: variant.get("InstanceType", "") for variant in config["ProductionVariants"]}
        for variant in endpoint.get("ProductionVariants", []):
            used[types.get(variant["VariantName"], "")] += variant.get("CurrentInstanceCount", 0)
    return dict(used)


def check(totals: Iterable[Total], account: Account) -> list[Finding]:
    """Whether the account may use each total."""
    found = [_finding(total, account) for total in totals]
    return [*found, *_reservable(account, totals)]


def _finding(total: Total, account: Account) -> Finding:
    where = ", ".join(total.stacks)
    allowed = _allowed(total, account)
    if allowed is None:
        what = f"{total.quota}: not checked"
        why = "Service Quotas knows no quota of that name here"
        fix = f"compare with {account.region}'s list: Service Quotas → AWS services → {total.service}"
        return Finding(_CHECK, where, "not checked", what, why, fix)
    if isinstance(allowed, Unread):
        return allowed.finding(_CHECK, where, total.quota)
    used = _used(total, account)
    if allowed.value >= total.amount + used:
        return Finding(_CHECK, where, FINE, f"{total.quota}: {allowed.value:g}, needed {total.amount + used}")
    beside = f", beside {used} that other endpoints use" if used else ""
    what = f"{total.quota}: the account may have {allowed.value:g}, a release needs {total.amount}{beside}"
    return Finding(_CHECK, where, PROBLEM, what, total.why, _raise(total, allowed, account, total.amount + used))


def _allowed(total: Total, account: Account) -> Allowed | Unread | None:
    if (total.service, total.quota) == (LAMBDA, CONCURRENCY):
        return account.concurrency
    quotas = account.quotas[total.service]
    return quotas if isinstance(quotas, Unread) else quotas.get(total.quota)


def _used(total: Total, account: Account) -> int:
    if total.service != SAGEMAKER or not total.quota.endswith(_ENDPOINT) or isinstance(account.others, Unread):
        return 0
    return account.others.get(total.quota.removesuffix(_ENDPOINT), 0)


def _raise(total: Total, allowed: Allowed, account: Account, amount: int) -> str:
    return (
        f"aws service-quotas request-service-quota-increase --service-code {total.service} --quota-code {allowed.code}"
        f" --desired-value {amount} --region {account.region} --profile {account.profile}"
    )


def _reservable(account: Account, totals: Iterable[Total]) -> list[Finding]:
    """A word on what cannot be reserved; the program itself reserves and provisions nothing."""
    where = ", ".join(dict.fromkeys(stack for total in totals for stack in total.stacks))
    if isinstance(account.concurrency, Unread) or account.unreserved > LEAST_UNRESERVED:
        return []
    what = f"of Lambda's concurrency {account.unreserved} are unreserved: none can be reserved or provisioned"
    why = f"Lambda keeps {LEAST_UNRESERVED} for functions that reserve none; Glidepath itself reserves nothing"
    return [Finding(_CHECK, where, NOTE, what, why, "raise Concurrent executions before you reserve any")]
