"""A client's journal is opened at `/_rehearsal/journal`: `{"agent": "app/mine", "hold": 3, "apart": ["bucket"]}`.

DELETE ends it. GET and DELETE answer
`{"calls": [{"service", "operation", "subject"}], "held": false}`.
"""

import re
from typing import Any

from werkzeug.wrappers import Request, Response

from rehearsal.cloud.core import registry
from rehearsal.cloud.core.cloud import Cloud
from rehearsal.cloud.wire import protocol

_WRONG = (
    'the body must be {"agent": "<expression in the User-Agent>"}, and may have "hold": <which call, from 1>'
    ' and "apart": [<names of things whose calls are left out>]'
)


def _read(asked: Any) -> tuple[str, int | None, list[str]] | None:
    if not isinstance(asked, dict) or set(asked) - {"agent", "hold", "apart"}:
        return None
    agent, hold, apart = asked.get("agent"), asked.get("hold"), asked.get("apart", [])
    if not isinstance(apart, list) or not all(isinstance(name, str) for name in apart):
        return None
    if not isinstance(agent, str) or not agent:
        return None
    if hold is not None and (isinstance(hold, bool) or not isinstance(hold, int) or hold < 1):
        return None
    try:
        re.compile(agent)
    except re.error:
        return None
    return agent, hold, apart


@registry.route("/_rehearsal/journal", methods=["GET", "PUT", "DELETE"])
def _journal(cloud: Cloud, request: Request) -> Response:
    if request.method == "GET":
        return protocol.json_response(cloud.journal.snapshot())
    if request.method == "DELETE":
        return protocol.json_response(cloud.journal.close())
    asked = _read(request.get_json(force=True, silent=True))
    if asked is None:
        return protocol.json_response({"error": _WRONG}, 400)
    cloud.journal.open(*asked)
    return protocol.json_response({})
