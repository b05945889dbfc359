"""The journal of one client: every call of it that changes something, in order; and a stop after one of them.

A client is known by its User-Agent, which a person chooses by `AWS_SDK_UA_APP_ID`
(https://docs.aws.amazon.com/sdkref/latest/guide/feature-appid.html). Asked for at `/_rehearsal/journal`.

Where the client is to stop, the call is made, and its answer never arrives: whoever waits for that can kill the client
in the meantime. No other call of it is let in from then on. So what is there is what that call has left behind.
"""

import re
import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from rehearsal.cloud.wire.types import AwsError

# Calls that change nothing; a session that is opened or a key that decrypts is none of what a client leaves behind.
_READS = re.compile(
    r"(BatchGet|Get|List|Describe|Head|Filter|Lookup|Search|Validate|Simulate|Verify|AssumeRole|Decrypt|GenerateDataKey)"
)
_LONGEST_HOLD = 600.0


@dataclass(frozen=True)
class Entry:
    """One call: the service as botocore calls it, the operation, and the thing that it is about."""

    service: str
    operation: str
    subject: str


class Journal:
    """Of one gateway; keeps nothing until it is opened."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._agent: re.Pattern[str] | None = None
        self._hold: int | None = None
        self._apart: frozenset[str] = frozenset()
        self._entries: list[Entry] = []
        self._held, self._free = threading.Event(), threading.Event()

    @property
    def opened(self) -> bool:
        """Whether anything is written down at present."""
        return self._agent is not None

    def _close(self) -> None:
        self._agent, self._hold, self._entries = None, None, []
        self._free.set()

    def open(self, agent: str, hold: int | None = None, apart: Iterable[str] = ()) -> None:
        """Begin anew: calls whose User-Agent has this expression; after `hold` of them the client is stopped.

        Calls about a thing that is named in `apart` are not written down, and do not count: where a client keeps its
        own state, say.
        """
        with self._lock:
            self._close()
            self._agent, self._hold, self._apart = re.compile(agent), hold, frozenset(apart)
            self._held, self._free = threading.Event(), threading.Event()

    def close(self) -> dict[str, Any]:
        """End it, and let in whoever was stopped: to be refused. What was written until then."""
        with self._lock:
            found = self._snapshot()
            self._close()
        return found

    def snapshot(self) -> dict[str, Any]:
        """Every call so far, and whether the client is `held`."""
        with self._lock:
            return self._snapshot()

    def _snapshot(self) -> dict[str, Any]:
        held = self._agent is not None and self._held.is_set()
        return {"calls": [asdict(entry) for entry in self._entries], "held": held}

    def admit(self, agent: str) -> None:
        """Let a call in that is about to be made. Raises AwsError once the client was stopped."""
        with self._lock:
            if self._agent is None or not self._agent.search(agent) or not self._held.is_set():
                return
            free = self._free
        free.wait(_LONGEST_HOLD)
        raise AwsError("RequestExpired", "this client was stopped before the call was made", 400)

    def record(self, agent: str, service: str, operation: str, subject: str) -> None:
        """Write down a call that was made. Returns only once it may be answered."""
        if _READS.match(operation):
            return
        with self._lock:
            if self._agent is None or subject in self._apart or not self._agent.search(agent):
                return
            self._entries.append(Entry(service, operation, subject))
            if self._hold is not None and len(self._entries) >= self._hold:
                self._held.set()
            stopped, free = self._held.is_set(), self._free
        if stopped:
            free.wait(_LONGEST_HOLD)
