"""Deploy a release to an environment (used by the deploy stages of the pipeline)."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.app import new_app
from cli.errors import USAGE, UserError
from cli.package import write_variables
from operate.plans import load, refuse_another
from operate.updates import bring_up, read_anew
from operate.variants import leave_out
from preview.digest import Plan
from preview.plan import document

app = new_app()

_ROOT = Path(__file__).resolve().parent.parent
_FOUNDATION = "glidepath:foundation:Foundation"
_QUIET = ("same", "read", "refresh")


@app.command()
def deploy(
    stack: Annotated[str, typer.Option(help="Environment, like dev or prod.")],
    release: Annotated[str, typer.Option(help="s3:// address of the release manifest.")],
    manifest_sha256: Annotated[str, typer.Option(help="SHA-256 that the manifest must have: what was approved.")] = "",
    plan: Annotated[str, typer.Option(help="s3:// address of the plan that was approved.")] = "",
    plan_sha256: Annotated[str, typer.Option(help="SHA-256 that this plan must have.")] = "",
    variables: Annotated[Path | None, typer.Option(help="File that is written for the shell with the outcome.")] = None,
) -> None:
    """Preview with the policy pack, refuse what only an administrator may change, then bring the release up.

    Where a plan was approved, only that plan runs: another one is refused with what differs.
    """
    if bool(plan) != bool(plan_sha256):
        raise UserError("--plan and --plan-sha256 go together", "give both, or neither", USAGE)
    deploy_release(stack, release, manifest_sha256, approved=load(_s3(), plan, plan_sha256) if plan else None)
    outputs = json.loads(_capture(["stack", "output", "--json", "--stack", stack]))
    outcome = exported(outputs, stack)
    for name, value in outcome.items():
        print(f"{name}={value}")
    if variables:
        write_variables(variables, outcome)


def deploy_release(
    stack: str,
    release: str,
    manifest_sha256: str = "",
    more: Sequence[str] = (),
    without: str = "",
    approved: Plan | None = None,
) -> None:
    """Preview, refuse a change of the foundation and any plan but the approved one, update.

    `more` goes to preview and update alike. `without` names a variant of the config that is left out, since it is
    what is deployed.
    """
    read_anew(stack, _ROOT)
    with tempfile.TemporaryDirectory() as folder:
        arguments = [*release_arguments(stack, Path(folder), release, manifest_sha256), *more]
        if without:
            leave_out(Path(folder) / f"Pulumi.{stack}.yaml", without)
        steps = _preview(stack, arguments)
        refuse_foundation(stack, steps)
        if approved is not None:
            refuse_another(stack, approved, document({"steps": steps}))
        bring_up(stack, arguments, _ROOT)


def release_arguments(stack: str, folder: Path, release: str, manifest_sha256: str = "") -> list[str]:
    """What the engine is told to bring a release up: the stack's config (a copy in `folder`), and the policy pack."""
    config = ["--config-file", str(_config_copy(stack, folder)), "--config", f"glidepath:release={release}"]
    if manifest_sha256:
        config += ["--config", f"glidepath:manifestSha256={manifest_sha256}"]
    pack = ["--policy-pack", str(_ROOT / "policies")] if (_ROOT / "policies" / "PulumiPolicy.yaml").is_file() else []
    return [*config, *pack]


def _s3() -> Any:
    import boto3

    # The build's own role, not the deployer's: what was approved belongs to the pipeline.
    return boto3.client("s3")


def _config_copy(stack: str, folder: Path) -> Path:
    """The stack's config, apart: the engine writes `--config` values into the file, where a later `up` finds them."""
    name = f"Pulumi.{stack}.yaml"
    try:
        return Path(shutil.copy(_ROOT / name, folder / name))
    except FileNotFoundError:
        raise UserError(f"there is no {name}", "name a stack that has a config file") from None


def refuse_foundation(stack: str, steps: Iterable[Mapping[str, Any]]) -> None:
    """Stop where the foundation would change: the deployer must not, and could not, do that.

    `steps` are those of `pulumi preview --json`. Raises UserError that says who must run what.
    """
    changed = [step for step in steps if step["op"] not in _QUIET and _is_foundation(step["urn"])]
    if not changed:
        return
    lines = "\n".join(f"  {step['op']} {step['urn'].split('::')[-1]} ({_type(step['urn'])})" for step in changed)
    raise UserError(
        f"this commit changes the foundation of {stack}, which the pipeline may not touch:\n{lines}",
        f"an administrator of the account of {stack} must run `pulumi up --stack {stack}` from this commit, then"
        " start the pipeline again",
    )


def exported(outputs: Mapping[str, Any], stack: str) -> dict[str, str]:
    """What later stages are told, from the stack's outputs. Values are one line each."""
    names = {
        "API_URL": "apiUrl",
        "ENDPOINT": "endpoint",
        "RELEASE": "release",
        "MANIFEST_SHA256": "manifestSha256",
    }
    missing = [output for output in [*names.values(), "version"] if output not in outputs]
    if missing:
        raise UserError(f"stack {stack} gives no {', '.join(missing)}", "see the log of `pulumi up` above")
    found = {name: str(outputs[output]) for name, output in names.items()}
    found["SUMMARY"] = f"Release {found['RELEASE']} serves in {stack} as version {outputs['version']}."
    if outputs.get("summary"):
        found["SUMMARY"] += f" {outputs['summary']}"
    return found


def _type(urn: str) -> str:
    return urn.split("::")[2].split("$")[-1]


def _is_foundation(urn: str) -> bool:
    return _FOUNDATION in urn.split("::")[2].split("$")


def _preview(stack: str, arguments: list[str]) -> list[dict[str, Any]]:
    """Every step of the engine's preview, those that change nothing included. Raises UserError where it fails."""
    done = _pulumi(["preview", "--json", "--show-sames", "--stack", stack, *arguments])
    try:
        plan: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        raise UserError(f"the preview of {stack} failed:\n{_readable(done.stdout + done.stderr)}") from None
    if done.returncode:
        raise UserError(f"the preview of {stack} failed:\n{_why(stack, arguments)}", "nothing was changed")
    steps: list[dict[str, Any]] = plan.get("steps", [])
    return steps


def _why(stack: str, arguments: list[str]) -> str:
    """What the engine says to a person. As JSON it leaves out what the policies found."""
    shown = _pulumi(["preview", "--stack", stack, *arguments])
    text = shown.stdout + shown.stderr
    starts = [text.find(heading) for heading in ("Policies:", "Diagnostics:") if heading in text]
    return text[min(starts) :].strip() if starts else _readable(text)


def _capture(arguments: list[str]) -> str:
    done = _pulumi(arguments)
    if done.returncode:
        raise UserError(f"pulumi {' '.join(arguments[:2])} failed:\n{_readable(done.stderr)}")
    return done.stdout


def _pulumi(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        return subprocess.run(
            ["pulumi", "--non-interactive", "--color", "never", *arguments],
            cwd=_ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        raise _no_engine() from None


def _no_engine() -> UserError:
    return UserError("pulumi is not on PATH", "install it: https://www.pulumi.com/docs/install/")


def _readable(text: str) -> str:
    return "\n".join(text.strip().splitlines()[-40:])
