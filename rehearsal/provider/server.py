"""The provider protocol over gRPC: thin, it only translates between messages and `lifecycle`."""

from __future__ import annotations

import functools
import signal
from collections.abc import Callable
from concurrent import futures
from typing import Any

import grpc
from google.protobuf import any_pb2, empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc, status_pb2

from rehearsal.provider import VERSION, invokes
from rehearsal.provider.differ import Change
from rehearsal.provider.errors import Failures, PartialFailure, ProviderError
from rehearsal.provider.lifecycle import Lifecycle, Naming
from rehearsal.provider.session import Session, parse_config
from rehearsal.provider.values import from_struct, holds_unknown, reveal, seal, to_struct

DIFF = provider_pb2.DiffResponse
KIND = provider_pb2.PropertyDiff
KINDS = {"add": KIND.ADD, "delete": KIND.DELETE, "update": KIND.UPDATE}
REPLACE_KINDS = {"add": KIND.ADD_REPLACE, "delete": KIND.DELETE_REPLACE, "update": KIND.UPDATE_REPLACE}
NAMING_MODES = {0: "propose", 1: "enforce", 2: "disable"}
WORKERS = 32
SHUTDOWN_SECONDS = 3
MAX_MESSAGE = 400 * 1024 * 1024

Method = Callable[[Any, Any, grpc.ServicerContext], Any]


def guarded(method: Method) -> Method:
    """Turn errors into gRPC statuses whose text is for the user."""

    @functools.wraps(method)
    def wrapper(self: Any, request: Any, context: grpc.ServicerContext) -> Any:
        try:
            return method(self, request, context)
        except PartialFailure as error:
            _abort_partial(context, error)
        except ProviderError as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))

    return wrapper


def _abort_partial(context: grpc.ServicerContext, error: PartialFailure) -> None:
    detail = any_pb2.Any()
    detail.Pack(
        provider_pb2.ErrorResourceInitFailed(
            id=error.ident,
            properties=to_struct(error.outputs),
            reasons=[str(error)],
            inputs=to_struct(error.inputs),
        )
    )
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=str(error), details=[detail])
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(grpc.StatusCode.UNKNOWN, str(error))


def _token(urn: str) -> str:
    return urn.split("::")[2].rsplit("$", 1)[-1]


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """One provider plugin."""

    def __init__(self, stop: Callable[[], None] = lambda: None) -> None:
        self._lifecycle: Lifecycle | None = None
        self._stop = stop

    @property
    def lifecycle(self) -> Lifecycle:
        if self._lifecycle is None:
            raise ProviderError("the provider was not configured")
        return self._lifecycle

    def Handshake(self, request: Any, context: grpc.ServicerContext) -> Any:
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True, supports_autonaming_configuration=True)

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> Any:
        return plugin_pb2.PluginInfo(version=VERSION)

    def Attach(self, request: Any, context: grpc.ServicerContext) -> Any:
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Nothing: what runs goes on to its end, as in pulumi-terraform-bridge (pkg/tfbridge/provider.go)."""
        return empty_pb2.Empty()

    @guarded
    def CheckConfig(self, request: Any, context: grpc.ServicerContext) -> Any:
        news = from_struct(request.news)
        try:
            if not holds_unknown(news):
                parse_config(news)
        except Failures as error:
            return provider_pb2.CheckResponse(inputs=request.news, failures=_failures(error, "aws:"))
        return provider_pb2.CheckResponse(inputs=request.news)

    @guarded
    def DiffConfig(self, request: Any, context: grpc.ServicerContext) -> Any:
        olds, news = reveal(from_struct(request.old_inputs or request.olds)), reveal(from_struct(request.news))
        diffs = sorted(key for key in set(olds) | set(news) if olds.get(key) != news.get(key))
        return DIFF(changes=DIFF.DIFF_SOME if diffs else DIFF.DIFF_NONE, diffs=diffs)

    @guarded
    def Configure(self, request: Any, context: grpc.ServicerContext) -> Any:
        values = from_struct(request.args)
        if not values:
            values = {key.removeprefix("aws:config:"): value for key, value in request.variables.items()}
        session = Session(parse_config(values))
        session.validate()
        self._lifecycle = Lifecycle(session)
        return provider_pb2.ConfigureResponse(
            acceptSecrets=True, supportsPreview=True, supports_autonaming_configuration=True
        )

    @guarded
    def Check(self, request: Any, context: grpc.ServicerContext) -> Any:
        olds, news = from_struct(request.olds), from_struct(request.news)
        named = request.HasField("autonaming")
        naming = Naming(
            request.name or request.urn.rsplit("::", 1)[-1],
            bytes(request.randomSeed),
            NAMING_MODES[request.autonaming.mode] if named else "",
            request.autonaming.proposed_name if named else "",
        )
        try:
            inputs = self.lifecycle.check(_token(request.urn), request.urn, olds, news, naming)
        except Failures as error:
            return provider_pb2.CheckResponse(inputs=request.news, failures=_failures(error))
        return provider_pb2.CheckResponse(inputs=to_struct(inputs))

    @guarded
    def Diff(self, request: Any, context: grpc.ServicerContext) -> Any:
        old_inputs, news = from_struct(request.old_inputs), from_struct(request.news)
        state = reveal(from_struct(request.olds))
        result = self.lifecycle.diff(_token(request.urn), old_inputs, news, state)
        # The engine settles ignored changes itself before an update; for a refresh it leaves that to the provider.
        ignored = frozenset(request.ignoreChanges)
        changes = [change for change in result.changes if _top(change) not in ignored]
        tops = list(dict.fromkeys(_top(change) for change in changes))
        replaces = {path.split(".")[0].split("[")[0] for path in result.replaces}
        return DIFF(
            changes=DIFF.DIFF_SOME if changes else DIFF.DIFF_NONE,
            diffs=tops,
            replaces=sorted(replaces - ignored),
            deleteBeforeReplace=result.delete_first,
            hasDetailedDiff=True,
            detailedDiff={
                change.path: KIND(
                    kind=(REPLACE_KINDS if change.path in result.replaces else KINDS)[change.kind], inputDiff=True
                )
                for change in changes
            },
        )

    @guarded
    def Create(self, request: Any, context: grpc.ServicerContext) -> Any:
        news = from_struct(request.properties)
        try:
            ident, outputs = self.lifecycle.create(
                _token(request.urn), request.urn, news, request.preview, request.timeout
            )
        except PartialFailure as error:
            error.outputs = seal(error.outputs, news)
            raise
        return provider_pb2.CreateResponse(id=ident, properties=to_struct(seal(outputs, news)))

    @guarded
    def Read(self, request: Any, context: grpc.ServicerContext) -> Any:
        inputs, state = from_struct(request.inputs), from_struct(request.properties)
        ident, outputs, fresh = self.lifecycle.read(_token(request.urn), request.urn, request.id, inputs, reveal(state))
        return provider_pb2.ReadResponse(
            id=ident, properties=to_struct(seal(outputs, inputs, state)), inputs=to_struct(seal(fresh, inputs))
        )

    @guarded
    def Update(self, request: Any, context: grpc.ServicerContext) -> Any:
        news, state = from_struct(request.news), from_struct(request.olds)
        try:
            outputs = self.lifecycle.update(
                _token(request.urn), request.urn, request.id, from_struct(request.old_inputs), reveal(state), news,
                request.preview, request.timeout,
            )  # fmt: skip
        except PartialFailure as error:
            error.outputs = seal(error.outputs, news)
            raise
        return provider_pb2.UpdateResponse(properties=to_struct(seal(outputs, news)))

    @guarded
    def Delete(self, request: Any, context: grpc.ServicerContext) -> Any:
        state, inputs = reveal(from_struct(request.properties)), from_struct(request.old_inputs)
        self.lifecycle.delete(_token(request.urn), request.urn, request.id, inputs, state, request.timeout)
        return empty_pb2.Empty()

    @guarded
    def Invoke(self, request: Any, context: grpc.ServicerContext) -> Any:
        args = reveal(from_struct(request.args))
        try:
            result = invokes.invoke(self.lifecycle.session, request.tok, args)
        except Failures as error:
            return provider_pb2.InvokeResponse(failures=_failures(error))
        return provider_pb2.InvokeResponse(**{"return": to_struct(result)})


def _top(change: Change) -> str:
    return change.path.split(".")[0].split("[")[0]


def _failures(error: Failures, prefix: str = "") -> list[Any]:
    return [
        provider_pb2.CheckFailure(property=path, reason=f"{prefix}{path}: {reason}") for path, reason in error.failures
    ]


def start(provider: Provider) -> tuple[Any, int]:
    """A running gRPC server on a free port of the loopback interface: (server, port)."""
    limits = [("grpc.max_receive_message_length", MAX_MESSAGE), ("grpc.max_send_message_length", MAX_MESSAGE)]
    server = grpc.server(futures.ThreadPoolExecutor(WORKERS), options=limits)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port


def serve() -> None:
    """Run the plugin until a signal ends it."""
    server, port = start(Provider())
    print(port, flush=True)
    # The engine ends a plugin with SIGINT and kills it five seconds later; plugins lead process groups of their own, so
    # a terminal's Ctrl-C never comes here (the engine says Cancel instead).
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: server.stop(SHUTDOWN_SECONDS))
    server.wait_for_termination()
