"""Brings a release up in an environment: preview, refusals, update. Nothing that only an administrator may change."""

import json
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from contracts.errors import UserError
from operate import HERE, ROOT, engine, exemptions, power, sealing, source_files, stack_files
from operate.plans import refuse_another
from operate.power import Foresight
from operate.previews import policy_pack
from operate.updates import bring_up, refresh_interrupted
from operate.variants import leave_out
from preview.digest import Plan
from preview.plan import document
from settings.exemptions import Exemption

_FOUNDATION = "glidepath:foundation:Foundation"
_QUIET = ("same", "read", "refresh")


def deploy_release(
    stack: str,
    release: str,
    manifest_sha256: str = "",
    more: Sequence[str] = (),
    without: str = "",
    approved: Plan | None = None,
    exempted: Sequence[Exemption] = (),
    foreseen: Callable[[], Foresight | None] = lambda: None,
) -> None:
    """Preview, refuse a change of the foundation and any plan but the approved one, update.

    `more` goes to preview and update alike. `without` names a variant of the config that is left out, since it is
    what is deployed. `exempted` is exempted from policies beside what the stack's config exempts. `foreseen` is asked
    after the preview what the shift can see, which may refuse it; an approved plan was made with that in sight.
    """
    source_files.refuse_more(ROOT, stack)
    refresh_interrupted(stack, ROOT)
    with tempfile.TemporaryDirectory() as folder:
        arguments = [*release_arguments(stack, Path(folder), release, manifest_sha256), *more]
        arguments += pack_arguments(stack, Path(folder), exempted)
        if without:
            leave_out(Path(folder) / f"Pulumi.{stack}.yaml", without)
        sealed = [] if approved is None else sealing.arguments(Path(folder))
        steps = _preview(stack, [*arguments, *sealed], arguments)
        refuse_foundation(stack, steps)
        planned, seen = document({"steps": steps}), foreseen()
        power.warn(seen)
        if approved is None:
            power.refuse(seen, planned)
        else:
            refuse_another(stack, approved, planned | {"sealed": sealing.read(Path(folder), stack, release)})
        bring_up(stack, arguments, ROOT)


def release_arguments(stack: str, folder: Path, release: str, manifest_sha256: str = "") -> list[str]:
    """The engine's arguments to bring a release up: the stack's config, a copy in `folder`."""
    config = ["--config-file", str(stack_files.copy(stack, ROOT, folder)), "--config", f"glidepath:release={release}"]
    if manifest_sha256:
        config += ["--config", f"glidepath:manifestSha256={manifest_sha256}"]
    return config


def pack_arguments(stack: str, folder: Path, exempted: Sequence[Exemption] = ()) -> list[str]:
    """The engine's arguments for the policy pack; what it is told lies in `folder`.

    `exempted` comes to what the stack's config exempts. Raises UserError where that is faulty.
    """
    return exemptions.arguments(policy_pack(HERE), [*exemptions.of(stack, ROOT), *exempted], folder)


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


def outcome(stack: str) -> dict[str, str]:
    """What later stages need of the release that was brought up. Raises UserError where the stack exports nothing."""
    return exported(engine.outputs(stack, ROOT), stack)


def exported(outputs: Mapping[str, Any], stack: str) -> dict[str, str]:
    """What later stages need, from the stack's outputs. Values are one line each."""
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


def _preview(stack: str, arguments: Sequence[str], told: Sequence[str]) -> list[dict[str, Any]]:
    """Every step of the engine's preview, those that change nothing included. Raises UserError where it fails.

    A preview that fails is made again with the arguments `told`, for a person to read.
    """
    done = engine.run(["preview", "--json", "--show-sames", "--stack", stack, *arguments], ROOT)
    try:
        plan: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        raise UserError(f"the preview of {stack} failed:\n{engine.tail(done.stdout + done.stderr)}") from None
    if done.returncode:
        # As JSON the engine leaves out what the policies found.
        shown = engine.run(["preview", "--stack", stack, *told], ROOT)
        raise UserError(
            f"the preview of {stack} failed:\n{engine.diagnostics(shown.stdout + shown.stderr)}", "nothing was changed"
        )
    steps: list[dict[str, Any]] = plan.get("steps", [])
    return steps
