"""Functions, versions and aliases, and how a name or an ARN finds one.

moto's own Lambda store cannot serve here: its versions share one policy, aliases lose their revision, a publish after
a deletion reuses a number, and half of UpdateFunctionConfiguration is dropped. So functions are kept here.
"""

import re
import threading
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from rehearsal.cloud.core.api import AwsError, Cloud

LATEST = "$LATEST"
_ARN = re.compile(r"arn:aws[\w-]*:lambda:(?P<region>[\w-]+):(?P<account>\d{12}):function:(?P<rest>.+)")
_PARTIAL = re.compile(r"(?P<account>\d{12}):function:(?P<rest>.+)")
_lock = threading.RLock()

# What differs between two snapshots of a function without making them different versions.
_NOT_CONFIGURATION = frozenset({"FunctionArn", "Version", "LastModified", "RevisionId", "State"})


@dataclass
class Snapshot:
    """Code and configuration as they were: `$LATEST`, or one published version."""

    config: dict[str, Any]
    """The shape FunctionConfiguration, without the fields that depend on who asks."""
    code: bytes = field(repr=False)
    origin: dict[str, Any] | None = field(default=None, repr=False)
    """Of a version: the fingerprint of what was published. Its description may be another."""

    def fingerprint(self) -> dict[str, Any]:
        """Equal for two snapshots exactly if publishing the second would make no new version."""
        return {key: value for key, value in self.config.items() if key not in _NOT_CONFIGURATION}


@dataclass
class Policy:
    """The resource policy of a function, a version or an alias."""

    statements: list[dict[str, Any]] = field(default_factory=list)
    revision: str = field(default_factory=lambda: new_revision())


@dataclass
class Function:
    """One function with all that belongs to it."""

    name: str
    account: str
    region: str
    latest: Snapshot
    versions: dict[str, Snapshot] = field(default_factory=dict)
    aliases: dict[str, dict[str, Any]] = field(default_factory=dict)
    policies: dict[str, Policy] = field(default_factory=dict)
    """By qualifier; the empty one is the function's own."""
    tags: dict[str, str] = field(default_factory=dict)
    reserved: int | None = None
    invoke_configs: dict[str, dict[str, Any]] = field(default_factory=dict)
    provisioned: dict[str, int] = field(default_factory=dict)
    last_version: int = 0

    @property
    def arn(self) -> str:
        return f"arn:aws:lambda:{self.region}:{self.account}:function:{self.name}"

    def qualified(self, qualifier: str) -> str:
        return f"{self.arn}:{qualifier}" if qualifier else self.arn

    def snapshot(self, qualifier: str) -> Snapshot:
        """The code behind a qualifier; an alias stands for its main version. Raises ResourceNotFoundException."""
        if qualifier in ("", LATEST):
            return self.latest
        if qualifier in self.aliases:
            return self.snapshot(self.aliases[qualifier]["FunctionVersion"])
        if qualifier in self.versions:
            return self.versions[qualifier]
        raise not_found(self.qualified(qualifier))


@dataclass(frozen=True)
class Name:
    """A function as a caller names it: `name`, `name:qualifier`, a partial or a full ARN."""

    account: str
    region: str
    name: str
    qualifier: str


def functions(cloud: Cloud, account: str, region: str) -> dict[str, Function]:
    """All functions of an account in a region, by name."""
    return cloud.store("lambda", account, region).setdefault("functions", {})  # type: ignore[no-any-return]


def lock() -> threading.RLock:
    """Held while functions change."""
    return _lock


def new_revision() -> str:
    return str(uuid.uuid4())


def timestamp() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"


def not_found(arn: str) -> AwsError:
    return AwsError("ResourceNotFoundException", f"Function not found: {arn}", 404, Type="User")


def invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterValueException", message, 400, Type="User")


def conflict(message: str) -> AwsError:
    return AwsError("ResourceConflictException", message, 409, Type="User")


def parse_name(text: str, account: str, region: str, qualifier: str | None = None) -> Name:
    """Reads any form of a function's name. Raises when two different qualifiers are given."""
    match = _ARN.fullmatch(text) or _PARTIAL.fullmatch(text)
    rest = match["rest"] if match else text
    owner = match["account"] if match else account
    where = match.groupdict().get("region") or region if match else region
    name, _, inner = rest.partition(":")
    if inner and qualifier and inner != qualifier:
        raise invalid("The derived qualifier from the function name does not match the specified qualifier.")
    return Name(owner, where, name, inner or qualifier or "")


def find(cloud: Cloud, name: Name) -> Function:
    """The function of that name, and its qualifier must exist. Raises ResourceNotFoundException."""
    function = functions(cloud, name.account, name.region).get(name.name)
    if function is None:
        arn = f"arn:aws:lambda:{name.region}:{name.account}:function:{name.name}"
        raise not_found(f"{arn}:{name.qualifier}" if name.qualifier else arn)
    function.snapshot(name.qualifier)
    return function


def check_revision(given: str | None, current: str, api: str = "GetFunction/GetFunctionConfiguration") -> None:
    """Refuses a change that was made against an older state."""
    if given and given != current:
        raise AwsError(
            "PreconditionFailedException",
            "The Revision Id provided does not match the latest Revision Id. "
            f"Call the {api} API to retrieve the latest Revision Id",
            412,
            Type="User",
        )
