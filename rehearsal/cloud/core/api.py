"""Everything a service module may use (docs/architecture.md, section 4)."""

from rehearsal.cloud.core.call import Call
from rehearsal.cloud.core.clock import Clock
from rehearsal.cloud.core.cloud import Cloud
from rehearsal.cloud.core.ports import Event, LogLines, Place, Sample
from rehearsal.cloud.core.registry import (
    inventory,
    on_restore,
    on_start,
    operation,
    request_rule,
    route,
    state_rule,
    target,
)
from rehearsal.cloud.wire.types import (
    INTERRUPTED,
    AwsError,
    Credentials,
    Principal,
    for_service,
    not_implemented,
)

__all__ = [
    "INTERRUPTED",
    "AwsError",
    "Call",
    "Clock",
    "Cloud",
    "Credentials",
    "Event",
    "LogLines",
    "Place",
    "Principal",
    "Sample",
    "for_service",
    "inventory",
    "not_implemented",
    "on_restore",
    "on_start",
    "operation",
    "request_rule",
    "route",
    "state_rule",
    "target",
]
