"""Who may speak to the gateway at all: programs of whoever started it. Not web pages, and not others on the machine.

The gateway runs functions and builds as the developer. A page in his browser reaches 127.0.0.1, under its own name
after DNS rebinding (https://en.wikipedia.org/wiki/DNS_rebinding); every user of the machine reaches the port.
"""

import hmac
import re

from werkzeug.wrappers import Response

from rehearsal.cloud.core import accounts
from rehearsal.cloud.wire.request import Request
from rehearsal.environment import TOKEN_HEADER, token

_OWN_HOST = re.compile(r"(127\.0\.0\.1|localhost)(:\d{1,5})?", re.IGNORECASE)
# What has a key of its own (builds' credentials), and what tells only that a gateway is up.
_OPEN = ("/_rehearsal/credentials/", "/_rehearsal/health")


def refusal(request: Request) -> Response | None:
    """The answer to somebody who may not ask; None for everybody else."""
    if not _OWN_HOST.fullmatch(request.environ.get("HTTP_HOST", "")):
        return _no("the rehearsal answers at 127.0.0.1 and localhost only")
    # No program sends it, and no page is ours.
    if "HTTP_ORIGIN" in request.environ:
        return _no("the rehearsal answers no web page")
    if not request.path.startswith("/_rehearsal") or request.path.startswith(_OPEN):
        return None
    if hmac.compare_digest(_given(request).encode(), token(accounts.secret()).encode()):
        return None
    return _no(f"{request.path} needs the header {TOKEN_HEADER}: python -m rehearsal header")


def _given(request: Request) -> str:
    # A job that asks GitHub for its identity token has a bearer's token for that.
    scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
    return request.headers.get(TOKEN_HEADER) or (bearer if scheme.lower() == "bearer" else "")


def _no(reason: str) -> Response:
    return Response(f"{reason}\n", status=403, mimetype="text/plain")
