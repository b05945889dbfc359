"""Reading a caller's request. Whatever is wrong with it is a CallerError, and never counts against the release."""

from __future__ import annotations

import base64
import binascii
import json
import math
import os
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

from contracts.float32 import LARGEST, holds
from contracts.monitoring import GOLDEN_IDS, REPLAY_IDS
from functions.predict.schema import Schema, shown
from functions.shared.variants import VARIANT_HEADER

MAX_ROWS = 1000
INFERENCE_HEADER = "x-glidepath-inference-id"
_LONGEST_WHOLE = 1e15
"""From there on, a number's digits say no more than its repr: floats are no longer exact."""
_HOOKS = (GOLDEN_IDS, REPLAY_IDS)
# Narrower than SageMaker's own rule (any printable text): ids end up in logs, file listings and reports.
_INFERENCE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")


class CallerError(Exception):
    """A request that cannot be answered as it stands: HTTP status, short code, and a sentence that says how to fix."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


class Request(NamedTuple):
    """What the model is asked: CSV lines with the features in order, and how many there are."""

    csv: str
    rows: int


def read_inference_id(event: Mapping[str, Any]) -> str:
    """The id the caller chose, or a new one."""
    given = _header(event, INFERENCE_HEADER)
    if given is None:
        return os.urandom(16).hex()
    if not _INFERENCE_ID.fullmatch(given):
        raise CallerError(
            400,
            "invalid_inference_id",
            f"Header {INFERENCE_HEADER} must be 1 to 64 letters, digits, dots, colons, hyphens or underscores,"
            " starting with a letter or digit.",
        )
    if given.startswith(_HOOKS) and _from_api(event):
        reserved = next(start for start in _HOOKS if given.startswith(start))
        raise _bad(
            "invalid_inference_id",
            f"Header {INFERENCE_HEADER} must not begin with {reserved}: choose another id, or leave it out.",
        )
    return given


def _from_api(event: Mapping[str, Any]) -> bool:
    """Whether a caller asks, and not the hook, which invokes the function itself.

    API Gateway names itself in every event, and no caller has a say in that:
    https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
    """
    return "apiId" in (event.get("requestContext") or {})


def read_variant(event: Mapping[str, Any], variants: Collection[str]) -> str:
    """The variant that the caller asks for, or an empty text. Raises CallerError for one that does not answer."""
    wanted = _header(event, VARIANT_HEADER)
    if wanted and wanted not in variants:
        raise _bad("unknown_variant", f"Header {VARIANT_HEADER} must be one of {', '.join(variants)}, or be left out.")
    return wanted or ""


def read_request(event: Mapping[str, Any], schema: Schema) -> Request:
    """Validate a proxy event. Raises CallerError (400, 413 or 415)."""
    parse = _parser(event)
    text = _body(event)
    if not text.strip():
        raise _bad("empty_body", f"The body is empty. Send at least one row with: {', '.join(schema.names)}.")
    rows = parse(text, schema)
    return Request("\n".join(rows), len(rows))


def _parser(event: Mapping[str, Any]) -> Callable[[str, Schema], list[str]]:
    content_type = _header(event, "content-type")
    media_type = (content_type or "").partition(";")[0].strip().lower()
    if media_type == "application/json":
        return _parse_json
    if media_type == "text/csv":
        return _parse_csv
    given = f"not {content_type!r}" if content_type else "and none was sent"
    raise CallerError(415, "unsupported_media_type", f"Content-Type must be application/json or text/csv, {given}.")


def _header(event: Mapping[str, Any], name: str) -> str | None:
    headers: Mapping[str, str] = event.get("headers") or {}
    for key, value in headers.items():
        if key.lower() == name:
            return value
    return None


def _body(event: Mapping[str, Any]) -> str:
    body: str = event.get("body") or ""
    if not event.get("isBase64Encoded"):
        return body
    try:
        return base64.b64decode(body, validate=True).decode("utf-8-sig")
    except (binascii.Error, ValueError):
        raise _bad("invalid_encoding", "The body is not UTF-8 text.") from None


def _parse_json(text: str, schema: Schema) -> list[str]:
    try:
        document = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_members)
    except json.JSONDecodeError as error:
        reason = f"line {error.lineno}, column {error.colno}: {error.msg}"
        raise _bad("invalid_json", f"The body is not valid JSON ({reason}).") from None
    except (ValueError, RecursionError):
        raise _bad("invalid_json", "The body is not usable JSON (a number too long, or nested too deeply).") from None
    if type(document) is not dict or document.keys() != {"instances"}:
        raise _bad("invalid_request", 'The body must be an object with one member: {"instances": [...]}.')
    instances = document["instances"]
    if type(instances) is not list or not instances:
        raise _bad("invalid_request", "instances must be a list with at least one object.")
    _check_count(len(instances))
    return [_instance(instance, index, schema) for index, instance in enumerate(instances)]


def _instance(instance: object, index: int, schema: Schema) -> str:
    if type(instance) is not dict:
        raise _bad("invalid_request", f"instances[{index}] must be an object of feature names and numbers.")
    if schema.inputs:

        def refuse(feature: str, reason: str) -> CallerError:
            return _bad("invalid_value", f"instances[{index}].{feature} {reason}.")

        values = schema.members(instance, refuse)
    else:
        values = instance
    if values.keys() != schema.expected:
        raise _mismatch(index, instance, schema.names)
    return ",".join([_number(values[column], index, column, schema) for column in schema.columns])


def _number(value: object, index: int, feature: str, schema: Schema) -> str:
    # `type`, not `isinstance`: true and false are whole numbers to Python, and not to the caller.
    if type(value) is not float and type(value) is not int:
        if value is None and feature in schema.nullable:
            return ""
        null = ", or null" if feature in schema.nullable else ""
        raise _bad("invalid_value", f"instances[{index}].{feature} must be a number{null}, not {shown(value)}.")
    try:
        result = float(value)
    except OverflowError:
        result = math.inf
    _check_size(result, f"instances[{index}].{feature}")
    return _written(result)


def _mismatch(index: int, instance: Mapping[str, object], features: Sequence[str]) -> CallerError:
    missing = [feature for feature in features if feature not in instance]
    unknown = [name for name in instance if name not in features]
    parts = [f"lacks {', '.join(missing)}"] if missing else []
    if unknown:
        parts.append(f"has unknown {', '.join(name[:64] for name in unknown[:10])}")
    return _bad(
        "invalid_features", f"instances[{index}] {' and '.join(parts)}. Expected exactly: {', '.join(features)}."
    )


def _parse_csv(text: str, schema: Schema) -> list[str]:
    lines = text.strip("\ufeff\r\n").split("\n")
    _check_count(len(lines))
    return [_line(line, number, schema) for number, line in enumerate(lines, start=1)]


def _line(line: str, number: int, schema: Schema) -> str:
    cells = line.rstrip("\r").split(",")
    if schema.inputs:

        def refuse(feature: str, reason: str) -> CallerError:
            return _bad("invalid_value", f"Line {number}: {feature} {reason}.")

        cells = schema.cells(cells, refuse)
    if len(cells) != len(schema.columns):
        raise _bad(
            "invalid_features",
            f"Line {number} has {len(cells)} values, not {len(schema.names)}. Expected in order, without a header:"
            f" {', '.join(schema.names)}.",
        )
    return ",".join([_cell(cell, number, column, schema) for cell, column in zip(cells, schema.columns, strict=True)])


def _cell(cell: str, number: int, feature: str, schema: Schema) -> str:
    if not cell and feature in schema.nullable:
        return ""
    try:
        result = float(cell)
    except ValueError:
        result = math.nan
    # Python also reads 1_000 and digits of other scripts as numbers; no caller can mean that.
    if not math.isfinite(result) or "_" in cell or not cell.isascii():
        raise _bad("invalid_value", f"Line {number}: {feature} must be a finite number, not {shown(cell)}.")
    _check_size(result, f"Line {number}: {feature}")
    return _written(result)


def _written(value: float) -> str:
    """A whole number is written like one, `3` and not `3.0`: SageMaker's monitor tells types by how a captured request
    is written (Integral or Fractional), and compares them with those of the training data.
    https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-byoc-constraints.html (inferred_type)
    """
    return str(int(value)) if value.is_integer() and abs(value) < _LONGEST_WHOLE else repr(value)


def _check_size(value: float, place: str) -> None:
    # The model's container fails for such a number: an error of the model's, and a caller could roll a release back.
    if not holds(value):
        raise _bad("invalid_value", f"{place} is too large: at most {LARGEST!r} either side of zero.")


def _check_count(count: int) -> None:
    if count > MAX_ROWS:
        raise CallerError(
            413, "too_many_rows", f"The request has {count} rows; at most {MAX_ROWS} are answered at once. Split it."
        )


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _bad("invalid_json", "The body has the same member twice in one object.")
    return members


def _refuse_constant(constant: str) -> float:
    raise _bad("invalid_value", f"The body contains {constant}; only finite numbers can be predicted from.")


def _bad(code: str, message: str) -> CallerError:
    return CallerError(400, code, message)
