"""Keep what a commit would do to the environments next to its packaged code (used by the Build stage)."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.app import new_app
from cli.errors import UserError
from cli.package import write_variables

if TYPE_CHECKING:
    from preview import Report

app = new_app()

VIOLATIONS = 3
_ROOT = Path(__file__).resolve().parent.parent


@app.command()
def evidence(
    stack: Annotated[list[str], typer.Option(help="Environment; may be given several times.")],
    bucket: Annotated[str, typer.Option(help="Bucket of the artifacts.")],
    commit: Annotated[str, typer.Option(help="Commit (or object version) that the code is packaged under.")],
    variables: Annotated[Path | None, typer.Option(help="File that is written for the shell with the outcome.")] = None,
) -> None:
    """Preview the environments with the policy pack and store each as Markdown and JSON under code/COMMIT/preview/.

    Changes nothing in the environments. Prints PREVIEW, a short summary of the last one. Ends with 3 where a policy
    refuses the commit, and shows what it found.
    """
    from preview import summary

    with ThreadPoolExecutor(len(stack)) as pool:
        reports = list(pool.map(report_of, stack))
    _store(reports, f"s3://{bucket}/code/{commit}/preview")
    for found in reports:
        refuse_violations(found)
    outcome = {"PREVIEW": " ".join(summary(reports[-1]).split())}
    print(f"PREVIEW={outcome['PREVIEW']}")
    if variables:
        write_variables(variables, outcome)


def report_of(stack: str, release: str = "") -> "Report":
    """The report on one environment, compared with what is there now. Raises UserError where the preview fails."""
    from operate.previews import Asked, steps
    from preview import report

    pack = _ROOT / "policies"
    return report(steps(Asked(_ROOT, stack, release, pack=pack if (pack / "PulumiPolicy.yaml").is_file() else None)))


def refuse_violations(found: "Report") -> None:
    """Stops where a policy does. Raises UserError with what it found, in the policy's own words."""
    refused = [f"  {each.resource}: {each.message}" for each in found.violations if each.level == "mandatory"]
    if refused:
        raise UserError(
            f"policies refuse this change of {found.stack}:\n" + "\n".join(refused),
            "nothing was changed; policies/RULES.md explains each rule",
            VIOLATIONS,
        )


def _store(reports: Sequence["Report"], prefix: str) -> None:
    import boto3

    from operate.plans import write
    from preview import as_json, markdown

    s3: Any = boto3.client("s3")
    for found in reports:
        write(s3, f"{prefix}/{found.stack}.md", markdown(found).encode(), "text/markdown")
        write(s3, f"{prefix}/{found.stack}.json", as_json(found).encode())
