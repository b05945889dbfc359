"""Settings of resources, by what AWS's Foundational Security Best Practices ask of them."""

from collections.abc import Iterator
from typing import Any


def cases() -> Iterator[tuple[str, str, str, dict[str, Any], str]]:
    """Family, kind, resource type, properties, verdict."""
    yield from ()
