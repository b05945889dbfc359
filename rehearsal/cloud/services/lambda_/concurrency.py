"""How much may run at once: in an account, and of one function.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
"""

import threading
from collections import Counter
from typing import Any

from rehearsal.cloud.core import quotas
from rehearsal.cloud.core.api import Call, Cloud, operation, state_rule
from rehearsal.cloud.services.lambda_.functions import target_of
from rehearsal.cloud.services.lambda_.state import Function, functions, invalid, parse_name

_SIZES = {"TotalCodeSize": 80530636800, "CodeSizeUnzipped": 262144000, "CodeSizeZipped": 52428800}
_running: Counter[str] = Counter()
_unreserved: Counter[tuple[int, str, str]] = Counter()
_lock = threading.Lock()


def total(cloud: Cloud, account: str, region: str) -> int:
    """What all functions of an account may run at once, in one region."""
    found = quotas.limit(cloud, account, region, "lambda", quotas.CONCURRENCY)
    assert found is not None, "the quota is one of those that are known"
    return int(found)


def _reserved(cloud: Cloud, account: str, region: str) -> int:
    return sum(item.reserved or 0 for item in list(functions(cloud, account, region).values()))


def enter(cloud: Cloud, function: Function) -> str:
    """Takes one unit of the function's own concurrency, or of what all others share; else says why there is none."""
    place = (function.account, function.region)
    shared = 0 if function.reserved is not None else total(cloud, *place) - _reserved(cloud, *place)
    with _lock:
        if function.reserved is not None:
            if _running[function.arn] >= function.reserved:
                return "ReservedFunctionConcurrentInvocationLimitExceeded"
        elif _unreserved[(cloud.port, *place)] >= shared:
            return "ConcurrentInvocationLimitExceeded"
        else:
            _unreserved[(cloud.port, *place)] += 1
        _running[function.arn] += 1
        return ""


def leave(cloud: Cloud, function: Function, reserved: bool) -> None:
    """Gives the unit back; `reserved` says which it was."""
    with _lock:
        _running[function.arn] -= 1
        if not reserved:
            _unreserved[(cloud.port, function.account, function.region)] -= 1


@operation("lambda", "GetAccountSettings")
def account_settings(call: Call) -> dict[str, Any]:
    place = (call.cloud, call.account, call.region)
    everything = total(*place)
    limits = {
        **_SIZES,
        "ConcurrentExecutions": everything,
        "UnreservedConcurrentExecutions": everything - _reserved(*place),
    }
    known = list(functions(*place).values())
    size = sum(int(item.latest.config.get("CodeSize", 0)) for item in known)
    return {"AccountLimit": limits, "AccountUsage": {"TotalCodeSize": size, "FunctionCount": len(known)}}


@state_rule("lambda", "PutFunctionConcurrency")
def unreserved(call: Call) -> None:
    """The total of reserved concurrency leaves 100 for the functions that reserve none.

    An account that has less keeps all of it, and the sentence names that:
    https://github.com/aws-samples/alarm-context-tool/issues/2 ([10]), aws-samples/s3-to-lambda-patterns/issues/36
    ([50]).
    """
    name = parse_name(call.params["FunctionName"], call.account, call.region).name
    known = functions(call.cloud, call.account, call.region)
    others = sum(item.reserved or 0 for item in known.values() if item.name != name)
    everything = total(call.cloud, call.account, call.region)
    least = min(quotas.LEAST_UNRESERVED, everything)
    if name in known and everything - others - call.params["ReservedConcurrentExecutions"] < least:
        raise invalid("Specified ReservedConcurrentExecutions for function decreases account's "
                      f"UnreservedConcurrentExecution below its minimum value of [{least}].")  # fmt: skip


@operation("lambda", "PutFunctionConcurrency")
def put_concurrency(call: Call) -> dict[str, Any]:
    function, _ = target_of(call, allow_qualifier=False)
    function.reserved = int(call.params["ReservedConcurrentExecutions"])
    return {"ReservedConcurrentExecutions": function.reserved}


@operation("lambda", "GetFunctionConcurrency")
def get_concurrency(call: Call) -> dict[str, Any]:
    function, _ = target_of(call, allow_qualifier=False)
    return {} if function.reserved is None else {"ReservedConcurrentExecutions": function.reserved}


@operation("lambda", "DeleteFunctionConcurrency")
def delete_concurrency(call: Call) -> dict[str, Any]:
    function, _ = target_of(call, allow_qualifier=False)
    function.reserved = None
    return {}
