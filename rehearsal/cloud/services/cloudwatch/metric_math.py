"""CloudWatch's metric math: arithmetic, comparison, IF, FILL, SUM/AVG/MIN/MAX/ABS/CEIL/FLOOR/LOG/LOG10, METRICS().

Where one of two series lacks a data point, arithmetic, comparison and logical operators take it for 0:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

import ast
import math
import operator
import re
import threading
from collections.abc import Callable, Mapping
from functools import lru_cache

Series = dict[int, float]
Value = float | Series | list[Series]

_ARITHMETIC: dict[type, Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Pow: operator.pow,
}
_COMPARISONS: dict[type, Callable[[float, float], bool]] = {
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_AGGREGATES: dict[str, Callable[[list[float]], float]] = {
    "SUM": sum,
    "MAX": max,
    "MIN": min,
    "AVG": lambda values: sum(values) / len(values),
}


def _log(function: Callable[[float], float]) -> Callable[[float], float | None]:
    """Zero and less have no logarithm: no data point, as with a division by zero."""
    return lambda value: function(value) if value > 0 else None


_ELEMENTWISE: dict[str, Callable[[float], float | None]] = {
    "ABS": abs,
    "CEIL": math.ceil,
    "FLOOR": math.floor,
    "LOG": _log(math.log),
    "LOG10": _log(math.log10),
}
FUNCTIONS = frozenset({*_AGGREGATES, *_ELEMENTWISE, "IF", "FILL", "METRICS"})


class MathError(ValueError):
    """An expression that is wrong, or that the rehearsal does not evaluate."""


# Python 3.11 counts the depth of syntax trees for all threads together: two that parse at once can break each other.
_parsing = threading.Lock()


@lru_cache(maxsize=1024)
def parse(expression: str) -> ast.expr:
    """The syntax tree. Raises MathError, naming what is not understood."""
    text = expression.replace("^", "**").replace("&&", " and ").replace("||", " or ")
    text = re.sub(r"\bAND\b", "and", re.sub(r"\bOR\b", "or", text))
    try:
        with _parsing:
            tree = ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        raise MathError(f"expression {expression!r} cannot be read: {error.msg}") from error
    for node in ast.walk(tree):
        _check(node, expression)
    return tree


def _check(node: ast.AST, expression: str) -> None:
    if isinstance(node, ast.Call):
        name = node.func.id if isinstance(node.func, ast.Name) else ast.dump(node.func)
        if name not in FUNCTIONS:
            raise MathError(
                f"the rehearsal does not evaluate {name}() in {expression!r}; it knows {', '.join(sorted(FUNCTIONS))}"
            )
        return
    accepted = (
        ast.BinOp, ast.UnaryOp, ast.USub, ast.BoolOp, ast.And, ast.Or, ast.Compare, ast.Name, ast.Load, ast.List,
        ast.Constant, ast.Div, *_ARITHMETIC, *_COMPARISONS,
    )  # fmt: skip
    if not isinstance(node, accepted):
        raise MathError(f"the rehearsal does not evaluate {type(node).__name__} in {expression!r}")


def names(tree: ast.expr) -> set[str]:
    """The ids of queries that an expression refers to."""
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} - FUNCTIONS


def evaluate(tree: ast.expr, series: Mapping[str, Series], raw: Mapping[str, Series], periods: range) -> Series:
    """The expression's series over `periods`; `raw` are the queries that are metrics, for METRICS()."""
    value = _Evaluation(series, raw, periods).run(tree)
    if isinstance(value, list):
        raise MathError("the expression gives an array of series where one is needed")
    return value if isinstance(value, dict) else dict.fromkeys(periods, value)


class _Evaluation:
    def __init__(self, series: Mapping[str, Series], raw: Mapping[str, Series], periods: range) -> None:
        self.series = series
        self.raw = raw
        self.periods = periods

    def run(self, node: ast.expr) -> Value:
        match node:
            case ast.Constant(value=value) if isinstance(value, int | float):
                return float(value)
            case ast.Name(id=name):
                if name not in self.series:
                    raise MathError(f"no query has the id {name!r}")
                return self.series[name]
            case ast.List(elts=items):
                return [self._series(self.run(item)) for item in items]
            case ast.UnaryOp(operand=operand):
                return self._combine(operator.mul, -1.0, self.run(operand))
            case ast.BinOp(left=left, op=op, right=right):
                return self._combine(_ARITHMETIC.get(type(op), _divide), self.run(left), self.run(right))
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                compare = _COMPARISONS[type(op)]
                return self._combine(lambda a, b: float(compare(a, b)), self.run(left), self.run(right))
            case ast.BoolOp(op=op, values=values):
                return self._logic(isinstance(op, ast.And), [self.run(value) for value in values])
            case ast.Call(func=ast.Name(id=name), args=arguments):
                return self._call(name, arguments)
        raise MathError(f"{ast.unparse(node)} cannot be evaluated")

    def _call(self, name: str, arguments: list[ast.expr]) -> Value:
        if name == "METRICS":
            wanted = arguments[0].value if arguments and isinstance(arguments[0], ast.Constant) else ""
            return [item for key, item in sorted(self.raw.items()) if str(wanted) in key]
        values = [self.run(argument) for argument in arguments]
        if name in _AGGREGATES and len(values) == 1:
            return self._aggregate(_AGGREGATES[name], values[0])
        if name in _ELEMENTWISE and len(values) == 1:
            return self._combine(lambda a, _: _ELEMENTWISE[name](a), values[0], 0.0)
        if name == "FILL" and len(values) == 2:
            default = values[1]
            if isinstance(default, list):
                raise MathError("FILL takes a number or a series to fill with")
            filled = self._series(values[0])
            filler = self._series(default)
            return {p: filled.get(p, filler[p]) for p in self.periods if p in filled or p in filler}
        if name == "IF" and len(values) in (2, 3):
            return self._choose(values)
        raise MathError(f"{name}() does not take {len(values)} arguments here")

    def _choose(self, values: list[Value]) -> Series:
        """Where the condition holds, a data point that its series lacks is 0; where it does not, it is dropped."""
        condition, then = self._series(values[0]), self._series(values[1])
        otherwise = self._series(values[2]) if len(values) == 3 else {}
        if isinstance(values[0], dict):
            then = {p: then.get(p, 0.0) for p in condition}
        chosen = {p: (then if condition[p] else otherwise) for p in self.periods if p in condition}
        return {p: branch[p] for p, branch in chosen.items() if p in branch}

    def _aggregate(self, function: Callable[[list[float]], float], value: Value) -> Value:
        if isinstance(value, float):
            return value
        if isinstance(value, dict):
            return function(list(value.values())) if value else {}
        columns = {p: [item[p] for item in value if p in item] for p in self.periods}
        return {p: function(column) for p, column in columns.items() if column}

    def _logic(self, every: bool, values: list[Value]) -> Value:
        join = all if every else any
        if all(isinstance(value, float) for value in values):
            return float(join(values))
        known = self._known(values)
        columns = [self._series(value) for value in values]
        return {p: float(join(column.get(p, 0.0) for column in columns)) for p in known}

    def _combine(self, function: Callable[[float, float], float | None], left: Value, right: Value) -> Value:
        if isinstance(left, list):
            return [self._series(self._combine(function, item, right)) for item in left]
        if isinstance(right, list):
            return [self._series(self._combine(function, left, item)) for item in right]
        if isinstance(left, float) and isinstance(right, float):
            return function(left, right) or 0.0
        known = self._known([left, right])
        a, b = self._series(left), self._series(right)
        combined = {p: function(a.get(p, 0.0), b.get(p, 0.0)) for p in known}
        # A division by zero leaves no data point.
        return {p: value for p, value in combined.items() if value is not None}

    def _known(self, values: list[Value]) -> list[int]:
        """The periods of which any of these series has a data point; a number has none."""
        series = [value for value in values if isinstance(value, dict)]
        return [p for p in self.periods if any(p in each for each in series)]

    def _series(self, value: Value) -> Series:
        if isinstance(value, list):
            raise MathError("an array of series stands where one series is needed")
        return value if isinstance(value, dict) else dict.fromkeys(self.periods, value)


def _divide(left: float, right: float) -> float | None:
    return left / right if right else None
