"""When is an alarm in alarm: pure logic over data points and over other alarms' states."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

ALARM, OK, INSUFFICIENT = "ALARM", "OK", "INSUFFICIENT_DATA"
COMPARISONS: dict[str, tuple[str, Callable[[float, float], bool]]] = {
    "GreaterThanThreshold": ("greater than", lambda a, b: a > b),
    "GreaterThanOrEqualToThreshold": ("greater than or equal to", lambda a, b: a >= b),
    "LessThanThreshold": ("less than", lambda a, b: a < b),
    "LessThanOrEqualToThreshold": ("less than or equal to", lambda a, b: a <= b),
}
EXTRA_PERIODS = 2
"""CloudWatch looks further back than the evaluation periods before it calls a data point missing."""


@dataclass(frozen=True)
class Verdict:
    """A state and the sentence that explains it. `state` None keeps the present one."""

    state: str | None
    reason: str
    datapoints: tuple[float, ...] = ()


def evaluate(
    points: list[float | None],
    periods: int,
    to_alarm: int,
    comparison: str,
    threshold: float,
    missing: str,
    moment: Callable[[int], str] = lambda _: "",
) -> Verdict:
    """`points` oldest first, `periods + EXTRA_PERIODS` of them; None where a period has no data.

    `missing` is treatMissingData: breaching, notBreaching, ignore or missing. `moment` says when a period began, by its
    place in `points`: asked of those with data alone, as there may be 8,640 periods, most of them without.
    """
    words, breaches = COMPARISONS[comparison]
    known = [point for point in points if point is not None]
    recent = tuple(known[-periods:])
    places = [place for place, point in enumerate(points) if point is not None][-periods:]
    shown = _Shown(words, threshold, tuple(moment(place) for place in places))
    if len(known) >= periods:
        bad = sum(breaches(point, threshold) for point in recent)
        return _verdict(bad >= to_alarm, recent, bad, periods, to_alarm, shown)
    if missing in ("breaching", "notBreaching"):
        window = points[-periods:]
        bad = sum((missing == "breaching") if point is None else breaches(point, threshold) for point in window)
        return _verdict(bad >= to_alarm, recent, bad, periods, to_alarm, shown)
    bad = sum(breaches(point, threshold) for point in recent)
    if bad >= to_alarm:
        return _verdict(True, recent, bad, periods, to_alarm, shown)
    if missing == "ignore":
        return Verdict(None, "")
    if not known:
        return Verdict(INSUFFICIENT, "Insufficient Data: no datapoints were received")
    # With missing data, the alarm is OK as soon as enough of it can no longer be breaching.
    if len(known) - bad > periods - to_alarm or periods == 1:
        return _verdict(False, recent, bad, periods, to_alarm, shown)
    return Verdict(None, "")


@dataclass(frozen=True)
class _Shown:
    """How a verdict is told."""

    words: str
    threshold: float
    moments: tuple[str, ...]

    def values(self, recent: tuple[float, ...]) -> str:
        told = zip(recent, self.moments, strict=True)
        return ", ".join(f"{float(point)} ({moment})" if moment else str(float(point)) for point, moment in told)


def _verdict(alarm: bool, recent: tuple[float, ...], bad: int, periods: int, to_alarm: int, shown: _Shown) -> Verdict:
    """In the words of https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html."""
    count = len(recent)
    noun = "datapoint" if count == 1 else "datapoints"
    which = f"{shown.words} the threshold ({float(shown.threshold)})"
    verb = "was" if count == 1 else "were"
    text = f"Threshold Crossed: {count} {noun} [{shown.values(recent)}] {verb} {'' if alarm else 'not '}{which}."
    if alarm and to_alarm < periods:
        verb, least = ("was" if bad == 1 else "were"), ("datapoint" if to_alarm == 1 else "datapoints")
        text = (
            f"Threshold Crossed: {bad} out of the last {periods} datapoints [{shown.values(recent)}] {verb} {which} "
            f"(minimum {to_alarm} {least} for OK -> ALARM transition)."
        )
    if not count:
        treated = "Breaching" if alarm else "NonBreaching"
        one = periods == 1
        text = (
            f"Threshold Crossed: no datapoints were received for {periods} {'period' if one else 'periods'} and "
            f"{periods} missing {'datapoint was' if one else 'datapoints were'} treated as [{treated}]."
        )
    return Verdict(ALARM if alarm else OK, text, recent)


_TOKEN = re.compile(
    r'\s*(?:(?P<state>ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(?:"(?P<quoted>[^"]+)"|\'(?P<single>[^\']+)\'|(?P<bare>[^)\s]+))\s*\)'
    r"|(?P<word>AND|OR|NOT|TRUE|FALSE)\b|(?P<bracket>[()]))"
)


@dataclass(frozen=True)
class Rule:
    """A composite alarm's rule. `alarms` are the names or ARNs it refers to."""

    alarms: frozenset[str]
    holds: Callable[[Mapping[str, str]], bool]


def parse_rule(text: str) -> Rule:
    """Raises ValueError for a rule that is none."""
    tokens, position = [], 0
    while position < len(text.rstrip()):
        match = _TOKEN.match(text, position)
        if not match:
            raise ValueError(f"AlarmRule cannot be read at {text[position : position + 30]!r}")
        tokens.append(match)
        position = match.end()
    parser = _RuleParser(tokens)
    holds = parser.disjunction()
    if parser.position != len(tokens):
        raise ValueError(f"AlarmRule ends too late: {tokens[parser.position][0].strip()!r} is not expected")
    return Rule(frozenset(parser.alarms), holds)


class _RuleParser:
    def __init__(self, tokens: list[re.Match[str]]) -> None:
        self.tokens = tokens
        self.position = 0
        self.alarms: set[str] = set()

    def _take(self, *words: str) -> str | None:
        if self.position >= len(self.tokens):
            return None
        token = self.tokens[self.position]
        word = token["word"] or token["bracket"]
        if word not in words:
            return None
        self.position += 1
        return word

    def disjunction(self) -> Callable[[Mapping[str, str]], bool]:
        parts = [self.conjunction()]
        while self._take("OR"):
            parts.append(self.conjunction())
        return lambda states: any(part(states) for part in parts)

    def conjunction(self) -> Callable[[Mapping[str, str]], bool]:
        parts = [self.term()]
        while self._take("AND"):
            parts.append(self.term())
        return lambda states: all(part(states) for part in parts)

    def term(self) -> Callable[[Mapping[str, str]], bool]:
        if self._take("NOT"):
            inner = self.term()
            return lambda states: not inner(states)
        if self._take("("):
            inner = self.disjunction()
            if not self._take(")"):
                raise ValueError("AlarmRule lacks a closing bracket")
            return inner
        if constant := self._take("TRUE", "FALSE"):
            return lambda _: constant == "TRUE"
        if self.position >= len(self.tokens) or not self.tokens[self.position]["state"]:
            raise ValueError("AlarmRule lacks an operand")
        token = self.tokens[self.position]
        self.position += 1
        name = (token["quoted"] or token["single"] or token["bare"]).rpartition(":alarm:")[2]
        wanted = token["state"]
        self.alarms.add(name)
        return lambda states: states.get(name, INSUFFICIENT) == wanted
