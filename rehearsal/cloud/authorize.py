"""The seam for permissions: every call passes here, with its principal, before anything is done."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rehearsal.cloud.core.call import Call


def authorize(call: "Call") -> None:
    """Record what the call needs in the ledger, and raise AwsError (AccessDenied) when policies do not allow it."""
    # Its finders look at services' own records, and services are read after this module.
    from rehearsal.cloud.authorization.enforce import enforce

    enforce(call)
