"""What the repository's CI runs: log in without keys, preview a request, look for drift, hand over code."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.app import new_app
from cli.errors import FAILED, UserError
from cli.place import ROOT
from contracts.names import DELIVERY
from operate.ci.login import ROLES
from operate.evidence import VIOLATIONS

if TYPE_CHECKING:
    from operate.project import Project

app = new_app("What the repository's CI runs: log in without keys, preview a request, look for drift, hand over code.")

_MADE = "# Written by `glidepath ci login`.\n"
CHANGES = 2
"""Exit code of `preview` where something changes."""


@app.command()
def login(role: Annotated[str, typer.Option(help=f"What for: {', '.join(ROLES)}.")]) -> None:
    """Exchange the run's identity token for AWS profiles, in the file that AWS_CONFIG_FILE names.

    No key is stored anywhere: the token is valid for minutes, the sessions made with it for an hour.
    """
    from operate.ci import host as hosts
    from operate.ci import login as logins

    if role not in ROLES:
        raise UserError(f"{role!r} is no role of CI", f"choose one of: {', '.join(ROLES)}")
    project = _project()
    host = hosts.find(os.environ)
    wanted = project.config.get("glidepath:ci") or {}
    if wanted.get("provider") != host.kind:
        raise UserError(
            f"Pulumi.delivery.yaml names {wanted.get('provider') or 'no CI'} in glidepath:ci, and this is {host.kind}",
            f"set glidepath:ci: {{provider: {host.kind}, repository: …}} in every stack's config, and bring them up",
        )
    config = _config_file()
    text = logins.write(config.parent, project.names, role, host)
    config.write_text(_MADE + text, encoding="utf-8")
    print(f"profiles for {role} are in {config}")


@app.command()
def preview(
    stack: Annotated[str, typer.Option(help="Which stack, like prod.")],
    base: Annotated[str, typer.Option(help="Git reference that the request is compared with.")],
) -> None:
    """Preview a pull (or merge) request's change of a stack, as one comment that is updated in place.

    Ends with 0, with 3 where a policy refuses the change, and with 1 on an error.
    """
    from operate.ci import comment
    from operate.ci import host as hosts

    host = hosts.find(os.environ)
    code, text = _report(stack, "--base", base)
    _summarise(text)
    print(f"comment of {stack}: {comment.put(host, f'preview-{stack}', text)}")
    if code == VIOLATIONS:
        raise UserError(f"a policy refuses this change of {stack}", "the findings are in the comment", VIOLATIONS)


@app.command()
def drift(stack: Annotated[str, typer.Option(help="Which stack, like prod.")]) -> None:
    """Compare what AWS has with the program; ends with 1 where they differ, and shows how."""
    code, text = _report(stack, "--refresh")
    _summarise(text)
    print(text)
    if code:
        raise UserError(f"{stack} has drifted", "bring it up again, or put into the program what was changed by hand")


@app.command()
def deliver() -> None:
    """Hand the checked-out commit to the delivery pipeline where its source is S3; others come by themselves."""
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    project = _project()
    source = project.config.get("glidepath:source") or {}
    if source.get("kind", "s3") != "s3":
        print(f"the pipeline takes its source from {source['kind']}, which starts it: nothing to hand over")
        return
    key = source.get("key", "source/source.zip")
    session = boto3.Session(profile_name=project.names.stack(DELIVERY), region_name=project.names.region)
    s3: Any = session.client("s3")
    try:
        answer = s3.put_object(Bucket=project.names.data_bucket, Key=key, Body=_archive())
    except (BotoCoreError, ClientError) as error:
        raise UserError(f"s3://{project.names.data_bucket}/{key} cannot be written: {error}") from error
    print(f"handed over as s3://{project.names.data_bucket}/{key}, version {answer['VersionId']}: the pipeline starts")


def _project() -> "Project":
    from operate.project import read_project

    return read_project(ROOT)


def _config_file() -> Path:
    """Where the profiles go. A person's own file is never touched."""
    named = os.environ.get("AWS_CONFIG_FILE", "")
    if not named:
        raise UserError("AWS_CONFIG_FILE is not set", "set it for the job, to a file that does not exist yet")
    path = Path(named).absolute()
    if path.exists() and not path.read_text(encoding="utf-8").startswith(_MADE):
        raise UserError(f"{path} exists and was not made by `ci login`", "let AWS_CONFIG_FILE name another file")
    return path


def _report(stack: str, *arguments: str) -> tuple[int, str]:
    """Exit code and markdown of `glidepath preview`. Raises UserError where it fails; its own message stands above."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "preview.md"
        command = ["preview", "--aws", "--stack", stack, "--format", "markdown", "--out", str(out), *arguments]
        done = subprocess.run(
            [sys.executable, "-m", "cli", *command], cwd=ROOT, env=_engine_environment(), stdin=subprocess.DEVNULL
        )
        if done.returncode not in (0, CHANGES, VIOLATIONS):
            raise UserError(f"the preview of {stack} failed", "the reason stands above", FAILED)
        return done.returncode, out.read_text(encoding="utf-8")


def _engine_environment() -> dict[str, str]:
    """Ours, with what unlocks the state. Raises UserError where nobody has said where the state is."""
    environ = dict(os.environ)
    if not environ.get("PULUMI_BACKEND_URL"):
        raise UserError("PULUMI_BACKEND_URL is not set", "set it as a variable of the repository: docs/ci.md")
    # The address names no profile, since a build of the pipeline has none: the engine reads the state by this one.
    environ.setdefault("AWS_PROFILE", _project().names.stack(DELIVERY))
    return environ | _secret(environ)


def _secret(environ: dict[str, str]) -> dict[str, str]:
    """The variable that unlocks the state, for the engine's process alone: no later step of the job sees it."""
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    project = _project()
    state = project.config.get("glidepath:state") or {}
    name = state.get("previewSecretName") or state.get("secretName")
    variable = state.get("secretVariable", "PULUMI_CONFIG_PASSPHRASE")
    if not name or environ.get(variable):
        return {}
    session = boto3.Session(profile_name=project.names.stack(DELIVERY), region_name=project.names.region)
    client: Any = session.client("secretsmanager")
    try:
        return {variable: str(client.get_secret_value(SecretId=name)["SecretString"])}
    except (BotoCoreError, ClientError) as error:
        raise UserError(f"secret {name}, which unlocks the state, cannot be read: {error}") from error


def _summarise(text: str) -> None:
    """On the page of the run as well, where the CI has one."""
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if path:
        with open(path, "a", encoding="utf-8") as file:
            file.write(text + "\n")


def _archive() -> bytes:
    done = subprocess.run(["git", "archive", "--format=zip", "HEAD"], cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        raise UserError(f"git archive failed: {done.stderr.decode().strip()}", "run it in a checkout of the repository")
    return done.stdout
