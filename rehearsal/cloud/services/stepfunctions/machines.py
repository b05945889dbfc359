"""State machines: checked when they are made, as AWS does; kept by moto."""

import json
import uuid
from typing import Any

from rehearsal.cloud.core.api import AwsError, Call, Cloud, Principal, inventory, operation
from rehearsal.cloud.services.stepfunctions import managed
from rehearsal.cloud.services.stepfunctions.engine import PRINCIPAL, backend, backends, parse


@operation("stepfunctions", "CreateStateMachine")
def create(call: Call) -> dict[str, Any]:
    params = call.params
    if params.get("type", "STANDARD") != "STANDARD":
        raise AwsError(
            "NotImplemented", f"not implemented by the rehearsal: state machines of type {params['type']}", 501
        )
    _check_definition(call.cloud, params["definition"])
    arn = f"arn:aws:states:{call.region}:{call.account}:stateMachine:{params['name']}"
    session = _check_role(call, params["roleArn"], arn)
    for known in backend(call.cloud, call.account, call.region).state_machines:
        if known.arn == arn and (known.definition, known.roleArn) != (params["definition"], params["roleArn"]):
            raise AwsError("StateMachineAlreadyExists", f"State Machine Already Exists: '{arn}'")
    managed.provide(call, params["definition"], params["roleArn"], session)
    return call.forward()


@operation("stepfunctions", "UpdateStateMachine")
def update(call: Call) -> dict[str, Any]:
    params = call.params
    if "definition" in params:
        _check_definition(call.cloud, params["definition"])
    machines = backend(call.cloud, call.account, call.region).state_machines
    known = next((machine for machine in machines if machine.arn == params["stateMachineArn"]), None)
    if known is None:
        raise AwsError("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{params['stateMachineArn']}'")
    role = params.get("roleArn", known.roleArn)
    session = _check_role(call, role, known.arn)
    managed.provide(call, params.get("definition", known.definition), role, session)
    answer = call.forward()
    if "definition" in params or "roleArn" in params:
        known.revision = answer["revisionId"] = str(uuid.uuid4())
    return answer


@operation("stepfunctions", "DescribeStateMachine")
def describe(call: Call) -> dict[str, Any]:
    """With the revision of the last update; the owned key of AWS is not told."""
    answer = call.forward()
    if answer.get("encryptionConfiguration", {}).get("type") == "AWS_OWNED_KEY":
        del answer["encryptionConfiguration"]
    answer["loggingConfiguration"] = {"level": "OFF", "includeExecutionData": False} | (
        answer.get("loggingConfiguration") or {}
    )
    machines = backend(call.cloud, call.account, call.region).state_machines
    kept = next((machine for machine in machines if machine.arn == call.params["stateMachineArn"]), None)
    revision = getattr(kept, "revision", None)
    if revision:
        answer["revisionId"] = revision
    return answer


@operation("stepfunctions", "ValidateStateMachineDefinition")
def validate(call: Call) -> dict[str, Any]:
    try:
        _check_definition(call.cloud, call.params["definition"])
    except AwsError as error:
        if error.code == "NotImplemented":
            raise
        message, _, place = error.message.partition("SCHEMA_VALIDATION_FAILED: ")[2].rstrip("'").rpartition(" at ")
        finding = {"severity": "ERROR", "code": "SCHEMA_VALIDATION_FAILED", "message": message or error.message}
        if place.startswith("/"):
            finding["location"] = place
        return {"result": "FAIL", "diagnostics": [finding], "truncated": False}
    return {"result": "OK", "diagnostics": [], "truncated": False}


def _check_definition(cloud: Cloud, text: str) -> None:
    """Raise InvalidDefinition, naming what is wrong."""
    try:
        definition = json.loads(text)
    except ValueError as error:
        raise AwsError(
            "InvalidDefinition", f"Invalid State Machine Definition: 'INVALID_JSON_DESCRIPTION: {error}'"
        ) from error
    if not isinstance(definition, dict):
        raise AwsError("InvalidDefinition", "Invalid State Machine Definition: 'it must be a JSON object'")
    _check_transitions(definition, "")
    if '"JSONata"' in text and "{%" in text:
        # Nothing here evaluates such an expression; a machine that ran without would prove nothing.
        raise AwsError("NotImplemented", "not implemented by the rehearsal: JSONata expressions", 501)
    try:
        parse(cloud, text)
    except Exception as error:
        raise AwsError(
            "InvalidDefinition", f"Invalid State Machine Definition: '{type(error).__name__}: {str(error)[:800]}'"
        ) from error


def _check_transitions(definition: dict[str, Any], where: str) -> None:
    """Every Next names a state, every state is reached: moto's parser does not look."""
    states = _states(definition, where)
    start = definition.get("StartAt")
    if start not in states:
        raise _broken("MISSING_TRANSITION_TARGET", f'StartAt names no state: "{start}"', where)
    reached = {start}
    for name, state in states.items():
        for target in _targets(state):
            if target not in states:
                raise _broken("MISSING_TRANSITION_TARGET", f'Missing "Next" target: {target}', f"{where}/States/{name}")
            reached.add(target)
        _check_ending(state, f"{where}/States/{name}")
        for number, branch in enumerate(state.get("Branches", [])):
            _check_transitions(branch, f"{where}/States/{name}/Branches[{number}]")
        for key in ("Iterator", "ItemProcessor"):
            if key in state:
                _check_transitions(state[key], f"{where}/States/{name}/{key}")
    lost = sorted(set(states) - reached)
    if lost:
        raise _broken("MISSING_TRANSITION_TARGET", f'State "{lost[0]}" is not reachable', f"{where}/States/{lost[0]}")


def _states(definition: dict[str, Any], where: str) -> dict[str, Any]:
    missing = [name for name in ("States", "StartAt") if name not in definition]
    if missing:
        raise _broken("SCHEMA_VALIDATION_FAILED", f"These fields are required: [{', '.join(missing)}]", where)
    states = definition["States"]
    if not isinstance(states, dict) or not states:
        raise _broken("MISSING_STATES", "there are no States", where)
    return states


def _targets(state: dict[str, Any]) -> list[str]:
    found = [state["Next"]] if "Next" in state else []
    found += [catcher["Next"] for catcher in state.get("Catch", []) if "Next" in catcher]
    found += [choice["Next"] for choice in state.get("Choices", []) if "Next" in choice]
    return found + ([state["Default"]] if "Default" in state else [])


def _check_ending(state: dict[str, Any], where: str) -> None:
    if state.get("Type") in ("Choice", "Succeed", "Fail"):
        return
    if ("Next" in state) == bool(state.get("End")):
        raise _broken("SCHEMA_VALIDATION_FAILED", "a state needs exactly one of Next and End", where)


def _broken(code: str, text: str, where: str) -> AwsError:
    return AwsError("InvalidDefinition", f"Invalid State Machine Definition: '{code}: {text} at {where or '/'}'")


def _check_role(call: Call, role: str, arn: str) -> Principal:
    try:
        return call.cloud.session_for_service(role, PRINCIPAL, "StepFunctions", source_arn=arn)
    except AwsError as error:
        raise AwsError(
            "AccessDeniedException",
            f"Neither the global service principal {PRINCIPAL}, nor the regional one is authorized to assume the"
            f" provided role. ({role})",
        ) from error


@inventory("stepfunctions")
def live(cloud: Cloud, account: str) -> list[str]:
    return [machine.arn for owner, _, kept in backends(cloud) if owner == account for machine in kept.state_machines]
