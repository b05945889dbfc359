"""A function's process that is forked is as one that is started anew, and shares nothing with another function's."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from rehearsal.cloud.core.cloud import Cloud
from rehearsal.cloud.services.lambda_.pool import nursery_of
from tests.processes import left_after_waiting, until
from tests.rehearsal.cloud.lambda_support import REGION, make_function, package

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="functions are forked on Linux alone")

ANEW = {"LC_TIME": "C"}
"""An interpreter reads this when it starts: a function that has it is not forked."""
PORTRAIT = """
import json, os, resource, signal, stat, sys, tempfile, threading, time
def descriptor(number):
    try:
        mode = os.fstat(number).st_mode
    except OSError:
        return None
    kind = "socket" if stat.S_ISSOCK(mode) else "pipe" if stat.S_ISFIFO(mode) else ""
    return kind or os.readlink(f"/proc/self/fd/{number}").replace(str(os.getpid()), "itself")
def handler(event, context):
    import boto3
    mask = os.umask(0); os.umask(mask)
    return {
        "argv": [len(sys.argv), os.path.basename(sys.argv[0])], "cwd": os.getcwd() == os.environ["LAMBDA_TASK_ROOT"],
        "descriptors": sorted(filter(None, map(descriptor, map(int, os.listdir("/proc/self/fd"))))),
        "environment": sorted(set(os.environ) - {"LC_TIME"}), "flags": str(sys.flags), "mask": mask,
        "handlers": {number.name: str(signal.getsignal(number)) for number in signal.Signals
                     if number.name not in ("SIGKILL", "SIGSTOP")},
        "limits": [resource.getrlimit(each) for each in (resource.RLIMIT_AS, resource.RLIMIT_NOFILE)],
        "main": os.path.basename(sys.modules["__main__"].__file__), "name": sys.modules["__main__"].__name__,
        "leads": os.getsid(0) == os.getpid(), "scratch": tempfile.gettempdir() == os.environ["TMPDIR"],
        "path": [part.rsplit("/", 1)[-1] for part in sys.path[1:]], "first": sys.path[0] == os.getcwd(),
        "sdk": [boto3.__file__.rsplit("/", 3)[1:], boto3.DEFAULT_SESSION], "threads": threading.active_count(),
        "streams": [[s.encoding, s.errors, s.line_buffering, s.isatty()] for s in (sys.stdout, sys.stderr)],
        "read": sys.stdin.read(), "zone": time.tzname, "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
    }
"""
PARENT = """
import os
def handler(event, context):
    with open(f"/proc/{os.getppid()}/cmdline") as file:
        return {"forked": "lambda_/nursery.py" in file.read(), "pid": os.getpid(), "parent": os.getppid()}
"""


@pytest.fixture
def client(cloud: Cloud, account: str) -> Any:
    """Lambda, once functions are forked."""
    found = cloud.client("lambda", account, REGION)
    if not nursery_of(cloud).ready:
        make_function(cloud, account, "first", PARENT)
        call(found, "first")
        until(lambda: nursery_of(cloud).ready)
    return found


def call(client: Any, name: str, event: Any = None) -> Any:
    return json.loads(client.invoke(FunctionName=name, Payload=json.dumps(event).encode())["Payload"].read())


def variables(values: dict[str, str]) -> dict[str, Any]:
    return {"Environment": {"Variables": values}}


def test_it_is_as_one_that_was_started_anew(cloud: Cloud, account: str, client: Any) -> None:
    make_function(cloud, account, "forked", PORTRAIT)
    make_function(cloud, account, "anew", PORTRAIT, **variables(ANEW))
    assert call(client, "forked") == call(client, "anew")


def test_which_is_forked(cloud: Cloud, account: str, client: Any) -> None:
    make_function(cloud, account, "forked", PARENT)
    make_function(cloud, account, "anew", PARENT, **variables(ANEW))
    assert (call(client, "forked")["forked"], call(client, "anew")["forked"]) == (True, False)


STAINS = """
import os, random, signal, socket, sys, boto3
os.environ["STAIN"] = "1"; os.chdir("/"); os.umask(0o77); random.seed(1); sys.path.insert(0, "/stain")
signal.signal(signal.SIGUSR1, signal.SIG_IGN); boto3.setup_default_session(region_name="us-east-1")
boto3.stain = sys.stain = mine = True
kept = socket.create_server(("127.0.0.1", 0))
def handler(event, context): return os.getpid()
"""
CLEAN = """
import os, random, signal, sys, boto3
def handler(event, context):
    mask = os.umask(0); os.umask(mask)
    found = [os.environ.get("STAIN"), "/stain" in sys.path, hasattr(sys, "stain"), hasattr(boto3, "stain")]
    return [*found, boto3.DEFAULT_SESSION, "mine" in globals(), mask == 0o77, os.getcwd() == "/",
            signal.getsignal(signal.SIGUSR1) == signal.SIG_IGN, "app" in sys.modules, random.random()]
"""


def test_two_functions_share_nothing(cloud: Cloud, account: str, client: Any) -> None:
    make_function(cloud, account, "stains", STAINS)
    assert call(client, "stains")
    for name in ("one", "other"):
        make_function(cloud, account, name, CLEAN)
    (*one, first), (*other, second) = call(client, "one"), call(client, "other")
    assert one == other == [None, False, False, False, None, False, False, False, False, True]
    assert first != second, "numbers that are random in each process"


@pytest.mark.parametrize("module", ["boto3", "six", "email", "select"])
def test_a_module_of_the_functions_own_comes_first(cloud: Cloud, account: str, client: Any, module: str) -> None:
    code = f"import {module}\ndef handler(event, context): return getattr({module}, 'OWN', 'of the system')\n"
    name = f"own-{module}"
    make_function(cloud, account, name, code)
    zipped = package(code, **{module: "OWN = 'own'\n"})
    client.update_function_code(FunctionName=name, ZipFile=zipped)
    client.get_waiter("function_updated").wait(FunctionName=name)
    assert call(client, name) == ("of the system" if module == "select" else "own")


def test_how_it_ends_is_told(cloud: Cloud, account: str, client: Any) -> None:
    code = """
import os, signal, sys
def handler(event, context):
    if event: os.kill(os.getpid(), event)
    os._exit(7)
"""
    make_function(cloud, account, "ends", code)
    found = [call(client, "ends", event)["errorMessage"].partition("Error: ")[2] for event in (0, signal.SIGKILL)]
    assert found == ["Runtime exited with error: exit status 7", "Runtime exited with error: signal: killed"]


def test_without_the_nursery_functions_start_anew_and_it_comes_back(cloud: Cloud, account: str, client: Any) -> None:
    make_function(cloud, account, "orphan", PARENT)
    before = call(client, "orphan")
    os.kill(before["parent"], signal.SIGKILL)
    assert left_after_waiting([before["pid"]]) == []
    until(lambda: not nursery_of(cloud).ready)
    after = call(client, "orphan")
    assert (before["forked"], after["forked"]) == (True, False)
    until(lambda: nursery_of(cloud).ready)


def test_it_comes_back_whatever_number_its_connection_has(cloud: Cloud, account: str, client: Any) -> None:
    make_function(cloud, account, "numbered", PARENT)
    kept = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]
    try:
        os.kill(call(client, "numbered")["parent"], signal.SIGKILL)
        until(lambda: not nursery_of(cloud).ready)
        make_function(cloud, account, "later", PARENT)
        assert call(client, "later")["forked"] is False
        until(lambda: nursery_of(cloud).ready)
    finally:
        for number in kept:
            os.close(number)
    make_function(cloud, account, "last", PARENT)
    assert call(client, "last")["forked"] is True


def test_it_forks_from_a_single_thread_and_holds_nothing_of_functions(cloud: Cloud, account: str, client: Any) -> None:
    make_function(cloud, account, "asks", PARENT)
    parent = call(client, "asks")["parent"]
    assert len(list(Path(f"/proc/{parent}/task").iterdir())) == 1
    before = len(list(Path(f"/proc/{parent}/fd").iterdir()))
    for number in range(3):
        make_function(cloud, account, f"asks-{number}", PARENT)
        assert call(client, f"asks-{number}")["parent"] == parent
    assert len(list(Path(f"/proc/{parent}/fd").iterdir())) == before
