"""The command line: finds the commands, runs one, prints errors, sets the exit code.

A command is a module of this package that assigns `app = new_app()` (cli/app.py). The module's name is the command's
name (underscores become hyphens), the first line of its docstring the line in `--help`. An app with one command is
that command; one with several, or with a callback, is a group. Modules are imported only when their command is
called, so whatever a command imports costs the others nothing.
"""

import ast
import difflib
import importlib
import os
import sys
from pathlib import Path

from cli.errors import FAILED, INTERRUPTED, USAGE, UserError, fix_of, for_a_person

_FOLDER = Path(__file__).resolve().parent
_HELP = ("-h", "--help")
_REMOTE = ("botocore", "urllib3")
"""Packages whose errors are what a cloud or the network answered, or what is wrong with a profile."""


def commands(folder: Path = _FOLDER) -> dict[str, str]:
    """Command name → the line that explains it, read without importing any of them."""
    found = {}
    for file in sorted(folder.glob("*.py")):
        module = ast.parse(file.read_text(encoding="utf-8"))
        if any(_assigns_app(statement) for statement in module.body):
            found[file.stem.replace("_", "-")] = (ast.get_docstring(module) or "").partition("\n")[0]
    return found


def main(arguments: list[str]) -> int:
    """Run a command line; returns the exit code (cli/errors.py lists them)."""
    try:
        return _dispatch(arguments)
    except KeyboardInterrupt:
        print("glidepath: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader (`| head`) has gone: nothing left to say, and Python's own flush at exit must not complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as error:
        known = for_a_person(error)
        if known:
            print(f"glidepath: {known}", file=sys.stderr)
            return known.code
        if type(error).__module__.partition(".")[0] not in _REMOTE:
            raise
        print(f"glidepath: {UserError(str(error), fix_of(error))}", file=sys.stderr)
        return FAILED


def overview(known: dict[str, str]) -> str:
    """The text of `./glidepath --help`."""
    width = max(map(len, known), default=0)
    lines = [f"  {name:<{width}}  {line}" for name, line in known.items()]
    return "\n".join(
        [
            "Usage: glidepath COMMAND [ARGUMENTS]…",
            "",
            "A safe road to production for a SageMaker model, and its rehearsal on this machine.",
            "",
            "Commands:",
            *lines,
            "",
            "`glidepath COMMAND --help` explains a command.",
        ]
    )


def _dispatch(arguments: list[str]) -> int:
    known = commands()
    if not arguments or arguments[0] in _HELP:
        print(overview(known), file=sys.stdout if arguments else sys.stderr)
        return 0 if arguments else USAGE
    name, rest = arguments[0], arguments[1:]
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"Did you mean {close[0]!r}?" if close else "`./glidepath --help` lists them."
        raise UserError(f"there is no command {name!r}", hint, USAGE)
    return _run(name, rest)


def _run(name: str, arguments: list[str]) -> int:
    from typer.main import get_command

    module = importlib.import_module(f"cli.{name.replace('-', '_')}")
    try:
        get_command(module.app)(args=arguments, prog_name=f"glidepath {name}")
    except SystemExit as end:
        if end.code == INTERRUPTED:  # typer has turned the interrupt into an exit
            raise KeyboardInterrupt from None
        return end.code if isinstance(end.code, int) else 0 if end.code is None else FAILED
    return 0


def _assigns_app(statement: ast.stmt) -> bool:
    if not isinstance(statement, ast.Assign):
        return False
    return any(isinstance(target, ast.Name) and target.id == "app" for target in statement.targets)
