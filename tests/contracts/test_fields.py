"""Reading JSON: whatever is wrong with it is one FieldError."""

from __future__ import annotations

import pytest

from contracts.fields import FieldError, parse_json


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "thing: is not valid JSON (line 1, column 2: Expecting property name enclosed in double quotes)"),
        ("[" * 100_000, "thing: is not valid JSON (nested too deeply)"),
        (f'{{"a": {"9" * 4301}}}', "thing: has a whole number of more digits than can be read"),
        ('{"a": NaN}', "document: contains NaN, which is not a JSON number"),
        ('{"a": 1, "a": 2}', "document: has the member 'a' more than once"),
    ],
)
def test_what_is_wrong_is_told(text: str, reason: str) -> None:
    with pytest.raises(FieldError) as caught:
        parse_json(text, "thing")
    assert str(caught.value) == reason
