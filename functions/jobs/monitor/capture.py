"""Captured requests as rows: what was answered, then what was asked. A line that cannot be read is counted and told.

An hour of a million records is half a gigabyte of JSON, so a line of the usual form is taken apart by one regular
expression (a fifth of what `json` needs), pieces of files are read by as many processes as there are processors, and
the cells of a piece are parsed by numpy at once. Every other line goes through `json`.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from contracts.monitoring import PROBES, REPLAY_IDS
from functions.jobs.monitor.table import Table, beside, from_rows, join, parse

PIECE = 4 * 1024 * 1024
"""Bytes of a file that are read at once."""
_SIDE = (
    r'"observedContentType": ?"[^"\\]*", ?"mode": ?"%s", ?"data": ?"([^"\\]*(?:\\n[^"\\]*)*)", ?"encoding": ?"CSV"\}'
)
_USUAL = re.compile(
    r'\{"captureData": ?\{"endpointInput": ?\{' + _SIDE % "INPUT" + r', ?"endpointOutput": ?\{' + _SIDE % "OUTPUT"
    + r'\}, ?"eventMetadata": ?\{[^{}]*\}, ?"eventVersion": ?"\d+"\}\s*'
)  # fmt: skip
# No caller's: a golden record over and over, and what other hours' callers asked another release. They must not be held
# for what callers ask now.
_OURS = re.compile(rf'"inferenceId": ?"(?:{PROBES}|{REPLAY_IDS})')
_TOLD = 3


class BadLineError(ValueError):
    """A line that is no record to judge; the message says why."""


@dataclass
class Captured:
    """Rows of the most frequent width. `bad` counts the lines that are not among them; `reasons` tells of the first."""

    table: Table
    bad: int = 0
    reasons: list[str] = field(default_factory=list)


@dataclass
class _Piece:
    tables: list[Table]
    bad: int
    reasons: list[str]


def read(folder: str, width: int, processes: int | None = None) -> Captured:
    """All records below a folder. `width` is how many columns are expected."""
    pieces = list(_pieces(folder))
    count = min(processes or os.cpu_count() or 1, len(pieces))
    if count > 1:
        # Forked: what is imported is shared, and the job's archive need not be found again.
        with multiprocessing.get_context("fork").Pool(count) as pool:
            return _joined(pool.imap(_read, pieces), width)
    return _joined(map(_read, pieces), width)


def _pieces(folder: str) -> Iterator[tuple[str, int, int]]:
    for root, _, names in sorted(os.walk(folder)):
        for name in sorted(names):
            path = os.path.join(root, name)
            if name.endswith(".jsonl"):
                yield from ((path, start, PIECE) for start in range(0, os.path.getsize(path), PIECE))


def _joined(pieces: Iterator[_Piece], width: int) -> Captured:
    tables: list[Table] = []
    bad = 0
    reasons: list[str] = []
    for piece in pieces:
        tables += piece.tables
        bad += piece.bad
        reasons += piece.reasons[: _TOLD - len(reasons)]
    rows: Counter[int] = Counter()
    for table in tables:
        rows[table.width] += table.rows
    usual = rows.most_common(1)[0][0] if rows else width
    other = sum(count for wide, count in rows.items() if wide != usual)
    if other:
        reasons.append(f"{other} rows do not have the {usual} values of the others")
    return Captured(join([table for table in tables if table.width == usual], usual), bad + other, reasons)


def _read(piece: tuple[str, int, int]) -> _Piece:
    path, start, size = piece
    asked: list[str] = []
    answered: list[str] = []
    tables: list[Table] = []
    bad: Counter[str] = Counter()
    for line in _lines(path, start, size):
        if (PROBES in line or REPLAY_IDS in line) and _OURS.search(line):
            continue
        try:
            usual = _USUAL.fullmatch(line)
            sides = (_unescaped(usual[1]), _unescaped(usual[2])) if usual else None
            if sides and "\n" not in sides[0] and "\n" not in sides[1]:
                asked.append(sides[0])
                answered.append(sides[1])
            elif line.strip():
                tables.append(from_rows(_rows(*sides) if sides else _record(line)))
        except BadLineError as error:
            bad[f"{os.path.basename(path)}: {error}"] += 1
    tables += _parsed(asked, answered)
    return _Piece(tables, sum(bad.values()), list(bad)[:_TOLD])


def _lines(path: str, start: int, size: int) -> Iterator[str]:
    """The lines that begin within a piece of a file."""
    with open(path, "rb") as file:
        if start:
            file.seek(start - 1)
            file.readline()
        left = start + size - file.tell()
        if left <= 0:
            return
        content = file.read(left)
        if not content.endswith(b"\n"):
            content += file.readline()
    yield from content.decode("utf-8", "replace").split("\n")


def _parsed(asked: list[str], answered: list[str]) -> list[Table]:
    """Records of one row each; one by one where their widths differ."""
    left, right = parse(answered), parse(asked)
    if left is not None and right is not None:
        return [beside(left, right)] if left.rows else []
    rows = [cells for pair in zip(asked, answered, strict=True) for cells in _rows(*pair)]
    widths = sorted({len(row) for row in rows})
    return [from_rows([row for row in rows if len(row) == width]) for width in widths]


def _unescaped(text: str) -> str:
    return text.replace("\\n", "\n").rstrip("\n") if "\\" in text else text


def _rows(asked: str, answered: str) -> list[list[str]]:
    """Rows of one exchange: as many answers as questions, a line each; older containers put commas between answers."""
    questions = [line.split(",") for line in asked.rstrip("\n").split("\n")]
    answers = [line.split(",") for line in answered.rstrip("\n").split("\n")]
    if len(questions) > 1 and len(answers) == 1 and len(answers[0]) == len(questions):
        answers = [[cell] for cell in answers[0]]
    if len(questions) != len(answers):
        raise BadLineError(f"{len(questions)} rows were asked, and {len(answers)} answered")
    return [answer + question for answer, question in zip(answers, questions, strict=True)]


def _record(line: str) -> list[list[str]]:
    try:
        record = json.loads(line)
        data = record["captureData"]
        asked, answered = data["endpointInput"], data["endpointOutput"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise BadLineError("a line is no record with both sides of an exchange") from None
    return _rows(_text(asked), _text(answered))


def _text(side: dict[str, Any]) -> str:
    """One side of an exchange as CSV."""
    if side.get("encoding") == "CSV":
        return str(side["data"])
    if side.get("encoding") == "JSON":
        return _flat(str(side["data"]))
    raise BadLineError(
        f"{side.get('observedContentType')} was captured as {side.get('encoding')}: the endpoint's"
        " CaptureContentTypeHeader must list this content type as CSV or JSON"
    )


def _flat(text: str) -> str:
    """Flat JSON documents, one a line, as CSV in their own order."""
    try:
        documents = [json.loads(line) for line in text.splitlines() if line.strip()]
    except (ValueError, RecursionError):
        raise BadLineError("what was captured as JSON is not valid JSON") from None
    rows = [
        list(one.values()) if isinstance(one, dict) else one if isinstance(one, list) else [one] for one in documents
    ]
    if any(isinstance(cell, dict | list) for row in rows for cell in row):
        raise BadLineError("captured JSON is nested, and only flat JSON can be analyzed")
    return "\n".join(",".join("" if cell is None else str(cell) for cell in row) for row in rows)
