"""Show what serves where: release, endpoint, version and the weights of the alias."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.app import new_app

if TYPE_CHECKING:
    from operate.clients import Clients
    from operate.project import Project

app = new_app()
ALIAS = "live"


@app.command()
def status(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for other programs.")] = False,
    aws: Annotated[bool, typer.Option("--aws", help="Act on your own accounts instead of the rehearsal.")] = False,
) -> None:
    """One line per environment, and the pipeline's latest run."""
    from cli.place import ROOT, enter

    enter(aws)
    from operate.clients import Clients
    from operate.project import ENVIRONMENTS, read_project

    project = read_project(ROOT)
    clients = Clients(project)
    environments = [environment(clients, project, stack) for stack in ENVIRONMENTS]
    run = latest_run(clients, project)
    if as_json:
        print(json.dumps({"environments": environments, "run": run}, indent=2))
        return
    for entry in environments:
        print(line(entry))
    print(f"pipeline   {run['status']}: {run['execution']}" if run else "pipeline   no run yet")


def environment(clients: "Clients", project: "Project", stack: str) -> dict[str, Any]:
    """What one environment says of itself; `release` is None where nothing serves."""
    ssm, functions, sagemaker = (clients.of(stack, service) for service in ("ssm", "lambda", "sagemaker"))
    try:
        pointer = json.loads(ssm.get_parameter(Name=f"/{project.name}/{stack}/release")["Parameter"]["Value"])
        alias = functions.get_alias(FunctionName=project.predict(stack), Name=ALIAS)
    except (ssm.exceptions.ParameterNotFound, functions.exceptions.ResourceNotFoundException):
        return {"stack": stack, "release": None}
    version = alias["FunctionVersion"]
    config = functions.get_function_configuration(FunctionName=project.predict(stack), Qualifier=version)
    endpoint = config["Environment"]["Variables"]["ENDPOINT_NAME"]
    state = sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointStatus"]
    weights = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    return {
        "stack": stack,
        "release": pointer["id"],
        "version": version,
        "shifting": weights,
        "endpoint": endpoint,
        "state": state,
    }


def latest_run(clients: "Clients", project: "Project") -> dict[str, str] | None:
    """The newest run of the pipeline, if there was one."""
    pipeline = clients.of("delivery", "codepipeline")
    try:
        runs = pipeline.list_pipeline_executions(pipelineName=project.name, maxResults=1)["pipelineExecutionSummaries"]
    except pipeline.exceptions.PipelineNotFoundException:
        return None
    return {"execution": runs[0]["pipelineExecutionId"], "status": runs[0]["status"]} if runs else None


def line(entry: dict[str, Any]) -> str:
    """An environment in words."""
    if entry["release"] is None:
        return f"{entry['stack']:<10} serves no release"
    shifting = "".join(f", shifting {weight:.0%} to version {v}" for v, weight in entry["shifting"].items())
    return (
        f"{entry['stack']:<10} release {entry['release']} by version {entry['version']}{shifting}, "
        f"endpoint {entry['endpoint']} {entry['state']}"
    )
