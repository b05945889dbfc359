"""Live traffic is announced at `/_rehearsal/pace`: `{"rate": 30, "threads": 3}`, or DELETE when it ends."""

from typing import Any

from werkzeug.wrappers import Request, Response

from rehearsal.cloud.core import registry
from rehearsal.cloud.core.cloud import Cloud
from rehearsal.cloud.core.pace import Traffic
from rehearsal.cloud.wire import protocol


def _read(asked: Any) -> Traffic | None:
    try:
        traffic = Traffic(float(asked["rate"]), int(asked["threads"]))
    except (TypeError, KeyError, ValueError):
        return None
    return traffic if traffic.rate > 0 and traffic.threads > 0 else None


@registry.route("/_rehearsal/pace", methods=["PUT", "DELETE"])
def _pace(cloud: Cloud, request: Request) -> Response:
    if request.method == "DELETE":
        cloud.pace.follow(None)
        return protocol.json_response({})
    traffic = _read(request.get_json(force=True, silent=True))
    if traffic is None:
        text = 'the body must be {"rate": <requests per second>, "threads": <number>}, both above 0'
        return protocol.json_response({"error": text}, 400)
    cloud.pace.follow(traffic)
    return protocol.json_response({"rate": traffic.rate, "threads": traffic.threads})
