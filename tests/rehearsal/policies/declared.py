"""A language host for programs that are a list of resources in JSON: what the engine hears from any other language.

Nothing of Pulumi's Python SDK stands between the list and the engine but the protocol.
"""

# ruff: noqa: N802  the protocol's names
import contextlib
import json
import sys
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import language_pb2 as lang
from pulumi.runtime.proto import language_pb2_grpc as lang_grpc
from pulumi.runtime.proto import plugin_pb2, resource_pb2, resource_pb2_grpc


class Host(lang_grpc.LanguageRuntimeServicer):
    """Registers what stands in `resources.json` of the program's folder."""

    def Handshake(self, request: Any, context: Any) -> Any:
        return lang.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version="1.0.0")

    def GetRequiredPackages(self, request: Any, context: Any) -> Any:
        return lang.GetRequiredPackagesResponse()

    def GetRequiredPlugins(self, request: Any, context: Any) -> Any:
        return lang.GetRequiredPluginsResponse()

    def About(self, request: Any, context: Any) -> Any:
        return lang.AboutResponse()

    def Cancel(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def Run(self, request: Any, context: Any) -> Any:
        folder = Path(request.info.program_directory or request.pwd)
        with grpc.insecure_channel(request.monitor_address) as channel:
            monitor = resource_pb2_grpc.ResourceMonitorStub(channel)
            stack = resource_pb2.RegisterResourceRequest(
                type="pulumi:pulumi:Stack", name=f"{request.project}-{request.stack}"
            )
            parent = monitor.RegisterResource(stack).urn
            for one in json.loads((folder / "resources.json").read_text()):
                monitor.RegisterResource(
                    resource_pb2.RegisterResourceRequest(
                        type=one["type"],
                        name=one["name"],
                        custom=True,
                        parent=parent,
                        object=json_format.ParseDict(one["properties"], struct_pb2.Struct()),
                        ignoreChanges=one.get("ignoreChanges", []),
                    )
                )
        return lang.RunResponse()


def main() -> None:
    """Serve until the engine ends this process."""
    server = grpc.server(futures.ThreadPoolExecutor())
    lang_grpc.add_LanguageRuntimeServicer_to_server(Host(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    with contextlib.suppress(KeyboardInterrupt):  # the engine's way to end a host
        server.wait_for_termination()


if __name__ == "__main__":
    main()
