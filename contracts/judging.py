"""What the judge of a shift counts and says: names of metrics, of its records, and what it is started with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

JUDGED, FAILED, SLOW = "Judged", "JudgedFailed", "JudgedSlow"
"""Metrics of high resolution, by version (dimensions `Service` and `Version`) and of all versions (`Service` alone):
requests that the model was asked, those of them that it did not answer, and those that took longer than the limit.
Not among them: what callers did wrong, the probe's requests, and the first request of each sandbox, of which a new
version has more for no fault of its own."""
EVIDENCE = "Evidence"
"""Metric of high resolution, by version: evidence that it is worse than the one before, as a share of what suffices; 1
and more stops a shift. The largest of all that is counted."""
RECORDS = "judge"
"""First part of the keys of the judge's records in the capture bucket."""
QUESTION = "Question"
"""Metric, by service: 1 while a person is asked whether an inconclusive release may stay."""
ASK_SECONDS = 40 * 60
"""How long a person is asked. CodeDeploy waits for a hook's report for an hour, of which the hook itself may take 15
minutes before it asks:
https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html"""


def record_key(deployment: str) -> str:
    """Where the judge keeps what it knows of a deployment; it alone writes there."""
    return f"{RECORDS}/{deployment}.json"


def question_key(deployment: str) -> str:
    """Where the hook after traffic says that a person is asked: `{"hook", "sentence"}`, the first the execution of the
    hook that waits for the answer."""
    return f"{RECORDS}/{deployment}.question.json"


class Shift(NamedTuple):
    """One deployment. A tuple: the predict function imports this module, and a dataclass takes longer to make.

    `release` and `former` are the releases of versions `new` and `old` (`former` empty where this program did not make
    that). `endpoint` is the former one's, `edges` lie between the bins that the old version counts its predictions by.
    `manifest` and `sha256` are the new release's. `judged`: whether traffic moves by steps. `apart`: why their requests
    cannot be compared all the same. `every`, `bake_every`: seconds between two looks, while traffic moves and later.
    """

    deployment: str
    release: str
    former: str
    old: str
    new: str
    edges: tuple[float, ...]
    manifest: str
    sha256: str
    judged: bool
    every: int
    endpoint: str = ""
    apart: str = ""
    bake_every: int = 10


def read_shift(given: Mapping[str, Any]) -> Shift:
    """From the state machine's input."""
    return Shift(**{**given, "edges": tuple(given["edges"])})


def render_shift(shift: Shift) -> dict[str, Any]:
    """The state machine's input."""
    return shift._asdict()
