"""What builds install holds what the project asks for: they take the locks' hashes, and nothing else."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from operate.checks.finding import Finding, Result

LOCKS = {"requirements.txt": "requirements.lock", "requirements-build.txt": "requirements-build.lock"}
_LOCKED = re.compile(r"^([\w.-]+)(?:\[[^\]]*\])?==(\S+)", re.MULTILINE)
_FIX = "run `make locks`, and commit what it writes"


def check(root: Path) -> Result:
    """Compares each file of requirements with its lock."""
    findings: list[Finding] = []
    count = 0
    for name, lock in LOCKS.items():
        if not (root / name).is_file():
            continue
        if not (root / lock).is_file():
            findings.append(Finding(lock, f"is missing, and builds install nothing else for {name}: {_FIX}"))
            continue
        text = (root / lock).read_text(encoding="utf-8")
        held = {canonicalize_name(found): version for found, version in _LOCKED.findall(text)}
        for line in _asked(root, name):
            count += 1
            findings += [Finding(lock, wrong) for wrong in _wrong(line, name, held)]
    return Result("packages", f"{count} requirements", tuple(findings))


def _asked(root: Path, name: str) -> Iterator[str]:
    """The requirements of a file and of those that it includes, without comments and options."""
    for line in (root / name).read_text(encoding="utf-8").splitlines():
        text = re.sub(r"(^|\s)#.*", "", line).strip()
        included = re.match(r"(?:-r|--requirement)[\s=]+(\S+)", text)
        if included:
            yield from _asked(root, included[1])
        elif text and not text.startswith("-"):
            yield text


def _wrong(line: str, name: str, held: Mapping[NormalizedName, str]) -> Iterator[str]:
    try:
        wanted = Requirement(line)
    except InvalidRequirement:
        yield f"{name} asks for {line!r}, which has no name and version to lock: name a package of an index"
        return
    version = held.get(canonicalize_name(wanted.name))
    if version is None:
        yield f"lacks {wanted.name}, which {name} asks for, so builds would not have it: {_FIX}"
    elif not wanted.specifier.contains(Version(version), prereleases=True):
        yield f"has {wanted.name} {version}, but {name} asks for {wanted.specifier}: {_FIX}"
