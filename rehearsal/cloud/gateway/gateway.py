"""The WSGI application: from a request to a handler of ours or to moto, and back."""

import os
import traceback
import uuid
from pathlib import Path
from typing import Any

from moto.core.model import OperationModel
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.wrappers import Response

from rehearsal.cloud import services
from rehearsal.cloud.authorization import signatures
from rehearsal.cloud.authorization.actions import action_of
from rehearsal.cloud.core import registry, snapshot
from rehearsal.cloud.core.accounts import Identity
from rehearsal.cloud.core.call import Call
from rehearsal.cloud.core.cloud import Cloud
from rehearsal.cloud.core.trouble import tell
from rehearsal.cloud.gateway import clock_route as _clock_route  # noqa: F401  registers its route
from rehearsal.cloud.gateway import doors, handlers, web_identity
from rehearsal.cloud.gateway import fault_routes as _fault_routes  # noqa: F401  registers its routes
from rehearsal.cloud.gateway import inventory as _inventory  # noqa: F401  registers its route
from rehearsal.cloud.gateway import journal_route as _journal_route  # noqa: F401  registers its route
from rehearsal.cloud.gateway import pace_route as _pace_route  # noqa: F401  registers its route
from rehearsal.cloud.wire import protocol
from rehearsal.cloud.wire.request import Request
from rehearsal.cloud.wire.types import AwsError


class Gateway:
    """One application for every service, account and region."""

    def __init__(self, cloud: Cloud, saved: Path | None = None) -> None:
        """`saved` is the file with the state to begin with. Raises SnapshotError where it cannot be read."""
        services.load()
        self.cloud = cloud
        if saved:
            snapshot.restore(cloud, saved)
        for hook in (*(registry.restore_hooks if saved else ()), *registry.startup_hooks):
            hook(cloud)
        cloud.background(cloud.clock.govern, name="clock")

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        environ.pop("HTTP_X_MOTO_ACCOUNT_ID", None)
        environ.setdefault("RAW_URI", environ.get("REQUEST_URI", ""))
        request = Request(environ)
        # Read once: parsers, signature and moto all look at the body.
        request.get_data(cache=True, parse_form_data=False)
        return self.respond(request)(environ, start_response)

    def respond(self, request: Request) -> Response:
        """The answer to a request. Never raises."""
        try:
            refused = doors.refusal(request)
            if refused is not None:
                return refused
            if request.path.startswith("/_aws/") or web_identity.asks(request):
                self._refuse_stopped_time()
            routed = self._route(request)
            return routed if routed is not None else self._operate(request)
        except AwsError as error:
            return protocol.plain_error(error)
        except Exception as error:  # noqa: BLE001  a request must not end the server
            tell(traceback.format_exc())
            return protocol.plain_error(AwsError("InternalFailure", f"{type(error).__name__}: {error}", 500))

    def _route(self, request: Request) -> Response | None:
        if not request.path.startswith("/_"):
            return None
        adapter = registry.url_map.bind("127.0.0.1")
        try:
            endpoint, variables = adapter.match(request.path, method=request.method)
        except NotFound:
            return None
        except HTTPException as error:
            return Response(str(error), status=error.code)
        response: Response = registry.routes[endpoint](self.cloud, request, **variables)
        return response

    def _operate(self, request: Request) -> Response:
        if web_identity.asks(request):
            return web_identity.answer(self.cloud, request)
        signature = signatures.read_signature(request)
        service = protocol.resolve_service(signature.service, request)
        operation: OperationModel | None = None
        try:
            identity = self._authenticate(request, signature, service)
            operation, uri_params = protocol.match_operation(service, request)
            self._refuse_stopped_time()
            params = protocol.parse_request(operation, uri_params, request)
            call = self._call(request, signature.region, identity, operation, params)
            return self._answer(call, operation, request)
        except AwsError as error:
            return protocol.write_error(operation, error, request, service)
        except Exception as error:  # noqa: BLE001  the caller gets it, in the protocol it speaks
            tell(traceback.format_exc())
            text = f"the rehearsal failed: {type(error).__name__}: {error}"
            return protocol.write_error(operation, AwsError("InternalFailure", text, 500), request, service)

    def _refuse_stopped_time(self) -> None:
        """Without it no alarm speaks and nothing scales: whatever was rehearsed then would have shown nothing.

        With a status that no SDK asks again for.
        """
        if self.cloud.clock.failure:
            raise AwsError("TimeStopped", f"AWS's time has stopped ({self.cloud.clock.failure})", 400)

    def _authenticate(self, request: Request, signature: signatures.Signature, service: str) -> Identity:
        try:
            return signatures.authenticate(request, signature, self.cloud.accounts)
        except AwsError as error:
            if error.code == "UnrecognizedClientException" and _speaks_query(service):
                raise AwsError("InvalidClientTokenId", error.args[0].partition(": ")[2], 403) from error
            raise

    def _call(
        self, request: Request, region: str, identity: Identity, operation: OperationModel, params: dict[str, Any]
    ) -> Call:
        service, name = str(operation.service_model.service_name), str(operation.name)
        return Call(
            cloud=self.cloud,
            account=identity.principal.account,
            region=region,
            service=service,
            operation=name,
            params=params,
            principal=identity.principal,
            access_key=identity.credentials.access_key_id,
            action=action_of(service, name),
            model=operation,
            request=request,
        )

    def _answer(self, call: Call, operation: OperationModel, request: Request) -> Response:
        result = handlers.answer(call)
        if isinstance(result, Response):
            return result
        response = protocol.write_result(operation, result, request)
        response.headers.update(call.headers)
        return response


def _speaks_query(service: str) -> bool:
    return str(protocol.service_model(service).protocol) == "query"


@registry.route("/_rehearsal/health", methods=["GET"])
def _health(cloud: Cloud, request: Request) -> Response:
    return protocol.json_response({"status": "ok", "port": cloud.port, "pid": os.getpid(), "root": str(cloud.root)})


@registry.route("/_rehearsal/snapshot", methods=["POST"])
def _snapshot(cloud: Cloud, request: Request) -> Response:
    """Saves the state as it is now; what executes meanwhile is in it as interrupted."""
    file = cloud.root / "snapshots" / f"{uuid.uuid4()}.pickle"
    return protocol.json_response({"bytes": snapshot.save(cloud, file), "file": str(file)}, 201)


@registry.route("/_rehearsal/ledger", methods=["GET"])
def _ledger(cloud: Cloud, request: Request) -> Response:
    return protocol.json_response(cloud.ledger.snapshot())
