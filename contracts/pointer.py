"""What an environment records of the release that it serves: the value of its parameter `/{name}/{env}/release`."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

from contracts.fields import FieldError, Fields, parse_json

_OF_RUN = re.compile(r"s3://[^/]+/runs/([^/]+)/release/manifest\.json")


class PointerError(ValueError):
    """A record that holds no release; the message says what is wrong with it."""


class Pointer(NamedTuple):
    """The release that serves, the address of its manifest, and the SHA-256 of the manifest's text.

    `sha256` is empty where somebody has written the record by hand and left it out.
    """

    id: str
    manifest: str
    sha256: str


def run_of(pointer: Pointer) -> str | None:
    """The run of the pipeline that made the release; None where the manifest does not lie in a run's folder."""
    found = _OF_RUN.fullmatch(pointer.manifest)
    return found[1] if found else None


def render_pointer(pointer: Pointer) -> str:
    """The record's text."""
    return json.dumps(pointer._asdict())


def parse_pointer(text: str) -> Pointer:
    """Read a record. Raises PointerError for what names no release and no manifest."""
    try:
        fields = Fields(parse_json(text, "record"), "")
        sha256 = fields.text("sha256") if fields.has("sha256") else ""
        return Pointer(fields.text("id"), fields.uri("manifest"), sha256)
    except FieldError as error:
        raise PointerError(str(error)) from None
