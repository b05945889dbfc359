"""The CI files as data."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
GITHUB = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
GITLAB = ROOT / ".gitlab-ci.yml"
_EXPRESSION = re.compile(r"\$\{\{\s*(.+?)\s*\}\}")


@dataclass(frozen=True)
class Step:
    """One shell step. `environ` is what the file itself sets, expressions unresolved."""

    job: str
    script: str
    environ: dict[str, str]


def load(path: Path) -> dict[Any, Any]:
    """A workflow file. YAML 1.1 reads the key `on` as true."""
    found: dict[Any, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def workflow(name: str) -> dict[Any, Any]:
    """A workflow of GitHub's, by its file's name."""
    return load(ROOT / ".github" / "workflows" / f"{name}.yml")


def run_steps(name: str, job: str) -> Iterator[Step]:
    """The shell steps of a GitHub job, in order."""
    found = workflow(name)["jobs"][job]
    for step in found["steps"]:
        if "run" in step:
            yield Step(job, step["run"], {**found.get("env", {}), **step.get("env", {})})


def gitlab_jobs() -> dict[str, dict[str, Any]]:
    """GitLab's jobs with what they extend merged in."""
    document = load(GITLAB)
    special = ("stages", "default", "workflow")
    return {
        name: _extended(document, job)
        for name, job in document.items()
        if name not in special and not name.startswith(".")
    }


def gitlab_steps(job: str) -> Iterator[Step]:
    """The script lines of a GitLab job."""
    found = gitlab_jobs()[job]
    for line in found["script"]:
        yield Step(job, line, found.get("variables", {}))


def resolve(text: str, values: dict[str, str]) -> str:
    """Replace `${{ … }}` by given values. Raises KeyError for an expression that has none."""
    return _EXPRESSION.sub(lambda match: values[match[1]], text)


def _extended(document: dict[str, Any], job: dict[str, Any]) -> dict[str, Any]:
    base = document[job["extends"]] if "extends" in job else {}
    return {**base, **job, "variables": {**base.get("variables", {}), **job.get("variables", {})}}
