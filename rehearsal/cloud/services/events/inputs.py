"""What a rule's target receives.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html, and for the predefined
variables https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-input-built-in.html.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

_MISSING = object()
_TOKEN = re.compile(r'\\\\.|"|<([\w.-]+)>')
_PREDEFINED = frozenset({
    "aws.events.rule-arn", "aws.events.rule-name", "aws.events.event.ingestion-time", "aws.events.event",
    "aws.events.event.json",
})  # fmt: skip


class Text(str):
    """An input that is delivered to the letter, quotes included: a template that is a text and no JSON document."""

    __slots__ = ()


def text_of(payload: Any) -> str:
    """What a target that takes text receives."""
    return payload if isinstance(payload, Text) else json.dumps(payload)


def target_input(target: Mapping[str, Any], event: dict[str, Any]) -> Any:
    """The event, its constant `Input`, the part at `InputPath`, or the transformed input.

    Raises ValueError where a template, filled in, is no JSON document: EventBridge delivers none.
    """
    if target.get("Input") is not None:
        return json.loads(target["Input"])
    if target.get("InputPath"):
        value = _at(event, target["InputPath"])
        return None if value is _MISSING else value
    if target.get("InputTransformer"):
        transformer = target["InputTransformer"]
        values = _values(transformer.get("InputPathsMap") or {}, target.get("RuleArn", ""), event)
        return transform(transformer["InputTemplate"], values)
    return event


def placeholders(template: str) -> Iterator[str]:
    """The names that a template uses and that EventBridge does not define."""
    for match in _TOKEN.finditer(template):
        if match[1] is not None and match[1] not in _PREDEFINED:
            yield match[1]


def _at(event: Any, path: str) -> Any:
    value = event
    for name, index in re.findall(r"\.?([^.\[\]$]+)|\[(\d+)\]", path.removeprefix("$")):
        try:
            value = value[int(index)] if index else value[name]
        except (KeyError, IndexError, TypeError):
            return _MISSING
    return value


def _values(paths: Mapping[str, str], rule_arn: str, event: dict[str, Any]) -> dict[str, Any]:
    # `aws.events.event` is the event without its detail, with the names of its members in camel case.
    outer = {"detailType" if key == "detail-type" else key: item for key, item in event.items() if key != "detail"}
    return {name: _at(event, path) for name, path in paths.items()} | {
        "aws.events.event": outer,
        "aws.events.event.json": event,
        "aws.events.event.ingestion-time": event.get("time"),
        "aws.events.rule-arn": rule_arn,
        "aws.events.rule-name": rule_arn.rpartition("/")[2],
    }


def transform(template: str, values: Mapping[str, Any]) -> Any:
    """An input template filled in. Raises ValueError where that makes no JSON document."""
    if template.lstrip().startswith('"'):
        return Text("".join(_filled(template, values, document=False)))
    return json.loads("".join(_filled(template, values, document=True)))


def _filled(template: str, values: Mapping[str, Any], *, document: bool) -> Iterator[str]:
    quoted, position = False, 0
    for match in _TOKEN.finditer(template):
        yield template[position : match.start()]
        position = match.end()
        name = match[1]
        if name is None or name not in values:
            quoted ^= match[0] == '"'
            yield match[0]
        else:
            yield _shown(values[name], quoted, document)
    yield template[position:]


def _shown(value: Any, quoted: bool, document: bool) -> str:
    if value is _MISSING:
        return "" if quoted else '""'
    if not quoted:
        return json.dumps(value)
    if isinstance(value, str):
        return json.dumps(value)[1:-1]
    compact = json.dumps(value, separators=(",", ":"))
    # In a text the quotes of objects and lists are left out; in a document they stay, and end its string.
    return compact if document else compact.replace('"', "")
