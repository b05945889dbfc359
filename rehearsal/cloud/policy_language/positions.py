"""Where a statement stands in the text of its document."""

import json
import re

_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"\s*")


def statement_spans(text: str) -> list[tuple[int, int]]:
    """Start and end of every statement, as offsets into the text of a document."""
    position = _skip(text, text.index("{") + 1)
    while text[position] != "}":
        key, position = _DECODER.raw_decode(text, position)
        position = _skip(text, text.index(":", position) + 1)
        if key == "Statement":
            return _items(text, position)
        _, position = _DECODER.raw_decode(text, position)
        position = _skip(text, position)
        if text[position] == ",":
            position = _skip(text, position + 1)
    return []


def _items(text: str, position: int) -> list[tuple[int, int]]:
    if text[position] != "[":
        return [(position, _DECODER.raw_decode(text, position)[1])]
    found = []
    position = _skip(text, position + 1)
    while text[position] != "]":
        _, end = _DECODER.raw_decode(text, position)
        found.append((position, end))
        position = _skip(text, end)
        if text[position] == ",":
            position = _skip(text, position + 1)
    return found


def _skip(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position


def line_and_column(text: str, offset: int) -> dict[str, int]:
    """Both count from 1."""
    before = text[:offset]
    return {"Line": before.count("\n") + 1, "Column": offset - (before.rfind("\n") + 1) + 1}
