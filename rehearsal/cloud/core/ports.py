"""What the core hands on to services that it does not know, as plain values and four callables."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rehearsal.cloud.wire.types import Principal


@dataclass(frozen=True)
class Place:
    """An account in a region: where something is, or is done."""

    account: str
    region: str


@dataclass(frozen=True)
class Event:
    """An AWS service's event for the account's default bus."""

    source: str
    detail_type: str
    detail: Mapping[str, Any]
    resources: Sequence[str] = ()


@dataclass(frozen=True)
class Sample:
    """One data point of a metric; `timestamp` in Unix seconds, now by default. `resolution`: 1 or 60 seconds."""

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    value: float
    unit: str = "None"
    timestamp: float | None = None
    resolution: int = 60


@dataclass(frozen=True)
class LogLines:
    """Log events for a stream; group and stream are created where missing."""

    group: str
    stream: str
    messages: Sequence[str]


@dataclass(frozen=True)
class Ports:
    """The ways out of the core, filled once, by `process/running.py`."""

    event: Callable[[Place, Event], None]
    metric: Callable[[Place, Sample], None]
    log: Callable[[Place, LogLines], None]
    perform: Callable[[Principal, Place, str, str, Mapping[str, Any]], dict[str, Any]]
    """Principal, place, service, operation, parameters in the input shape; the answer in the output shape."""
