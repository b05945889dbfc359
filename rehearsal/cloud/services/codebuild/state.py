"""What the rehearsal knows about projects and builds of one account and region."""

import threading
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rehearsal.cloud.services.codebuild.shell import Session

if TYPE_CHECKING:
    from rehearsal.cloud.core.api import Cloud


@dataclass(frozen=True)
class StoredArtifact:
    """An artifact of a pipeline and where it lies."""

    name: str
    bucket: str
    key: str


@dataclass(frozen=True)
class PipelineInput:
    """What CodePipeline hands to a build it starts: artifacts in, places for artifacts out, and the store's key."""

    initiator: str
    primary: str
    inputs: tuple[StoredArtifact, ...]
    outputs: tuple[StoredArtifact, ...]
    encryption_key: str | None = None


@dataclass
class Build:
    """A build: `data` is the API's `Build` shape, the rest is what runs it."""

    data: dict[str, Any]
    project: dict[str, Any]
    overrides: dict[str, Any]
    account: str
    region: str
    pipeline: PipelineInput | None = None
    log: list[str] = field(default_factory=list)
    session: Session | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def __getstate__(self) -> dict[str, Any]:
        # The session is a process, which no snapshot can hold.
        return {**self.__dict__, "session": None}

    @property
    def id(self) -> str:
        return str(self.data["id"])

    def begin(self, phase: str, now: datetime) -> None:
        """Opens a phase."""
        with self.lock:
            self.data["currentPhase"] = phase
            self.data["phases"].append({"phaseType": phase, "startTime": now})

    def end(self, now: datetime, status: str = "SUCCEEDED", code: str = "", message: str = "") -> None:
        """Closes the open phase with a status and its context."""
        with self.lock:
            phase = self.data["phases"][-1]
            phase["phaseStatus"] = status
            phase["endTime"] = now
            phase["durationInSeconds"] = int((now - phase["startTime"]).total_seconds())
            phase["contexts"] = [{"statusCode": code, "message": message}]


@dataclass
class Registry:
    """Projects, builds, and the inputs of pipelines waiting for their build, of one account and region."""

    projects: dict[str, dict[str, Any]] = field(default_factory=dict)
    builds: dict[str, Build] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    handed_over: dict[str, PipelineInput] = field(default_factory=dict)
    started_by_token: dict[str, str] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)


_creating = threading.Lock()


def registry(cloud: "Cloud", account: str, region: str) -> Registry:
    """The registry of one account and region."""
    store = cloud.store("codebuild", account, region)
    with _creating:
        found: Registry = store.setdefault("registry", Registry())
    return found


def find_build(cloud: "Cloud", build_id: str) -> Build | None:
    """The build of that id, whichever account and region it belongs to."""
    index: dict[str, Build] = cloud.store("codebuild", "*", "*").setdefault("builds", {})
    return index.get(build_id)


def remember_build(cloud: "Cloud", build: Build) -> None:
    """Makes a build findable by its id alone."""
    cloud.store("codebuild", "*", "*").setdefault("builds", {})[build.id] = build
