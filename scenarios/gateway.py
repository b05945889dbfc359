"""The rehearsal's own routes, beside those that AWS has."""

import contextlib
import json
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from contracts.errors import UserError
from rehearsal.environment import Rehearsal

_PATIENCE_SECONDS = 600.0
_LOOK_SECONDS = 0.1
# Longer than anything that is done within a held minute takes, on any machine.
_HELD_SECONDS = 300.0
# When the monitor looks at the hour before, unless config says otherwise; and a moment for the beat to be delivered.
_BEAT_MINUTE, _AFTER = 15, timedelta(minutes=2)


def ask(rehearsal: Rehearsal, method: str, path: str, body: Any = None) -> Any:
    """A request to the gateway itself; its JSON answer, or None. Raises OSError."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", **rehearsal.headers()}
    request = urllib.request.Request(rehearsal.endpoint + path, data, headers, method=method)  # noqa: S310 - our own gateway
    with urllib.request.urlopen(request, timeout=120) as response:  # noqa: S310 - as above
        text = response.read()
    return json.loads(text) if text else None


def announce(rehearsal: Rehearsal, rate: float, threads: int) -> None:
    """Have AWS's minutes last until the traffic that belongs into them was answered; a rate of 0 ends that.

    A gateway that is gone is found out by the requests themselves.
    """
    with contextlib.suppress(OSError):
        if rate:
            ask(rehearsal, "PUT", "/_rehearsal/pace", {"rate": rate, "threads": threads})
        else:
            ask(rehearsal, "DELETE", "/_rehearsal/pace")


def confirm_mails(rehearsal: Rehearsal) -> None:
    """Everybody whose address was subscribed to a topic follows the link in the mail that asks for it."""
    ask(rehearsal, "POST", "/_rehearsal/outbox/confirm", {})


def hasten(rehearsal: Rehearsal, hours: float) -> None:
    """Have AWS's calendar go on by so many hours, as fast as what happens in each minute allows; then as before.

    Returns once they have passed. Raises UserError where they do not.
    """
    until = ask(rehearsal, "PUT", "/_rehearsal/clock", {"hours": hours})["seconds"] + hours * 3600
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while ask(rehearsal, "GET", "/_rehearsal/clock")["seconds"] < until:
        if time.monotonic() > deadline:
            raise UserError(f"{hours:g} hours of the rehearsed cloud have not passed in {_PATIENCE_SECONDS:.0f} s")
        time.sleep(_LOOK_SECONDS)


@contextmanager
def held_minute(rehearsal: Rehearsal) -> Iterator[None]:
    """AWS's minute that runs now does not end within the block: a shift that has begun is not over before."""
    ask(rehearsal, "PUT", "/_rehearsal/clock", {"hold": _HELD_SECONDS})
    try:
        yield
    finally:
        ask(rehearsal, "PUT", "/_rehearsal/clock", {"hold": 0})


def clock(rehearsal: Rehearsal) -> datetime:
    """What time it is in the rehearsal."""
    return datetime.fromisoformat(ask(rehearsal, "GET", "/_rehearsal/clock")["now"])


def pass_the_hour(rehearsal: Rehearsal) -> None:
    """Let time pass until every hourly schedule has had its beat for the hour that runs now. Raises UserError."""
    now = clock(rehearsal)
    beat = now.replace(minute=_BEAT_MINUTE, second=0, microsecond=0) + timedelta(hours=1) + _AFTER
    hasten(rehearsal, (beat - now) / timedelta(hours=1))
