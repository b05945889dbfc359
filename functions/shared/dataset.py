"""The dataset's schema, where a function finds it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contracts.dataset import Dataset, parse_dataset
from functions.shared.store import read_text


def read_dataset(s3: Any, environment: Mapping[str, str]) -> Dataset:
    """The schema at `DATASET_URI`: it may have more columns than an environment of 4,096 bytes can hold."""
    return parse_dataset(read_text(s3, environment["DATASET_URI"]))
