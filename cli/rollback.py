"""Return an environment to a release that served before: alias, endpoint, baseline and schedule together."""

import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from cli.app import confirm, new_app

if TYPE_CHECKING:
    from operate.history import Approval
    from operate.rollback import Plan

app = new_app()


@app.command()
def rollback(
    stack: Annotated[str, typer.Argument(help="The environment, like prod.")],
    to: Annotated[str, typer.Option(help="The release to return to; default: the one that served before.")] = "",
    now: Annotated[bool, typer.Option("--now", help="All traffic at once, instead of the config's steps.")] = False,
    unsigned: Annotated[
        bool, typer.Option("--unsigned", help="Also to a release from before manifests were signed; you vouch for it.")
    ] = False,
    reason: Annotated[str, typer.Option(help="Why, in a few words; recorded with the deployment.")] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")] = False,
    aws: Annotated[bool, typer.Option("--aws", help="Act on your own accounts instead of the rehearsal.")] = False,
) -> None:
    """Deploy a former release's manifest again, through engine, policy pack, hooks and shift like any release.

    A shift that is under way is stopped with rollback first. Alarms that are in ALARM already do not stop a rollback.
    With --now the steps are left out, and with them the alarms' chance to stop it; both hooks still run.
    """
    from cli.place import ROOT, enter

    enter(aws)
    from operate.clients import Clients
    from operate.project import environment, read_project
    from operate.rollback import carry_out, plan

    project = read_project(ROOT)
    environment(project, stack)
    clients = Clients(project)
    wanted = plan(clients, project, stack, to, unsigned)
    print("\n".join(lines(wanted, now)))
    if not yes:
        confirm(f"Return {wanted.stack} to release {wanted.target.release.id}?")
    version = carry_out(clients, project, wanted, now, reason, lambda line: print(line, flush=True))
    print(f"release {wanted.target.release.id} takes all traffic of {stack}, by version {version}")


def lines(wanted: "Plan", now: bool) -> list[str]:
    """What is about to be done, for a person."""
    from operate.listing import metric_of, metric_text

    release, approval = wanted.target.release, wanted.approval
    found = [f"{wanted.stack}: from release {wanted.present} back to {release.id}"]
    if wanted.under_way:
        shift = wanted.under_way
        found.append(f"  first      the shift to {shift.release} (deployment {shift.id}) is stopped and rolled back")
    if wanted.baking:
        which = f"{wanted.baking.release} is in its bake (deployment {wanted.baking.deployment})"
        found.append(f"  first      {which}: its traffic is taken back, all at once")
    if not wanted.deploys:
        return [*found, f"  then       {release.id} takes all traffic again: nothing else is to be done"]
    found += [
        f"  made       {release.created} for {release.reason}, commit {release.commit[:40]}",
        f"  metric     {metric_text(metric_of(release))}",
        f"  data       {release.data.uri} version {release.data.version}, {release.data.rows} rows",
        f"  served     from {_time(wanted.served.at)}",
        f"  approved   {_approved(approval)}",
    ]
    if wanted.unsigned:
        found.append("  unsigned   from before manifests were signed: nobody but you vouches for it")
    if now:
        found.append("  now        all traffic at once: no steps, so no alarm can stop it on the way; both hooks run,")
        found.append("             policy all-at-once is exempted for this one update; recorded with the deployment")
    return found


def _time(moment: datetime.datetime) -> str:
    return f"{moment.astimezone(datetime.UTC):%Y-%m-%d %H:%M} UTC"


def _approved(approval: "Approval | None") -> str:
    if approval is None:
        return "by nobody that the pipeline remembers"
    return f"{_time(approval.at)} by {approval.by.rpartition(':')[2] or 'unknown'}"
