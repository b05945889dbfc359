"""EventBridge's event patterns and input transformation, as pure functions."""

import ipaddress
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

_MISSING = object()


def matches(pattern: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """Does an event match a pattern? Raises ValueError for a pattern that is none."""
    for key, wanted in pattern.items():
        if key == "$or":
            if not any(matches(alternative, event) for alternative in wanted):
                return False
            continue
        actual = event.get(key, _MISSING) if isinstance(event, Mapping) else _MISSING
        if not _matches_field(wanted, actual):
            return False
    return True


def _matches_field(wanted: Any, actual: Any) -> bool:
    if isinstance(wanted, Mapping):
        # An array of objects matches when one of them does.
        candidates = actual if isinstance(actual, list) else [{} if actual is _MISSING else actual]
        return any(isinstance(item, Mapping) and matches(wanted, item) for item in candidates)
    if not isinstance(wanted, list):
        raise ValueError(f"a pattern's leaf must be an array, not {wanted!r}")
    values = actual if isinstance(actual, list) else [actual]
    return any(_matches_one(rule, value) for rule in wanted for value in (values or [_MISSING]))


def _matches_one(rule: Any, value: Any) -> bool:
    if not isinstance(rule, Mapping):
        return value is not _MISSING and _same(rule, value)
    (operator, operand), *rest = rule.items()
    if rest:
        raise ValueError(f"one filter for each object, not {sorted(rule)}")
    if operator == "exists":
        return (value is not _MISSING) == bool(operand)
    if value is _MISSING:
        return False
    if operator not in _OPERATORS:
        raise ValueError(f"unknown filter {operator!r}")
    return bool(_OPERATORS[operator](operand, value))


def _same(rule: Any, value: Any) -> bool:
    if isinstance(rule, bool) or isinstance(value, bool) or rule is None or value is None:
        return rule is value
    return bool(rule == value)


def _prefix(operand: Any, value: Any) -> bool:
    if isinstance(operand, Mapping):
        return isinstance(value, str) and value.lower().startswith(str(operand["equals-ignore-case"]).lower())
    return isinstance(value, str) and value.startswith(operand)


def _suffix(operand: Any, value: Any) -> bool:
    if isinstance(operand, Mapping):
        return isinstance(value, str) and value.lower().endswith(str(operand["equals-ignore-case"]).lower())
    return isinstance(value, str) and value.endswith(operand)


def _anything_but(operand: Any, value: Any) -> bool:
    if isinstance(operand, Mapping):
        ((operator, inner),) = operand.items()
        options = inner if isinstance(inner, list) else [inner]
        return not any(_OPERATORS[operator](option, value) for option in options)
    options = operand if isinstance(operand, list) else [operand]
    return not any(_same(option, value) for option in options)


def _numeric(operand: list[Any], value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    comparisons = {
        "=": lambda a, b: a == b,
        "<": lambda a, b: a < b,
        "<=": lambda a, b: a <= b,
        ">": lambda a, b: a > b,
        ">=": lambda a, b: a >= b,
    }
    if len(operand) % 2 or not operand:
        raise ValueError(f"numeric takes pairs of operator and number, not {operand!r}")
    return all(comparisons[operand[i]](value, operand[i + 1]) for i in range(0, len(operand), 2))


def _wildcard(operand: str, value: Any) -> bool:
    if not isinstance(value, str):
        return False
    parts = [part.replace("\\*", "*").replace("\\\\", "\\") for part in re.split(r"(?<!\\)\*", operand)]
    return re.fullmatch(".*".join(map(re.escape, parts)), value, re.DOTALL) is not None


def _cidr(operand: str, value: Any) -> bool:
    try:
        return ipaddress.ip_address(value) in ipaddress.ip_network(operand, strict=False)
    except ValueError:
        return False


def _equals_ignore_case(operand: str, value: Any) -> bool:
    return isinstance(value, str) and value.lower() == operand.lower()


_OPERATORS = {
    "prefix": _prefix,
    "suffix": _suffix,
    "anything-but": _anything_but,
    "numeric": _numeric,
    "wildcard": _wildcard,
    "cidr": _cidr,
    "equals-ignore-case": _equals_ignore_case,
}


def check(text: str) -> dict[str, Any]:
    """A pattern parsed. Raises ValueError, worded as EventBridge words it, when it is none."""
    try:
        pattern = json.loads(text)
    except ValueError as error:
        raise ValueError(f"Event pattern is not valid. Reason: Invalid JSON: {error}") from error
    if not isinstance(pattern, dict) or not pattern:
        raise ValueError("Event pattern is not valid. Reason: Filter is not an object")
    _check_node(pattern, "")
    return pattern


def _check_node(node: Mapping[str, Any], path: str) -> None:
    for key, value in node.items():
        where = f"{path}.{key}" if path else key
        if key == "$or":
            if not isinstance(value, list) or len(value) < 2 or not all(isinstance(item, dict) for item in value):
                raise ValueError(
                    f'Event pattern is not valid. Reason: "{where}" must be an array of two objects or more'
                )
            for alternative in value:
                _check_node(alternative, where)
        elif isinstance(value, dict):
            if not value:
                raise ValueError(f'Event pattern is not valid. Reason: "{where}" is an empty object')
            _check_node(value, where)
        elif not isinstance(value, list):
            raise ValueError(f'Event pattern is not valid. Reason: "{where}" must be an object or an array')
        elif not value:
            raise ValueError(f'Event pattern is not valid. Reason: "{where}" is an empty array')
        else:
            for rule in value:
                _check_rule(rule, where)


def _check_rule(rule: Any, where: str) -> None:
    """Operators and their operands, as
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html has them.
    """
    if not isinstance(rule, dict):
        if isinstance(rule, list):
            raise ValueError(f'Event pattern is not valid. Reason: "{where}" must hold values, and no array')
        return
    if len(rule) != 1 or next(iter(rule)) not in {*_OPERATORS, "exists"}:
        raise ValueError(f"Event pattern is not valid. Reason: Unrecognized match type {', '.join(rule)} at {where}")
    ((operator, operand),) = rule.items()
    if not _OPERANDS[operator](operand):
        raise ValueError(f"Event pattern is not valid. Reason: {operator} at {where} cannot be {json.dumps(operand)}")


def _is_text(operand: Any) -> bool:
    return isinstance(operand, str)


def _is_edge(operand: Any) -> bool:
    """Of `prefix` and `suffix`: a text, or one whose case does not matter."""
    if isinstance(operand, dict):
        return list(operand) == ["equals-ignore-case"] and _is_text(operand["equals-ignore-case"])
    return _is_text(operand)


def _is_range(operand: Any) -> bool:
    """Of `numeric`: one comparison, or a lower and an upper bound."""
    if not isinstance(operand, list) or len(operand) not in (2, 4):
        return False
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in operand[1::2])
    signs = operand[::2]
    return numbers and (
        (len(signs) == 1 and signs[0] in ("=", "<", "<=", ">", ">="))
        or (len(signs) == 2 and signs[0] in (">", ">=") and signs[1] in ("<", "<="))
    )


def _is_excluded(operand: Any) -> bool:
    """Of `anything-but`: a value, values, or one operator on texts."""
    if isinstance(operand, dict):
        operator = next(iter(operand)) if len(operand) == 1 else ""
        inner = operand.get(operator)
        texts = inner if isinstance(inner, list) else [inner]
        kinds = ("prefix", "suffix", "equals-ignore-case", "wildcard")
        return operator in kinds and bool(texts) and all(map(_is_text, texts))
    values = operand if isinstance(operand, list) else [operand]
    return bool(values) and all(isinstance(value, str | int | float) for value in values)


_OPERANDS: dict[str, Callable[[Any], bool]] = {
    "prefix": _is_edge,
    "suffix": _is_edge,
    "equals-ignore-case": _is_text,
    "wildcard": _is_text,
    "cidr": _is_text,
    "numeric": _is_range,
    "anything-but": _is_excluded,
    "exists": lambda operand: isinstance(operand, bool),
}


# --- input of targets ------------------------------------------------------------------------------------------------


def target_input(target: Mapping[str, Any], event: dict[str, Any]) -> Any:
    """What a target receives: the event, its constant `Input`, the part at `InputPath`, or the transformed input."""
    if "Input" in target and target["Input"] is not None:
        return json.loads(target["Input"])
    if target.get("InputPath"):
        value = _at(event, target["InputPath"])
        return None if value is _MISSING else value
    if target.get("InputTransformer"):
        transformer = target["InputTransformer"]
        return transform(transformer.get("InputPathsMap") or {}, transformer["InputTemplate"], event)
    return event


def _at(event: Any, path: str) -> Any:
    value = event
    for name, index in re.findall(r"\.?([^.\[\]$]+)|\[(\d+)\]", path.removeprefix("$")):
        try:
            value = value[int(index)] if index else value[name]
        except (KeyError, IndexError, TypeError):
            return _MISSING
    return value


def transform(paths: Mapping[str, str], template: str, event: dict[str, Any]) -> Any:
    """An input template filled in: `<name>` inside a JSON string is text, elsewhere it is a JSON value."""
    values = {name: _at(event, path) for name, path in paths.items()}
    values |= {
        "aws.events.event": event,
        "aws.events.event.json": json.dumps(event),
        "aws.events.event.ingestion-time": event.get("time"),
    }
    filled = _fill(template, values)
    try:
        return json.loads(filled)
    except ValueError:
        return filled


def _fill(template: str, values: Mapping[str, Any]) -> str:
    out, quoted, position = [], False, 0
    for match in re.finditer(r'\\.|"|<([\w.-]+)>', template):
        out.append(template[position : match.start()])
        position = match.end()
        name = match[1]
        if name is None or name not in values:
            quoted ^= match[0] == '"'
            out.append(match[0])
            continue
        value = values[name]
        if value is _MISSING:
            out.append("" if quoted else "null")
        elif quoted:
            text = value if isinstance(value, str) else json.dumps(value)
            out.append(json.dumps(text)[1:-1])
        else:
            out.append(json.dumps(value))
    out.append(template[position:])
    return "".join(out)
