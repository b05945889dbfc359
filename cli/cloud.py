"""The bare gateway: start it, stop it, look at it."""

from cli.app import new_app
from cli.errors import FAILED

app = new_app("The bare gateway with nothing in it: for tests, and for other people's programs.")


@app.command()
def up() -> None:
    """Start the gateway in the background, and say how to talk to it."""
    from rehearsal.cloud import lifecycle
    from rehearsal.environment import Rehearsal

    rehearsal = Rehearsal.here()
    rehearsal.prepare()
    pid = lifecycle.start(rehearsal)
    print(f"the cloud is up at {rehearsal.endpoint} (process {pid})")
    print("run a command in it with ./glidepath exec -- <command>; end it with ./glidepath cloud down")


@app.command()
def down() -> None:
    """Stop the gateway and everything that runs in it."""
    from rehearsal.cloud import lifecycle
    from rehearsal.environment import Rehearsal

    rehearsal = Rehearsal.here()
    ended = lifecycle.stop(rehearsal)
    print(f"the cloud at {rehearsal.endpoint} has ended" if ended else "no cloud of this checkout was up")


@app.command()
def status() -> None:
    """Is the gateway up? Exit code 1 when it is not."""
    import typer

    from rehearsal.cloud import lifecycle
    from rehearsal.environment import Rehearsal

    rehearsal = Rehearsal.here()
    found = lifecycle.status(rehearsal)
    if found is None:
        print(f"no cloud is up at {rehearsal.endpoint}")
        raise typer.Exit(FAILED)
    print(f"{'the' if found.ours else 'another checkout’s'} cloud is up at {rehearsal.endpoint} (process {found.pid})")
