"""Run any command inside the rehearsal's environment.

Engine, plugin home, state, endpoint and credentials are the rehearsal's, so `pulumi`, `aws` or a program of your own
talk to it and to nothing else.
"""

import os
import shutil
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from cli.app import new_app
from cli.errors import NOT_EXECUTABLE, NOT_FOUND, UserError
from rehearsal.environment import Rehearsal

app = new_app()


@app.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
def run(
    command: Annotated[list[str], typer.Argument(metavar="[--] COMMAND [ARGUMENTS]…", help="What to run, and how.")],
) -> None:
    """Run any command inside the rehearsal's environment (engine, plugins, state, endpoint, credentials).

    For example: ./glidepath exec -- pulumi stack export -s prod

    Ends with the command's own exit code; 127 where it is not found, 126 where it cannot be run.
    """
    from rehearsal.cloud.process import lifecycle
    from rehearsal.engine import ensure_engine
    from scenarios import workplace

    rehearsal = Rehearsal.here()
    ensure_engine(rehearsal)
    missing = lifecycle.died(rehearsal)
    if missing:
        # Not every command needs it; one that does fails with a refused connection, which explains nothing.
        print(f"glidepath: {missing}\n  start it again with ./glidepath cloud up", file=sys.stderr)
    if _writes(command, rehearsal.root):
        os.chdir(workplace.lay_out(rehearsal))
    replace_process(command, rehearsal.environ())


def _writes(command: list[str], checkout: Path) -> bool:
    """Is it an engine on the checkout's program, which would write how secrets are encrypted to the stack files?

    What a person sets with `pulumi config` belongs into them.
    """
    words = [word for word in command[1:] if not word.startswith("-")]
    if Path(command[0]).name != "pulumi" or words[:1] == ["config"]:
        return False
    here = Path.cwd()
    return next((f for f in (here, *here.parents) if (f / "Pulumi.yaml").is_file()), None) == checkout


def replace_process(command: list[str], env: dict[str, str]) -> NoReturn:
    """Become the command: signals, terminal and exit code are its own. Raises UserError where it cannot start."""
    program = shutil.which(command[0], path=env["PATH"])
    if program is None:
        raise _cannot_start(command[0])
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        os.execve(program, command, env)  # noqa: S606  no shell is the point
    except OSError as error:
        raise UserError(f"{command[0]}: cannot be run: {error.strerror}", code=NOT_EXECUTABLE) from error


def _cannot_start(name: str) -> UserError:
    if os.path.isdir(name):
        return UserError(f"{name}: is a folder, not a command", code=NOT_EXECUTABLE)
    if os.path.isfile(name) and os.sep in name:
        return UserError(f"{name}: is not executable", f"chmod +x {name}", NOT_EXECUTABLE)
    return UserError(f"{name}: command not found", "It must be on PATH or given with its path.", NOT_FOUND)
