"""The variants of an endpoint side by side, before one of them becomes the release."""

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from contracts.errors import UserError
from contracts.names import DELIVERY, LIVE
from contracts.s3 import parse_s3_uri
from functions.judge.tolerance import TOLERANCE
from operate.clients import Clients
from operate.minutes import contest_of, minutes
from operate.project import Project
from operate.variants import Configured, Figures, figures, row, serving, table
from operate.versus import ALWAYS, Answer, Finding, judge, overall, sentences


@dataclass(frozen=True)
class Comparison:
    """How the variants of `endpoint` do: as a table, figures by name, and the text of each one's manifest.

    `findings`: of `variant` against the release's own, by metric, since `since` in epoch seconds.
    """

    endpoint: str
    variant: str
    table: str
    figures: Mapping[str, Figures]
    manifests: Mapping[str, str]
    since: float
    findings: tuple[Finding, ...]

    @property
    def answer(self) -> Answer:
        """Of all metrics together."""
        return overall(self.findings)


def compare(
    clients: Clients, project: Project, stack: str, known: Mapping[str, Configured], hours: float, wanted: str
) -> Comparison:
    """The variants that serve: figures of the last hours, and `wanted` against the release's own since both serve.

    Raises UserError where `wanted` does not serve.
    """
    pointer, function = _present(clients, project, stack)
    contest = contest_of(function)
    endpoint = contest.endpoint
    found = serving(clients.of(stack, "sagemaker"), endpoint)
    if wanted not in found:
        raise UserError(
            f"{wanted} does not serve in {stack}: endpoint {endpoint} has {', '.join(found)}",
            "deploy the release with the variant in the config first, and let it answer for a while",
        )
    addresses = {LIVE: pointer["manifest"], **{name: item.manifest for name, item in known.items()}}
    shown = [name for name in found if name in addresses]
    manifests = {name: _text(clients, addresses[name]) for name in shown}
    cloudwatch = clients.of(stack, "cloudwatch")
    measured = figures(cloudwatch, endpoint, shown, hours)
    rows = [
        row(name, found[name], name in known and known[name].shadow, measured[name], json.loads(manifests[name]))
        for name in shown
    ]
    findings = judge(*minutes(cloudwatch, contest, wanted, LIVE, time.time()))
    return Comparison(endpoint, wanted, table(rows), measured, manifests, contest.start, findings)


def lines(found: Comparison) -> list[str]:
    """The comparison for people."""
    since = f"{datetime.fromtimestamp(found.since, UTC):%Y-%m-%d %H:%M} UTC"
    return [
        f"{found.variant} against {LIVE} since {since}: {found.answer}",
        *(f"  {sentence}" for sentence in sentences(found.findings, found.variant, LIVE)),
        f"  {ALWAYS}",
    ]


def document(found: Comparison) -> dict[str, Any]:
    """The comparison, and the figures of all variants, for machines."""
    said = sentences(found.findings, found.variant, LIVE)
    return {
        "endpoint": found.endpoint,
        "variants": {
            name: {"release": json.loads(found.manifests[name])["id"], **asdict(each)}
            for name, each in found.figures.items()
        },
        "variant": found.variant,
        "against": LIVE,
        "since": datetime.fromtimestamp(found.since, UTC).isoformat(),
        "answer": found.answer,
        "metrics": {each.metric: _metric(each, text) for each, text in zip(found.findings, said, strict=True)},
    }


def _metric(found: Finding, text: str) -> dict[str, Any]:
    """Shares of requests; null for a difference where none is ruled out."""
    counts = found.counts
    return {
        "answer": found.answer,
        "sentence": text,
        "variant": {"requests": counts.new_requests, "events": counts.new_events},
        "own": {"requests": counts.old_requests, "events": counts.old_events},
        "worse_ruled_out": None if found.worse == 1 else found.worse,
        "better_ruled_out": None if found.better == 1 else found.better,
        "tolerated": TOLERANCE,
        "need": asdict(found.need) if found.need else None,
    }


def _present(clients: Clients, project: Project, stack: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The recorded release, and the configuration of the version that serves: in a shift, of the one before."""
    ssm, functions = clients.of(stack, "ssm"), clients.of(stack, "lambda")
    try:
        pointer = json.loads(ssm.get_parameter(Name=project.names.pointer(stack))["Parameter"]["Value"])
    except ssm.exceptions.ParameterNotFound:
        raise UserError(f"{stack} serves no release", "take one there through the pipeline first") from None
    return pointer, functions.get_function_configuration(FunctionName=project.names.predict(stack), Qualifier=LIVE)


def _text(clients: Clients, uri: str) -> str:
    bucket, key = parse_s3_uri(uri)
    body: bytes = clients.of(DELIVERY, "s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return body.decode("utf-8")
