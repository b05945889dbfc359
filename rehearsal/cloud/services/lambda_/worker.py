"""What runs inside a function's own process: the Python runtime of AWS Lambda, in small.

Started as a script by `lambda_.pool`, isolated from the gateway's packages. Speaks length-prefixed frames over a
socket whose number is its first argument: it receives an invocation's context and event, and answers with the
result. Output goes to the process's own stdout and stderr, which the pool reads. Standard library only.
"""

import importlib
import json
import os
import socket
import struct
import sys
import time
import traceback
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

_LENGTH = struct.Struct("!I")
_LOG_FORMAT = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n"
_TIME_FORMAT = "%Y-%m-%dT%H:%M:%S"
# `HEADER` of core/service_time.py, which a function's process cannot import.
_SERVICE_MS = "x-rehearsal-service-ms"


class _Clock:
    """Time as the function would see it on a processor of its own.

    Left out is what the machine owes the process: how long its thread waited for a processor, and how much longer a
    call took than the service says that it worked (`core/service_time.py`). Any other waiting counts.
    """

    def __init__(self) -> None:
        self._real = time.perf_counter
        self._real_monotonic = time.monotonic
        self._owed = 0.0
        self._connections: Any = None
        try:
            self._queue: int | None = os.open("/proc/thread-self/schedstat", os.O_RDONLY)
        except OSError:
            self._queue = None  # not Linux, or a kernel without it

    def install(self) -> None:
        """Have the function measure durations by this clock."""
        time.perf_counter = self.seconds
        time.monotonic = lambda: self._real_monotonic() - self._lost()
        time.perf_counter_ns = lambda: int(self.seconds() * 1e9)
        time.monotonic_ns = lambda: int(time.monotonic() * 1e9)

    def seconds(self) -> float:
        return self._real() - self._lost()

    def _lost(self) -> float:
        if self._queue is None:
            return self._owed
        # Nanoseconds on a processor, then those in the queue for one.
        return self._owed + int(os.pread(self._queue, 64, 0).split()[1]) / 1e9

    def watch_calls(self) -> None:
        """Follow the HTTP calls, once the function has imported what makes them."""
        module = sys.modules.get("http.client")
        if module is None or self._connections is not None:
            return
        self._connections = connection = module.HTTPConnection
        request, answer = connection.putrequest, connection.getresponse

        def putrequest(this: Any, *args: Any, **options: Any) -> None:
            this.began = self.seconds()
            request(this, *args, **options)

        def getresponse(this: Any) -> Any:
            response = answer(this)
            told = response.headers.get(_SERVICE_MS)
            if told is not None:
                self._owed += max(0.0, self.seconds() - this.began - float(told) / 1000)
            return response

        connection.putrequest, connection.getresponse = putrequest, getresponse


class Context:
    """The context object that a handler receives as its second argument."""

    def __init__(self, meta: dict[str, Any]) -> None:
        self.aws_request_id: str = meta["request_id"]
        self.invoked_function_arn: str = meta["invoked_function_arn"]
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.identity = SimpleNamespace(cognito_identity_id=None, cognito_identity_pool_id=None)
        self.client_context = _client_context(meta.get("client_context"))
        self.tenant_id = None
        self._deadline: float = meta["deadline"]

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._deadline - time.time()) * 1000))

    def log(self, message: object) -> None:
        sys.stdout.write(str(message))


def _client_context(value: dict[str, Any] | None) -> SimpleNamespace | None:
    if value is None:
        return None
    client = SimpleNamespace(**value["client"]) if value.get("client") else None
    return SimpleNamespace(custom=value.get("custom"), env=value.get("env"), client=client)


class Channel:
    """Frames of bytes over the socket to the pool. A closed pool ends the process."""

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(fileno=descriptor)

    def receive(self) -> bytes:
        (length,) = _LENGTH.unpack(self._exactly(_LENGTH.size))
        return self._exactly(length)

    def send(self, *frames: bytes) -> None:
        self._socket.sendall(b"".join(_LENGTH.pack(len(frame)) + frame for frame in frames))

    def _exactly(self, size: int) -> bytes:
        parts = bytearray()
        while len(parts) < size:
            part = self._socket.recv(size - len(parts))
            if not part:
                os._exit(0)
            parts += part
        return bytes(parts)


def error(kind: str, message: str, request_id: str = "", trace: list[str] | None = None) -> dict[str, Any]:
    """The payload of a failed invocation, as the Python runtime writes it."""
    return {"errorMessage": message, "errorType": kind, "requestId": request_id, "stackTrace": _shown(trace or [])}


def _shown(trace: list[str]) -> list[str]:
    """Paths as in AWS's environments, where the package lies in /var/task."""
    root = os.environ.get("LAMBDA_TASK_ROOT")
    return [line.replace(f'"{root}/', '"/var/task/') for line in trace] if root else trace


def _print_error(problem: dict[str, Any]) -> None:
    lines = [f"[ERROR] {problem['errorType']}: {problem['errorMessage']}"]
    if problem["stackTrace"]:
        lines += ["Traceback (most recent call last):", *(line.rstrip("\n") for line in problem["stackTrace"])]
    print("\n".join(lines), flush=True)


def load(handler: str) -> Callable[[Any, Context], Any] | dict[str, Any]:
    """The handler function, or the error that AWS reports for it."""
    module_name, _, name = handler.rpartition(".")
    if not module_name:
        message = f"Bad handler '{handler}': not enough values to unpack (expected 2, got 1)"
        return error("Runtime.MalformedHandlerName", message)
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as problem:
        return error("Runtime.ImportModuleError", f"Unable to import module '{module_name}': {problem}")
    except SyntaxError as problem:
        where = [f'  File "{problem.filename}" Line {problem.lineno}\n    {(problem.text or "").rstrip()}\n']
        return error("Runtime.UserCodeSyntaxError", f"Syntax error in module '{module_name}': {problem}", "", where)
    except Exception as problem:  # noqa: BLE001  # whatever the function's code raises
        return error(type(problem).__name__, str(problem), "", traceback.format_tb(problem.__traceback__)[1:])
    function = getattr(module, name, None)
    if not callable(function):
        return error("Runtime.HandlerNotFound", f"Handler '{name}' missing on module '{module_name}'")
    return function  # type: ignore[no-any-return]


def call(function: Callable[[Any, Context], Any], event: bytes, context: Context) -> tuple[bool, bytes]:
    """Runs one invocation: (succeeded, result or error as JSON)."""
    try:
        result = function(json.loads(event), context)
    except Exception as problem:  # noqa: BLE001
        trace = traceback.format_list(traceback.extract_tb(problem.__traceback__)[1:])
        return False, _failure(error(type(problem).__name__, str(problem), context.aws_request_id, trace))
    try:
        return True, json.dumps(result, ensure_ascii=False, separators=(", ", ": ")).encode()
    except (TypeError, ValueError) as problem:
        message = f"Unable to marshal response: {problem}"
        return False, _failure(error("Runtime.MarshalError", message, context.aws_request_id))


def _failure(problem: dict[str, Any]) -> bytes:
    _print_error(problem)
    return json.dumps(problem).encode()


def peak_memory() -> int:
    """The most memory this process has used, in MB."""
    with open("/proc/self/status", encoding="ascii") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) // 1024
    return 0


def prepare_logging() -> Callable[[str], None]:
    """Gives the root logger Lambda's own format; returns the function that sets the request id."""
    import logging

    current = {"id": ""}

    class RequestFilter(logging.Filter):
        def filter(self, record: logging.LogRecord) -> bool:
            record.aws_request_id = current["id"]
            return True

    class LambdaHandler(logging.StreamHandler[Any]):
        terminator = ""

    formatter = logging.Formatter(_LOG_FORMAT, _TIME_FORMAT)
    formatter.converter = time.gmtime
    handler = LambdaHandler(sys.stdout)
    handler.setFormatter(formatter)
    handler.addFilter(RequestFilter())
    logging.getLogger().addHandler(handler)

    def set_request(request_id: str) -> None:
        current["id"] = request_id

    return set_request


def serve(channel: Channel, handler: str) -> None:
    """Initialises the function, then answers invocations until the pool goes away."""
    set_request = prepare_logging()
    clock = _Clock()
    clock.install()
    started = clock.seconds()
    function = load(handler)
    if isinstance(function, dict):
        _print_error(function)
        channel.send(json.dumps({"init_error": function}).encode(), b"")
        return
    channel.send(json.dumps({"init_ms": (clock.seconds() - started) * 1000}).encode(), b"")
    while True:
        meta = json.loads(channel.receive())
        event = channel.receive()
        set_request(meta["request_id"])
        clock.watch_calls()
        begin = clock.seconds()
        succeeded, result = call(function, event, Context(meta))
        elapsed = (clock.seconds() - begin) * 1000
        sys.stdout.flush()
        sys.stderr.flush()
        head = {"ok": succeeded, "ms": elapsed, "memory": peak_memory()}
        channel.send(json.dumps(head).encode(), result)


def main() -> None:
    descriptor, handler, *paths = sys.argv[1:]
    sys.argv = [sys.argv[0]]
    # The task and its layers come first, the interpreter's own library next, and the SDK of the runtime last.
    front, back = paths[:-1], paths[-1]
    sys.path[:] = [*front, *(entry for entry in sys.path if entry not in paths), back]
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    serve(Channel(int(descriptor)), handler)


if __name__ == "__main__":
    main()
