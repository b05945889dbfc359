"""What the judge has found of an environment's last shift."""

import json
from typing import Annotated

import typer

from cli.app import new_app
from cli.errors import UserError

app = new_app()


@app.command()
def verdict(
    stack: Annotated[str, typer.Argument(help="The environment, like prod.")],
    deployment: Annotated[str, typer.Option(help="A deployment of CodeDeploy's, instead of the newest.")] = "",
    accept: Annotated[bool, typer.Option("--accept", help="Answer a question: the new release stays.")] = False,
    back: Annotated[bool, typer.Option("--return", help="Answer a question: traffic goes back.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for other programs.")] = False,
    aws: Annotated[bool, typer.Option("--aws", help="Act on your own accounts instead of the rehearsal.")] = False,
) -> None:
    """How a release compares with the one before: requests and events of both, evidence over time, verdict, bake.

    docs/verdict.md says how it is judged. Where config has a person asked (glidepath:deployment.onInconclusive: ask),
    --accept or --return is the answer.
    """
    from cli.place import ROOT, enter

    if accept and back:
        raise UserError("--accept and --return exclude each other", "choose one; nothing was changed")
    enter(aws)
    from operate import verdicts
    from operate.clients import Clients
    from operate.history import History
    from operate.project import environment, read_project

    project = read_project(ROOT)
    environment(project, stack)
    clients = Clients(project)
    s3 = clients.of(stack, "s3")
    attempts = {each.id: each for each in History(clients, project, stack).attempts()}
    if deployment and deployment not in attempts:
        newest = ", ".join(list(attempts)[:5]) or "none"
        raise UserError(f"{stack} has no deployment {deployment!r}", f"its newest deployments: {newest}")
    record = verdicts.find(s3, project.names, stack, [deployment] if deployment else list(attempts))
    if record is None:
        raise UserError(
            f"the judge has no record of {f'deployment {deployment}' if deployment else f'any shift in {stack}'}",
            "it judges shifts by steps (glidepath:deployment.kind canary or linear) and bakes, and no rollback",
        )
    asked = verdicts.question(s3, project.names, stack, record)
    if accept or back:
        print(verdicts.answer(clients.of(stack, "codedeploy"), record, asked, accept))
        return
    found = verdicts.document(record, asked, attempts.get(record.deployment))
    print(json.dumps(found, indent=2) if as_json else "\n".join(verdicts.lines(found)))
