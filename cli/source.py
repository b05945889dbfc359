"""Print the hash of a commit's files, as the mail that asks for an approval names it."""

from typing import Annotated

import typer

from cli.app import new_app

app = new_app()


@app.command()
def source(
    reference: Annotated[str, typer.Argument(help="A commit, branch or tag of this checkout.")] = "HEAD",
) -> None:
    """What an approval binds is the source that was planned: compare this with the hash in its mail.

    The hash is over names, contents and links of the commit's files, and so the same for whatever carried them into
    the build. Files of this checkout that are not committed do not count.
    """
    from cli.place import ROOT
    from operate.sources import of_commit

    print(of_commit(ROOT, reference))
