"""Which account keeps SageMaker's own images, region by region."""

from __future__ import annotations

import functools
import importlib.util
import json
from pathlib import Path

from rehearsal.provider.errors import ProviderError


@functools.cache
def _registries() -> dict[str, dict[str, str]]:
    """Repository -> region -> account, from the tables that the SageMaker SDK ships."""
    spec = importlib.util.find_spec("sagemaker")
    folders = (
        [Path(place) / "core" / "image_uri_config" for place in (spec.submodule_search_locations or [])] if spec else []
    )
    found: dict[str, dict[str, str]] = {}
    for folder in folders:
        for path in sorted(folder.glob("*.json")):
            _collect(json.loads(path.read_text()), found)
    return found


def _collect(node: object, found: dict[str, dict[str, str]]) -> None:
    if not isinstance(node, dict):
        return
    repository, registries = node.get("repository"), node.get("registries")
    if isinstance(repository, str) and isinstance(registries, dict):
        found.setdefault(repository, {}).update(registries)
    for value in node.values():
        _collect(value, found)


def registry_account(repository: str, region: str) -> str:
    """The account whose registry holds a repository in a region."""
    accounts = _registries().get(repository)
    if not accounts:
        raise ProviderError(f"getPrebuiltEcrImage: no SageMaker image repository {repository!r} is known here")
    if region not in accounts:
        raise ProviderError(f"getPrebuiltEcrImage: {repository!r} has no registry in {region}")
    return accounts[region]
