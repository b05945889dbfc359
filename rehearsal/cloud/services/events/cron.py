"""EventBridge's schedule expressions: `rate(…)` and `cron(…)`.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
"""

import calendar
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

_UNITS = {"minute": 60, "hour": 3600, "day": 86400}
_MONTH_NAMES = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_MONTHS = {name: n for n, name in enumerate(_MONTH_NAMES, 1)}
_DAYS = {name: n for n, name in enumerate(["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"], 1)}


@dataclass(frozen=True)
class Rate:
    """Every so many AWS seconds."""

    seconds: int

    def after(self, moment: datetime) -> datetime:
        return moment + timedelta(seconds=self.seconds)


@dataclass(frozen=True)
class Cron:
    """Fields as sets of numbers; `days` and `weekdays` None where the field is `?`."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int] | None
    months: frozenset[int]
    weekdays: frozenset[int] | None
    years: frozenset[int] = frozenset()
    """Empty for every year."""
    last_day: bool = False
    last_weekday: int | None = None
    """`6L`: the last of these weekdays in the month."""
    near: int | None = None
    """`3W`: the weekday nearest to this day of the month."""
    nth: tuple[int, int] | None = None
    """Weekday and which of the month, for `6#3`."""

    def after(self, moment: datetime) -> datetime | None:
        """The next time; None when none comes within five years."""
        day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        for _ in range(5 * 366):
            if self._on(day):
                for hour in sorted(self.hours):
                    for minute in sorted(self.minutes):
                        candidate = day.replace(hour=hour, minute=minute)
                        if candidate > moment:
                            return candidate
            day += timedelta(days=1)
        return None

    def _on(self, day: datetime) -> bool:
        if day.month not in self.months:
            return False
        if self.years and day.year not in self.years:
            return False
        weekday = (day.weekday() + 1) % 7 + 1
        if self.last_weekday:
            return weekday == self.last_weekday and (day + timedelta(days=7)).month != day.month
        if self.near:
            return day.day == _nearest_weekday(day, self.near)
        if self.nth:
            return weekday == self.nth[0] and (day.day - 1) // 7 + 1 == self.nth[1]
        if self.last_day:
            return day.day == calendar.monthrange(day.year, day.month)[1]
        if self.days is not None:
            return day.day in self.days
        return self.weekdays is not None and weekday in self.weekdays


def _nearest_weekday(day: datetime, wanted: int) -> int:
    """The working day of the month that is nearest to the wanted one."""
    last = calendar.monthrange(day.year, day.month)[1]
    wanted = min(wanted, last)
    weekday = day.replace(day=wanted).weekday()
    if weekday == 5:
        return wanted - 1 if wanted > 1 else wanted + 2
    if weekday == 6:
        return wanted + 1 if wanted < last else wanted - 2
    return wanted


def parse(expression: str) -> Rate | Cron:
    """Raises ValueError for an expression that EventBridge would refuse."""
    if match := re.fullmatch(r"rate\((\d+) (minute|hour|day)(s?)\)", expression):
        number = int(match[1])
        if number < 1 or (number == 1) == bool(match[3]):
            raise ValueError(f"{expression}: write rate(1 minute), but rate(2 minutes)")
        return Rate(number * _UNITS[match[2]])
    if match := re.fullmatch(r"cron\((.+)\)", expression):
        return _cron(expression, match[1].split())
    raise ValueError(f"{expression!r} is neither rate(value unit) nor cron(six fields)")


def _cron(expression: str, fields: list[str]) -> Cron:
    if len(fields) != 6:
        raise ValueError(f"{expression} has {len(fields)} fields, and needs six: minutes hours day month weekday year")
    minutes, hours, days, months, weekdays, years = fields
    if (days == "?") == (weekdays == "?"):
        raise ValueError(f"{expression}: exactly one of day-of-month and day-of-week must be ?")
    nth = re.fullmatch(r"(\w+)#([1-5])", weekdays)
    last = re.fullmatch(r"(\w+)L", weekdays)
    near = re.fullmatch(r"(\d+)W", days)
    return Cron(
        _field(expression, minutes, 0, 59, {}),
        _field(expression, hours, 0, 23, {}),
        None if near or days in ("?", "L") else _field(expression, days, 1, 31, {}),
        _field(expression, months, 1, 12, _MONTHS),
        None if weekdays == "?" or nth or last else _field(expression, weekdays, 1, 7, _DAYS),
        years=frozenset() if years == "*" else _field(expression, years, 1970, 2199, {}),
        last_day=days == "L",
        last_weekday=_number(expression, last[1], 1, 7, _DAYS) if last else None,
        near=_number(expression, near[1], 1, 31, {}) if near else None,
        nth=(_number(expression, nth[1], 1, 7, _DAYS), int(nth[2])) if nth else None,
    )


def _field(expression: str, text: str, low: int, high: int, names: dict[str, int]) -> frozenset[int]:
    numbers: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        if span == "*":
            first, last = low, high
        elif "-" in span:
            first, last = (_number(expression, end, low, high, names) for end in span.split("-", 1))
        else:
            first = _number(expression, span, low, high, names)
            last = high if step else first
        if step and not (step.isdigit() and int(step) > 0):
            raise ValueError(f"{expression}: step {step!r} is no number above 0")
        numbers.update(range(first, last + 1, int(step or 1)))
    return frozenset(numbers)


def _number(expression: str, text: str, low: int, high: int, names: dict[str, int]) -> int:
    value = names.get(text.upper(), int(text) if text.isdigit() else None)
    if value is None or not low <= value <= high:
        raise ValueError(f"{expression}: {text!r} is not within {low} to {high}")
    return value
