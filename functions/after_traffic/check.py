"""Whether the golden requests of one deployment were captured as they were sent and answered."""

from __future__ import annotations

from collections.abc import Callable

from functions.shared.capture import CaptureSearch, check_capture, wait_for
from functions.shared.golden import Golden, inference_ids
from functions.shared.hook import HookError


def check_golden(
    search: CaptureSearch,
    golden: Golden,
    scope: str,
    seconds: float,
    percentage: int,
    sleep: Callable[[float], None],
) -> str:
    """Wait up to `seconds` for the capture; the sentence that says all is there. Raises HookError.

    Where only `percentage` of the requests is captured, a missing one cannot be distinguished from one that
    was left out: one correct record is then enough.
    """
    wanted = inference_ids(golden, scope)
    enough = len(wanted) if percentage == 100 else 1
    wait_for(search, wanted, enough, seconds, sleep)
    problems = check_capture(golden, wanted, search.found)
    if percentage < 100:
        missing = [problem for problem in problems if problem.endswith("not in the capture")]
        problems = problems if len(missing) == len(wanted) else [item for item in problems if item not in missing]
    if problems:
        waited = f"after {seconds:.0f} s{search.unread}"
        raise HookError(
            f"The capture of {search.place} (s3://{search.bucket}/{search.prefix}) lacks or differs for"
            f" {len(problems)} of {len(wanted)} golden requests {waited}: " + "; ".join(problems[:3])
        )
    return f"The capture of {search.place} holds the golden requests of deployment {scope}."
