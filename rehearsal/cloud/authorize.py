"""The seam for permissions: every call passes here, with its principal, before anything is done."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rehearsal.cloud.call import Call


def authorize(call: "Call") -> None:
    """Raise AwsError (AccessDenied) when the principal may not make this call.

    Authentication and trust policies are enforced elsewhere; identity and resource policies are not evaluated yet, so
    every authenticated principal may make every call. The ledger records them all.
    """
