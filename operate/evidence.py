"""What a build leaves for those after it: packaged code, previews, what an approver reads, variables for the shell."""

import hashlib
import shlex
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contracts.errors import UserError
from contracts.monitoring import ARCHIVE
from contracts.release import Release, ReleaseError, parse_release
from contracts.s3 import S3Location
from functions.shared.analyzer import archive
from operate import HERE, ROOT, plans

if TYPE_CHECKING:
    from preview import Report

VIOLATIONS = 3
"""Exit code of what a policy refuses."""
CODE = ("functions/jobs/features/features.sql", "functions/jobs/evaluate/evaluate.py")
"""What the workflow's jobs fetch by the commit."""
LONGEST = 750
"""Characters of the evidence: CodePipeline puts 1000 into the mail, and the three hashes are beside it."""
SUMMARY = 540
"""Characters of the summary that are there whatever the release says of itself: verdict, exemptions, what the shift can
see, cost."""


def write_variables(path: Path, values: Mapping[str, str]) -> None:
    """A file of `export NAME=value` lines that a shell reads with `source`."""
    lines = [f"export {name}={shlex.quote(value)}" for name, value in values.items()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def package(s3: Any, folder: S3Location) -> None:
    """Upload the workflow's code, once. Raises UserError where a file is missing, or other code lies there already."""
    for name, (body, content_type) in _code(ROOT).items():
        plans.write_once(s3, str(folder.join(name)), body, content_type)


def refuse_other_code(s3: Any, folder: S3Location) -> None:
    """Stops where what was packaged is not the source's: Build packages it, and nobody has approved what runs there.

    Packaged code is written once, so what is compared here is what the workflow's jobs have run. Raises UserError.
    """
    for name, (body, _) in _code(ROOT).items():
        place = str(folder.join(name))
        if plans.read(s3, place) != body:
            raise UserError(
                f"{place} is not what the source has: the model was made by other code than its commit's",
                "nothing was changed; find out what the build ran, then commit again to package under another name",
            )


def _code(root: Path) -> dict[str, tuple[bytes, str]]:
    """What the workflow's jobs run, by name, with its type. Raises UserError where a file is missing."""
    missing = next((name for name in CODE if not (root / name).is_file()), "")
    if missing:
        raise UserError(f"{missing} is missing from the sources", "commit it: the training workflow needs it")
    texts = {Path(name).name: ((root / name).read_bytes(), "text/plain") for name in CODE}
    return {**texts, ARCHIVE: (archive(root), "application/zip")}


def reports_of(stacks: Sequence[str]) -> "list[Report]":
    """The reports on some environments, made side by side. Raises UserError where a preview fails."""
    with ThreadPoolExecutor(len(stacks)) as pool:
        return list(pool.map(report_of, stacks))


def report_of(stack: str, release: str = "") -> "Report":
    """The report on one environment, compared with what is there now. Raises UserError where the preview fails."""
    from operate.power import looking
    from operate.previews import Asked, policy_pack, steps
    from preview import report

    with looking(ROOT, stack) as ahead:
        planned, foreseen = steps(Asked(ROOT, stack, release, pack=policy_pack(HERE))), ahead.result()
    return report(planned, shift=foreseen.text if foreseen else "")


def refuse_violations(found: "Report") -> None:
    """Stops where a policy does. Raises UserError with what it found, in the policy's own words."""
    refused = [f"  {each.resource}: {each.message}" for each in found.violations if each.level == "mandatory"]
    if refused:
        raise UserError(
            f"policies refuse this change of {found.stack}:\n" + "\n".join(refused),
            "nothing was changed; policies/RULES.md explains each rule",
            VIOLATIONS,
        )


def keep(s3: Any, reports: "Sequence[Report]", folder: S3Location) -> None:
    """Store each report as Markdown and as JSON. Raises UserError where it cannot be written."""
    from preview import as_json, markdown

    for found in reports:
        plans.write(s3, str(folder.join(f"{found.stack}.md")), markdown(found).encode(), "text/markdown")
        plans.write(s3, str(folder.join(f"{found.stack}.json")), as_json(found).encode())


def read_manifest(s3: Any, uri: str, sha256: str = "") -> tuple[Release, str]:
    """The manifest and its hash, which must be that of the one that was tested, if one was. Raises UserError."""
    body = plans.read(s3, uri)
    actual = hashlib.sha256(body).hexdigest()
    if sha256 and actual != sha256:
        raise UserError(f"{uri} has SHA-256 {actual}, but {sha256} was tested", "run the pipeline again")
    try:
        return parse_release(body.decode()), actual
    except ReleaseError as error:
        raise UserError(f"{uri} is no release manifest: {error}") from None


def evidence(release: Release, stack: str, summary: str) -> str:
    """What the approver reads, in one line of at most LONGEST characters: the release's metrics, then the summary.

    Some of the first comes from the evaluation, whose code nobody has approved yet: it may not push out the second.
    """
    told = " ".join(summary.split())
    head = _cut(" ".join(headline(release, stack).split()), LONGEST - 1 - min(len(told), SUMMARY))
    return _cut(f"{head} {told}", LONGEST)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def headline(release: Release, stack: str) -> str:
    """The release, its metric with the interval, and the champion it was compared with."""
    metrics = release.metrics
    low, high = metrics.ci
    against = release.champion.verdict.rstrip(".") if release.champion else "no champion to compare with"
    return (
        f"Release {release.id} ({release.reason}) for {stack}: {metrics.name} {metrics.value:.4g}"
        f" ({low:.4g} to {high:.4g}), threshold {metrics.threshold:g}, {metrics.rows} rows{release.rarest}, {against}."
        + (f" {release.data.unfit}." if release.data.unfit else "")
    )
