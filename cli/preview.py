"""Show what a change would do to a stack: what is at risk, rights, policies, cost."""

import sys
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cli.app import new_app
from cli.errors import UserError

app = new_app()


class Format(StrEnum):
    """How the report is written."""

    markdown = "markdown"
    json = "json"
    text = "text"


@app.command()
def preview(
    stack: Annotated[str, typer.Option(help="Which stack, like prod.")],
    base: Annotated[str, typer.Option(help="Git reference to compare with; default: what is there now.")] = "",
    format: Annotated[Format, typer.Option(help="How to write it.")] = Format.text,
    out: Annotated[Path | None, typer.Option(help="File to write it to; default: standard output.")] = None,
    release: Annotated[str, typer.Option(help="s3:// address of a release manifest; default: the present one.")] = "",
    destroy: Annotated[bool, typer.Option("--destroy", help="Preview of a destroy.")] = False,
    refresh: Annotated[bool, typer.Option("--refresh", help="Compare with what AWS has, for drift.")] = False,
    aws: Annotated[bool, typer.Option("--aws", help="Act on your own accounts instead of the rehearsal.")] = False,
) -> None:
    """Run the engine's preview with the policy pack, and write what a reviewer needs, most dangerous first.

    Changes nothing. Ends with 0 where nothing changes, 2 where something does, 3 where a policy refuses it, 1 on an
    error.
    """
    from cli.place import ROOT, enter

    enter(aws)
    from operate.power import looking
    from operate.previews import Asked, both, policy_pack, steps
    from preview import as_json, markdown, report, text

    asked = Asked(ROOT, stack, release, destroy, refresh, policy_pack(ROOT))
    with looking(ROOT, stack) as ahead, tempfile.TemporaryDirectory(prefix="base-") as folder:
        head, other = both(asked, base, Path(folder)) if base else (steps(asked), None)
        foreseen = ahead.result()
    found = report(head, other, base, destroy, foreseen.text if foreseen else "")
    write = {Format.markdown: markdown, Format.json: as_json, Format.text: text}[format]
    _write(write(found), out)
    raise typer.Exit(found.exit_code)


def _write(content: str, out: Path | None) -> None:
    if out is None:
        sys.stdout.write(content)
        return
    try:
        out.write_text(content, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{out} cannot be written: {error.strerror}", "name another file with --out") from None
