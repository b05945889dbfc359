"""Which CI this is, and what it says about the run: everything comes from the variables that it sets."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from contracts.errors import UserError

Kind = Literal["github", "gitlab"]
AUDIENCE = "sts.amazonaws.com"
"""For whom identity tokens are issued: AWS, and nobody else."""


@dataclass(frozen=True)
class Host:
    """One run of a CI.

    api: address of its REST API. project: `owner/name` (GitHub), or the id of the project (GitLab).
    request: number of the pull or merge request; 0 where the run is for none.
    run: names the run in sessions, so that CloudTrail tells which run did what.
    """

    kind: Kind
    api: str
    project: str
    request: int
    run: str
    environ: Mapping[str, str]


def find(environ: Mapping[str, str]) -> Host:
    """The CI that this process runs in. Raises UserError outside of one."""
    if environ.get("GITHUB_ACTIONS") == "true":
        return Host(
            "github",
            environ["GITHUB_API_URL"],
            environ["GITHUB_REPOSITORY"],
            _pull_request(environ),
            f"github-{environ['GITHUB_RUN_ID']}",
            environ,
        )
    if environ.get("GITLAB_CI") == "true":
        return Host(
            "gitlab",
            environ["CI_API_V4_URL"],
            environ["CI_PROJECT_ID"],
            int(environ.get("CI_MERGE_REQUEST_IID") or 0),
            f"gitlab-{environ['CI_JOB_ID']}",
            environ,
        )
    raise UserError("this is no run of GitHub Actions or GitLab CI", "on your own machine call the commands directly")


def _pull_request(environ: Mapping[str, str]) -> int:
    path = environ.get("GITHUB_EVENT_PATH", "")
    if not path:
        return 0
    event: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
    return int((event.get("pull_request") or {}).get("number") or 0)
