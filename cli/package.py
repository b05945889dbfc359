"""Package the workflow's code under its commit (used by the Build stage)."""

from pathlib import Path
from typing import Annotated

import typer

from cli.app import new_app
from cli.errors import UserError

app = new_app()

FILES = ("functions/jobs/features/features.sql", "functions/jobs/evaluate/evaluate.py")
"""What the workflow's jobs fetch by the commit."""
_ROOT = Path(__file__).resolve().parent.parent


@app.command()
def package(
    bucket: Annotated[str, typer.Option(help="Bucket of the artifacts.")],
    commit: Annotated[str, typer.Option(help="Commit (or object version) that the code is packaged under.")],
    variables: Annotated[Path, typer.Option(help="File that is written for the shell: CODE, the code's address.")],
) -> None:
    """Upload features.sql and evaluate.py to s3://BUCKET/code/COMMIT/ and write that address as CODE."""
    prefix = f"code/{commit}"
    _upload(bucket, prefix)
    write_variables(variables, {"CODE": f"s3://{bucket}/{prefix}"})
    print(f"packaged {', '.join(Path(name).name for name in FILES)} as s3://{bucket}/{prefix}")


def write_variables(path: Path, values: dict[str, str]) -> None:
    """A file of `export NAME=value` lines that a shell reads with `source`."""
    import shlex

    lines = [f"export {name}={shlex.quote(value)}" for name, value in values.items()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _upload(bucket: str, prefix: str) -> None:
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    s3 = boto3.client("s3")
    for name in FILES:
        path = _ROOT / name
        if not path.is_file():
            raise UserError(f"{name} is missing from the sources", "commit it: the training workflow needs it")
        key = f"{prefix}/{path.name}"
        try:
            s3.put_object(Bucket=bucket, Key=key, Body=path.read_bytes(), ContentType="text/plain")
        except (ClientError, BotoCoreError) as error:
            raise UserError(f"s3://{bucket}/{key} cannot be written: {error}") from error
