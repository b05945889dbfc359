"""Speaks the provider's protocol over a real gRPC channel, as the engine does."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import grpc
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc, status_pb2

from rehearsal.provider.server import Provider, start
from rehearsal.provider.values import UNKNOWN, from_struct, reveal, to_struct

DIFF = provider_pb2.DiffResponse
KIND = provider_pb2.PropertyDiff.Kind


class CheckFailed(AssertionError):
    """Check answered failures: (property, reason) in `failures`."""

    def __init__(self, failures: list[tuple[str, str]]) -> None:
        super().__init__(failures)
        self.failures = failures


@dataclass
class Resource:
    """What the engine's state holds of one resource."""

    token: str
    name: str
    inputs: dict[str, Any]
    id: str = ""
    outputs: dict[str, Any] = field(default_factory=dict)

    @property
    def urn(self) -> str:
        return f"urn:pulumi:test::project::{self.token}::{self.name}"

    def get(self, key: str) -> Any:
        return reveal(self.outputs.get(key))


@dataclass
class Change:
    """A diff: changed and replacing properties, and the kinds by path."""

    changed: list[str]
    replaces: list[str]
    kinds: dict[str, str]
    delete_first: bool


class Engine:
    """One configured provider and the verbs on it."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.server, port = start(Provider())
        self.channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        self.stub = provider_pb2_grpc.ResourceProviderStub(self.channel)
        self.stub.Configure(provider_pb2.ConfigureRequest(args=to_struct(config), acceptSecrets=True))

    def close(self) -> None:
        self.channel.close()
        self.server.stop(0)

    def check(self, token: str, name: str, news: dict[str, Any], olds: dict[str, Any] | None = None) -> dict[str, Any]:
        urn = Resource(token, name, {}).urn
        request = provider_pb2.CheckRequest(urn=urn, name=name, news=to_struct(news), olds=to_struct(olds or {}))
        answer = self.stub.Check(request)
        if answer.failures:
            raise CheckFailed([(item.property, item.reason) for item in answer.failures])
        return from_struct(answer.inputs)

    def create(self, token: str, name: str, news: dict[str, Any], preview: bool = False) -> Resource:
        resource = Resource(token, name, self.check(token, name, news))
        request = provider_pb2.CreateRequest(
            urn=resource.urn, properties=to_struct(resource.inputs), preview=preview, timeout=60
        )
        answer = self.stub.Create(request)
        resource.id, resource.outputs = answer.id, from_struct(answer.properties)
        return resource

    def preview(self, token: str, name: str, news: dict[str, Any]) -> dict[str, Any]:
        return self.create(token, name, news, preview=True).outputs

    def read(self, resource: Resource) -> Resource:
        request = provider_pb2.ReadRequest(
            urn=resource.urn,
            id=resource.id,
            inputs=to_struct(resource.inputs),
            properties=to_struct(resource.outputs),
        )
        answer = self.stub.Read(request)
        return Resource(
            resource.token, resource.name, from_struct(answer.inputs), answer.id, from_struct(answer.properties)
        )

    def import_(self, token: str, name: str, ident: str) -> Resource:
        return self.read(Resource(token, name, {}, ident))

    def diff(self, resource: Resource, news: dict[str, Any]) -> Change:
        inputs = self.check(resource.token, resource.name, news, resource.inputs)
        request = provider_pb2.DiffRequest(
            id=resource.id,
            urn=resource.urn,
            olds=to_struct(resource.outputs),
            old_inputs=to_struct(resource.inputs),
            news=to_struct(inputs),
        )
        answer = self.stub.Diff(request)
        kinds = {path: KIND.Name(item.kind) for path, item in answer.detailedDiff.items()}
        assert (answer.changes == DIFF.DIFF_SOME) == bool(answer.diffs)
        return Change(list(answer.diffs), list(answer.replaces), kinds, answer.deleteBeforeReplace)

    def update(self, resource: Resource, news: dict[str, Any], preview: bool = False) -> Resource:
        inputs = self.check(resource.token, resource.name, news, resource.inputs)
        request = provider_pb2.UpdateRequest(
            id=resource.id,
            urn=resource.urn,
            olds=to_struct(resource.outputs),
            old_inputs=to_struct(resource.inputs),
            news=to_struct(inputs),
            preview=preview,
            timeout=60,
        )
        answer = self.stub.Update(request)
        return Resource(resource.token, resource.name, inputs, resource.id, from_struct(answer.properties))

    def delete(self, resource: Resource) -> None:
        request = provider_pb2.DeleteRequest(
            id=resource.id,
            urn=resource.urn,
            properties=to_struct(resource.outputs),
            old_inputs=to_struct(resource.inputs),
            timeout=60,
        )
        self.stub.Delete(request)

    def invoke(self, token: str, args: dict[str, Any]) -> dict[str, Any]:
        answer = self.stub.Invoke(provider_pb2.InvokeRequest(tok=token, args=to_struct(args)))
        if answer.failures:
            raise CheckFailed([(item.property, item.reason) for item in answer.failures])
        return from_struct(getattr(answer, "return"))


def partial_state(error: grpc.RpcError) -> provider_pb2.ErrorResourceInitFailed | None:
    """The state that an error carries, as the engine finds it."""
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            status = status_pb2.Status.FromString(value)
            detail = provider_pb2.ErrorResourceInitFailed()
            status.details[0].Unpack(detail)
            return detail
    return None


def unknowns(outputs: dict[str, Any]) -> set[str]:
    return {key for key, value in outputs.items() if reveal(value) is UNKNOWN}
