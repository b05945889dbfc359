"""List an environment's releases: metric, state, data, commit, and who approved."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.app import new_app

if TYPE_CHECKING:
    from contracts.release import Release
    from operate.history import Approval, Manifest
    from operate.releases import Served, State

app = new_app()


@app.command()
def releases(
    stack: Annotated[str, typer.Argument(help="The environment, like prod.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for other programs.")] = False,
    aws: Annotated[bool, typer.Option("--aws", help="Act on your own accounts instead of the rehearsal.")] = False,
) -> None:
    """Every release that this environment has served, tried, or could serve; the newest first.

    A release is serving, shifting n %, former (it has served), rolled back (with the cause), or never served.
    """
    from cli.place import ROOT, enter

    enter(aws)
    from operate.clients import Clients
    from operate.project import environment, read_project

    project = read_project(ROOT)
    environment(project, stack)
    found = known(Clients(project), project, stack)
    if as_json:
        print(json.dumps(found, indent=2))
        return
    print("\n".join(line for entry in found for line in lines(entry)) or f"{stack} knows no release yet")


def known(clients: Any, project: Any, stack: str) -> list[dict[str, Any]]:
    """All releases known to an environment, the newest first."""
    from operate.history import History
    from operate.releases import state_of

    history = History(clients, project, stack)
    manifests, served, traffic, attempts = (
        history.manifests(),
        history.served(),
        history.traffic(),
        history.attempts(),
    )
    found = []
    for release in {*manifests, *(entry.release for entry in served)}:
        manifest = manifests.get(release)
        own = [entry for entry in served if entry.release == release]
        state = state_of(release, traffic, served, attempts)
        approval = history.approval(manifest.release.execution) if manifest else None
        found.append(entry_of(release, manifest, state, own, approval))
    return sorted(found, key=lambda entry: str(entry["created"] or entry["served"][0]), reverse=True)


def entry_of(
    release: str,
    manifest: "Manifest | None",
    state: "State",
    served: "Sequence[Served]",
    approval: "Approval | None",
) -> dict[str, Any]:
    """What is told of one release; what its manifest would say is null where that is gone."""
    told = manifest.release if manifest else None
    champion = told.champion if told else None
    return {
        "release": release,
        "state": state.word,
        "share": state.share,
        "cause": state.cause,
        "created": told.created if told else None,
        "reason": told.reason if told else None,
        "commit": told.commit if told else None,
        "data": {"uri": told.data.uri, "version": told.data.version, "rows": told.data.rows} if told else None,
        "metric": metric_of(told) if told else None,
        "champion": {"value": champion.value, "verdict": champion.verdict} if champion else None,
        "served": [_time(entry.at) for entry in served],
        "approved": {"by": approval.by, "at": _time(approval.at), "words": approval.words} if approval else None,
        "manifest": manifest.address if manifest else served[-1].manifest,
        "sha256": manifest.sha256 if manifest else served[-1].sha256,
    }


def lines(entry: dict[str, Any]) -> list[str]:
    """A release in words."""
    from operate.releases import State

    state = State(entry["state"], entry["share"], entry["cause"])
    if entry["created"] is None:
        return [f"{entry['release']}  {state}", f"    its manifest {entry['manifest']} is gone"]
    metric, data, approved = entry["metric"], entry["data"], entry["approved"]
    verdict = entry["champion"]["verdict"] if entry["champion"] else "no champion yet"
    found = [
        f"{entry['release']}  {state}",
        f"    made {entry['created']} for {entry['reason']}, commit {entry['commit'][:40]}",
        f"    {metric_text(metric)}; {verdict}",
        f"    data {data['uri']} version {data['version']}, {data['rows']} rows",
    ]
    if approved:
        words = f": {approved['words']}" if approved["words"] else ""
        found.append(f"    approved {approved['at']} by {approved['by'].rpartition(':')[2] or 'unknown'}{words}")
    if entry["served"]:
        found.append(f"    served from {', '.join(entry['served'])}")
    return found


def metric_text(metric: dict[str, Any]) -> str:
    """A metric with its interval and the gate it passed."""
    low, high = metric["ci"]
    return f"{metric['name']} {metric['value']:.4g} ({low:.4g} to {high:.4g}, gate {metric['threshold']:g})"


def metric_of(release: "Release") -> dict[str, Any]:
    """A release's metric by its name, with interval and threshold."""
    metrics = release.metrics
    return {"name": metrics.name, "value": metrics.value, "ci": list(metrics.ci), "threshold": metrics.threshold}


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
