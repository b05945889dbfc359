"""AWS's time is hastened at `/_rehearsal/clock`: `{"hours": 1}` or `{"minutes": 5}`. GET asks what time it is.

`{"hold": 60}` has the minute that runs last until so many real seconds are over, so that something happens in it;
`{"hold": 0}` lets it end.
"""

from typing import Any

from werkzeug.wrappers import Request, Response

from rehearsal.cloud.core import registry
from rehearsal.cloud.core.cloud import Cloud
from rehearsal.cloud.wire import protocol

_SECONDS = {"hours": 3600.0, "minutes": 60.0}
_LONGEST = 7 * 24 * 3600.0
_LONGEST_HOLD = 600.0


def _read(asked: Any) -> float | None:
    """AWS seconds, or None where the body does not say how many."""
    if not isinstance(asked, dict) or not asked or asked.keys() - _SECONDS.keys():
        return None
    if not all(isinstance(value, int | float) and value >= 0 for value in asked.values()):
        return None
    seconds = sum(value * _SECONDS[unit] for unit, value in asked.items())
    return seconds if 0 < seconds <= _LONGEST else None


def _hold(asked: Any) -> float | None:
    """Real seconds to hold, or None where the body does not ask for that."""
    if not isinstance(asked, dict) or asked.keys() != {"hold"} or not isinstance(asked["hold"], int | float):
        return None
    return float(asked["hold"]) if 0 <= asked["hold"] <= _LONGEST_HOLD else None


@registry.route("/_rehearsal/clock", methods=["GET", "PUT"])
def _clock(cloud: Cloud, request: Request) -> Response:
    if request.method == "PUT":
        asked = request.get_json(force=True, silent=True)
        seconds, hold = _read(asked), _hold(asked)
        if seconds is not None:
            cloud.clock.hasten(seconds)
        elif hold is not None:
            cloud.clock.hold(hold)
        else:
            text = (
                'the body must be {"hours": <number>} or {"minutes": <number>}, above 0 and at most a week, or'
                f' {{"hold": <real seconds>}}, at most {_LONGEST_HOLD:.0f}'
            )
            return protocol.json_response({"error": text}, 400)
    return protocol.json_response({"now": cloud.clock.aws_now().isoformat(), "seconds": cloud.clock.seconds()})
