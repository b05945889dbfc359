"""Watches an alias from outside while a deployment shifts it."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

from botocore.exceptions import BotoCoreError, ClientError


@dataclass(frozen=True)
class Weight:
    """At `at` (monotonic seconds) the alias sent this share of the calls to `version`."""

    at: float
    version: str
    weight: float


def weights_of(alias: dict[str, Any], at: float) -> Weight:
    """The newest version that an alias sends calls to, and its share of them."""
    extra: dict[str, float] = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    if not extra:
        return Weight(at, alias["FunctionVersion"], 1.0)
    version, weight = max(extra.items(), key=lambda item: int(item[0]))
    return Weight(at, version, weight)


@dataclass
class Shift:
    """What was seen of one shift: versions and weights over time."""

    source: str
    target: str
    weights: list[Weight] = field(default_factory=list)

    @property
    def start(self) -> float:
        """When the target got its first share."""
        return self.weights[0].at

    @property
    def end(self) -> float:
        """When the last change was seen."""
        return self.weights[-1].at

    def steps(self) -> list[dict[str, float]]:
        """The report's form: seconds since the shift began, and the target's share; after a rollback it is 0."""
        shares = [(w.at - self.start, w.weight if w.version == self.target else 0.0) for w in self.weights]
        return [{"second": round(second, 1), "weight": round(share, 4)} for second, share in shares]


def shift_in(seen: list[Weight]) -> Shift | None:
    """The change of version within `seen`; None where the alias stayed on the version that was seen first.

    A rollback counts: its weights end with the former version at 1.0.
    """
    moved = next((index for index, weight in enumerate(seen) if weight.version != seen[0].version), None)
    if moved is None:
        return None
    return Shift(seen[0].version, seen[moved].version, seen[moved:])


class AliasWatch:
    """Polls the alias and keeps every change of its weights."""

    def __init__(
        self,
        client: Any,
        function: str,
        alias: str,
        interval: float = 0.25,
        changed: Callable[[Weight], None] | None = None,
    ) -> None:
        """`changed` is called with every change, from the thread that polls."""
        self._client, self._function, self._alias, self._interval = client, function, alias, interval
        self._changed = changed
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.seen: list[Weight] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    @property
    def now(self) -> Weight | None:
        """The latest weights, or None before the alias exists."""
        return self.seen[-1] if self.seen else None

    def _run(self) -> None:
        while not self._stopped.wait(self._interval):
            try:
                alias = self._client.get_alias(FunctionName=self._function, Name=self._alias)
            except self._client.exceptions.ResourceNotFoundException:
                continue
            except (BotoCoreError, ClientError) as error:
                # No answer: the cloud may be gone, which whoever follows the run says better than a thread can.
                if _answered(error):
                    raise
                continue
            weight = weights_of(alias, time.monotonic())
            last = self.now
            if last is None or (last.version, last.weight) != (weight.version, weight.weight):
                self.seen.append(weight)
                if self._changed is not None:
                    self._changed(weight)


def _answered(error: BotoCoreError | ClientError) -> bool:
    """Whether a service has refused something, and not only been out of reach (5xx: try again)."""
    return isinstance(error, ClientError) and error.response["ResponseMetadata"]["HTTPStatusCode"] < 500
