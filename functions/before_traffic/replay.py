"""Replaying golden records through one version of the predict function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from functions.before_traffic.ask import AskError, ask
from functions.shared.golden import Golden, Record, check_answer, inference_ids
from functions.shared.hook import Deployment, HookError
from functions.shared.variants import Subject


def replay(
    client: Any,
    function_name: str,
    deployment: Deployment,
    golden: Golden,
    subject: Subject,
    left: Callable[[], float],
) -> str:
    """Send every record; the sentence that says all went well. Raises HookError naming the first failures.

    `client` is a boto3 Lambda client; `left` says for how many seconds another record may still be sent: a hook that
    is cut off reports nothing, and CodeDeploy would wait for an hour.
    """
    problems: list[str] = []
    ids = inference_ids(golden, subject.scope(deployment.id))
    for index, record in enumerate(golden.records):
        if left() <= 0:
            failed = f", {len(problems)} of them failed" if problems else ""
            raise HookError(
                f"Version {deployment.version}{_place(subject)} is too slow: time ran out after {index} of"
                f" {len(golden.records)} golden records{failed}."
            )
        problem = _problem(client, function_name, deployment.version, golden, record, ids[index], subject)
        if problem:
            problems.append(f"record {index}: {problem}")
    if problems:
        raise HookError(
            f"{len(problems)} of {len(golden.records)} golden records failed on version {deployment.version}"
            f"{_place(subject)}: " + "; ".join(problems[:3])
        )
    return (
        f"Version {deployment.version} answered all {len(golden.records)} golden records of release"
        f" {subject.release}{_place(subject)}."
    )


def _place(subject: Subject) -> str:
    return f" in variant {subject.variant}" if subject.suffix else ""


def _problem(
    client: Any, function_name: str, version: str, golden: Golden, record: Record, request_id: str, subject: Subject
) -> str | None:
    try:
        document = ask(client, function_name, version, record.features, request_id, subject.variant)
    except AskError as error:
        return str(error)
    return check_answer(golden, record, document, subject.release)
