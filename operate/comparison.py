"""The variants of an endpoint side by side, before one of them becomes the release."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from contracts.errors import UserError
from contracts.names import DELIVERY, LIVE
from contracts.s3 import parse_s3_uri
from operate.clients import Clients
from operate.project import Project
from operate.variants import Configured, figures, row, serving, table


@dataclass(frozen=True)
class Comparison:
    """How the variants of `endpoint` do, as a table, and the text of each one's manifest."""

    endpoint: str
    table: str
    manifests: Mapping[str, str]


def compare(
    clients: Clients, project: Project, stack: str, known: Mapping[str, Configured], hours: float, wanted: str
) -> Comparison:
    """The variants that serve, over the last hours. Raises UserError where `wanted` does not serve."""
    pointer, endpoint = _present(clients, project, stack)
    found = serving(clients.of(stack, "sagemaker"), endpoint)
    if wanted not in found:
        raise UserError(
            f"{wanted} does not serve in {stack}: endpoint {endpoint} has {', '.join(found)}",
            "deploy the release with the variant in the config first, and let it answer for a while",
        )
    addresses = {LIVE: pointer["manifest"], **{name: item.manifest for name, item in known.items()}}
    shown = [name for name in found if name in addresses]
    manifests = {name: _text(clients, addresses[name]) for name in shown}
    measured = figures(clients.of(stack, "cloudwatch"), endpoint, shown, hours)
    rows = [
        row(name, found[name], name in known and known[name].shadow, measured[name], json.loads(manifests[name]))
        for name in shown
    ]
    return Comparison(endpoint, table(rows), manifests)


def _present(clients: Clients, project: Project, stack: str) -> tuple[dict[str, Any], str]:
    """The recorded release, and the endpoint behind the version that serves."""
    ssm, functions = clients.of(stack, "ssm"), clients.of(stack, "lambda")
    try:
        pointer = json.loads(ssm.get_parameter(Name=project.names.pointer(stack))["Parameter"]["Value"])
    except ssm.exceptions.ParameterNotFound:
        raise UserError(f"{stack} serves no release", "take one there through the pipeline first") from None
    config = functions.get_function_configuration(FunctionName=project.names.predict(stack), Qualifier=LIVE)
    return pointer, str(config["Environment"]["Variables"]["ENDPOINT_NAME"])


def _text(clients: Clients, uri: str) -> str:
    bucket, key = parse_s3_uri(uri)
    body: bytes = clients.of(DELIVERY, "s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return body.decode("utf-8")
