"""Removes what releases have left behind, once it is known that no update is under way."""

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from contracts.errors import UserError
from operate import engine, stack_files, state_code
from operate.clients import Clients
from operate.exported import read_state, stack_entry
from operate.leftovers import CONFIG, ENDPOINT, MODEL, Held, Leftover, Leftovers, Thing, described, held
from operate.owners import owners
from operate.project import Project
from operate.updates import HeldError, abandoned, held_by, locks_in

_GONE_SECONDS = 600.0
_DELETE = {
    ENDPOINT: ("delete_endpoint", "EndpointName"),
    CONFIG: ("delete_endpoint_config", "EndpointConfigName"),
    MODEL: ("delete_model", "ModelName"),
}


@dataclass(frozen=True)
class Swept:
    """What was removed, and what could not be yet, each with the reason."""

    removed: tuple[Leftover, ...]
    kept: tuple[tuple[Leftover, str], ...] = ()


def find(clients: Clients, project: Project, stack: str) -> list[Leftover]:
    """What this environment has left behind, in the order in which it can be deleted. Touches nothing.

    Raises UserError where the state cannot be read; it is read only where there is something that nobody serves.
    """
    looked = Leftovers(clients, project, stack)
    candidates = looked.candidates()
    return looked.left(candidates, _state(project.root, stack)) if candidates else []


def remove(
    clients: Clients, project: Project, stack: str, planned: Sequence[Leftover], say: Callable[[str], None]
) -> Swept:
    """Remove what was planned and is still left over. Raises UserError while an update holds the stack."""
    refuse_while_held(project.root, stack)
    # What an update that has ended since took into its state is not left over any more.
    again = {each.thing: each for each in find(clients, project, stack)}
    sagemaker = clients.of(stack, "sagemaker")
    removed: list[Leftover] = []
    kept: list[tuple[Leftover, str]] = []
    for each in (again[wanted.thing] for wanted in planned if wanted.thing in again):
        reason = _why_not(each, [other.thing.kind for other, _ in kept]) or _delete(sagemaker, each.thing)
        if reason:
            kept.append((each, reason))
            continue
        removed.append(each)
        say(f"{each.thing.kind} {each.thing.name} removed")
    return Swept(tuple(removed), tuple(kept))


def _why_not(found: Leftover, kept: Sequence[str]) -> str:
    """Why it is not even tried. An endpoint that stays may use any configuration, and those any model."""
    if found.at_work:
        return f"SageMaker is still at work at it ({found.status})"
    if found.thing.kind != ENDPOINT and ENDPOINT in kept:
        return "what uses it is still there"
    return ""


def _delete(sagemaker: Any, thing: Thing) -> str:
    """Why it could not be deleted; empty once it is gone."""
    operation, parameter = _DELETE[thing.kind]
    try:
        getattr(sagemaker, operation)(**{parameter: thing.name})
        return "" if thing.kind != ENDPOINT or _gone(sagemaker, thing.name) else "it is still being deleted"
    except ClientError as error:
        return f"{error.response['Error']['Code']}: {error.response['Error'].get('Message', '')}"


def _gone(sagemaker: Any, endpoint: str) -> bool:
    """Whether it has gone within a while: SageMaker deletes no configuration that an endpoint still uses."""
    deadline = time.monotonic() + _GONE_SECONDS
    while time.monotonic() < deadline:
        if not described(sagemaker, "endpoint", EndpointName=endpoint):
            return True
        time.sleep(0.5)
    return False


def _state(root: Path, stack: str) -> Held:
    return held(_export(root, stack))


def _export(root: Path, stack: str) -> str:
    done = engine.run(["stack", "export", "--stack", stack], root)
    if done.returncode:
        raise UserError(
            f"the state of {stack} cannot be read: {engine.sentence(done.stderr) or 'the engine gave no reason'}",
            "what is left over is only known beside the state: log in to its backend (pulumi login), then run this"
            " again",
        )
    return done.stdout


def refuse_while_held(root: Path, stack: str) -> None:
    """Raises HeldError while an update holds the stack.

    Every backend refuses whoever wants to change a state that is held, and has no other question in common. So it is
    asked to change one: by a refresh of the stack's own entry, of which there is nothing to refresh. Raises UserError,
    and asks nothing, where the state holds code that is not the project's.
    """
    state = read_state(_export(root, stack))
    state_code.refuse_foreign(stack, state)
    own = stack_entry(state)
    if not own:
        return
    with tempfile.TemporaryDirectory() as folder:
        config = ["--config-file", str(stack_files.copy(stack, root, Path(folder)))]
        asked = ["refresh", "--yes", "--skip-preview", "--skip-pending-creates", "--target", own, "--stack", stack]
        done = engine.run([*asked, *config], root)
    locks = locks_in(done.stdout + done.stderr)
    if locks and not abandoned(locks, owners(stack, root)):
        raise HeldError(*held_by(stack, locks))
    if done.returncode and not locks:
        raise UserError(f"whether an update holds {stack} cannot be known:\n{engine.tail(done.stdout + done.stderr)}")
