"""`python -m rehearsal up|down|status|exec`: the stand-in by itself, for any program.

Exit codes: 0 done, 1 refused or not up, 2 wrong usage; `exec` ends with the command's own, 126 or 127 as a shell would.
"""

import argparse
import os
import shutil
import sys
from collections.abc import Sequence

from rehearsal.environment import DEFAULT_REGION, Rehearsal
from rehearsal.errors import UserError

NOT_EXECUTABLE = 126
NOT_FOUND = 127


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code. Mistakes are printed as one line with their fix, never as a traceback."""
    options = _parser().parse_args(argv)
    try:
        return int(options.run(options))
    except UserError as error:
        print(f"rehearsal: {error}", file=sys.stderr)
        return error.code
    except OSError as error:
        print(f"rehearsal: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="rehearsal",
        description="An AWS stand-in on 127.0.0.1 that executes what it accepts.",
        epilog="GLIDEPATH_FOLDER, GLIDEPATH_PORT and GLIDEPATH_SECONDS_PER_MINUTE set its place and pace.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    up = commands.add_parser("up", help="start it in the background, with the state of the last time")
    up.add_argument("--fresh", action="store_true", help="begin with nothing, whatever was kept")
    up.add_argument("--region", default=DEFAULT_REGION, help="region of the profiles (default: %(default)s)")
    up.add_argument(
        "--account",
        action="append",
        default=[],
        metavar="PROFILE=ID",
        help="write a profile for an account (repeatable)",
    )
    up.set_defaults(run=_up)
    commands.add_parser("down", help="stop it; what it holds is kept").set_defaults(run=_down)
    commands.add_parser("status", help="is it up? exit code 1 when it is not").set_defaults(run=_status)
    header = commands.add_parser("header", help="print what a request to /_rehearsal/… must have: curl -H")
    header.set_defaults(run=_header)
    execute = commands.add_parser("exec", help="run a command in its environment: exec [--] COMMAND [ARGUMENTS]")
    execute.add_argument("command", nargs=argparse.REMAINDER, help="what to run, and how")
    execute.set_defaults(run=_exec)
    return parser


# Imports inside the commands: `--help` and `exec` must not wait for what only the others need.


def _up(options: argparse.Namespace) -> int:
    from rehearsal.cloud.process import lifecycle

    here = Rehearsal.here()
    accounts = dict(_account(text) for text in options.account)
    here.prepare()
    here.keep_state_here()
    if accounts or options.region != DEFAULT_REGION:
        here.write_credentials(accounts, options.region)
    pid = lifecycle.start(here, options.fresh)
    print(f"the cloud is up at {here.endpoint} (process {pid})")
    return 0


def _down(options: argparse.Namespace) -> int:
    from rehearsal.cloud.process import lifecycle

    here = Rehearsal.here()
    ended = lifecycle.stop(here, keep=True)
    print(f"the cloud at {here.endpoint} has ended" if ended else f"no cloud was up at {here.endpoint}")
    return 0


def _status(options: argparse.Namespace) -> int:
    from rehearsal.cloud.process import lifecycle

    here = Rehearsal.here()
    missing = lifecycle.absence(here)
    print(missing or f"the cloud is up at {here.endpoint}")
    return 1 if missing else 0


def _header(options: argparse.Namespace) -> int:
    print(*(f"{name}: {value}" for name, value in Rehearsal.here().headers().items()))
    return 0


def _exec(options: argparse.Namespace) -> int:
    from rehearsal.cloud.process import lifecycle

    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    if not command:
        raise UserError("exec: no command given", "For example: rehearsal exec -- aws s3 ls", 2)
    here = Rehearsal.here()
    missing = lifecycle.absence(here)
    if missing:
        raise UserError(missing, "Start it: python -m rehearsal up")
    if os.path.basename(command[0]) == "pulumi":
        # Others need no engine, and getting one may take minutes.
        from rehearsal.engine import ensure_engine

        ensure_engine(here)
    env = here.environ()
    program = shutil.which(command[0], path=env["PATH"])
    if program is None:
        raise UserError(f"{command[0]}: command not found", "It must be on PATH or given with its path.", NOT_FOUND)
    sys.stdout.flush()
    try:
        os.execve(program, command, env)  # noqa: S606  no shell is the point
    except OSError as error:
        raise UserError(f"{command[0]}: cannot be run: {error.strerror}", code=NOT_EXECUTABLE) from error


def _account(text: str) -> tuple[str, str]:
    profile, equals, account = text.partition("=")
    if not (profile and equals):
        raise UserError(f"--account {text!r} is not PROFILE=ID", "For example: --account dev=222222222222", 2)
    return profile, account


if __name__ == "__main__":
    sys.exit(main())
