"""A process that was started warm is as one that was started anew: output, exit code, environment, signals, end."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rehearsal.engine import host as language_host
from rehearsal.warm import SERVER, SOCKET, START
from tests.processes import left_after_waiting, until

PYTHON = sys.executable


class Warm:
    """A server, and what starts processes from it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.socket = folder / SOCKET
        self.server = subprocess.Popen([PYTHON, "-P", str(SERVER), str(self.socket)])
        until(self.socket.exists)

    def start(
        self, *arguments: str, cwd: Path | None = None, stdin: int = subprocess.DEVNULL, **env: str
    ) -> "subprocess.Popen[str]":
        """`python ARGUMENTS`, started from the server."""
        return subprocess.Popen(
            [PYTHON, "-I", "-S", str(START), str(self.socket), PYTHON, *arguments],
            cwd=cwd or self.folder,
            env=os.environ | env,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, cwd: Path | None = None, **env: str) -> tuple[int, str, str]:
        """Exit code, output and errors."""
        process = self.start(*arguments, cwd=cwd, stdin=subprocess.DEVNULL, **env)
        out, err = process.communicate(timeout=120)
        return process.returncode, out, err

    def script(self, text: str, name: str = "script.py") -> str:
        """A script's path."""
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return str(path)


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warm]:
    made = Warm(tmp_path_factory.mktemp("warm"))
    yield made
    made.server.terminate()
    made.server.wait(60)
    assert not made.socket.exists()


PARENT = "import os; print(os.getppid())"


def test_it_is_forked_from_the_server(warm: Warm) -> None:
    assert warm.run(warm.script(PARENT)) == (0, f"{warm.server.pid}\n", "")


def test_what_is_imported_ahead_is_there(warm: Warm) -> None:
    code, out, _ = warm.run(warm.script("import sys; print('pulumi.runtime' in sys.modules, 'operate' in sys.modules)"))
    assert (code, out) == (0, "True False\n")


def test_what_one_process_needed_is_there_for_the_next(warm: Warm) -> None:
    look = warm.script("import sys; print('botocore.stub' in sys.modules)", "look.py")
    assert warm.run(look)[1] == "False\n"
    assert warm.run(warm.script("import botocore.stub"))[0] == 0
    until(lambda: warm.run(look)[1] == "True\n")


READS = """
import os, botocore.loaders as loaders, botocore.session
opened, original = [], loaders.JSONFileLoader._load_file
def count(self, path, method):
    found = original(self, path, method)
    opened.extend([os.path.basename(os.path.dirname(path))] * (found is not None))
    return found
loaders.JSONFileLoader._load_file = count
client = botocore.session.get_session().create_client("sqs", region_name="eu-west-1")
print(len(opened), client.meta.service_model.operation_names[0])
"""


def test_a_model_that_one_process_has_read_is_there_for_the_next(warm: Warm) -> None:
    reads = warm.script(READS, "reads.py")
    opened, rest = warm.run(reads)[1].split(maxsplit=1)
    assert int(opened) > 0
    until(lambda: warm.run(reads)[1] == f"0 {rest}")


def test_a_model_of_ones_own_is_read_anew(warm: Warm, tmp_path: Path) -> None:
    folder = tmp_path / "mine" / "2020-01-01"
    folder.mkdir(parents=True)
    look = warm.script("import botocore.session as s; print(s.get_session().get_service_data('mine'))", "own.py")
    for content in ({"metadata": {"n": 1}}, {"metadata": {"n": 2}}):
        (folder / "service-2.json").write_text(json.dumps(content), encoding="utf-8")
        code, out, err = warm.run(look, AWS_DATA_PATH=str(tmp_path))
        assert (code, str(content["metadata"]["n"]) in out) == (0, True), err


def test_a_package_is_whole_after_a_module_of_it_was_imported_ahead(warm: Warm) -> None:
    """The SDK's packages load when they are first used."""
    first = f"import sys; sys.path.insert(0, {str(SERVER.parent)!r}); import pulumi_aws, server"
    use = "server.load('pulumi_aws.iam.role'); print(pulumi_aws.iam.Role.__name__)"
    assert warm.run(warm.script(f"{first}; {use}")) == (0, "Role\n", "")


def test_arguments_folder_environment_and_path_are_its_own(warm: Warm, tmp_path: Path) -> None:
    text = "import os, sys; print(sys.argv[1:], os.getcwd(), os.environ['MINE'], sys.path[0], sys.path[1])"
    script = warm.script(text)
    code, out, err = warm.run("-u", script, "a", "b c", cwd=tmp_path, MINE="1", PYTHONPATH="/somewhere")
    assert (code, out, err) == (0, f"['a', 'b c'] {tmp_path} 1 {warm.folder} /somewhere\n", "")
    assert "MINE" not in warm.run(warm.script("import os; print(*os.environ)"))[1].split()


def test_a_module_is_run_from_the_folder(warm: Warm) -> None:
    warm.script("import sys; print(__name__, sys.argv[1:])", "some_module.py")
    assert warm.run("-m", "some_module", "x") == (0, "__main__ ['x']\n", "")
    assert warm.run("-P", "-m", "some_module", "x")[0] == 1


@pytest.mark.parametrize(
    ("text", "code"), [("raise SystemExit(7)", 7), ("1 / 0", 1), ("import os, signal; os.kill(os.getpid(), 9)", -9)]
)
def test_its_end_is_reported(warm: Warm, text: str, code: int) -> None:
    found, _, err = warm.run(warm.script(text))
    assert found == code
    assert ("ZeroDivisionError" in err) == (text == "1 / 0")


ENDS = """
import atexit, sys, threading, time
file = open("written", "w")
file.write("unclosed ")
late = open("late", "w")
threading.Thread(target=lambda: (time.sleep(0.2), print("thread"))).start()
atexit.register(lambda: (print("atexit"), late.write("at the end")))
class Told:
    def __del__(self): print("taken apart")
kept = Told()
"""


@pytest.mark.parametrize("end", ["", "sys.exit(3)", "sys.exit('a reason')", "1 / 0"])
def test_its_end_waits_for_threads_and_writes_what_is_open(warm: Warm, end: str) -> None:
    code, out, err = warm.run(warm.script(f"{ENDS}\n{end}"))
    expected = {"": (0, ""), "sys.exit(3)": (3, ""), "sys.exit('a reason')": (1, "a reason")}
    last = err.splitlines()[-1] if err else ""
    assert ((code, last), out.splitlines()[:2]) == (
        expected.get(end, (1, "ZeroDivisionError: division by zero")),
        ["thread", "atexit"],
    )
    assert ((warm.folder / "written").read_text(), (warm.folder / "late").read_text()) == ("unclosed ", "at the end")


def test_its_modules_are_not_taken_apart(warm: Warm) -> None:
    """That touches every page that is shared with the server, and is what a short process costs most."""
    assert "taken apart" not in warm.run(warm.script(ENDS))[1]


def test_signals_reach_it(warm: Warm) -> None:
    text = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(5))
print("ready", flush=True)
time.sleep(600)
"""
    process = warm.start(warm.script(text))
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 5


def test_a_signal_that_comes_before_the_process_is_known_reaches_it(tmp_path: Path) -> None:
    text = "import signal, sys, time; signal.signal(15, lambda *_: sys.exit(5)); print(1, flush=True); time.sleep(600)"
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server,
        subprocess.Popen([PYTHON, "-c", text], stdout=subprocess.PIPE) as worker,
    ):
        server.bind(str(tmp_path / "s"))
        server.listen()
        assert worker.stdout is not None
        worker.stdout.readline()
        asker = subprocess.Popen([PYTHON, "-I", "-S", str(START), str(tmp_path / "s"), PYTHON, "x.py"])
        connection, _ = server.accept()
        connection.recv(1 << 16)
        asker.send_signal(signal.SIGTERM)
        time.sleep(0.2)  # it is at work on it: nobody tells when
        connection.sendall(json.dumps({"pid": worker.pid}).encode() + b"\n")
        assert worker.wait(60) == 5
        connection.sendall(b'{"code": 5}\n')
        assert asker.wait(60) == 5


def test_it_ends_with_who_asked_for_it(warm: Warm) -> None:
    process = warm.start(warm.script("import os, time; print(os.getpid(), flush=True); time.sleep(600)"))
    assert process.stdout is not None
    pid = int(process.stdout.readline())
    process.kill()
    process.wait(60)
    assert left_after_waiting([pid]) == []


def test_an_interpreter_with_a_special_start_is_started_anew(warm: Warm) -> None:
    script = warm.script(PARENT)
    assert warm.run(script, PYTHONHASHSEED="1")[1] != f"{warm.server.pid}\n"


def test_a_link_to_the_environment_is_the_same_environment(warm: Warm, tmp_path: Path) -> None:
    (tmp_path / "venv").symlink_to(Path(PYTHON).parent.parent)
    python = str(tmp_path / "venv" / "bin" / Path(PYTHON).name)
    script = warm.script("import os, sys; print(os.getppid(), sys.executable)")
    command = [PYTHON, "-I", "-S", str(START), str(warm.socket), python, script]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{warm.server.pid} {python}\n", "")


def test_without_a_server_it_starts_as_usual(tmp_path: Path) -> None:
    command = [PYTHON, "-I", "-S", str(START), str(tmp_path / "none.sock"), "python3", "-c", "print('cold')"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "cold\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_what_was_started_goes_on_when_the_server_ends(tmp_path: Path, number: signal.Signals) -> None:
    warm = Warm(tmp_path)
    text = """
import os, sys
print(os.getpid(), flush=True)
print(sys.stdin.readline(), end="", flush=True)
sys.exit(7)
"""
    process = warm.start(warm.script(text), stdin=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdin is not None
    pid = int(process.stdout.readline())
    warm.server.send_signal(number)
    warm.server.wait(60)
    process.stdin.write("still there\n")
    process.stdin.flush()
    assert process.stdout.readline() == "still there\n"
    # It says so itself: the server that would know is gone.
    assert process.wait(60) == 7
    assert left_after_waiting([pid]) == []


def test_a_language_host_and_its_program_go_on_when_the_server_ends(tmp_path: Path) -> None:
    """It looks once a second whether its engine is gone; the server is not its engine."""
    warm = Warm(tmp_path)
    host = warm.start(
        "-P", str(language_host.__file__), str(tmp_path), "--warm", str(START), str(warm.socket), "127.0.0.1:1"
    )
    assert host.stdout is not None
    assert int(host.stdout.readline()) > 0
    warm.server.kill()
    warm.server.wait(60)
    with pytest.raises(subprocess.TimeoutExpired):
        host.wait(2.5)
    host.send_signal(signal.SIGTERM)
    assert host.wait(60) == 0


def test_who_asked_hears_of_a_process_that_was_killed_when_the_server_was_gone(tmp_path: Path) -> None:
    warm = Warm(tmp_path)
    process = warm.start(warm.script("import os, time; print(os.getpid(), flush=True); time.sleep(600)"))
    assert process.stdout is not None
    pid = int(process.stdout.readline())
    warm.server.kill()
    warm.server.wait(60)
    os.kill(pid, signal.SIGKILL)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, f"process {pid} ended without saying how" in err) == (1, True)


def test_nothing_is_left_when_the_server_and_who_asked_are_gone(tmp_path: Path) -> None:
    warm = Warm(tmp_path)
    script = warm.script("import os, time; print(os.getpid(), flush=True); time.sleep(600)")
    start = [PYTHON, "-I", "-S", str(START), str(warm.socket), PYTHON, script]
    asker = subprocess.Popen(
        [PYTHON, "-c", f"import subprocess; subprocess.run({start})"], stdout=subprocess.PIPE, text=True
    )
    assert asker.stdout is not None
    pid = int(asker.stdout.readline())
    warm.server.kill()
    asker.kill()
    assert left_after_waiting([pid]) == []
    warm.server.wait(60)
    asker.wait(60)


def test_nothing_is_left_when_who_asked_is_killed_after_the_server(tmp_path: Path) -> None:
    """The engine kills what it started, and the cloud, with the server, is stopped in the same moment."""
    warm = Warm(tmp_path)
    text = "import os, subprocess as s; c = s.Popen(['sleep', '600']); print(os.getpid(), c.pid, flush=True); c.wait()"
    process = warm.start(warm.script(text))
    assert process.stdout is not None
    pids = [int(pid) for pid in process.stdout.readline().split()]
    warm.server.terminate()
    warm.server.wait(60)
    process.kill()
    process.wait(60)
    assert left_after_waiting(pids) == []


def test_the_server_forks_from_a_single_thread(warm: Warm) -> None:
    tasks = Path(f"/proc/{warm.server.pid}/task")
    if not tasks.exists():
        pytest.skip("only Linux shows the threads of a process")
    assert len(list(tasks.iterdir())) == 1
