"""`pulumi preview` of the prod stack against that of an empty program, and `./glidepath preview` against it."""

import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bench.measure import Result, alternate
from contracts.errors import UserError
from operate.project import read_project
from rehearsal.cloud.process import lifecycle
from rehearsal.engine import ensure_engine
from rehearsal.environment import Rehearsal
from scenarios.workplace import lay_out

ROUNDS = 3
STACK = "prod"


def measure() -> list[Result]:
    """The ratio without and, where there is one, with the policy pack."""
    with project() as (rehearsal, empty):
        env = rehearsal.environ()
        pack = rehearsal.root / "policies"
        variants: dict[str, list[str]] = {"preview of prod / of an empty program": []}
        if (pack / "PulumiPolicy.yaml").is_file():
            variants["preview of prod with policy pack / of an empty one"] = ["--policy-pack", str(pack)]
        found = [_ratio(name, rehearsal.project, empty, arguments, env) for name, arguments in variants.items()]
        return [*found, *(_report(name, rehearsal, arguments, env) for name, arguments in _REPORTS.items())]


_REPORTS = {
    "glidepath preview of prod / the engine's own": [],
    "glidepath preview with a base / the engine's own": ["--base", "HEAD"],
}


def _report(name: str, rehearsal: Rehearsal, arguments: list[str], env: Mapping[str, str]) -> Result:
    """The report, for which the engine runs with the policy pack (once, or twice side by side), against a bare run."""
    ours, engine = alternate(
        lambda: _glidepath(rehearsal.root, env, *arguments),
        lambda: pulumi(rehearsal.project, env, "preview", "--stack", STACK),
        ROUNDS,
    )
    return Result(name, ours / engine, "x", f"({ours:.1f} s / {engine:.1f} s)", 2.5)


def _glidepath(root: Path, env: Mapping[str, str], *arguments: str) -> None:
    command = [sys.executable, "-m", "cli", "preview", "--stack", STACK, *arguments]
    result = subprocess.run(command, cwd=root, env=env, capture_output=True, text=True)
    if result.returncode not in (0, 2):
        raise UserError(f"`{' '.join(command)}` failed:\n{result.stdout}{result.stderr}")


def _ratio(name: str, root: Path, empty: Path, arguments: list[str], env: Mapping[str, str]) -> Result:
    ours, base = alternate(
        lambda: pulumi(root, env, "preview", "--stack", STACK, *arguments),
        lambda: pulumi(empty, env, "preview", "--stack", STACK),
        ROUNDS,
    )
    aim = 3.0 if arguments else None
    return Result(name, ours / base, "x", f"({ours:.1f} s / {base:.1f} s)", aim)


@contextmanager
def project() -> Iterator[tuple[Rehearsal, Path]]:
    """A cloud with nothing in it, the prod stack not yet brought up, and an empty program beside it."""
    with tempfile.TemporaryDirectory() as scratch:
        rehearsal = Rehearsal(folder=Path(scratch) / "rehearsal", port=_free_port())
        ensure_engine(rehearsal)
        rehearsal.keep_state_here()
        lay_out(rehearsal)
        project = read_project(rehearsal.root)
        profiles = {project.names.stack(stack): account for stack, account in project.names.accounts.items()}
        rehearsal.write_credentials({**profiles, "default": project.names.accounts["delivery"]}, project.names.region)
        empty = Path(scratch) / "empty"
        empty.mkdir()
        (empty / "Pulumi.yaml").write_text("name: empty\nruntime: python\n")
        (empty / "__main__.py").write_text("import pulumi\n")
        lifecycle.start(rehearsal)
        try:
            for folder in (rehearsal.project, empty):
                pulumi(folder, rehearsal.environ(), "stack", "init", STACK, "--no-select")
            yield rehearsal, empty
        finally:
            lifecycle.stop(rehearsal)


def pulumi(folder: Path, env: Mapping[str, str], *arguments: str) -> None:
    """Run it in a folder; raises UserError where it fails."""
    command = ["pulumi", *arguments, "--non-interactive"]
    result = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)
    if result.returncode != 0:
        raise UserError(f"`{' '.join(command)}` failed in {folder}:\n{result.stdout}{result.stderr}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
