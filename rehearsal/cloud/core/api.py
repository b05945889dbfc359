"""Everything a service module may use (docs/architecture.md, section 4)."""

from rehearsal.cloud.core.call import Call
from rehearsal.cloud.core.clock import Clock
from rehearsal.cloud.core.cloud import Cloud
from rehearsal.cloud.core.registry import inventory, on_event, on_restore, on_start, operation, route, target
from rehearsal.cloud.wire.types import AwsError, Credentials, Principal, not_implemented

__all__ = [
    "AwsError",
    "Call",
    "Clock",
    "Cloud",
    "Credentials",
    "Principal",
    "inventory",
    "not_implemented",
    "on_event",
    "on_restore",
    "on_start",
    "operation",
    "route",
    "target",
]
