"""Pipelines and their executions, as the rehearsal keeps them."""

import threading
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rehearsal.cloud.core.api import Cloud

# An execution in one of these has not ended.
OPEN = ("InProgress", "Stopping")


@dataclass(frozen=True)
class Artifact:
    """An artifact of one execution and where the store holds it."""

    name: str
    bucket: str
    key: str

    def shown(self) -> dict[str, Any]:
        return {"name": self.name, "s3location": {"bucket": self.bucket, "key": self.key}}


@dataclass
class ActionRun:
    """One attempt of one action."""

    id: str
    stage: str
    name: str
    declaration: dict[str, Any]
    started: datetime
    updated: datetime
    status: str = "InProgress"
    resolved: dict[str, str] = field(default_factory=dict)
    inputs: list[Artifact] = field(default_factory=list)
    outputs: list[Artifact] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    external_id: str | None = None
    external_url: str | None = None
    summary: str | None = None
    updated_by: str | None = None
    error: dict[str, str] | None = None
    token: str | None = None
    decision: dict[str, str] | None = None
    wake: threading.Event = field(default_factory=threading.Event)


@dataclass
class Execution:
    """One run of a pipeline, on the declaration it started with."""

    id: str
    pipeline: dict[str, Any]
    trigger: dict[str, str]
    started: datetime
    updated: datetime
    variables: dict[str, str]
    overrides: list[dict[str, str]]
    status: str = "InProgress"
    status_summary: str | None = None
    stop_reason: str | None = None
    abandon: bool = False
    attempt: int = 1
    entered: set[str] = field(default_factory=set)
    stages: dict[str, str] = field(default_factory=dict)
    actions: list[ActionRun] = field(default_factory=list)
    artifacts: dict[str, Artifact] = field(default_factory=dict)
    revisions: dict[str, dict[str, Any]] = field(default_factory=dict)
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    waiting: str | None = None

    @property
    def open(self) -> bool:
        return self.status in OPEN

    def latest(self, stage: str, action: str) -> ActionRun | None:
        """The last attempt of an action."""
        runs = [run for run in self.actions if run.stage == stage and run.name == action]
        return runs[-1] if runs else None


@dataclass
class Transition:
    """A disabled transition."""

    by: str
    at: datetime
    reason: str


@dataclass
class Pipeline:
    """A pipeline with all its versions, executions and transitions; `changed` guards and announces every change."""

    name: str
    account: str
    region: str
    versions: list[dict[str, Any]]
    created: datetime
    updated: datetime
    tags: dict[str, str] = field(default_factory=dict)
    executions: dict[str, Execution] = field(default_factory=dict)
    disabled: dict[tuple[str, str], Transition] = field(default_factory=dict)
    queues: dict[str, list[str]] = field(default_factory=dict)
    occupied: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    deleted: bool = False
    changed: threading.Condition = field(default_factory=threading.Condition)

    @property
    def declaration(self) -> dict[str, Any]:
        return self.versions[-1]

    @property
    def arn(self) -> str:
        return f"arn:aws:codepipeline:{self.region}:{self.account}:{self.name}"


@dataclass
class Job:
    """A Lambda action's job: answered by PutJobSuccessResult or PutJobFailureResult."""

    id: str
    answered: threading.Event = field(default_factory=threading.Event)
    success: dict[str, Any] | None = None
    failure: dict[str, Any] | None = None


_creating = threading.Lock()


def pipelines(cloud: "Cloud", account: str, region: str) -> dict[str, Pipeline]:
    """The pipelines of one account and region by name."""
    with _creating:
        found: dict[str, Pipeline] = cloud.store("codepipeline", account, region).setdefault("pipelines", {})
    return found


def jobs(cloud: "Cloud", account: str, region: str) -> dict[str, Job]:
    """The jobs of one account and region by id."""
    with _creating:
        found: dict[str, Job] = cloud.store("codepipeline", account, region).setdefault("jobs", {})
    return found
