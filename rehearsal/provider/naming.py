"""Physical names: Pulumi's auto-naming (logical name and seven hex digits) and Terraform's name prefixes."""

from __future__ import annotations

import hashlib
import itertools
import secrets
import time
from dataclasses import dataclass

RANDOM = 7
_counter = itertools.count()


@dataclass(frozen=True)
class AutoName:
    """Which property holds the name, how long it may be, whether it must be lower case, and what it is made of."""

    property: str = "name"
    max_length: int = 63
    lower: bool = False
    prefix_property: str | None = "namePrefix"
    separator: str = "-"
    start: str = ""
    # Whether the bridge knows the name as its own (AutoNamed): only then does it delete the old one first.
    first: bool = True

    def random(self, logical: str, seed: bytes, suffix: str = "") -> str:
        """`logical-1a2b3c4`, the same for the same seed. Raises ValueError where that is too long: it is never cut.

        As pulumi's resource.NewUniqueHex has it (sdk/go/common/resource/resource_id.go).
        """
        digits = hashlib.sha256(seed).hexdigest()[:RANDOM] if seed else secrets.token_hex(4)[:RANDOM]
        stem = f"{self.start}{logical}{self.separator}"
        if len(stem) + RANDOM + len(suffix) > self.max_length:
            raise ValueError(
                f"name '{stem}' plus {RANDOM} random chars is longer than maximum length {self.max_length}"
            )
        name = f"{stem}{digits}{suffix}"
        return name.lower() if self.lower else name

    def from_prefix(self, prefix: str, suffix: str = "") -> str:
        """`prefix` and 26 digits that are unique."""
        return f"{unique(prefix)}{suffix}"


def unique(prefix: str) -> str:
    """A name as Terraform makes it up (terraform-plugin-sdk, helper/id: PrefixedUniqueId)."""
    stamp = time.strftime("%Y%m%d%H%M%S", time.gmtime()) + f"{time.time_ns() % 10**8:08d}{next(_counter) % 10**4:04d}"
    return f"{prefix}{stamp}"
