"""Make the winner of an A/B test (or a shadow) the release."""

import hashlib
import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.app import new_app
from cli.errors import UserError

if TYPE_CHECKING:
    from operate.clients import Clients
    from operate.project import Project
    from operate.variants import Configured

app = new_app()


@app.command()
def promote(
    stack: Annotated[str, typer.Argument(help="Environment, like dev or prod.")],
    variant: Annotated[str, typer.Argument(help="Name of the variant, as the stack's config names it.")],
    hours: Annotated[float, typer.Option(help="How far back the figures go.", min=0.1, max=336)] = 24,
    show: Annotated[bool, typer.Option("--show", help="Only show how the variants do.")] = False,
    aws: Annotated[bool, typer.Option("--aws", help="Act on your own accounts instead of the rehearsal.")] = False,
) -> None:
    """Show how each variant does, then deploy the variant's manifest as the release, by the same shift.

    Its endpoint no longer has the variant beside the release; in the end you are told which lines of the stack's
    config to take out.
    """
    from cli.place import ROOT, enter

    enter(aws)
    from operate.clients import Clients
    from operate.project import read_project
    from operate.variants import configured, take_out

    project = read_project(ROOT)
    path = ROOT / f"Pulumi.{stack}.yaml"
    known = configured(path)
    if variant not in known:
        names = ", ".join(known) or "none"
        raise UserError(f"{path.name} names no variant {variant!r}", f"those that it names: {names}")
    clients = Clients(project)
    manifests = _compare(clients, project, stack, known, hours, variant)
    if show:
        return
    from cli.deploy import deploy_release

    print(f"promoting {variant}: release {json.loads(manifests[variant])['id']}", flush=True)
    sha256 = hashlib.sha256(manifests[variant].encode()).hexdigest()
    deploy_release(stack, known[variant].manifest, sha256, without=variant)
    print(f"{variant} is the release of {stack} now. {take_out(path, known[variant])}")
    print("Until then the config names the release as its own challenger, and every update is refused.")


def _compare(
    clients: "Clients", project: "Project", stack: str, known: "dict[str, Configured]", hours: float, wanted: str
) -> dict[str, str]:
    """Print the variants side by side; their manifests' texts. Raises UserError where `wanted` does not serve."""
    from operate.variants import OWN, figures, row, serving, table

    pointer, endpoint = _present(clients, project, stack)
    found = serving(clients.of(stack, "sagemaker"), endpoint)
    if wanted not in found:
        raise UserError(
            f"{wanted} does not serve in {stack}: endpoint {endpoint} has {', '.join(found)}",
            "deploy the release with the variant in the config first, and let it answer for a while",
        )
    addresses = {OWN: pointer["manifest"], **{name: item.manifest for name, item in known.items()}}
    shown = [name for name in found if name in addresses]
    manifests = {name: _text(clients, addresses[name]) for name in shown}
    measured = figures(clients.of(stack, "cloudwatch"), endpoint, shown, hours)
    rows = [
        row(name, found[name], name in known and known[name].shadow, measured[name], json.loads(manifests[name]))
        for name in shown
    ]
    print(f"{stack}, endpoint {endpoint}, last {hours:g} hours:\n{table(rows)}", flush=True)
    return manifests


def _present(clients: "Clients", project: "Project", stack: str) -> tuple[dict[str, Any], str]:
    """The recorded release, and the endpoint behind the version that serves."""
    ssm, functions = clients.of(stack, "ssm"), clients.of(stack, "lambda")
    try:
        pointer = json.loads(ssm.get_parameter(Name=f"/{project.names.name}/{stack}/release")["Parameter"]["Value"])
    except ssm.exceptions.ParameterNotFound:
        raise UserError(f"{stack} serves no release", "take one there through the pipeline first") from None
    config = functions.get_function_configuration(FunctionName=project.names.predict(stack), Qualifier="live")
    return pointer, str(config["Environment"]["Variables"]["ENDPOINT_NAME"])


def _text(clients: "Clients", uri: str) -> str:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    body: bytes = clients.of("delivery", "s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return body.decode("utf-8")
