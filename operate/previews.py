"""Runs the engine's preview and reads what it says. Nothing is written but a temporary folder.

A preview takes no lock and writes no state; the config it is given is a copy, as the engine saves `--config` values
in the file; a base is unpacked beside the checkout, which stays as it is.
"""

import json
import os
import re
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from io import BytesIO
from pathlib import Path
from typing import Any

from contracts.errors import UserError
from operate import engine, exemptions, sealing, stack_files, state_code
from operate.exported import state_of
from preview.plan import Document, document, parse_events
from settings.exemptions import Exemption

_NO_STACK = re.compile(r"no stack named '([^']+)' found")


@dataclass(frozen=True)
class Asked:
    """What is to be previewed.

    root: a checkout of the program. stack: its name. release: address of a manifest, empty for the present one.
    destroy: preview of a destroy instead. refresh: compare with what AWS has, not with the state alone.
    pack: folder of the policy pack, None without one. environ: of the engine. sealed: with hashes of secrets. exempted:
    what the pack is told, None for what the stack's file says.
    """

    root: Path
    stack: str
    release: str = ""
    destroy: bool = False
    refresh: bool = False
    pack: Path | None = None
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    sealed: bool = False
    exempted: tuple[Exemption, ...] | None = None


def steps(asked: Asked) -> Document:
    """The steps document of one preview. Raises UserError for whatever a person can put right."""
    _check_stack(asked)
    if asked.refresh:
        _check_state(asked)
    exempted = _exempted(asked)
    with tempfile.TemporaryDirectory(prefix="preview-") as scratch:
        events = Path(scratch) / "events.json"
        # The event log, with what policies found, is behind this switch; Pulumi's Automation API sets it as well.
        environ = {**asked.environ, "PULUMI_DEBUG_COMMANDS": "true"}
        done = engine.run(_arguments(asked, exempted, Path(scratch), events), asked.root, environ)
        log = events.read_text(encoding="utf-8") if events.is_file() else ""
        hashes = sealing.read(Path(scratch), asked.stack, asked.release) if asked.sealed and not done.returncode else {}
    listed = parse_events(log)
    errors = [*_errors(listed), *([] if listed else [done.stderr])] if done.returncode else []
    reasons = [text for error in errors if (text := engine.sentence(error))]
    refused = any(each.get("policyEvent", {}).get("enforcementLevel") == "mandatory" for each in listed)
    if reasons or (done.returncode and not refused):
        raise _failure(asked, reasons[0] if reasons else engine.sentence(done.stderr) or "it gave no reason")
    try:
        shown = json.loads(done.stdout)
    except ValueError:
        raise _failure(asked, engine.sentence(done.stderr) or "it printed no plan") from None
    found = exemptions.without_release(document(shown, listed, asked.stack))
    found |= {"exemptions": [asdict(each) for each in exempted]} if exempted else {}
    return found | ({"sealed": hashes} if asked.sealed else {})


def policy_pack(root: Path) -> Path | None:
    """The folder of the checkout's policy pack; None in one without."""
    pack = root / "policies"
    return pack if (pack / "PulumiPolicy.yaml").is_file() else None


def both(head: Asked, base: str, folder: Path) -> tuple[Document, Document]:
    """The steps documents of the head and of a git reference, run side by side. `folder` takes the base's files.

    The base is judged by the head's policy pack, so that a finding is new only where the resource is.
    """
    root = checkout(head.root, base, folder)
    other = Asked(root, head.stack, "", head.destroy, head.refresh, head.pack, head.environ)
    other = replace(other, exempted=_exempted_before(other))
    with ThreadPoolExecutor(2) as pool:
        running = pool.submit(steps, head), pool.submit(steps, other)
        try:
            ours = running[0].result()
        finally:
            # Both have ended before the folder of the base goes.
            error = running[1].exception()
    if isinstance(error, UserError):
        raise UserError(f"the base {base} cannot be previewed: {error.message}", error.fix) from None
    return ours, running[1].result()


def checkout(root: Path, reference: str, folder: Path) -> Path:
    """The files of a git reference, unpacked into a folder. The repository itself is only read."""
    found = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{reference}^{{commit}}")
    if found.returncode:
        if _git(root, "rev-parse", "--git-dir").returncode:
            raise UserError(f"this is no git checkout, so there is no base {reference!r}", "leave out --base")
        raise UserError(f"there is no commit {reference!r} in this checkout", "fetch it, or name another")
    # From the top of the repository: the program may lie in a folder of it.
    prefix = _git(root, "rev-parse", "--show-prefix").stdout.decode().strip()
    archive = _git(root, "archive", "--format=tar", f"{found.stdout.decode().strip()}:{prefix}")
    if archive.returncode:
        raise UserError(f"git cannot unpack {reference}: {archive.stderr.decode().strip()}")
    with tarfile.open(fileobj=BytesIO(archive.stdout)) as tar:
        tar.extractall(folder, filter="data")
    return folder


def _exempted(asked: Asked) -> tuple[Exemption, ...]:
    if asked.pack is None or asked.destroy:
        return ()
    return exemptions.of(asked.stack, asked.root) if asked.exempted is None else asked.exempted


def _exempted_before(base: Asked) -> tuple[Exemption, ...]:
    """A base's exemptions; none where they are faulty: the change at hand may be what puts that right."""
    try:
        return _exempted(base)
    except UserError:
        return ()


def _check_stack(asked: Asked) -> None:
    if (asked.root / f"Pulumi.{asked.stack}.yaml").is_file():
        return
    known = sorted(path.name.split(".")[1] for path in asked.root.glob("Pulumi.*.yaml"))
    raise UserError(
        f"there is no stack {asked.stack!r}: no Pulumi.{asked.stack}.yaml stands beside Pulumi.yaml",
        f"choose one of: {', '.join(known)}" if known else "run from a checkout of the program",
    )


def _check_state(asked: Asked) -> None:
    """A refresh runs what the state holds. A state that cannot be read is reported by the preview, in its own words."""
    state = state_of(asked.stack, asked.root, asked.environ)
    if state is not None:
        state_code.refuse_foreign(asked.stack, state)


def _arguments(asked: Asked, exempted: Sequence[Exemption], scratch: Path, events: Path) -> list[str]:
    copy = stack_files.copy(asked.stack, asked.root, scratch)
    command = ["destroy", "--preview-only"] if asked.destroy else ["preview", "--show-sames"]
    arguments = [*command, "--json", "--stack", asked.stack, "--config-file", str(copy), "--event-log", str(events)]
    if asked.refresh:
        arguments.append("--refresh")
    if asked.sealed:
        arguments += sealing.arguments(scratch)
    if asked.destroy:
        return arguments
    if asked.release:
        arguments += ["--config", f"glidepath:release={asked.release}"]
    return [*arguments, *exemptions.arguments(asked.pack, exempted, scratch)]


def _errors(events: Sequence[Mapping[str, Any]]) -> list[str]:
    found = [each["diagnosticEvent"] for each in events if "diagnosticEvent" in each]
    return [str(each.get("message", "")) for each in found if each.get("severity") == "error"]


def _failure(asked: Asked, reason: str) -> UserError:
    missing = _NO_STACK.search(reason)
    if missing:
        return UserError(f"stack {asked.stack} has no state yet", f"make it once with: pulumi stack init {asked.stack}")
    return UserError(
        f"the preview of {asked.stack} failed: {reason}", f"pulumi preview --stack {asked.stack} shows all of it"
    )


def _git(root: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(["git", *arguments], cwd=root, capture_output=True, check=False)
    except FileNotFoundError:
        raise UserError("git is not on PATH, so there is no base", "install git, or leave out --base") from None
