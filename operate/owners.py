"""Who runs an update: a record beside Pulumi's state, which proves that a lock's owner is gone.

The engine's lock names a host and a process. For a state in a folder of this machine that is proof enough. In a bucket
it is not: each container of a build has its own process numbers, and a build that its timeout ended has no machine any
more. So a command that starts an engine writes down beside the state whose engine it is: the build's ARN, or the
machine. `BatchGetBuilds` says of a build whether it has ended.

A record lies at `owners/<project>/<stack>/<host>.<pid>.json` in the state's bucket: the engine takes whatever it finds
among its locks for a lock (pulumi, pkg/backend/diy/lock.go).
"""

import json
import os
import socket
import sys
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

import yaml
from botocore.exceptions import BotoCoreError, ClientError

from contracts.s3 import bucket_of
from operate.processes import alive

Failure = (BotoCoreError, ClientError)


@dataclass(frozen=True)
class Owner:
    """What a command writes down of the engine that it started. `build` is an ARN, and empty outside of builds."""

    machine: str
    pid: int
    build: str = ""


class Owners(Protocol):
    """Where owners are written down, and how one is known to be gone."""

    def note(self, pid: int) -> None:
        """An engine of ours has started."""

    def forget(self, pid: int, host: str = "") -> None:
        """It has ended, and its lock with it; `host` is ours where it is left out."""

    def gone(self, host: str, pid: int) -> str:
        """Why whoever has a lock is known to have ended, as a sentence; empty where that is not known."""


class OnThisMachine:
    """For a state in a folder: who has a lock is on this machine, or cannot be known."""

    def note(self, pid: int) -> None:
        """Nothing: the lock says it all."""

    def forget(self, pid: int, host: str = "") -> None:
        """Nothing was noted."""

    def gone(self, host: str, pid: int) -> str:
        """Whether the engine ran here and has died."""
        return "its engine was killed" if host == socket.gethostname() and not alive(pid) else ""


class Nowhere(OnThisMachine):
    """For a state of which nothing can be proved: Pulumi Cloud unlocks by itself, other buckets are not known."""

    def gone(self, host: str, pid: int) -> str:
        """Nothing."""
        return ""


@dataclass(frozen=True)
class InBucket:
    """For a state in S3. `folder` is the key's beginning, with its slash; `client` gives the tooling account's."""

    bucket: str
    folder: str
    client: Callable[[str], Any]
    build: str = ""

    def note(self, pid: int) -> None:
        """Write our record. Without it a lock that we leave can only be taken away by hand: that is said, no more."""
        body = json.dumps(asdict(Owner(machine(), pid, self.build))).encode()
        try:
            self.client("s3").put_object(Bucket=self.bucket, Key=self._key(socket.gethostname(), pid), Body=body)
        except Failure as error:
            print(f"this update could not be noted beside the state: {error}", file=sys.stderr, flush=True)

    def forget(self, pid: int, host: str = "") -> None:
        """Remove a record. One that stays says nothing of any other lock."""
        try:
            self.client("s3").delete_object(Bucket=self.bucket, Key=self._key(host or socket.gethostname(), pid))
        except Failure as error:
            print(f"the note of this update could not be removed: {error}", file=sys.stderr, flush=True)

    def gone(self, host: str, pid: int) -> str:
        """Whether the record's build has ended, or its engine has died on this very machine."""
        try:
            body = self.client("s3").get_object(Bucket=self.bucket, Key=self._key(host, pid))["Body"].read()
            owner = Owner(**json.loads(body))
            if owner.build:
                return self._ended(owner.build)
        except (*Failure, ValueError, TypeError):
            return ""
        return "its engine was killed" if owner.machine == machine() and not alive(owner.pid) else ""

    def _ended(self, arn: str) -> str:
        name = arn.rpartition(":build/")[2]
        builds = self.client("codebuild").batch_get_builds(ids=[name])["builds"]
        if not builds or not builds[0].get("buildComplete"):
            return ""
        return f"its build {name} has ended ({builds[0]['buildStatus']})"

    def _key(self, host: str, pid: int) -> str:
        return f"{self.folder}{host}.{pid}.json"


def machine() -> str:
    """This machine as long as it is up, and this one's process numbers: another container of it has its own."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}/{os.stat('/proc/self/ns/pid').st_ino}"
    except OSError:
        return f"{uuid.getnode():x}"


def backend(root: Path, environ: Mapping[str, str] = os.environ) -> str:
    """Where the engine keeps its state: what the shell says, else the program, else the last `pulumi login`."""
    if environ.get("PULUMI_BACKEND_URL"):
        return environ["PULUMI_BACKEND_URL"]
    declared = (_read(root / "Pulumi.yaml").get("backend") or {}).get("url")
    home = Path(environ.get("PULUMI_HOME") or Path.home() / ".pulumi")
    return str(declared or _read(home / "credentials.json").get("current") or "")


def _read(path: Path) -> dict[str, Any]:
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))  # JSON is YAML
    except (OSError, yaml.YAMLError):
        return {}
    return found if isinstance(found, dict) else {}


def owners(stack: str, root: Path, environ: Mapping[str, str] = os.environ) -> Owners:
    """The owners of a stack's locks, for the state that the engine uses."""
    address = backend(root, environ)
    if address.startswith("file://"):
        return OnThisMachine()
    if not address.startswith("s3://"):
        return Nowhere()
    import boto3  # an update of a state in a folder needs no client

    region = parse_qs(urlsplit(address).query).get("region", [""])[0] or None
    folder = f"owners/{_read(root / 'Pulumi.yaml').get('name', '')}/{stack}/"
    # A build's own role, or whatever opens the state for the engine: both take it from the same places.
    client = cache(lambda service: boto3.client(service, region_name=region))
    return InBucket(bucket_of(address), folder, client, environ.get("CODEBUILD_BUILD_ARN", ""))
