"""The actions of a pipeline, each executed under its role."""

from collections.abc import Callable

from rehearsal.cloud.services.codepipeline.actions import approval, build, invoke, source
from rehearsal.cloud.services.codepipeline.actions.base import Context

_ACTIONS: dict[tuple[str, str], Callable[[Context], None]] = {
    ("Source", "S3"): source.s3,
    ("Source", "CodeCommit"): source.codecommit,
    ("Source", "CodeStarSourceConnection"): source.connection,
    ("Build", "CodeBuild"): build.codebuild,
    ("Test", "CodeBuild"): build.codebuild,
    ("Invoke", "StepFunctions"): invoke.step_functions,
    ("Invoke", "Lambda"): invoke.function,
    ("Approval", "Manual"): approval.manual,
}


def perform(context: Context) -> None:
    """Runs the action to its end. Raises `ActionError` or `AbandonedError`."""
    kind = context.run.declaration["actionTypeId"]
    _ACTIONS[(kind["category"], kind["provider"])](context)
