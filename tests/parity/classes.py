"""How the gateway's answer stands beside AWS's."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

CLASSES = ("equal", "fields", "accepts", "refuses", "501", "crash")
_counted: Counter[tuple[str, str]] = Counter()


@dataclass(frozen=True)
class Fact:
    """One call and what AWS answers: an error's code, or members of the output."""

    area: str
    number: int
    action: str
    parameters: Mapping[str, Any]
    answer: str | Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.area}-{self.number}-{self.action.partition('.')[2]}"


def classify(fact: Fact, status: int, code: str, answer: Mapping[str, Any]) -> tuple[str, str]:
    """The class of an answer, and why."""
    said = f"we answer {status} {code or answer}"
    if isinstance(fact.answer, str):
        if f"{status} {code}" == fact.answer:
            return "equal", ""
        if not code:
            return "accepts", f"AWS refuses with {fact.answer}; we accept"
        return _refusal(status, code, otherwise="fields"), f"AWS refuses with {fact.answer}; {said}"
    if code:
        return _refusal(status, code, otherwise="refuses"), f"AWS accepts; {said}"
    wrong = "; ".join(_differences(fact.answer, answer))
    return ("fields", wrong) if wrong else ("equal", "")


def _refusal(status: int, code: str, *, otherwise: str) -> str:
    if code == "NotImplemented":
        return "501"
    return "crash" if status >= 500 else otherwise


def _differences(wanted: Mapping[str, Any], answer: Mapping[str, Any]) -> Iterator[str]:
    for path, value in wanted.items():
        found = _at(answer, path)
        if value == "*":
            if found is None:
                yield f"{path} is missing"
        elif found != value:
            yield f"{path} is {found!r}, and {value!r} at AWS"


def _at(value: Any, path: str) -> Any:
    for part in path.split("."):
        if isinstance(value, list):
            value = value[int(part)] if int(part) < len(value) else None
        else:
            value = value.get(part) if isinstance(value, Mapping) else None
    return value


def record(area: str, found: str) -> None:
    """Count a fact for the table."""
    _counted[area, found] += 1


def table() -> Iterator[str]:
    """The table, line by line; nothing where no fact was looked at in this process."""
    areas = list(dict.fromkeys(area for area, _ in _counted))
    if not areas:
        return
    yield f"{'area':16}{'facts':>7}" + "".join(f"{name:>9}" for name in CLASSES) + f"{'equal %':>9}"
    for area in [*areas, "all"]:
        counts = [sum(n for (a, c), n in _counted.items() if area in (a, "all") and c == name) for name in CLASSES]
        share = 100 * counts[0] // max(1, sum(counts))
        yield f"{area:16}{sum(counts):>7}" + "".join(f"{count or '·':>9}" for count in counts) + f"{share:>9}"
