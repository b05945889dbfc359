"""The release that serves while the hook runs, as its version of the function was published."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from contracts.features import VARIABLE


@dataclass(frozen=True)
class Serving:
    """Its id, its endpoint, the columns of its model in order, the edges between the bins of its predictions, the names
    of the classes that it tells apart, if it does, and its variable `INPUTS` (contracts/features.py)."""

    release: str
    endpoint: str
    features: tuple[str, ...]
    edges: tuple[float, ...] = ()
    classes: tuple[str, ...] = ()
    inputs: str = ""


def read_serving(client: Any, function_name: str, version: str) -> Serving | None:
    """What a version was told; None where this program did not write it. `client` is a boto3 Lambda client."""
    found = client.get_function_configuration(FunctionName=function_name, Qualifier=version)
    variables = (found.get("Environment") or {}).get("Variables") or {}
    try:
        return Serving(
            variables["RELEASE_ID"],
            variables["ENDPOINT_NAME"],
            tuple(str(name) for name in json.loads(variables["FEATURES"])),
            tuple(float(edge) for edge in json.loads(variables.get("PREDICTION_EDGES") or "[]")),
            tuple(str(name) for name in json.loads(variables.get("CLASSES") or "[]")),
            variables.get(VARIABLE) or "",
        )
    except (KeyError, ValueError, TypeError):
        return None
