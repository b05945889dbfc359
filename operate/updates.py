"""Runs `pulumi up` for a command: its lines pass through, and how it ended is reported in words."""

import json
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from contracts.errors import UserError
from operate import engine, half_made, stack_files, state_code
from operate.exported import creations, failed, pending, stack_entry, state_of
from operate.owners import Owners, backend, owners

INTERRUPTED = 130
# What a read does not tell of a resource, and of a function whether the version that was to be published was: with its
# environment anew, the provider publishes one (internal/service/lambda/function.go, internal/service/apigateway).
_UNSEEN = {"aws:apigateway/restApi:RestApi": "body", "aws:lambda/function:Function": "environment"}
_LOCK = re.compile(r"created by (?P<user>\S+)@(?P<host>\S+) \(pid (?P<pid>\d+)\) at (?P<since>\S+)")


@dataclass(frozen=True)
class Lock:
    """Who holds a stack, as the engine reports it."""

    user: str
    host: str
    pid: int
    since: str


class HeldError(UserError):
    """Another update holds the stack."""


def locks_in(text: str) -> list[Lock]:
    """The locks that an engine's refusal names."""
    if "currently locked" not in text:
        return []
    return [Lock(m["user"], m["host"], int(m["pid"]), m["since"]) for m in _LOCK.finditer(text)]


@dataclass
class _Ended:
    code: int
    interrupted: bool
    errors: list[str] = field(default_factory=list)


def bring_up(stack: str, arguments: Sequence[str], root: Path) -> None:
    """Run `pulumi up` with its output on ours: each step of the shift can be watched. Signals reach it through us.

    The lock of an engine that is known to have ended is taken away first (operate/owners.py). Raises UserError where
    the update was not made.
    """
    _run(stack, ["up", "--skip-preview", *arguments], root)


def refresh_interrupted(stack: str, root: Path) -> None:
    """Refresh what an engine was changing when it was killed, and what an update failed at; does nothing without such.

    Raises UserError where the state would run code that is not the project's, before anything of it is run.

    What was being changed may have been changed, or not: the state knows only what it was. An update that wants it as
    it was would leave it as it has become: the pointer on the interrupted release, say. What was being created is
    forgotten: the next update creates it anew, and `./glidepath sweep` finds what is left over.

    Of what failed, the state says that it is as was wanted: the next update would find no difference, change nothing
    and say success (pulumi/pulumi-aws#6062). What no refresh can see is taken out of the state, so that it differs.
    """
    repair_folder(stack, backend(root))
    state = state_of(stack, root)
    if state is None:
        return  # the preview reports it
    state_code.refuse_foreign(stack, state)
    killed, broken, begun = pending(state), failed(state), creations(state)
    urns = list(dict.fromkeys([*killed, *broken]))
    for what, found in (
        ("was killed while it changed", killed),
        ("failed at", broken),
        ("was killed while it created", [each["urn"] for each in begun]),
    ):
        if found:
            names = ", ".join(urn.rpartition("::")[2] for urn in found)
            print(f"an update of {stack} {what} {names}: refreshing it", flush=True)
    targets = urns or ([own for own in [stack_entry(state)] if own] if begun else [])
    if not targets:
        return
    creating = "--clear-pending-creates" if begun else "--skip-pending-creates"
    with tempfile.TemporaryDirectory() as folder:
        config = ["--config-file", str(stack_files.copy(stack, root, Path(folder)))]
        named = [word for urn in targets for word in ("--target", urn)]
        _run(stack, ["refresh", "--skip-preview", creating, *named, *config], root)
        if any(_kind(urn) in _UNSEEN for urn in urns):
            rewrite_state(stack, root, lambda state: without_unseen(state, urns))
    # Only now: whoever could refresh holds the stack alone, and no other engine is still at it.
    half_made.remove(stack, root, begun)


def rewrite_state(stack: str, root: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Put a changed state into the place of a stack's. Raises UserError where it can be neither read nor written."""
    done = engine.run(["stack", "export", "--stack", stack], root)
    if done.returncode != 0:
        raise UserError(f"the state of {stack} cannot be read", done.stderr.strip() or "see the engine's lines above")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "state.json"
        file.touch(0o600)
        file.write_text(json.dumps(change(json.loads(done.stdout))))
        done = engine.run(["stack", "import", "--stack", stack, "--file", str(file)], root)
    if done.returncode != 0:
        raise UserError(
            f"the state of {stack} cannot be written", done.stderr.strip() or "see the engine's lines above"
        )


def without_unseen(state: dict[str, Any], urns: Sequence[str]) -> dict[str, Any]:
    """An exported state without what no refresh sees of these resources: the next update sends it again."""
    for resource in state["deployment"].get("resources") or []:
        if resource["urn"] in urns and not resource.get("delete"):
            for values in (resource.get("inputs"), resource.get("outputs")):
                (values or {}).pop(_UNSEEN.get(_kind(resource["urn"]), ""), None)
    return state


def _kind(urn: str) -> str:
    return urn.split("::")[2].rpartition("$")[2]


def repair_folder(stack: str, backend: str) -> None:
    """Take away the empty file of attributes that a kill can leave beside a stack's state in a folder.

    The engine writes state beside its place and moves it there, but attributes in place: killed in between, it can
    read the whole state no more ("failed to load checkpoint: EOF"). Without that file it takes its defaults.
    """
    if not backend.startswith("file://"):
        return
    for path in Path(backend.removeprefix("file://")).glob(f".pulumi/stacks/*/{stack}.json*.attrs"):
        if path.stat().st_size == 0:
            path.unlink(missing_ok=True)


def _run(stack: str, command: Sequence[str], root: Path) -> None:
    known = owners(stack, root)
    ended = _watch(stack, command, root, known)
    locks = locks_in("".join(ended.errors))
    reason = abandoned(locks, known)
    if reason:
        print(f"{stack} is locked since {locks[0].since}, and {reason}: taking its lock away", flush=True)
        engine.run(["cancel", "--yes", "--stack", stack], root)
        for lock in locks:
            known.forget(lock.pid, lock.host)
        ended = _watch(stack, command, root, known)
        locks = locks_in("".join(ended.errors))
    if ended.interrupted:
        raise UserError(f"the update of {stack} was interrupted", "run it again: it converges", INTERRUPTED)
    if locks:
        raise HeldError(*held_by(stack, locks))
    if ended.code < 0:
        raise UserError(
            f"the update of {stack} was killed (signal {-ended.code})",
            "a shift that is under way goes on by itself; run this again: it converges",
        )
    if ended.code:
        raise UserError(
            f"pulumi {command[0]} of {stack} failed", "the cause stands above; the release that served still serves"
        )


def abandoned(locks: Sequence[Lock], known: Owners) -> str:
    """Why nobody holds these locks any more; empty where somebody may, and where there are none."""
    reasons = [known.gone(lock.host, lock.pid) for lock in locks]
    return reasons[0] if reasons and all(reasons) else ""


def held_by(stack: str, locks: Sequence[Lock]) -> tuple[str, str]:
    """Who holds the stack, and what to do about it."""
    holders = ", ".join(f"{lock.user}@{lock.host} (pid {lock.pid}) since {lock.since}" for lock in locks)
    fix = (
        f"wait for it to finish; if it crashed, release its lock with `pulumi cancel --stack {stack}`"
        " and run this again"
    )
    return f"another update holds {stack}: {holders}", fix


def _watch(stack: str, command: Sequence[str], root: Path, known: Owners) -> _Ended:
    sys.stdout.flush()
    verb, *arguments = command
    running = engine.start([verb, "--yes", "--stack", stack, *arguments], root, stderr=subprocess.PIPE)
    known.note(running.pid)
    ended = _Ended(0, False)
    assert running.stderr is not None
    reader = threading.Thread(target=_pass_on, args=(running.stderr, ended.errors), daemon=True)
    reader.start()
    while running.poll() is None:
        try:
            running.wait()
        except KeyboardInterrupt:
            # The engine got the signal as well: it ends the shift and rolls back, which takes its time.
            ended.interrupted = True
    # Children of a killed engine may hold its pipe for as long as they live.
    reader.join(5)
    ended.code = running.returncode
    if ended.code >= 0:  # a killed one may have left its lock
        known.forget(running.pid)
    return ended


def _pass_on(source: IO[str], kept: list[str]) -> None:
    for line in source:
        kept.append(line)
        del kept[:-200]
        sys.stderr.write(line)
        sys.stderr.flush()
