"""The project's stacks in a rehearsed cloud, brought up as an administrator would, and deployed to as a build would."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

from contracts.errors import UserError
from operate import engine, stack_files
from operate.processes import signal_session
from scenarios import workplace

# An interrupted engine lets its providers end what they are at, and writes its state.
_GRACE_SECONDS = 10.0


@dataclass(frozen=True)
class Stacks:
    """`root` is the program's folder, `scratch` where logs go, `environ` the rehearsal's environment."""

    root: Path
    scratch: Path
    environ: Mapping[str, str]
    _running: "set[subprocess.Popen[str]]" = field(default_factory=set)
    _interrupted: Event = field(default_factory=Event)

    def interrupt(self) -> None:
        """Ends the engines that other threads wait for, with all they have started; no new one begins."""
        self._interrupted.set()
        children = list(self._running)
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child.pid, signal.SIGINT)
        for child in children:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(_GRACE_SECONDS)
            signal_session(child.pid, signal.SIGKILL)

    def bootstrap(self) -> None:
        """Makes the place of the state, and an empty stack for each environment in it: an administrator's first steps.

        What `./glidepath bootstrap` prints is run as it stands, by a shell.
        """
        done = self._ended("glidepath bootstrap", lambda: self._command("bootstrap", "--json"))
        self._check("bootstrap", done)
        steps = json.loads(done.stdout)
        workplace.name_state(self.project, steps["state"])
        script = "\n".join(["set -e", *steps["commands"]])
        done = self._ended("pulumi stack init", lambda: self._shell(script))
        self._check("init", done)

    def up(self, stack: str, *arguments: str) -> None:
        """Brings the stack to what the program says."""
        self._run(["up", "--stack", stack, "--yes", "--skip-preview", *arguments], f"up-{stack}")

    def deploy(self, stack: str, manifest: str) -> tuple[int, str]:
        """`./glidepath deploy` of a release; its exit code and all it said, also where it fails."""
        done = self._ended("glidepath deploy", lambda: self._command("deploy", "--stack", stack, "--release", manifest))
        self._keep(f"deploy-{stack}", done)
        return done.returncode, done.stdout + done.stderr

    def outputs(self, stack: str) -> dict[str, Any]:
        """The stack's outputs, secrets shown."""
        text = self._run(["stack", "output", "--json", "--show-secrets", "--stack", stack], f"outputs-{stack}")
        outputs: dict[str, Any] = json.loads(text)
        return outputs

    def resources(self, stack: str) -> int:
        """How many resources the stack's state holds, the stack itself and providers aside."""
        state = json.loads(self._run(["stack", "export", "--stack", stack], f"export-{stack}"))
        kinds = (r["type"] for r in (state["deployment"].get("resources") or []))
        return sum(not kind.startswith("pulumi:") for kind in kinds)

    def _run(self, arguments: list[str], log: str) -> str:
        done = self._ended("pulumi", lambda: self._engine(arguments))
        self._check(log, done)
        return done.stdout

    def _check(self, log: str, done: "subprocess.CompletedProcess[str]") -> None:
        path = self._keep(log, done)
        if done.returncode:
            said = engine.diagnostics(done.stdout + done.stderr).removeprefix("Diagnostics:\n")
            raise UserError(f"{log} failed:\n{engine.tail(said)}", f"the whole log is {path}")

    def _keep(self, log: str, done: "subprocess.CompletedProcess[str]") -> Path:
        path = self.scratch / "logs" / f"{log}.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(done.stdout + done.stderr, encoding="utf-8")
        return path

    # A session of its own for each: a terminal's Ctrl-C reaches this process alone, which ends the child in its turn.

    def _engine(self, arguments: list[str]) -> "subprocess.Popen[str]":
        pipe = subprocess.PIPE
        return engine.start(arguments, self.project, self.environ, stdout=pipe, stderr=pipe, session=True)

    def _shell(self, script: str) -> "subprocess.Popen[str]":
        return self._start(["/bin/sh", "-c", script], self.project)

    @property
    def project(self) -> Path:
        """Where the stack files are that the engine may write to."""
        return Path(self.environ.get(stack_files.VARIABLE, self.root))

    def _command(self, *arguments: str) -> "subprocess.Popen[str]":
        return self._start([sys.executable, "-m", "cli", *arguments], self.root)

    def _start(self, command: list[str], folder: Path) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            command,
            cwd=folder,
            env=dict(self.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def _ended(self, what: str, start: "Callable[[], subprocess.Popen[str]]") -> "subprocess.CompletedProcess[str]":
        """What a child said until its end. Raises UserError where no child may start any more."""
        if self._interrupted.is_set():
            raise UserError(f"{what} was not started: the rehearsal is being ended")
        child = start()
        self._running.add(child)
        try:
            stdout, stderr = child.communicate()
        except KeyboardInterrupt:
            self.interrupt()
            raise
        finally:
            self._running.discard(child)
        return subprocess.CompletedProcess(child.args, child.returncode, stdout, stderr)
