"""What functions of the delivery account have in common."""

from contracts.names import DELIVERY
from definitions.roles.delivery_account import Delivery
from definitions.roles.statements import Statement, trace, write_logs


def watched(at: Delivery, purpose: str) -> list[Statement]:
    """A function's log and trace."""
    return [
        write_logs(at.names.log_group_arn(f"/aws/lambda/{at.names.function(DELIVERY, purpose)}", DELIVERY)),
        trace(),
    ]


def works_on_runs(at: Delivery, purpose: str) -> list[Statement]:
    """What every function that reads or writes runs has."""
    return [*watched(at, purpose), at.use_key()]
