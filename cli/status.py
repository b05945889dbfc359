"""Show what serves where, whether a shift is under way, and why the last one was rolled back."""

import json
from typing import Annotated, Any

import typer

from cli.app import new_app

app = new_app()


@app.command()
def status(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for other programs.")] = False,
    aws: Annotated[bool, typer.Option("--aws", help="Act on your own accounts instead of the rehearsal.")] = False,
) -> None:
    """One line per environment, the pipeline's latest run, and what retraining last decided."""
    from cli.place import ROOT, enter

    enter(aws)
    from operate.clients import Clients
    from operate.project import read_project
    from operate.retraining import retraining
    from operate.status import environment, latest_run

    project = read_project(ROOT)
    clients = Clients(project)
    environments = [environment(clients, project, stack) for stack in project.names.environments]
    run, retrained = latest_run(clients, project), retraining(clients, project)
    if as_json:
        print(json.dumps({"environments": environments, "run": run, "retraining": retrained}, indent=2))
        return
    for entry in environments:
        print(line(entry))
    print(f"pipeline   {run['status']}: {run['execution']}" if run else "pipeline   no run yet")
    print(retraining_line(retrained))


def line(entry: dict[str, Any]) -> str:
    """An environment in words: a line, and one more for each thing that is not at rest."""
    if entry["release"] is None:
        return f"\n{'':<11}".join([f"{entry['stack']:<10} serves no release", *unowned_lines(entry)])
    endpoint = f"endpoint {entry['endpoint']} {entry['state']}"
    found = [f"{entry['stack']:<10} release {entry['release']} by version {entry['version']}, {endpoint}"]
    if entry["shift"]:
        shift = entry["shift"]
        share = entry["shifting"].get(shift["release"], 0.0)
        what = f"shifts to release {shift['release']}, now {share:.0%}"
        if shift["rollback"]:
            what = f"rolls back to release {shift['release']}"
        found.append(f"a shift is under way: deployment {shift['deployment']} {what}")
    elif entry["shifting"]:
        weights = ", ".join(f"{release} {share:.0%}" for release, share in entry["shifting"].items())
        found.append(f"orphaned weights are left ({weights}): the next update removes them")
    if entry["failed"]:
        failed = entry["failed"]
        found.append(f"the last shift, to release {failed['release']}, was rolled back: {failed['cause']}")
    if entry["moved"]:
        found.append(
            f"the alias was moved by hand: release {entry['recorded']} is recorded and was the last one shifted to; the"
            f" next update (pulumi up --stack {entry['stack']}, or a deploy) moves traffic back"
        )
    elif entry["recorded"] != entry["release"] and not entry["shift"]:
        found.append(
            f"release {entry['recorded']} is still the one recorded: an update was interrupted after its shift; deploy"
            f" {entry['release']} again to end it"
        )
    return f"\n{'':<11}".join([*found, *unowned_lines(entry)])


def unowned_lines(entry: dict[str, Any]) -> list[str]:
    """What is left over, if anything, and how it is removed."""
    if entry["unknown"]:
        return [f"whether anything is left over is unknown: {entry['unknown']}"]
    names = ", ".join(f"{each['kind']} {each['name']}" for each in entry["unowned"])
    return [f"no state holds {names}: ./glidepath sweep {entry['stack']} removes what is left over"] if names else []


def retraining_line(found: dict[str, Any]) -> str:
    """Retraining in words: what the last event led to, and which run it last began where that is another matter."""
    if not found["enabled"]:
        return "retraining is switched off (glidepath:retrain.enabled)"
    if not found["decisions"]:
        return "retraining nothing has asked for one yet"
    last = found["decisions"][0]
    if last["execution"]:
        return f"retraining {last['at']}: {last['why']}; started {last['words']}"
    lines = [f"retraining {last['at']}: {last['why']}; nothing started ({last['brake']}): {last['words']}"]
    if found["runs"]:
        run = found["runs"][0]
        lines.append(f"the last run that it began: {run['execution']}, at {run['at']}, for {run['why']}")
    return f"\n{'':<11}".join(lines)
