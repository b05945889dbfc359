"""XML answers of moto, written without a SAX handler between: the same text as `xmltodict.unparse` gives.

Only what moto's serialisers ask of it: no pretty printing, no comments, no namespace mapping. All else is handed on.
"""

import functools
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import quoteattr

import xmltodict  # type: ignore[import-untyped]

_HEAD = '<?xml version="1.0" encoding="utf-8"?>\n'
_ASKED = frozenset({"full_document", "short_empty_elements", "pretty"})
_original = xmltodict.unparse
_check_name = functools.lru_cache(maxsize=16384)(xmltodict._validate_name)


def unparse(document: Mapping[str, Any], **options: Any) -> Any:
    """The text of a document, a mapping from names to what is in them. Raises ValueError as xmltodict does."""
    full = options.get("full_document", True)
    if not options.keys() <= _ASKED or options.get("pretty") or (full and not _has_one_root(document)):
        return _original(document, **options)
    parts: list[str] = [_HEAD] if full else []
    try:
        for name, value in document.items():
            _write(name, value, parts, options.get("short_empty_elements", False))
    except _UnusualError:
        return _original(document, **options)
    return "".join(parts)


def _has_one_root(document: Mapping[str, Any]) -> bool:
    return len(document) == 1 and not isinstance(next(iter(document.values())), list)


class _UnusualError(Exception):
    """Something that is left to xmltodict."""


def _write(name: Any, value: Any, parts: list[str], short: bool) -> None:
    if type(name) is not str or name == "#comment":
        raise _UnusualError
    _check_name(name, "element")
    kind = type(value)
    if kind is list:
        for item in value:
            _element(name, item, parts, short)
    elif kind is str or isinstance(value, dict) or not hasattr(value, "__iter__"):
        _element(name, value, parts, short)
    else:
        raise _UnusualError


def _element(name: str, value: Any, parts: list[str], short: bool) -> None:
    if value is None:
        value = {}
    if isinstance(value, dict):
        _structure(name, value, parts, short)
        return
    text = _text(value)
    if text:
        parts.append(f"<{name}>{_escaped(text)}</{name}>")
    else:
        parts.append(f"<{name}/>" if short else f"<{name}></{name}>")


def _structure(name: str, value: Mapping[Any, Any], parts: list[str], short: bool) -> None:
    attributes = "".join(_attribute(key, item) for key, item in value.items() if _is_attribute(key))
    start = len(parts)
    parts.append(f"<{name}{attributes}>")
    for key, item in value.items():
        # An empty list has no element at all.
        if key == "#text" or _is_attribute(key) or (isinstance(item, list) and not item):
            continue
        _write(key, item, parts, short)
    content = value.get("#text")
    if content is not None and (text := _text(content)):
        parts.append(_escaped(text))
    if short and len(parts) == start + 1:
        parts[start] = f"<{name}{attributes}/>"
    else:
        parts.append(f"</{name}>")


def _is_attribute(key: Any) -> bool:
    return isinstance(key, str) and key.startswith("@")


def _attribute(key: str, value: Any) -> str:
    name = key[1:]
    if type(value) is not str:
        raise _UnusualError
    _check_name(name, "attribute")
    return f" {name}={quoteattr(value)}"


def _text(value: Any) -> str:
    if type(value) is str:
        return value
    if isinstance(value, bytes | bytearray | memoryview) or hasattr(value, "__iter__"):
        raise _UnusualError
    text: str = xmltodict._convert_value_to_string(value)
    return text


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace(">", "&gt;").replace("<", "&lt;")
