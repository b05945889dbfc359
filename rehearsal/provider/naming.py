"""Physical names: Pulumi's auto-naming (logical name and seven hex digits) and Terraform's name prefixes."""

from __future__ import annotations

import hashlib
import itertools
import secrets
import time
from dataclasses import dataclass

_counter = itertools.count()


@dataclass(frozen=True)
class AutoName:
    """Which property holds the name, how long it may be, and whether it must be lower case."""

    property: str = "name"
    max_length: int = 63
    lower: bool = False
    prefix_property: str | None = "namePrefix"

    def random(self, logical: str, seed: bytes, suffix: str = "") -> str:
        """`logical-1a2b3c4`, the same for the same seed; the logical part gives way to the length."""
        digits = hashlib.sha256(seed).hexdigest()[:7] if seed else secrets.token_hex(4)[:7]
        room = self.max_length - len(digits) - 1 - len(suffix)
        name = f"{logical[:room]}-{digits}{suffix}"
        return name.lower() if self.lower else name

    def from_prefix(self, prefix: str, suffix: str = "") -> str:
        """`prefix` and a unique number, as Terraform makes it."""
        stamp = (
            time.strftime("%Y%m%d%H%M%S", time.gmtime()) + f"{time.time_ns() % 10**8:08d}{next(_counter) % 10**4:04d}"
        )
        room = self.max_length - len(prefix) - len(suffix)
        return f"{prefix}{stamp[-room:] if room < len(stamp) else stamp}{suffix}"
