"""moto's interpreter of the Amazon States Language, fitted into the gateway.

What is changed, and why: its tasks call back with fixed keys (here: the state machine's role); it has no `.sync` for
SageMaker and a broken one for Glue (see integrations.py); it sleeps in real time (here: the scaled clock).

Importing it takes more than a second: see engine.py.
"""

import importlib
import sys
import threading
import time
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
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

from rehearsal.cloud.compute.jobs import limit
from rehearsal.cloud.core.api import Cloud
from rehearsal.cloud.services.stepfunctions.engine import PRINCIPAL

_PACKAGE = "moto.stepfunctions.parser."
_POLL_SECONDS = 0.1

_current: dict[str, Cloud] = {}
"""The cloud that was asked last: the interpreter is moto's, and knows of none."""


def cloud() -> Cloud:
    return _current["cloud"]


def install(running: Cloud) -> None:
    """Make the interpreter work for this cloud."""
    if not _current:
        _patch_credentials()
        _patch_time()
        _patch_integrations()
        _patch_branches()
    _current["cloud"] = running


def client_for(region: str, service: str, state_credentials: Any = None) -> Any:
    """A client for a task: with the role of the state machine, or the one the task's Credentials name."""
    role = state_credentials.role_arn
    account = role.split(":")[4]
    keys = cloud().assume_for_service(
        role, PRINCIPAL, "StepFunctions", source_arn=_machine_of(account, region, role), source_account=account
    )
    return cloud().client(service, account, region, keys)


def _machine_of(account: str, region: str, role: str) -> str | None:
    machines = stepfunctions_parser_backends[account][region].state_machines
    return next((machine.arn for machine in machines if machine.roleArn == role), None)


def _patch_credentials() -> None:
    for name, module in list(sys.modules.items()):
        if name.startswith(_PACKAGE) and hasattr(module, "boto_client_for"):
            module.boto_client_for = client_for  # type: ignore[attr-defined]


class _Event(threading.Event):
    """Waits as long as AWS would, where what is waited for is a computation: see `limit`."""

    def wait(self, timeout: float | None = None) -> bool:
        return super().wait(None if timeout is None else limit(cloud(), timeout))


class _Thread(threading.Thread):
    def join(self, timeout: float | None = None) -> None:
        super().join(None if timeout is None else limit(cloud(), timeout))


def _wait(self: Any, env: Any, wait_seconds: float) -> None:
    deadline = time.monotonic() + cloud().clock.scaled(wait_seconds)
    while env.is_running() and (left := deadline - time.monotonic()) > 0:
        if not cloud().clock.pause(min(left, _POLL_SECONDS)):
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


def _patch_integrations() -> None:
    from rehearsal.cloud.services.stepfunctions.integrations import service_task

    cast(Any, state_task_factory).state_task_service_for = service_task
