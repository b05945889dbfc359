"""A Pulumi language host for Python, for engines that come without one.

The engine starts it as `pulumi-language-python <engine address>`, reads the port from its first line of output and
calls it over gRPC. It runs programs, policy packs and dynamic providers. Programs write to this process's stdout and
stderr, which the engine shows to the user.

This file stands alone: it is started by its path, with an interpreter that has `pulumi`. A program runs with the
interpreter that its project names (`virtualenv` option), else `PULUMI_PYTHON_CMD`, else `python3` on PATH.
"""

import contextlib
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from concurrent import futures
from pathlib import Path
from typing import IO, Literal

import grpc
from google.protobuf import empty_pb2, json_format
from pulumi.runtime.proto import language_pb2 as lang
from pulumi.runtime.proto import language_pb2_grpc as lang_grpc
from pulumi.runtime.proto import plugin_pb2

VERSION = "3.259.0"
# The real host's limit for a message: a large stack's configuration must fit.
MAX_MESSAGE = 400 * 1024 * 1024
# The program's launcher ends with this code once it has shown the user what went wrong.
SHOWN_TO_USER = 32
# The engine kills this host 5 s after it has asked it to end; the children must be gone by then.
_GRACE_SECONDS = 2.0

# Name and version of every installed package, and whether another one requires it.
_PACKAGES = """
import importlib.metadata as m, json, re
norm = lambda name: re.sub(r"[-_.]+", "-", name).lower()
found = {d.metadata["Name"]: d for d in m.distributions() if d.metadata["Name"]}
plain = [r for d in found.values() for r in d.requires or [] if "extra ==" not in r]
needed = {norm(re.match(r"[A-Za-z0-9._-]+", requirement)[0]) for requirement in plain}
print(json.dumps(sorted((name, d.version, norm(name) in needed) for name, d in found.items())))
"""
# Every Pulumi SDK package carries a pulumi-plugin.json, which says whether it needs a provider, and which.
_PLUGINS = """
import glob, json, os, sys
found = {}
for folder in sys.path[1:]:
    for file in glob.glob(os.path.join(glob.escape(folder), "*", "pulumi-plugin.json")):
        with open(file) as opened:
            plugin = json.load(opened)
        package = os.path.basename(os.path.dirname(file))
        if plugin.get("resource"):
            name = plugin.get("name") or package.replace("_", "-").removeprefix("pulumi-")
            found.setdefault(name, {**plugin, "name": name})
print(json.dumps(list(found.values())))
"""


class ProjectError(Exception):
    """The project's options name no usable interpreter."""


class Children:
    """The processes this host has started; none of them outlives it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._closed = False

    def start(
        self, args: list[str], *, cwd: str | None, env: Mapping[str, str], piped: bool = False
    ) -> "subprocess.Popen[bytes]":
        """Start a child. Once the host is stopping, raises ProjectError instead."""
        pipe = subprocess.PIPE if piped else None
        with self._lock:
            if self._closed:
                raise ProjectError("the language host is stopping")
            # Its own session, so that whatever a program has started can be ended with it.
            child = subprocess.Popen(
                args, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, start_new_session=True
            )
            self._running.add(child)
        return child

    def end(self, child: "subprocess.Popen[bytes]") -> None:
        """End one child and what it has started: politely, then not."""
        with self._lock:
            self._running.discard(child)
        _signal(child, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(_GRACE_SECONDS)
        _signal(child, signal.SIGKILL)
        child.wait()

    def close(self) -> None:
        """End all children and refuse new ones."""
        with self._lock:
            self._closed = True
            running = list(self._running)
        for child in running:
            _signal(child, signal.SIGTERM)
        for child in running:
            self.end(child)


class Host(lang_grpc.LanguageRuntimeServicer):
    """The calls an engine makes; those it can do without answer "unimplemented", as gRPC does by itself."""

    def __init__(self, engine: str, scripts: Path, starter: list[str]) -> None:
        """`starter` goes before the command of every program and pack: what starts it, warm (rehearsal/warm)."""
        self._engine = engine
        self._scripts = scripts
        self._starter = starter
        self.children = Children()

    def Handshake(
        self, request: lang.LanguageHandshakeRequest, context: grpc.ServicerContext
    ) -> lang.LanguageHandshakeResponse:
        self._engine = request.engine_address
        return lang.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:
        return plugin_pb2.PluginInfo(version=VERSION)

    def RuntimeOptionsPrompts(
        self, request: lang.RuntimeOptionsRequest, context: grpc.ServicerContext
    ) -> lang.RuntimeOptionsResponse:
        return lang.RuntimeOptionsResponse()

    def About(self, request: lang.AboutRequest, context: grpc.ServicerContext) -> lang.AboutResponse:
        python = _python(request.info, context)
        version = _ask(python, "import platform; print(platform.python_version())", context).strip()
        return lang.AboutResponse(executable=python, version=version)

    def GetRequiredPackages(
        self, request: lang.GetRequiredPackagesRequest, context: grpc.ServicerContext
    ) -> lang.GetRequiredPackagesResponse:
        found = json.loads(_ask(_python(request.info, context), _PLUGINS, context))
        packages = [
            plugin_pb2.PackageDependency(
                name=plugin["name"],
                kind="resource",
                version=plugin.get("version", ""),
                server=plugin.get("server", ""),
            )
            for plugin in found
        ]
        return lang.GetRequiredPackagesResponse(packages=packages)

    def GetProgramDependencies(
        self, request: lang.GetProgramDependenciesRequest, context: grpc.ServicerContext
    ) -> lang.GetProgramDependenciesResponse:
        packages = json.loads(_ask(_python(request.info, context), _PACKAGES, context))
        dependencies = [
            lang.DependencyInfo(name=name, version=version)
            for name, version, required in packages
            if request.transitiveDependencies or not required
        ]
        return lang.GetProgramDependenciesResponse(dependencies=dependencies)

    def Run(self, request: lang.RunRequest, context: grpc.ServicerContext) -> lang.RunResponse:
        """Run a program to its end; its output goes straight to ours."""
        python = _python(request.info, context)
        env = _environment(
            request.info,
            {
                **os.environ,
                "PULUMI_CONFIG": json.dumps(dict(request.config)),
                "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys)),
            },
        )
        args = [python, "-u", str(self._scripts / "pulumi-language-python-exec"), *self._arguments(request)]
        child = self._start(args, request.pwd, env, context)
        context.add_callback(lambda: self.children.end(child))
        code = child.wait()
        if code == 0:
            return lang.RunResponse()
        if code == SHOWN_TO_USER:
            return lang.RunResponse(bail=True)
        return lang.RunResponse(error=f"program {_ending(code)}")

    def RunPlugin(
        self, request: lang.RunPluginRequest, context: grpc.ServicerContext
    ) -> Iterator[lang.RunPluginResponse]:
        """Run a policy pack or a provider written in Python, streaming its output until it ends."""
        python = _python(request.info, context)
        program = request.info.program_directory
        env = _environment(request.info, dict(e.split("=", 1) for e in request.env) or os.environ)
        module = ["-m", "pulumi.policy"] if request.kind == "analyzer" else []
        # A pack's launcher takes its arguments before the program, a plugin is the program and takes them after.
        rest = [*request.args, program] if module else [program, *request.args]
        cwd = program if module else request.pwd
        child = self._start([python, "-u", *module, *rest], cwd, env, context, piped=True)
        context.add_callback(lambda: self.children.end(child))
        yield from _stream(child)
        yield lang.RunPluginResponse(exitcode=child.wait())

    def Cancel(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> empty_pb2.Empty:
        self.children.close()
        return empty_pb2.Empty()

    def _arguments(self, request: lang.RunRequest) -> list[str]:
        flags = {
            "--monitor": request.monitor_address,
            "--engine": self._engine,
            "--project": request.project,
            "--root_directory": request.info.root_directory,
            "--stack": request.stack,
            "--pwd": request.pwd,
            "--organization": request.organization,
            "--parallel": str(request.parallel),
            "--dry_run": "true" if request.dryRun else "",
        }
        given = [part for flag, value in flags.items() if value for part in (flag, value)]
        return [*given, _program(request.info), *request.args]

    def _start(
        self, args: list[str], cwd: str, env: Mapping[str, str], context: grpc.ServicerContext, piped: bool = False
    ) -> "subprocess.Popen[bytes]":
        try:
            return self.children.start([*self._starter, *args], cwd=cwd or None, env=env, piped=piped)
        except (OSError, ProjectError) as error:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, f"cannot start {args[0]}: {error}")
            raise AssertionError("abort raises") from error


def interpreter(options: Mapping[str, object], root: Path, env: Mapping[str, str]) -> str:
    """The Python a project runs with. Raises ProjectError where it is not there."""
    toolchain = options.get("toolchain") or "pip"
    if toolchain != "pip":
        raise ProjectError(f"toolchain {toolchain!r} is not supported by this language host; use pip")
    virtualenv = options.get("virtualenv")
    if virtualenv:
        python = root / str(virtualenv) / "bin" / "python"
        if not python.is_file():
            raise ProjectError(f"the virtualenv option names {virtualenv!r}, but {python} does not exist")
        return str(python)
    command = env.get("PULUMI_PYTHON_CMD") or "python3"
    found = shutil.which(command, path=env.get("PATH"))
    if found is None:
        raise ProjectError(f"{command} is not on PATH")
    return found


def _python(info: lang.ProgramInfo, context: grpc.ServicerContext) -> str:
    try:
        return interpreter(json_format.MessageToDict(info.options), Path(info.root_directory), os.environ)
    except ProjectError as error:
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))
        raise AssertionError("abort raises") from error


def _program(info: lang.ProgramInfo) -> str:
    entry = info.entry_point
    return str(Path(info.program_directory, entry)) if entry and entry != "." else info.program_directory


def _environment(info: lang.ProgramInfo, env: Mapping[str, str]) -> dict[str, str]:
    """A virtual environment the project names comes first on PATH, and its dynamic providers use it."""
    virtualenv = json_format.MessageToDict(info.options).get("virtualenv")
    if not virtualenv:
        return dict(env)
    folder = Path(info.root_directory, str(virtualenv))
    path = os.pathsep.join([str(folder / "bin"), env.get("PATH", os.defpath)])
    kept = {k: v for k, v in env.items() if k != "PYTHONHOME"}
    return {**kept, "PATH": path, "VIRTUAL_ENV": str(folder), "PULUMI_RUNTIME_VIRTUALENV": str(folder)}


def _ask(python: str, code: str, context: grpc.ServicerContext) -> str:
    result = subprocess.run([python, "-c", code], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if result.returncode != 0:
        context.abort(grpc.StatusCode.INTERNAL, f"{python} failed: {result.stderr.strip()}")
    return result.stdout


def _stream(child: "subprocess.Popen[bytes]") -> Iterator[lang.RunPluginResponse]:
    chunks: queue.Queue[lang.RunPluginResponse | None] = queue.Queue()

    def pump(file: IO[bytes], name: Literal["stdout", "stderr"]) -> None:
        while chunk := os.read(file.fileno(), 65536):
            out = lang.RunPluginResponse(stdout=chunk) if name == "stdout" else lang.RunPluginResponse(stderr=chunk)
            chunks.put(out)
        chunks.put(None)

    assert child.stdout is not None
    assert child.stderr is not None
    pumps: tuple[tuple[IO[bytes], Literal["stdout", "stderr"]], ...] = (
        (child.stdout, "stdout"),
        (child.stderr, "stderr"),
    )
    for file, name in pumps:
        threading.Thread(target=pump, args=(file, name), daemon=True).start()
    for _ in pumps:
        yield from iter(chunks.get, None)


def _ending(code: int) -> str:
    if code < 0:
        return f"was ended by signal {-code} ({signal.Signals(-code).name})"
    return f"exited with non-zero exit code: {code}"


def _started_warm(parent: int) -> bool:
    """Whether the parent is the server of warm starts, and no engine. Who asked it for this process ends it."""
    try:
        return b"warm/server.py" in Path(f"/proc/{parent}/cmdline").read_bytes()
    except OSError:
        return False


def _signal(child: "subprocess.Popen[bytes]", number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, number)


def main() -> None:
    # First, from our own launcher, the folder of the launcher scripts, and `--warm` with the script and the socket of
    # warm starts; last the engine's address. What the engine may pass between them (tracing) is not for this host.
    scripts, *rest = sys.argv[1:]
    # An engine that was killed outright cannot say so; its children notice by having lost their parent. Who the parent
    # is must be known before anybody hears of this host: the server of warm starts may be gone a moment later.
    parent = os.getppid()
    watched = not _started_warm(parent)
    starter = []
    if rest[:1] == ["--warm"]:
        starter, rest = [sys.executable, "-I", "-S", *rest[1:3]], rest[3:]
    host = Host(engine=rest[-1] if rest else "", scripts=Path(scripts), starter=starter)
    options = [("grpc.max_receive_message_length", MAX_MESSAGE), ("grpc.max_send_message_length", MAX_MESSAGE)]
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=64), options=options)
    lang_grpc.add_LanguageRuntimeServicer_to_server(host, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    stop = threading.Event()
    # SIGINT is how the engine ends its plugins; they run in a process group of their own, out of the terminal's reach.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    print(port, flush=True)
    while not stop.wait(1.0) and (os.getppid() == parent or not watched):
        pass
    host.children.close()
    server.stop(grace=None).wait(_GRACE_SECONDS)


if __name__ == "__main__":
    main()
