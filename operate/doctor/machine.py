"""This machine: Python, the engine, and the provider's version that the program is pinned to."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from contracts.errors import UserError
from operate import engine
from operate.doctor.finding import FINE, NOTE, PROBLEM, Finding, Unread, attempt

PYTHON = (3, 11)
"""The oldest that the program runs on (pyproject.toml)."""
_CHECK, _WHERE = "versions", "this machine"
_INSTALL = "install it (https://www.pulumi.com/docs/install/), or have it built: make setup"


@dataclass(frozen=True)
class Machine:
    """What was found: versions, and the versions of the AWS provider that are installed already."""

    python: tuple[int, ...]
    sdk: str
    provider: str
    engine: str | Unread
    plugins: Sequence[str] | Unread


def look(root: Path) -> Machine:
    """Asks Python and the engine."""
    found = attempt(lambda: _said(["version"], root))
    plugins = attempt(lambda: _plugins(_said(["plugin", "ls", "--json"], root)))
    return Machine(sys.version_info[:3], version("pulumi"), version("pulumi-aws"), found, plugins)


def _said(arguments: list[str], root: Path) -> str:
    done = engine.run(arguments, root)
    if done.returncode:
        raise UserError(f"pulumi {arguments[0]} failed: {engine.sentence(done.stderr) or engine.tail(done.stderr)}")
    return done.stdout.strip()


def _plugins(text: str) -> list[str]:
    return [item["version"] for item in json.loads(text) if item["name"] == "aws" and item["kind"] == "resource"]


def check(machine: Machine) -> list[Finding]:
    """Whether the program can run here."""
    return [_python(machine), _engine(machine), _provider(machine)]


def _python(machine: Machine) -> Finding:
    text = ".".join(map(str, machine.python))
    if machine.python >= PYTHON:
        return Finding(_CHECK, _WHERE, FINE, f"Python {text}")
    oldest = ".".join(map(str, PYTHON))
    fix = f"install Python {oldest} or later, remove .venv, and call ./glidepath again"
    return Finding(_CHECK, _WHERE, PROBLEM, f"Python {text} is too old", f"the program needs {oldest} or later", fix)


def _engine(machine: Machine) -> Finding:
    if isinstance(machine.engine, Unread):
        return Finding(_CHECK, _WHERE, PROBLEM, "there is no pulumi to run", machine.engine.reason, _INSTALL)
    found = machine.engine.removeprefix("v")
    if _numbers(found)[:1] != _numbers(machine.sdk)[:1] or _numbers(found) < _numbers(machine.sdk):
        why = f"the program is written for its SDK {machine.sdk}; an older engine may not know what it asks for"
        return Finding(_CHECK, _WHERE, PROBLEM, f"pulumi {found} is not of the SDK's version or later", why, _INSTALL)
    return Finding(_CHECK, _WHERE, FINE, f"pulumi {found}, SDK {machine.sdk}")


def _provider(machine: Machine) -> Finding:
    if isinstance(machine.plugins, Unread):
        return machine.plugins.finding(_CHECK, _WHERE, "the AWS provider")
    if machine.provider in machine.plugins:
        return Finding(_CHECK, _WHERE, FINE, f"pulumi-aws {machine.provider}")
    why = "the engine fetches the version that constraints.txt pins when it first needs it"
    fix = f"fetch it now: pulumi plugin install resource aws {machine.provider}"
    return Finding(_CHECK, _WHERE, NOTE, f"the provider pulumi-aws {machine.provider} is not installed yet", why, fix)


def _numbers(text: str) -> tuple[int, ...]:
    """`3.272.0-dev.1+abc` → (3, 272, 0)."""
    parts = text.partition("-")[0].partition("+")[0].split(".")
    return tuple(int(part) for part in parts if part.isdigit())
