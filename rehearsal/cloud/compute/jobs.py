"""What training and processing share: a workspace, the role's clients, a child process with its log, and its limits."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rehearsal.cloud.core.api import Cloud, Credentials, LogLines, Place

_SAGEMAKER = "sagemaker.amazonaws.com"
_REAL_TIME_FLOOR = 60.0


class JobFailed(Exception):  # noqa: N818  an outcome
    """Ends a job as Failed; the message is its FailureReason."""


class JobStopped(Exception):  # noqa: N818  an outcome
    """Ends a job as Stopped."""


class JobTimedOut(Exception):  # noqa: N818  an outcome
    """The job ran longer than its StoppingCondition allows."""

    secondary = "MaxRuntimeExceeded"


class JobInterrupted(Exception):  # noqa: N818  an outcome
    """Somebody else got the machine; what ran on it is gone."""


def limit(cloud: Cloud, aws_seconds: float) -> float:
    """How many real seconds a computation may take that AWS would give `aws_seconds`.

    Computing does not get faster with the scaled clock: up to a minute is granted as it stands, beyond that the
    scaled time counts if it is more.
    """
    return max(cloud.clock.scaled(aws_seconds), min(aws_seconds, _REAL_TIME_FLOOR))


@dataclass
class Job:
    """One run of one job.

    role, account, region: whose credentials every call of the job carries.
    root: the folder that plays /opt/ml; removed at the end.
    stream: CloudWatch log group and stream.
    principal, source_arn: the service that assumes the role, and for which resource; by default SageMaker for the job.
    """

    cloud: Cloud
    account: str
    region: str
    name: str
    role: str
    kind: str
    stream: tuple[str, str]
    principal: str = _SAGEMAKER
    source_arn: str | None = None
    root: Path = field(init=False)
    stopping: threading.Event = field(default_factory=threading.Event)
    interrupting: threading.Event = field(default_factory=threading.Event)
    _process: subprocess.Popen[str] | None = None

    def __post_init__(self) -> None:
        self.cloud.root.mkdir(parents=True, exist_ok=True)
        self.root = self._folder()
        arn = self.source_arn or f"arn:aws:sagemaker:{self.region}:{self.account}:{self.kind}/{self.name.lower()}"
        session = "SageMaker" if self.principal == _SAGEMAKER else self.name
        self.credentials: Credentials = self.cloud.assume_for_service(
            self.role, self.principal, session, source_arn=arn
        )

    def _folder(self) -> Path:
        return Path(tempfile.mkdtemp(prefix=f"{self.kind}-", dir=self.cloud.root))

    def renew(self) -> None:
        """A machine that nothing ran on."""
        self.clean()
        self.root = self._folder()
        self.interrupting.clear()

    def client(self, service: str) -> Any:
        return self.cloud.client(service, self.account, self.region, self.credentials)

    def log(self, line: str) -> None:
        self.cloud.log(Place(self.account, self.region), LogLines(*self.stream, [line]))

    def environment(self, more: Mapping[str, str], *, credentials: bool) -> dict[str, str]:
        """A container's environment: nothing of ours but the interpreter, the region and, if asked, the role's keys."""
        from rehearsal.environment import Rehearsal

        env = {
            "PATH": Rehearsal(port=self.cloud.port).tools(os.environ)["PATH"],
            "HOME": str(self.root),
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            **more,
        }
        if not credentials:
            return env
        return env | self.credentials.environment() | {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.cloud.port}", "AWS_EC2_METADATA_DISABLED": "true",
        }  # fmt: skip

    def run(self, argv: Sequence[str], env: Mapping[str, str], seconds: float, on_line: Callable[[str], None]) -> int:
        """Run the container's process to its end; its output goes to the log. Returns the exit code.

        Raises JobStopped, JobInterrupted and JobTimedOut.
        """
        self.check_stopped()
        process: subprocess.Popen[str] = self.cloud.run_process(
            argv, env, cwd=self.root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            text=True, errors="replace",
        )  # fmt: skip
        self._process = process
        timed_out = threading.Event()

        def expire() -> None:
            timed_out.set()
            _kill(process)

        timer = threading.Timer(seconds, expire)
        timer.daemon = True
        timer.start()
        if self.stopping.is_set() or self.interrupting.is_set():
            _kill(process)
        try:
            assert process.stdout is not None
            for line in process.stdout:
                self.log(line.rstrip("\n"))
                on_line(line)
            code = process.wait()
        finally:
            timer.cancel()
            self._process = None
        self.check_stopped()
        if timed_out.is_set():
            raise JobTimedOut
        return code

    def check_stopped(self) -> None:
        if self.stopping.is_set():
            raise JobStopped
        if self.interrupting.is_set():
            raise JobInterrupted

    def stop(self) -> None:
        self._end(self.stopping)

    def interrupt(self) -> None:
        self._end(self.interrupting)

    def _end(self, why: threading.Event) -> None:
        why.set()
        process = self._process
        if process is not None:
            _kill(process)

    def clean(self) -> None:
        shutil.rmtree(self.root, ignore_errors=True)


def _kill(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
