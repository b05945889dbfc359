"""The data that a release was made of, in its manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from contracts.fields import FieldError, Fields

_MOST_RULES = 5


@dataclass(frozen=True)
class Target:
    """What the target's values are like in the rows that a model was made of: mean and standard deviation.

    `unit` is what config says that they are measured in; empty where it does not.
    """

    mean: float
    deviation: float
    unit: str = ""


@dataclass(frozen=True)
class Data:
    """The exact data: address and object version of the source, and what became of its rows.

    `rows` were read; of these `bad_rows` broke a rule and were set aside, `filtered` features.sql left out, and the
    rest the model was made and measured with. `rules` counts the bad ones by the first rule that each broke
    (contracts/plan.py). `target` says what the values to learn are like. None in manifests from before it was kept.
    """

    uri: str
    version: str
    rows: int
    bad_rows: int | None = None
    filtered: int | None = None
    rules: Mapping[str, int] = field(default_factory=dict)
    target: Target | None = None

    @property
    def unfit(self) -> str:
        """`25 of 400 rows break a rule (total.separators 25) and were set aside`; empty where none is known to."""
        if not self.bad_rows:
            return ""
        most = sorted(self.rules.items(), key=lambda rule: (-rule[1], rule[0]))
        told = ", ".join(f"{rule} {count}" for rule, count in most[:_MOST_RULES])
        more = f", {len(most) - _MOST_RULES} more" if len(most) > _MOST_RULES else ""
        return (
            f"{self.bad_rows} of {self.rows} rows break a rule{f' ({told}{more})' if told else ''} and were set aside"
        )

    @property
    def used(self) -> str:
        """`Trained on 380 of 400 rows`, or of how many were read where no more is known."""
        if self.filtered is None:
            return f"{self.rows} rows"
        return f"{self.rows - (self.bad_rows or 0) - self.filtered} of {self.rows} rows"


def parse_target(value: object, path: str) -> Target | None:
    """`{"mean", "deviation", "unit"}`, or null. Raises FieldError."""
    if value is None:
        return None
    fields = Fields(value, path)
    unit = "" if not fields.has("unit") or (given := fields.raw("unit")) == "" else str(given)
    found = Target(fields.number("mean"), fields.number("deviation"), unit)
    fields.done()
    return found


def parse_data(value: object) -> Data:
    """Reads the member `data`. Raises FieldError."""
    fields = Fields(value, "data")
    data = Data(
        uri=fields.uri("uri"),
        version=fields.text("version"),
        rows=fields.count("rows", least=1),
        bad_rows=_known_count(fields, "bad_rows"),
        filtered=_known_count(fields, "filtered"),
        rules=_rules(fields.raw("rules")) if fields.has("rules") else {},
        target=parse_target(fields.raw("target"), "data.target") if fields.has("target") else None,
    )
    fields.done()
    if (data.bad_rows or 0) + (data.filtered or 0) >= data.rows:
        left_out = f"{data.bad_rows} and {data.filtered or 0} of {data.rows} rows"
        raise FieldError("data.bad_rows", f"{left_out} leave nothing to learn from")
    if data.rules and sum(data.rules.values()) != data.bad_rows:
        raise FieldError("data.rules", f"count {sum(data.rules.values())} rows, and bad_rows is {data.bad_rows}")
    return data


def _known_count(fields: Fields, name: str) -> int | None:
    return fields.count(name) if fields.has(name) and not fields.null(name) else None


def _rules(value: object) -> dict[str, int]:
    fields = Fields(value, "data.rules")
    rules = {str(rule): fields.count(str(rule), least=1) for rule in (value if isinstance(value, Mapping) else {})}
    fields.done()
    return rules
