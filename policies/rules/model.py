"""What a rule is, what it looks at, and what it says."""

import fnmatch
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

Level = Literal["mandatory", "advisory", "disabled"]
Severity = Literal["low", "medium", "high", "critical"]
PRODUCTION = ("*prod*", "live", "*-live")
"""Stacks that serve customers, by name, unless the config says otherwise."""


class Unknown:
    """A value that is known only after the update. It counts as present and as fine: the update judges it."""

    def __repr__(self) -> str:
        return "<unknown>"

    def __bool__(self) -> bool:
        return True


UNKNOWN = Unknown()


@dataclass(frozen=True)
class Finding:
    """One thing found. `where` names the place inside the resource, `what` the fact, `urn` another resource's."""

    what: str
    where: str = ""
    urn: str = ""


@dataclass
class Resource:
    """A resource as a rule sees it: plain dicts, lists and scalars, with UNKNOWN where a value is not known yet."""

    type: str
    name: str
    props: Mapping[str, Any]
    urn: str = ""
    ignore_changes: Sequence[str] = ()
    default_tags: Mapping[str, Any] | Unknown = field(default_factory=dict)
    depends: frozenset[str] = frozenset()
    """URNs that its properties come from (stack rules only)."""
    memo: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)
    """What several rules need, kept from the first that asked."""

    @cached_property
    def kind(self) -> str:
        """The type in pulumi-aws 7's words: what pulumi-aws 6 calls `…V2` has lost the suffix since."""
        return _LEGACY.get(self.type, self.type)

    def ignores(self, prop: str) -> bool:
        """Whether the program leaves a property to others, in either spelling (`functionVersion`, `function_…`)."""
        wanted = prop.lower()
        return any(
            re.split(r"[.\[]", entry, maxsplit=1)[0].replace("_", "").lower() in (wanted, "*")
            for entry in self.ignore_changes
        )


_LEGACY = {
    "aws:s3/bucketV2:BucketV2": "aws:s3/bucket:Bucket",
    "aws:s3/bucketAclV2:BucketAclV2": "aws:s3/bucketAcl:BucketAcl",
    "aws:s3/bucketVersioningV2:BucketVersioningV2": "aws:s3/bucketVersioning:BucketVersioning",
    "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2": (
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    ),
    "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2": (
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
    ),
}


@dataclass(frozen=True)
class Context:
    """Where a rule runs, and with which options."""

    options: Mapping[str, Any]
    stack: str = ""
    production: bool = False


Check = Callable[[Resource, Context], Iterable[Finding]]
StackCheck = Callable[[Sequence[Resource], Context], Iterable[Finding]]


@dataclass(frozen=True)
class Rule:
    """A rule: its check, and all that a reader needs to know."""

    name: str
    family: str
    level: Level
    severity: Severity
    title: str
    why: str
    fix: str
    references: tuple[str, ...]
    check: Check | None = None
    stack_check: StackCheck | None = None
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """JSON schema of each option, with its default."""

    def defaults(self) -> dict[str, Any]:
        """The options where no config is given."""
        return {name: schema["default"] for name, schema in self.options.items()}

    def message(self, finding: Finding) -> str:
        """What a person reads."""
        place = f"{finding.where}: " if finding.where else ""
        return f"[{self.name}] {place}{finding.what}\n  Why: {self.why}\n  Fix: {self.fix}"


def is_production(stack: str, patterns: Sequence[str] = PRODUCTION) -> bool:
    """Whether a stack serves customers. Without patterns of one's own, `nonprod`, `pre-prod` and `product` do not."""
    name = stack.lower()
    if tuple(patterns) == PRODUCTION:
        name = _NOT_YET.sub("", name)
    return any(fnmatch.fnmatchcase(name, pattern.lower()) for pattern in patterns)


_NOT_YET = re.compile(r"(?<![a-z])(no|non|not|pre)[-_.]?prod(uction)?|products?(?![a-z])")


def off(value: Any) -> bool:
    """Whether a switch is off: by false, by its text (which providers read as false), or by nothing at all."""
    return value is None or value is False or (isinstance(value, str) and value.lower() in ("false", "0", ""))


def number(value: Any) -> float | None:
    """A known number, which may be written as text; None for all else."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        return float(value)
    except ValueError:
        return None


def text(value: Any) -> str:
    """A known string, else the empty one."""
    return value if isinstance(value, str) else ""


def known(value: Any) -> bool:
    """Whether a value is there and known."""
    return value is not None and value is not UNKNOWN


def items(value: Any) -> list[Any]:
    """A list's members; a single value stands for a list of one, nothing and the unknown for none."""
    if value is None or value is UNKNOWN:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


def section(value: Any, name: str) -> Any:
    """A member of an object: None where it is not there, UNKNOWN where the object itself is not known."""
    if value is UNKNOWN:
        return UNKNOWN
    if isinstance(value, (list, tuple)):  # blocks of one come as lists from some SDKs
        value = value[0] if value else None
    return value.get(name) if isinstance(value, Mapping) else None
