"""What an environment records of its release."""

import re

import pytest

from contracts.pointer import Pointer, PointerError, parse_pointer, render_pointer

POINTER = Pointer("20261121-1a2b3c4d", "s3://artifacts/runs/run-1/release/manifest.json", "ab" * 32)


def test_what_is_written_is_read() -> None:
    text = render_pointer(POINTER)
    assert list(re.findall(r'"(\w+)": ', text)) == ["id", "manifest", "sha256"]
    assert parse_pointer(text) == POINTER


def test_a_record_by_hand_may_have_no_hash_and_more_than_it_needs() -> None:
    text = f'{{"id": "r", "manifest": "{POINTER.manifest}", "note": "by hand"}}'
    assert parse_pointer(text) == Pointer("r", POINTER.manifest, "")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "record: is not valid JSON"),
        ("[]", "must be an object, not a list"),
        ('{"manifest": "s3://artifacts/m.json"}', "id: is missing"),
        ('{"id": "r", "manifest": "m.json"}', "manifest: 'm.json' is not an S3 URI"),
        ('{"id": "r", "manifest": "s3://artifacts/m.json", "sha256": 1}', "sha256: must be a string that is not empty"),
    ],
)
def test_what_holds_no_release_is_refused(text: str, said: str) -> None:
    with pytest.raises(PointerError, match=re.escape(said)):
        parse_pointer(text)
