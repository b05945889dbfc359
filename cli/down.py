"""End the rehearsal's cloud and everything that runs in it."""

from cli.app import new_app

app = new_app()


@app.command()
def down() -> None:
    """Stop the cloud that `rehearse --keep` or `cloud up` left running. Its report, logs and state stay.

    `cloud up` goes on with that state; `rehearse` starts afresh.
    """
    from rehearsal.cloud.process import lifecycle
    from rehearsal.environment import Rehearsal

    rehearsal = Rehearsal.here()
    ended = lifecycle.stop(rehearsal, keep=True)
    print(f"the cloud at {rehearsal.endpoint} has ended" if ended else "no cloud of this checkout was up")
