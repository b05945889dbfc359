"""The bare gateway: start it, stop it, restart it, look at it."""

from typing import Annotated

import typer

from cli.app import new_app
from cli.errors import FAILED

app = new_app("The bare gateway with nothing in it: for tests, and for other people's programs.")


@app.command()
def up(
    fresh: Annotated[bool, typer.Option("--fresh", help="Begin with nothing, whatever was kept.")] = False,
) -> None:
    """Start the gateway in the background, as it was when it was stopped, and say how to talk to it."""
    from rehearsal.cloud.process import lifecycle
    from rehearsal.environment import Rehearsal

    rehearsal = Rehearsal.here()
    rehearsal.prepare()
    rehearsal.keep_state_here()
    pid = lifecycle.start(rehearsal, fresh)
    print(f"the cloud is up at {rehearsal.endpoint} (process {pid})")
    print("run a command in it with ./glidepath exec -- <command>; end it with ./glidepath cloud down")


@app.command()
def down() -> None:
    """Stop the gateway and everything that runs in it; what it holds is kept for the next `up`."""
    from rehearsal.cloud.process import lifecycle
    from rehearsal.environment import Rehearsal

    rehearsal = Rehearsal.here()
    ended = lifecycle.stop(rehearsal, keep=True)
    print(f"the cloud at {rehearsal.endpoint} has ended" if ended else "no cloud of this checkout was up")


@app.command()
def restart() -> None:
    """Stop the gateway and start it again with all it holds; what was executing in it has failed."""
    from rehearsal.cloud.process import lifecycle
    from rehearsal.environment import Rehearsal

    rehearsal = Rehearsal.here()
    pid = lifecycle.restart(rehearsal)
    print(f"the cloud at {rehearsal.endpoint} is up again (process {pid})")


@app.command()
def status() -> None:
    """Is the gateway up? Exit code 1 when it is not."""
    from rehearsal.cloud.process import lifecycle
    from rehearsal.environment import Rehearsal

    rehearsal = Rehearsal.here()
    found = lifecycle.status(rehearsal)
    if found is None:
        print(f"no cloud is up at {rehearsal.endpoint}")
        raise typer.Exit(FAILED)
    print(f"{'the' if found.ours else 'another checkout’s'} cloud is up at {rehearsal.endpoint} (process {found.pid})")
