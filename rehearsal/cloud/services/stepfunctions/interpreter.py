"""moto's interpreter of the Amazon States Language, fitted into the gateway.

What is changed, and why: its tasks call back with fixed keys (here: the state machine's role); it has no `.sync` for
SageMaker and a broken one for Glue (see integrations.py); it sleeps in real time (here: the scaled clock), and tells an
execution the real time (here: AWS's, which runs faster: see aws_time.py).

Importing it takes more than a second: see engine.py.
"""

import importlib
import threading
from types import SimpleNamespace
from typing import Any, cast

from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.error_name import ErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.program import program
from moto.stepfunctions.parser.asl.component.state.exec import execute_state
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration import iteration_worker
from moto.stepfunctions.parser.asl.component.state.exec.state_parallel import branches_decl
from moto.stepfunctions.parser.asl.component.state.exec.state_task import state_task_factory
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction
from moto.stepfunctions.parser.asl.parse.preprocessor import Preprocessor

from rehearsal.cloud.compute.jobs import limit
from rehearsal.cloud.core.api import Cloud
from rehearsal.cloud.services.stepfunctions import aws_time, credentials
from rehearsal.cloud.services.stepfunctions.credentials import cloud, work_for
from rehearsal.cloud.services.stepfunctions.integrations import service_task

_PACKAGE = "moto.stepfunctions.parser."
_POLL_SECONDS = 0.1
_LEAST_WAIT = 0.005


def install(running: Cloud) -> None:
    """Make the interpreter work for this cloud."""
    if work_for(running):
        credentials.patch()
        _patch_time()
        aws_time.patch()
        cast(Any, state_task_factory).state_task_service_for = service_task
        _patch_branches()
        _patch_parser()


class _Event(threading.Event):
    """Waits as long as AWS would, where what is waited for is a computation: see `limit`."""

    def wait(self, timeout: float | None = None) -> bool:
        return super().wait(None if timeout is None else limit(cloud(), timeout))


class _Thread(threading.Thread):
    def join(self, timeout: float | None = None) -> None:
        super().join(None if timeout is None else limit(cloud(), timeout))


def _wait(self: Any, env: Any, wait_seconds: float) -> None:
    clock = cloud().clock
    until = clock.seconds() + wait_seconds
    while env.is_running() and (left := until - clock.seconds()) > 0:
        if not clock.pause(min(max(clock.scaled(left), _LEAST_WAIT), _POLL_SECONDS)):
            return


def _patch_time() -> None:
    retrier, state, whole = (cast(Any, module) for module in (retrier_decl, execute_state, program))
    retrier.time = SimpleNamespace(sleep=lambda seconds: cloud().clock.sleep(seconds))
    state.threading = SimpleNamespace(Event=_Event)
    whole.threading = SimpleNamespace(Thread=_Thread)
    WaitFunction._wait_interval = _wait  # type: ignore[method-assign]
    callback = importlib.import_module(
        f"{_PACKAGE}asl.component.state.exec.state_task.service.state_task_service_callback"
    )
    callback._DELAY_SECONDS_SYNC_CONDITION_CHECK = _POLL_SECONDS  # type: ignore[attr-defined]


def _named(error_name: str | None) -> ErrorName:
    if error_name is not None and error_name.startswith("States."):
        return StatesErrorName.from_name(error_name)
    return CustomErrorName(error_name)


def _patch_branches() -> None:
    """The error of a branch or an iteration is that of the whole state; moto takes only names without `States.`."""
    cast(Any, branches_decl).CustomErrorName = _named
    cast(Any, iteration_worker).CustomErrorName = _named


def _patch_parser() -> None:
    """moto keeps the query languages of the definition it reads for all definitions together: one that is refused half
    way would decide how every later one is read.
    """
    original = Preprocessor.__init__

    def begin(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        self._query_language_per_scope = []

    cast(Any, Preprocessor).__init__ = begin
