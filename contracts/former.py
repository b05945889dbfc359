"""The release that served before: what a version of the predict function knows of it while it hands requests on.

Written by the program into the version's variable `FORMER`, read by the function and by the program again. Lambda gives
all variables 4 KB, so features that both releases have are written as their places in the new one's list.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

VARIABLE = "FORMER"
"""Name of the variable."""
ROOM = 4096
"""Bytes that Lambda gives all variables of a function together.

https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""
_NAME_OF_ENDPOINT = 63


class Former(NamedTuple):
    """A release with the version and the endpoint that it served by. `variants` as in an A/B test, else empty.

    `classes` are the names of the classes that it tells apart; empty where it answers a number. `inputs` is its
    variable of that name, empty where it had none (contracts/features.py).
    """

    release: str
    version: str
    endpoint: str
    features: tuple[str, ...]
    variants: Mapping[str, str]
    classes: tuple[str, ...] = ()
    inputs: str = ""


def changed(before: Sequence[str], after: Sequence[str], shown: Callable[[Sequence[str]], str] = ", ".join) -> str:
    """What the second list of features does to the first, in words; empty where they differ in their order alone."""
    added = [name for name in after if name not in before]
    removed = [name for name in before if name not in after]
    parts = [f"adds {shown(added)}"] if added else []
    parts += [f"removes {shown(removed)}"] if removed else []
    return " and ".join(parts)


def render_former(former: Former, features: Sequence[str]) -> str:
    """The variable's text, beside a release with `features`. Equal releases have equal texts."""
    places = {name: place for place, name in enumerate(features)}
    document: dict[str, object] = {
        "release": former.release,
        "version": former.version,
        "endpoint": former.endpoint,
        "features": [places.get(name, name) for name in former.features],
    }
    if former.variants:
        document["variants"] = dict(former.variants)
    if former.classes:
        document["classes"] = list(former.classes)
    if former.inputs:
        document["inputs"] = json.loads(former.inputs)
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


def parse_former(text: str | None, features: Sequence[str]) -> Former | None:
    """What `render_former` wrote; None for a version that has no such variable."""
    if not text:
        return None
    document = json.loads(text)
    named = tuple(features[name] if isinstance(name, int) else str(name) for name in document["features"])
    variants, classes = document.get("variants") or {}, tuple(document.get("classes") or ())
    inputs = json.dumps(document["inputs"], separators=(",", ":"), ensure_ascii=False) if "inputs" in document else ""
    return Former(document["release"], document["version"], document["endpoint"], named, variants, classes, inputs)


def fits(variables: Mapping[str, object]) -> bool:
    """Whether Lambda takes these variables; one whose text is not known yet counts as the longest endpoint's name."""
    known = {name: value if isinstance(value, str) else "x" * _NAME_OF_ENDPOINT for name, value in variables.items()}
    return len(json.dumps(known, separators=(",", ":"), ensure_ascii=False).encode()) <= ROOM
