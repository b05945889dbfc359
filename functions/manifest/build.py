"""From the workflow's results to a release."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from contracts.data import parse_target
from contracts.dataset import Dataset
from contracts.distribution import parse_distribution
from contracts.features import special
from contracts.release import Champion, Data, Metrics, Model, Release, Slice, parse_pair
from functions.manifest.publish import Kept

_SUMMARY_LIMIT = 900


def build_release(event: Mapping[str, Any], dataset: Dataset, kept: Kept, created: datetime) -> Release:
    """The release that the workflow's input and results describe, with what was kept of them."""
    data, rows = event["data"], kept.rows
    metrics, champion = event["gate"]["metrics"], event["gate"]["champion"]
    moment = created.astimezone(UTC)
    return Release(
        id=f"{moment:%Y%m%d}-{hashlib.sha256(event['run'].encode()).hexdigest()[:8]}",
        reason=event["reason"],
        commit=event["commit"],
        created=f"{moment:%Y-%m-%dT%H:%M:%SZ}",
        execution=event["run"],
        data=Data(
            data["uri"],
            data["version"],
            rows["read"],
            rows["quarantined"],
            rows["filtered"],
            rows["rules"],
            parse_target(rows.get("target"), "rows.target"),
        ),
        model=Model(event["package"], kept.artifact, kept.sha256, event["image"]),
        metrics=Metrics(
            name=metrics["name"],
            value=metrics["value"],
            ci=(metrics["ci"][0], metrics["ci"][1]),
            threshold=metrics["threshold"],
            rows=metrics["rows"],
            slices=tuple(Slice(item["slice"], item["value"], item["rows"]) for item in metrics["slices"]),
            class_rows=tuple(metrics["class_rows"]),
        ),
        champion=Champion(**champion) if champion else None,
        baseline=kept.baseline,
        golden=kept.golden,
        target=dataset.target,
        features=dataset.features,
        inputs=special(dataset.inputs),
        distribution=parse_distribution(event["gate"]["distribution"], "gate.distribution"),
        hashes=kept.hashes,
        split=kept.split,
        pair=parse_pair(event["gate"]["pair"], "gate.pair"),
        task=dataset.task,
        classes=dataset.classes,
    )


def summary(release: Release) -> str:
    """What an approver reads: one paragraph."""
    metrics = release.metrics
    against = f" {release.champion.verdict}." if release.champion else " No champion to compare with."
    text = (
        f"Release {release.id} ({release.reason}): {metrics.name} {metrics.value:.4g}"
        f" (95 % {metrics.ci[0]:.4g} to {metrics.ci[1]:.4g}, threshold {metrics.threshold:.4g})"
        f" on {metrics.rows} held-out rows{release.rarest};{against}"
        f"{f' {release.data.unfit}.' if release.data.unfit else ''}"
        f" Made of {release.data.used} of {release.data.uri} version {release.data.version},"
        f" code {release.commit[:12]}."
    )
    return text if len(text) <= _SUMMARY_LIMIT else text[: _SUMMARY_LIMIT - 1] + "…"
