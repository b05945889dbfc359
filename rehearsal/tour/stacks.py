"""Runs the real engine on the project's stacks, as an administrator would."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rehearsal.errors import UserError


@dataclass(frozen=True)
class Stacks:
    """`root` is the program's folder, `scratch` where logs go, `environ` the rehearsal's environment."""

    root: Path
    scratch: Path
    environ: Mapping[str, str]

    def create(self, stack: str) -> None:
        """Makes an empty stack."""
        self._run(["stack", "init", stack, "--no-select"], f"init-{stack}")

    def up(self, stack: str, *arguments: str) -> None:
        """Brings the stack to what the program says."""
        self._run(["up", "--stack", stack, "--yes", "--skip-preview", *arguments], f"up-{stack}")

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
        done = subprocess.run(
            ["pulumi", "--non-interactive", "--color", "never", *arguments],
            cwd=self.root,
            env=dict(self.environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        path = self.scratch / "logs" / f"{log}.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(done.stdout + done.stderr, encoding="utf-8")
        if done.returncode:
            raise UserError(f"pulumi {arguments[0]} failed:\n{_reason(done.stdout + done.stderr)}", f"the whole log is {path}")
        return done.stdout


def _reason(output: str) -> str:
    """The engine's diagnostics, without the list of resources above them."""
    _, found, diagnostics = output.partition("Diagnostics:\n")
    lines = (diagnostics if found else output).strip().splitlines()
    return "\n".join(lines[-40:])
