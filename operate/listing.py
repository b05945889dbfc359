"""All releases of an environment, as they are listed: state, metric, data, commit, and who approved."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from contracts.release import Release
from operate.clients import Clients
from operate.history import Approval, History, Manifest
from operate.project import Project
from operate.releases import ServingRecord, State, state_of


def known(clients: Clients, project: Project, stack: str) -> list[dict[str, Any]]:
    """All releases known to an environment, the newest first."""
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
    release: str, manifest: Manifest | None, state: State, served: Sequence[ServingRecord], approval: Approval | None
) -> dict[str, Any]:
    """What is listed of one release; what its manifest would say is null where that is gone."""
    read = manifest.release if manifest else None
    champion = read.champion if read else None
    return {
        "release": release,
        "state": state.word,
        "share": state.share,
        "cause": state.cause,
        "created": read.created if read else None,
        "reason": read.reason if read else None,
        "commit": read.commit if read else None,
        "data": {"uri": read.data.uri, "version": read.data.version, "rows": read.data.rows} if read else None,
        "metric": metric_of(read) if read else None,
        "champion": {"value": champion.value, "verdict": champion.verdict} if champion else None,
        "served": [_time(entry.at) for entry in served],
        "approved": {"by": approval.by, "at": _time(approval.at), "words": approval.words} if approval else None,
        "manifest": manifest.address if manifest else served[-1].manifest,
        "sha256": manifest.sha256 if manifest else served[-1].sha256,
    }


def metric_of(release: Release) -> dict[str, Any]:
    """A release's metric by its name, with interval and threshold."""
    metrics = release.metrics
    return {"name": metrics.name, "value": metrics.value, "ci": list(metrics.ci), "threshold": metrics.threshold}


def metric_text(metric: dict[str, Any]) -> str:
    """A metric with its interval and the gate it passed."""
    low, high = metric["ci"]
    return f"{metric['name']} {metric['value']:.4g} ({low:.4g} to {high:.4g}, gate {metric['threshold']:g})"


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
