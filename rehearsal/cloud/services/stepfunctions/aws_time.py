"""What time it is to an execution: AWS's, which runs faster than real time (`Clock.aws_now`).

An execution that waits ten seconds and looks again counts in AWS's seconds, and so must the times that it is told:
`$$.Execution.StartTime` and `$$.State.EnteredTime`, and the moment that a Wait state waits for. What an execution shows
to the outside (`startDate`, its history) is real time, as all time stamps are.

While a function works for an execution, no minute ends, for so many real seconds at the most. On AWS such a call takes
well below a second, and here it may take more of AWS's minutes than it looks at. A function that itself waits for a
minute to end is late by that, and no later.
"""

import functools
from datetime import UTC, datetime, timezone, tzinfo
from types import SimpleNamespace
from typing import Any, Self, cast

from moto.stepfunctions.parser.asl.component.state import state
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.asl.component.state.wait.wait_function import timestamp
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker

from rehearsal.cloud.services.stepfunctions.credentials import cloud

LONGEST_CALL = 15.0


class _Now(datetime):
    """A date and time whose `now` is AWS's, written as the context object has it.

    https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html
    """

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        found = cloud().clock.aws_now()
        return cls.fromtimestamp(found.timestamp(), tz or UTC).replace(tzinfo=tz)

    def isoformat(self, sep: str = "T", timespec: str = "milliseconds") -> str:
        return super().isoformat(sep, timespec).replace("+00:00", "Z")


def patch() -> None:
    """Have the interpreter ask AWS's calendar, and hold the minute while it has a function work."""
    for module in (state, timestamp):
        cast(Any, module).datetime = SimpleNamespace(datetime=_Now, timezone=timezone)
    environment = cast(Any, ExecutionWorker)._get_evaluation_environment
    invoke = cast(Any, lambda_eval_utils)._invoke_lambda_function

    @functools.wraps(environment)
    def begin(self: Any) -> Any:
        made = environment(self)
        made.states.context_object.context_object_data["Execution"]["StartTime"] = _Now.now(UTC).isoformat()
        return made

    @functools.wraps(invoke)
    def held(*args: Any, **kwargs: Any) -> Any:
        with cloud().clock.held(LONGEST_CALL):
            return invoke(*args, **kwargs)

    cast(Any, ExecutionWorker)._get_evaluation_environment = begin
    cast(Any, lambda_eval_utils)._invoke_lambda_function = held
