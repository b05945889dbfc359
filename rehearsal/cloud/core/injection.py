"""The seam for faults: a service answers wrongly or late, as a real one does on a bad day.

A fault is asked for at `POST /_rehearsal/faults` and fires on calls that were validated and allowed, whether they came
over the wire or one service makes them of another; so the ledger shows what policies say, not what a fault pretends.
The error travels in the service's own protocol: SDKs retry it, or give up, as they would with AWS.
"""

import itertools
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import UnknownServiceError
from botocore.model import OperationNotFoundError

from rehearsal.cloud.wire import protocol
from rehearsal.cloud.wire.types import AwsError

_MEMBERS = frozenset({"service", "operation", "match", "principal", "error", "delay", "times"})
_LONGEST_DELAY = 900.0


class FaultError(ValueError):
    """A fault was asked for in words that cannot be understood; the sentence says which and why."""


@dataclass
class Fault:
    """One wrong answer, and how often it was given.

    `match` maps names of the call's parameters (`EndpointName`, `Tags.0.Key`) to expressions searched in their values;
    `principal` is searched in the caller's ARN. `delay` is in real seconds and comes before `error`; without an error
    the late call goes on. `times` None fires until the fault is removed.
    """

    id: str
    service: str
    operation: str
    match: Mapping[str, re.Pattern[str]] = field(default_factory=dict)
    principal: re.Pattern[str] | None = None
    error: AwsError | None = None
    delay: float = 0.0
    times: int | None = None
    struck: int = 0

    def concerns(self, service: str, operation: str, params: Mapping[str, Any], arn: str) -> bool:
        """Is this the call that shall be answered wrongly? `arn` is the caller's."""
        if (self.service, self.operation) != (service, operation):
            return False
        if self.times is not None and self.struck >= self.times:
            return False
        if self.principal and not self.principal.search(arn):
            return False
        return all(_found(pattern, _lookup(params, path)) for path, pattern in self.match.items())

    def describe(self) -> dict[str, Any]:
        """As it was asked for, with its id and how often it `struck`."""
        shown: dict[str, Any] = {"id": self.id, "service": self.service, "operation": self.operation}
        if self.match:
            shown["match"] = {path: pattern.pattern for path, pattern in self.match.items()}
        if self.principal:
            shown["principal"] = self.principal.pattern
        if self.error:
            shown["error"] = {"code": self.error.code, "message": self.error.message, "status": self.error.status}
        if self.delay:
            shown["delay"] = self.delay
        if self.times is not None:
            shown["times"] = self.times
        return {**shown, "struck": self.struck}


class Faults:
    """The faults of one gateway, in the order they were asked for; the first that concerns a call fires."""

    def __init__(self) -> None:
        self._faults: dict[str, Fault] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def add(self, wanted: Any) -> Fault:
        """Have a fault from now on. Raises FaultError for what is none."""
        with self._lock:
            fault = read(wanted, f"fault-{next(self._numbers)}")
            self._faults[fault.id] = fault
        return fault

    def snapshot(self) -> list[dict[str, Any]]:
        """Every fault as `Fault.describe` shows it."""
        with self._lock:
            return [fault.describe() for fault in self._faults.values()]

    def remove(self, fault_id: str) -> bool:
        """False when there is no such fault."""
        with self._lock:
            return self._faults.pop(fault_id, None) is not None

    def clear(self) -> int:
        """Remove every fault; how many there were."""
        with self._lock:
            count = len(self._faults)
            self._faults.clear()
        return count

    def next(self, service: str, operation: str, params: Mapping[str, Any], arn: str) -> Fault | None:
        """The fault that this call meets, counted as fired; None for a call that is answered rightly.

        `arn` is the caller's. To wait and to raise is the gateway's part.
        """
        if not self._faults:  # the usual case costs nothing
            return None
        with self._lock:
            fault = next(
                (known for known in self._faults.values() if known.concerns(service, operation, params, arn)), None
            )
            if fault:
                fault.struck += 1
        return fault


def read(wanted: Any, fault_id: str) -> Fault:
    """A fault from the JSON that asked for it. Raises FaultError."""
    if not isinstance(wanted, dict):
        raise FaultError("a fault is a JSON object")
    if unknown := sorted(set(wanted) - _MEMBERS):
        raise FaultError(f"a fault has no member {unknown[0]!r}; it has {', '.join(sorted(_MEMBERS))}")
    service, operation = wanted.get("service"), wanted.get("operation")
    members = _input_members(service, operation)
    match = wanted.get("match") or {}
    if not isinstance(match, dict):
        raise FaultError(f"match is {match!r}, and must map parameters to regular expressions")
    for path in match:
        if path.partition(".")[0] not in members:
            raise FaultError(f"{service}:{operation} has no parameter {path!r}")
    error, delay = _error(wanted.get("error")), _delay(wanted.get("delay"))
    if error is None and not delay:
        raise FaultError("a fault needs an error or a delay")
    return Fault(
        id=fault_id,
        service=str(service),
        operation=str(operation),
        match={path: _pattern(expression) for path, expression in match.items()},
        principal=_pattern(wanted["principal"]) if wanted.get("principal") else None,
        error=error,
        delay=delay,
        times=_times(wanted.get("times")),
    )


def _input_members(service: Any, operation: Any) -> frozenset[str]:
    try:
        model = protocol.service_model(str(service)).operation_model(str(operation))
    except (UnknownServiceError, OperationNotFoundError, KeyError) as error:
        raise FaultError(f"{service}:{operation} is no operation that botocore knows") from error
    return frozenset(model.input_shape.members if model.input_shape else ())


def _error(wanted: Any) -> AwsError | None:
    if wanted is None:
        return None
    if not isinstance(wanted, dict) or set(wanted) - {"code", "message", "status"} or not wanted.get("code"):
        raise FaultError(f"error is {wanted!r}, and must be {{code, message, status}}")
    status = wanted.get("status", 400)
    if not isinstance(status, int) or not 400 <= status <= 599:
        raise FaultError(f"error.status is {status!r}, and must be 400 to 599")
    return AwsError(str(wanted["code"]), str(wanted.get("message", "")), status)


def _delay(wanted: Any) -> float:
    if wanted is None:
        return 0.0
    if isinstance(wanted, bool) or not isinstance(wanted, int | float) or not 0 < wanted <= _LONGEST_DELAY:
        raise FaultError(f"delay is {wanted!r}, and must be above 0 and at most {_LONGEST_DELAY:g} seconds")
    return float(wanted)


def _times(wanted: Any) -> int | None:
    if wanted is None:
        return None
    if isinstance(wanted, bool) or not isinstance(wanted, int) or wanted < 1:
        raise FaultError(f"times is {wanted!r}, and must be a whole number from 1")
    return wanted


def _pattern(expression: Any) -> re.Pattern[str]:
    try:
        return re.compile(expression)
    except (re.error, TypeError) as error:
        raise FaultError(f"{expression!r} is no regular expression: {error}") from error


def _lookup(params: Any, path: str) -> Any:
    """The value at `Name`, `Name.Inner` or `List.0`; None where there is none."""
    value = params
    for part in path.split("."):
        if isinstance(value, Mapping):
            value = value.get(part)
        elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value


def _found(pattern: re.Pattern[str], value: Any) -> bool:
    return value is not None and pattern.search(str(value)) is not None
