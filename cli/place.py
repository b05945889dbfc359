"""Where a command acts: the rehearsal that is up, or, only when asked to, a person's own accounts."""

import os
from typing import Any

from cli.errors import UserError
from operate import ROOT

__all__ = ["ROOT", "enter", "s3"]


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


def s3() -> Any:
    """The store of artifacts under this process's own keys: in a build, its role's, whatever profile a stack has.

    What was built and approved belongs to the pipeline, not to a deployer or to a role that only previews.
    """
    import boto3

    return boto3.client("s3")
