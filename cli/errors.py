"""Exit codes and the error that is printed as one line.

| code | meaning |
|---|---|
| 0 | done |
| 1 | it failed, and the message says why |
| 2 | the command line is wrong; nothing was touched |
| 126, 127 | `exec`: the command cannot be run, is not found |
| 130 | interrupted (Ctrl-C) |

`exec` otherwise ends with the code of the command it ran.
"""

import os
import sys

from contracts.errors import UserError

FAILED = 1
USAGE = 2
NOT_EXECUTABLE = 126
NOT_FOUND = 127
INTERRUPTED = 130

__all__ = ["FAILED", "INTERRUPTED", "NOT_EXECUTABLE", "NOT_FOUND", "USAGE", "UserError", "fix_of", "for_a_person"]


def for_a_person(error: BaseException) -> UserError | None:
    """The error as it is printed, whether the project or its rehearsal raised it; None for one that is not for people.

    The rehearsal has a class of its own, since it imports nothing of the project. It is looked up rather than imported:
    what was never imported has raised nothing, and `deploy` runs where no rehearsal is.
    """
    if isinstance(error, UserError):
        return error
    rehearsal = sys.modules.get("rehearsal.errors")
    if rehearsal is not None and isinstance(error, rehearsal.UserError):
        return UserError(error.message, error.fix, error.code)
    return None


_CREDENTIALS = (
    "ProfileNotFound", "NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError",
    "TokenRetrievalError", "SSOTokenLoadError", "UnauthorizedSSOTokenError",
)  # fmt: skip
_EXPIRED = (
    "ExpiredToken",
    "ExpiredTokenException",
    "RequestExpired",
    "InvalidClientTokenId",
    "UnrecognizedClientException",
)
_UNREACHABLE = (
    "EndpointConnectionError", "ConnectTimeoutError", "ReadTimeoutError", "ConnectionClosedError",
    "ProxyConnectionError", "SSLError",
)  # fmt: skip
_HERE = ("//127.0.0.1", "//localhost")


def fix_of(error: BaseException) -> str:
    """What a person does about an error of boto3's; empty where its own words must do.

    By its class's name, since commands that ask no cloud do not import it.
    """
    name = type(error).__name__
    if name == "ProfileNotFound" and os.environ.get("AWS_ENDPOINT_URL", "").partition(":")[2].startswith(_HERE):
        return "the rehearsal's cloud has no stacks yet: `./glidepath rehearse` brings them up"
    answer = getattr(error, "response", None)
    code = str(answer.get("Error", {}).get("Code", "")) if isinstance(answer, dict) else ""
    if name in _CREDENTIALS or code in _EXPIRED:
        return "`./glidepath doctor --aws` says which credentials are missing, and how to get them"
    if name in _UNREACHABLE and any(here in str(error) for here in _HERE):
        return "the rehearsal's cloud does not answer: `./glidepath cloud --help` says how to look at it and restart it"
    if name in _UNREACHABLE:
        return "see whether this machine reaches AWS (VPN, proxy, the region's name), then run the command again"
    return ""
