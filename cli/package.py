"""Package the workflow's code under its commit (used by the Build stage)."""

from pathlib import Path
from typing import Annotated

import typer

from cli.app import new_app
from cli.place import s3

app = new_app()


@app.command()
def package(
    bucket: Annotated[str, typer.Option(help="Bucket of the artifacts.")],
    commit: Annotated[str, typer.Option(help="Commit (or object version) that the code is packaged under.")],
    variables: Annotated[Path, typer.Option(help="File that is written for the shell: CODE, the code's address.")],
) -> None:
    """Upload features.sql, evaluate.py and the analyzer to s3://BUCKET/code/COMMIT/ and write that address as CODE."""
    from contracts.s3 import S3Location
    from operate import evidence

    folder = S3Location(bucket, f"code/{commit}")
    evidence.package(s3(), folder)
    evidence.write_variables(variables, {"CODE": str(folder)})
    print(f"packaged {', '.join(Path(name).name for name in evidence.CODE)} as {folder}")
