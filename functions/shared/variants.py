"""What a hook has to prove: the release itself, and every model that shares its endpoint in an A/B test."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import NamedTuple

VARIANT_HEADER = "x-glidepath-variant"
"""Asks for one variant, and says which one answered."""


class Subject(NamedTuple):
    """One variant: its name (None: whichever answers), its release, its golden records and their SHA-256 (empty: of an
    older release), its part of inference ids."""

    variant: str | None
    release: str
    golden_uri: str
    golden_sha256: str = ""
    suffix: str = ""

    def scope(self, deployment: str) -> str:
        """What the ids of this subject's golden requests of a deployment are made of."""
        return f"{deployment}{self.suffix}"


def subjects(environment: Mapping[str, str]) -> list[Subject]:
    """The release itself (`VARIANT`, `RELEASE_ID`, `GOLDEN_URI`, `GOLDEN_SHA256`), then those of `OTHER_VARIANTS`.

    The latter is a JSON list of `{"variant", "release", "golden", "sha256"}`. They are numbered in ids: names may be
    too long.
    """
    own = Subject(
        environment.get("VARIANT"),
        environment["RELEASE_ID"],
        environment["GOLDEN_URI"],
        environment.get("GOLDEN_SHA256", ""),
    )
    others = json.loads(environment.get("OTHER_VARIANTS") or "[]")
    return [
        own,
        *(
            Subject(item["variant"], item["release"], item["golden"], item.get("sha256", ""), f"-v{number}")
            for number, item in enumerate(others, start=1)
        ),
    ]
