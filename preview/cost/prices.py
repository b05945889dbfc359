"""The table of list prices: dated, per region, each with where it comes from."""

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from preview.quote import code

_TABLE = Path(__file__).resolve().parent / "prices.json"


@dataclass
class Prices:
    """Prices of one region. What is asked for in vain is noted in `missing`, and what is used in `sources`."""

    region: str
    missing: set[str] = field(default_factory=set)
    sources: set[str] = field(default_factory=set)

    def price(self, what: str, which: str = "") -> float | None:
        """US dollars for one unit; None where no price is known."""
        found: Any = _table()["regions"].get(self.region)
        if found is None:
            self.missing.add(f"no price known for anything in {self.region}: the table has {', '.join(_regions())}")
            return None
        entry = found.get(what)
        if which and entry is not None:
            entry = entry.get(which)
        if entry is None:
            self.missing.add(f"no price known for {code(which or what)} in {self.region}")
            return None
        dollars, source = entry
        self.sources.add(source)
        return float(dollars)


def dated() -> str:
    """When the table was made."""
    return str(_table()["dated"])


def source(name: str) -> str:
    """Where a price comes from, in words."""
    return str(_table()["sources"][name])


def _regions() -> list[str]:
    return sorted(_table()["regions"])


@cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = json.loads(_TABLE.read_text(encoding="utf-8"))
    return table
