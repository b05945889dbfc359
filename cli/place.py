"""Where a command acts: the rehearsal that is up, or, only when told so, a person's own accounts."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from cli.errors import UserError

if TYPE_CHECKING:
    from scenarios.stacks import Stacks

ROOT = Path(__file__).resolve().parent.parent


def enter(aws: bool) -> None:
    """Makes this process act in the rehearsal, or with `aws` leaves the environment as it is.

    Raises UserError where no rehearsal is up: nothing falls back to real accounts by itself.
    """
    if aws:
        return
    from rehearsal.cloud.process import lifecycle
    from rehearsal.environment import Rehearsal

    rehearsal = Rehearsal.here()
    missing = lifecycle.absence(rehearsal)
    if missing:
        raise UserError(missing, "start one with make rehearse KEEP=1, or add --aws to use your own accounts")
    os.environ.update(rehearsal.environ())


def stacks() -> "Stacks":
    """The project's stacks in the environment that was entered."""
    from rehearsal.environment import Rehearsal
    from scenarios.stacks import Stacks

    return Stacks(ROOT, Rehearsal.here().folder, dict(os.environ))
