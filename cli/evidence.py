"""Keep what a commit would do to the environments next to its packaged code (used by the Build stage)."""

from pathlib import Path
from typing import Annotated

import typer

from cli.app import new_app
from cli.place import s3

app = new_app()


@app.command()
def evidence(
    stack: Annotated[list[str], typer.Option(help="Environment; may be given several times.")],
    bucket: Annotated[str, typer.Option(help="Bucket of the artifacts.")],
    commit: Annotated[str, typer.Option(help="Commit (or object version) that the code is packaged under.")],
    variables: Annotated[Path | None, typer.Option(help="File that is written for the shell with the outcome.")] = None,
) -> None:
    """Preview the environments with the policy pack and store each as Markdown and JSON under previews/COMMIT/.

    Changes nothing in the environments. Prints PREVIEW, a short summary of the last one. Ends with 3 where a policy
    refuses the commit, and shows what it found.
    """
    from contracts.s3 import S3Location
    from operate.evidence import keep, refuse_violations, reports_of, write_variables
    from preview import summary

    reports = reports_of(stack)
    keep(s3(), reports, S3Location(bucket, f"previews/{commit}"))
    for found in reports:
        refuse_violations(found)
    outcome = {"PREVIEW": " ".join(summary(reports[-1]).split())}
    print(f"PREVIEW={outcome['PREVIEW']}")
    if variables:
        write_variables(variables, outcome)
