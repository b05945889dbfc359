"""Reads what the hourly analyses of an environment have left in its capture bucket, in Model Monitor's formats."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contracts.monitoring import REPORTS

_STATISTICS, _VIOLATIONS = "statistics.json", "constraint_violations.json"
# Model Monitor knows no such file: it is our own analyzer's, a sentence for people.
_SENTENCE = "summary.txt"
_READ = 48


@dataclass(frozen=True)
class Analysis:
    """One hour of an endpoint's captured requests, as it was analysed."""

    endpoint: str
    at: datetime
    """When it was written."""
    folder: str
    """Its place in the bucket."""
    statistics: Mapping[str, Any]
    violations: tuple[Mapping[str, Any], ...]
    sentence: str = ""
    """What the analyzer says of it, where it says anything."""

    def lines(self) -> list[str]:
        """What it found, for people: the analyzer's sentence, or else whether there is any violation; and each of them.

        Without a sentence nobody knows whether there were enough records to find one.
        """
        told = [_line(violation) for violation in self.violations]
        return [self.sentence, *told] if self.sentence else told or ["no violation"]


def _line(violation: Mapping[str, Any]) -> str:
    return f"{violation['feature_name']}: {violation['constraint_check_type']}: {violation['description']}"


def analyses(s3: Any, bucket: str, endpoint: str = "") -> list[Analysis]:
    """The newest analyses of an endpoint (none given: of all endpoints), the newest first, two days of them at most.

    Empty where there is none yet.
    """
    written: dict[str, datetime] = {}
    there: set[str] = set()
    prefix = f"{REPORTS}/{endpoint}/" if endpoint else f"{REPORTS}/"
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for item in page.get("Contents", []):
            folder, _, name = item["Key"].rpartition("/")
            there.add(item["Key"])
            if name == _STATISTICS:
                written[folder] = item["LastModified"]
    newest = sorted(written, key=lambda folder: (written[folder], folder), reverse=True)
    return [_analysis(s3, bucket, folder, written[folder], there) for folder in newest[:_READ]]


def _analysis(s3: Any, bucket: str, folder: str, at: datetime, there: set[str]) -> Analysis:
    def text(name: str) -> str:
        key = f"{folder}/{name}"
        return str(s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()) if key in there else ""

    violations = json.loads(text(_VIOLATIONS) or '{"violations": []}')["violations"]
    statistics = json.loads(text(_STATISTICS))
    return Analysis(folder.split("/")[1], at, folder, statistics, tuple(violations), text(_SENTENCE).strip())


@dataclass(frozen=True)
class Histogram:
    """How a feature's values are spread: the edges of the buckets, and each one's share of the values."""

    edges: tuple[float, ...]
    shares: tuple[float, ...]


def histograms(statistics: Mapping[str, Any]) -> dict[str, Histogram]:
    """By feature, the buckets of a document of statistics. What is no number has none, nor has what was never there."""
    found = {}
    for feature in statistics["features"]:
        numbers = feature.get("numerical_statistics") or {}
        buckets = ((numbers.get("distribution") or {}).get("kll") or {}).get("buckets") or []
        total = sum(bucket["count"] for bucket in buckets)
        if total:
            edges = (buckets[0]["lower_bound"], *(bucket["upper_bound"] for bucket in buckets))
            found[feature["name"]] = Histogram(edges, tuple(bucket["count"] / total for bucket in buckets))
    return found
