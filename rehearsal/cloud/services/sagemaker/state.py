"""Records of SageMaker resources: one table per kind, account and region."""

import re
import threading
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, cast

from rehearsal.cloud.core.api import AwsError, Call, Cloud, Credentials, inventory

Record = dict[str, Any]
Table = dict[str, Record]

SERVICE = "sagemaker"
PRINCIPAL = "sagemaker.amazonaws.com"

KINDS = (
    "training-job", "processing-job", "hyper-parameter-tuning-job", "model", "endpoint-config", "endpoint",
    "data-quality-job-definition",
    "monitoring-schedule", "model-package-group", "model-package", "notebook-instance",
    "notebook-instance-lifecycle-config",
)  # fmt: skip

# Jobs stay for ever on AWS, and cannot be deleted: they are history, no live resource.
_HISTORY = frozenset({"training-job", "processing-job", "hyper-parameter-tuning-job"})

lock = threading.RLock()
"""Guards every change of a record; held for moments only."""


def table(cloud: Cloud, account: str, region: str, kind: str) -> Table:
    """All records of one kind, by name."""
    store = cloud.store(SERVICE, account, region)
    with lock:
        return cast(Table, store.setdefault(kind, {}))


def records(call: Call, kind: str) -> Table:
    """The table of `kind` in the caller's account and region."""
    return table(call.cloud, call.account, call.region, kind)


def arn(account: str, region: str, kind: str, name: str) -> str:
    """SageMaker writes names in lower case in its ARNs."""
    return f"arn:aws:sagemaker:{region}:{account}:{kind}/{name.lower()}"


def call_arn(call: Call, kind: str, name: str) -> str:
    return arn(call.account, call.region, kind, name)


def invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message)


def not_found(message: str = "Requested resource not found.") -> AwsError:
    return AwsError("ResourceNotFound", message)


def check_role(call: Call, role_arn: str, source_arn: str) -> Credentials:
    """Keys of the role, for the resource `source_arn`.

    Refuses a role that is missing or that SageMaker may not assume.
    """
    try:
        return call.cloud.assume_for_service(role_arn, PRINCIPAL, "SageMaker", source_arn=source_arn)
    except AwsError as error:
        raise invalid(
            f"Could not assume role {role_arn}. Please ensure that the role exists and allows principal"
            f" '{PRINCIPAL}' to assume the role."
        ) from error


def page(
    call: Call,
    items: Iterable[Record],
    *,
    name: Callable[[Record], str],
    created: Callable[[Record], datetime] = lambda record: cast(datetime, record["CreationTime"]),
    status: str | None = None,
    default_sort: str = "CreationTime",
) -> tuple[list[Record], str | None]:
    """One page of records, filtered and sorted as the List operation's parameters say."""
    params = call.params
    chosen = [item for item in items if _matches(item, params, name, created, status)]
    by_name = params.get("SortBy", default_sort) == "Name"
    chosen.sort(key=(lambda item: name(item)) if by_name else (lambda item: created(item)))
    descending = params.get("SortOrder", "Ascending" if by_name else "Descending") == "Descending"
    if descending:
        chosen.reverse()
    start = _offset(params.get("NextToken"))
    size = params.get("MaxResults", 100)
    token = str(start + size) if start + size < len(chosen) else None
    return chosen[start : start + size], token


def _offset(token: str | None) -> int:
    if token is None:
        return 0
    if not re.fullmatch(r"\d{1,9}", token):
        raise invalid(f"Invalid NextToken {token}")
    return int(token)


def _matches(
    item: Record,
    params: dict[str, Any],
    name: Callable[[Record], str],
    created: Callable[[Record], datetime],
    status: str | None,
) -> bool:
    if params.get("NameContains", "").lower() not in name(item).lower():
        return False
    if status and "StatusEquals" in params and item[status] != params["StatusEquals"]:
        return False
    after, before = params.get("CreationTimeAfter"), params.get("CreationTimeBefore")
    return not (after and created(item) <= after) and not (before and created(item) >= before)


def with_token(answer: dict[str, Any], token: str | None) -> dict[str, Any]:
    return {**answer, "NextToken": token} if token else answer


@inventory(SERVICE)
def live(cloud: Cloud, account: str) -> list[str]:
    """ARNs of everything that a destroy should have removed."""
    found = []
    for owner, region, _ in cloud.stores(SERVICE):
        for kind in KINDS:
            if owner == account and kind not in _HISTORY:
                found += [record["_arn"] for record in table(cloud, account, region, kind).values()]
    return found
