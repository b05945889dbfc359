"""Whose credentials a state machine's tasks have: those of its role, taken for this very machine.

The interpreter is moto's, and hands a task's `StateCredentials` on to where a client is made. Here they also carry the
state machine of the execution, which is what the role's trust policy is asked about (aws:SourceArn).
"""

import sys
from dataclasses import dataclass
from typing import Any, cast

from moto.stepfunctions.parser.asl.component.state.exec.state_map.item_reader.eval import resource_eval_s3 as reader
from moto.stepfunctions.parser.asl.component.state.exec.state_map.result_writer.resource_eval import (
    resource_eval_s3 as writer,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.credentials import StateCredentials
from moto.stepfunctions.parser.asl.component.state.exec.state_task.state_task import StateTask

from rehearsal.cloud.core.api import Cloud
from rehearsal.cloud.services.stepfunctions.engine import PRINCIPAL

_PACKAGE = "moto.stepfunctions.parser."
_current: dict[str, Cloud] = {}
"""The cloud that was asked last: the interpreter is moto's, and knows of none."""


@dataclass
class MachineCredentials(StateCredentials):
    """`role_arn` is the machine's role, or the one that the task's Credentials name."""

    machine_arn: str


def cloud() -> Cloud:
    """The cloud that the interpreter works for."""
    return _current["cloud"]


def work_for(running: Cloud) -> bool:
    """Name the cloud that the interpreter works for; False where it has had one before."""
    first = not _current
    _current["cloud"] = running
    return first


def client_for(region: str, service: str, state_credentials: Any = None) -> Any:
    """A client for a task, with the role of its `MachineCredentials`."""
    role, machine = state_credentials.role_arn, state_credentials.machine_arn
    account = role.split(":")[4]
    keys = cloud().assume_for_service(
        role, PRINCIPAL, "StepFunctions", source_arn=machine, source_account=machine.split(":")[4]
    )
    return cloud().client(service, account, region, keys)


def patch() -> None:
    """Have moto's tasks, and the readers and writers of its maps, ask here for their clients."""
    for name, module in list(sys.modules.items()):
        if name.startswith(_PACKAGE) and hasattr(module, "boto_client_for"):
            module.boto_client_for = client_for  # type: ignore[attr-defined]
    cast(Any, StateTask)._eval_state_credentials = _of_task
    for part in (reader, writer):
        cast(Any, part.ResourceEvalS3).eval_resource = _eval_resource


def _of_task(task: Any, env: Any) -> MachineCredentials:
    role = env.aws_execution_details.role_arn
    if task.credentials:
        task.credentials.eval(env=env)
        role = env.stack.pop().role_arn
    return MachineCredentials(role, _machine_of(env))


def _eval_resource(self: Any, env: Any) -> None:
    self.resource.eval(env=env)
    part = env.stack.pop()
    credentials = MachineCredentials(env.aws_execution_details.role_arn, _machine_of(env))
    self._get_api_action_handler()(env, part, credentials)


def _machine_of(env: Any) -> str:
    return str(env.states.context_object.context_object_data["StateMachine"]["Id"])
