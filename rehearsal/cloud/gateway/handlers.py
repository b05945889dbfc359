"""What every call passes, in this order, whether it came over the wire or one service makes it of another.

`validate` and `authorize` raise what AWS would answer, `inject` what a fault says, `dispatch` answers. The ledger is
kept by the two that decide: `authorize` records every call with the statements that allowed it, `dispatch` what a
service itself refuses.
"""

from collections.abc import Callable, Mapping
from typing import Any

from werkzeug.wrappers import Response

from rehearsal.cloud.authorization.actions import action_of
from rehearsal.cloud.authorization.enforce import enforce
from rehearsal.cloud.core import registry, service_time
from rehearsal.cloud.core.accounts import admin_credentials
from rehearsal.cloud.core.call import Call
from rehearsal.cloud.core.cloud import Cloud
from rehearsal.cloud.core.kept import refuse_unless_kept
from rehearsal.cloud.core.ports import Place
from rehearsal.cloud.wire import protocol, validation
from rehearsal.cloud.wire.types import AwsError, Principal

Answer = Response | dict[str, Any]
_DENIALS = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})


def validate(call: Call) -> None:
    """Malformed requests are refused first: what a request needs cannot be read from them."""
    assert call.model is not None, "only operations are performed"
    validation.check(call.model, call.params, call.request)
    for rule in registry.request_rules.get((call.service, call.operation), ()):
        rule(call)


def authorize(call: Call) -> None:
    """Everything the call needs must be allowed by policies."""
    enforce(call)


def inject(call: Call) -> None:
    """A fault makes the call late, or fails it.

    After `authorize`: a fault's AccessDenied is nothing that a policy said, and the ledger does not count it.
    """
    fault = call.cloud.faults.next(call.service, call.operation, call.params, call.principal.arn)
    if fault is None:
        return
    if fault.delay:
        call.cloud.clock.pause(fault.delay)
        service_time.wait(fault.delay)
    if fault.error:
        raise AwsError(fault.error.code, fault.error.message, fault.error.status)


def dispatch(call: Call) -> Answer:
    """The answer of our module for the operation, or of moto."""
    handler = registry.operations.get((call.service, call.operation))
    try:
        for rule in registry.state_rules.get((call.service, call.operation), ()):
            rule(call)
        if handler is not None:
            answer: Answer = handler(call)
            return answer
        refuse_unless_kept(call.service, call.operation)
        return _relayed(call) if call.request is not None else call.forward()
    except AwsError as error:
        if error.code in _DENIALS:
            call.cloud.ledger.refuse(call.principal.ledger_key, call.action, error.message)
        raise


def _relayed(call: Call) -> Response:
    """moto's answer. Its errors are written anew, as those of our modules: moto leaves members out, S3's apart."""
    response = call.relay()
    if response.status_code >= 400 and call.service != "s3":
        assert call.model is not None, "a request is for an operation"
        protocol.read_response(call.model, response.status_code, response.headers, response.get_data())
    return response


CHECKS: tuple[Callable[[Call], None], ...] = (validate, authorize, inject)


def answer(call: Call) -> Answer:
    """What the call is answered. Raises AwsError."""
    journal = call.cloud.journal
    # The usual case, in which nobody reads along, costs nothing.
    agent = call.request.headers.get("User-Agent", "") if journal.opened and call.request is not None else ""
    if agent:
        journal.admit(agent)
    for check in CHECKS:
        check(call)
    given = dispatch(call)
    if agent:
        journal.record(agent, call.service, call.operation, _subject(call))
    return given


def _subject(call: Call) -> str:
    """What a call is about: the first text that it must be given."""
    shape = call.model.input_shape if call.model is not None else None
    texts = (call.params.get(member) for member in (shape.required_members if shape else ()))
    return next((text for text in texts if isinstance(text, str)), "")


def perform(
    cloud: Cloud, principal: Principal, place: Place, service: str, operation: str, params: Mapping[str, Any]
) -> dict[str, Any]:
    """`Cloud.perform`: a call that one service makes of another, in memory."""
    model = protocol.service_model(service).operation_model(operation)
    call = Call(
        cloud=cloud,
        account=place.account,
        region=place.region,
        service=service,
        operation=operation,
        params=dict(params),
        principal=principal,
        access_key=admin_credentials(place.account).access_key_id,
        action=action_of(service, operation),
        model=model,
    )
    given = answer(call)
    if isinstance(given, Response):
        call.headers |= dict(given.headers)
        given = protocol.read_response(model, given.status_code, given.headers, given.get_data())
    request_id = call.headers.get("x-amzn-RequestId", "")
    return {**(given or {}), "ResponseMetadata": {"RequestId": request_id}}
