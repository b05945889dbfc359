"""How a file is written, found in its first bytes. The features job checks the rows: large data never comes here."""

from __future__ import annotations

import re
import zlib
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass

from contracts.columns import NUMBER, Column, sql_name
from contracts.dataset import Dataset
from contracts.format import SEPARATORS, Dialect
from contracts.plan import piece_pattern
from functions.validate.resolve import DataError

BYTES = 1 << 20
"""Of a file, what is looked at."""
_PREAMBLE = re.compile(r"sep=([,;|\t])")
_OTHER_FORMATS = {
    b"\x1f\x8b": "is packed by gzip: give it a name that ends in .csv.gz",
    b"PAR1": "is Parquet: give it a name that ends in .parquet",
    b"PK\x03\x04": "is a workbook or an archive: save the sheet as CSV",
    b"\xff\xfe": "is not UTF-8 text (UTF-16): save it as UTF-8 CSV",
    b"\xfe\xff": "is not UTF-8 text (UTF-16): save it as UTF-8 CSV",
}


@dataclass(frozen=True)
class Head:
    """What the first bytes of a file show. `cells` are the header's, `numbers` those that may have a decimal sign.

    `trailing` says whether a separator stands behind each row; None where there are no rows to tell.
    """

    uri: str
    header: str
    skipped: tuple[str, ...]
    separator: str
    cells: tuple[str, ...]
    breaks: bool
    trailing: bool | None
    numbers: tuple[str, ...]


def find_dialect(head: bytes, dataset: Dataset, uri: str) -> Dialect:
    """What config declares, and what the first bytes show of the rest. Raises DataError."""
    return common([look(head, dataset, uri)], dataset)


def look(head: bytes, dataset: Dataset, uri: str, foldered: Container[str] = (), most: int = BYTES) -> Head:
    """How one file is written, by its first bytes, `most` of them; `foldered` are columns that its path has.

    Raises DataError.

    A separator is the one by which the header has all declared columns; quotes go on over lines where every row of the
    head is whole only so.
    """
    content = _unpacked(head, uri, most)
    lines = _lines(_decoded(content, uri), max(len(head), len(content)) >= most, uri, most)
    skipped: tuple[str, ...] = ()
    while lines and (not lines[0].strip() or _PREAMBLE.fullmatch(lines[0].strip())):
        skipped = (*skipped, lines[0])
        lines = lines[1:]
    if not lines:
        raise DataError(f"{uri} is empty: it needs a header with {_names(dataset)}, and rows.")
    header, rows = lines[0], [line for line in lines[1:] if line.strip() and line != lines[0]]
    separator, cells = _separator(header, rows, dataset, uri, foldered)
    _refuse_other_encodings(header, rows, dataset, uri)
    places = {column.name: _place(column, cells, uri) for column in dataset.columns.values() if column.header in cells}
    breaks = dataset.format.line_breaks or _goes_on(rows, separator, len(cells), len(content) >= most)
    rows = list(_joined(rows)) if breaks else rows
    parted = [row for line in rows if (row := parse(line, separator)) and len(row) >= len(cells)]
    # What many programs write behind each row but the header.
    trailing = all(len(row) == len(cells) + 1 and not row[-1] for row in parted) if parted else None
    named = [column.name for column in dataset.columns.values() if column.kind == NUMBER and column.name in places]
    # One of each shape: of a set's thousand heads all cells would not fit into the function's memory.
    numbers: dict[tuple[str, bool], str] = {}
    for row in parted:
        for cell in (row[places[name]] for name in named):
            if "," in cell or "." in cell:
                numbers.setdefault((re.sub("[0-9]", "0", cell), cell.strip().lstrip("+-").startswith("0")), cell)
    return Head(uri, header, skipped, separator, tuple(cells), breaks, trailing, tuple(numbers.values()))


def common(heads: Sequence[Head], dataset: Dataset, folders: Mapping[str, tuple[str, ...]] | None = None) -> Dialect:
    """How all files of a set are written; a comma is a decimal sign where numbers have one and no point.

    `folders`: columns that stand in the files' paths, with one value for each file. Raises DataError.
    """
    first = heads[0]
    trailing = next((head for head in heads if head.trailing is not None), first)
    for head in heads:
        _refuse_another(head, first, trailing)
    numbers = [number for head in heads for number in head.numbers]
    headers = dict.fromkeys(head.header for head in heads)
    columns = [column for column in dataset.columns.values() if column.header in first.cells]
    return Dialect(
        separator=first.separator,
        decimal=dataset.format.decimal or _decimal(numbers, dataset.format.thousands, first.separator, first.uri),
        thousands=dataset.format.thousands,
        line_breaks=any(head.breaks for head in heads),
        nulls=dataset.format.nulls,
        header=first.header,
        # A header in quotes is the same header without.
        skipped=tuple(dict.fromkeys([*(line for head in heads for line in head.skipped), *list(headers)[1:]])),
        places={column.name: first.cells.index(column.header) for column in columns},
        width=len(first.cells) + bool(trailing.trailing),
        others=_others(first.cells, dataset),
        folders=named_folders(folders or {}, first.cells, dataset),
    )


def _refuse_another(head: Head, first: Head, trailing: Head) -> None:
    """Files of one set are written alike. Raises DataError."""
    if head.cells != first.cells:
        raise DataError(
            f"{head.uri} has another header than {first.uri}: {head.header[:200]}, and not {first.header[:200]}. Files"
            " of one set have the same columns in the same order: write them anew, or upload this one as a dataset of"
            " its own."
        )
    if head.separator != first.separator:
        raise DataError(
            f"{head.uri} has {SEPARATORS[head.separator]} between cells, and {first.uri} has"
            f" {SEPARATORS[first.separator]}: write files of one set alike."
        )
    if head.trailing is not None and head.trailing != trailing.trailing:
        raise DataError(
            f"Of {head.uri} and {trailing.uri} one has a separator behind each row, the other has none: write files of"
            " one set alike."
        )


def parse(line: str, separator: str) -> list[str] | None:
    """The cells of a line, without the quotes around them; None where a quote does not enclose a whole cell.

    As the plan takes rows apart (contracts/plan.py): cells that do not give the line again are not all of it.
    """
    if '"' not in line:
        return line.split(separator)
    pieces = re.findall(piece_pattern(separator), f"{separator}{line}")
    if separator.join(pieces) != line:
        return None
    return [piece[1:-1].replace('""', '"') if piece.startswith('"') else piece for piece in pieces]


def _unpacked(head: bytes, uri: str, most: int) -> bytes:
    packed = uri.lower().endswith(".gz")
    for magic, words in _OTHER_FORMATS.items():
        if head.startswith(magic) and not (packed and magic == b"\x1f\x8b"):
            raise DataError(f"{uri} {words}.")
    if not packed:
        return head
    try:
        return zlib.decompressobj(wbits=31).decompress(head, most)
    except zlib.error as error:
        raise DataError(f"{uri} is not packed by gzip, as its name says ({error}): upload it anew.") from None


def _decoded(head: bytes, uri: str) -> str:
    text = head.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
    if text.count("\0") > len(text) // 10:
        raise DataError(f"{uri} is not UTF-8 text (every second byte is zero, as in UTF-16): save it as UTF-8 CSV.")
    return text


def _lines(text: str, cut: bool, uri: str, most: int) -> list[str]:
    lines = re.split("\r\n|\n|\r", text)
    if cut:
        lines = lines[:-1]
        if not lines:
            amount = "a million" if most == BYTES else str(most)
            raise DataError(f"{uri} has a line of more than {amount} characters: it is not a CSV of rows.")
    return lines if lines[-1] else lines[:-1]


def _separator(
    header: str, rows: Sequence[str], dataset: Dataset, uri: str, foldered: Container[str]
) -> tuple[str, list[str]]:
    """By what the header's cells are told apart, and these."""
    if header.count('"') % 2:
        raise DataError(
            f"{uri} has a line break within its header, or a quote that is not closed there: {header[:200]}."
        )
    declared = [column.header for column in dataset.columns.values()]
    known = [dataset.format.separator] if dataset.format.separator else list(SEPARATORS)
    parted = {separator: _header_cells(header, separator) for separator in known}
    scores = {separator: sum(name in cells for name in declared) for separator, cells in parted.items()}
    # A declared column may be all of the header to one separator and a part of it to another: rows decide.
    alike = {
        separator: sum(len(parse(row, separator) or []) == len(cells) for row in rows[:20])
        for separator, cells in parted.items()
    }
    best = max(known, key=lambda separator: (scores[separator], alike[separator], len(parted[separator])))
    cells = parted[best]
    missing = [name for name in declared if name not in cells and name not in foldered]
    if not missing:
        return best, cells
    if "\ufffd" in header:
        raise DataError(f"{uri} is not UTF-8 text (its header has other bytes): save it as UTF-8 CSV.")
    raise DataError(_lacks(missing, cells, header, dataset, uri))


def _lacks(missing: Sequence[str], cells: Sequence[str], header: str, dataset: Dataset, uri: str) -> str:
    target = dataset.columns[dataset.target].header
    named = f" ({target} is the target)" if target in missing else ""
    lowered = {cell.lower(): cell for cell in cells}
    other = [f"{lowered[name.lower()]!r} for {name}" for name in missing if name.lower() in lowered]
    hint = f" It has {', '.join(other)}: write names as they are declared." if other else ""
    if not hint and any(re.fullmatch(r"[-+.\d]+", cell.strip()) for cell in cells):
        hint = " The first line looks like data: put a header above it."
    many = "s" if len(missing) > 1 else ""
    return f"{uri} lacks the column{many} {', '.join(missing)}{named}. Its header is: {header[:500]}.{hint}"


def _header_cells(header: str, separator: str) -> list[str]:
    return [cell.strip().lstrip("\ufeff").strip() for cell in parse(header, separator) or []]


def _place(column: Column, cells: Sequence[str], uri: str) -> int:
    # To engines capitals make no other column.
    twins = [cell for cell in cells if cell.lower() == column.header.lower()]
    if len(twins) > 1:
        raise DataError(
            f"{uri} has the column {column.header} more than once ({', '.join(twins)}): which one is meant?"
        )
    return list(cells).index(column.header)


def named_folders(
    folders: Mapping[str, tuple[str, ...]], cells: Sequence[str], dataset: Dataset
) -> dict[str, tuple[str, ...]]:
    """Columns in paths by what SQL calls them, but those that the files have as well: then these count."""
    known = {column.header: column.name for column in dataset.columns.values()}
    taken = {name.lower() for name in known.values()} | {"draw", "split"} | {sql_name(cell).lower() for cell in cells}
    return {
        known.get(name, sql_name(name)): values
        for name, values in folders.items()
        if name not in cells and (name in known or sql_name(name).lower() not in taken)
    }


def _others(cells: Sequence[str], dataset: Dataset) -> dict[str, int]:
    """Columns that nobody declared, but for those whose name in SQL would not be theirs alone."""
    named = [(sql_name(cell), place) for place, cell in enumerate(cells) if cell]
    low = [name.lower() for name, _ in named]
    taken = {name.lower() for name in dataset.columns} | {"draw", "split"}
    own = {name.lower() for name in low if low.count(name) == 1} - taken
    return {name: place for name, place in named if name.lower() in own and not name.startswith("__")}


def _refuse_other_encodings(header: str, rows: Sequence[str], dataset: Dataset, uri: str) -> None:
    """Some rows with other bytes are set aside by the job; many are another encoding."""
    other = [number for number, row in enumerate(rows, 1) if "\ufffd" in row]
    if len(other) > dataset.max_bad_share * len(rows):
        raise DataError(
            f"{uri} is not UTF-8 text ({len(other)} of its first {len(rows)} rows have other bytes, row {other[0]} the"
            f" first): save it as UTF-8 CSV."
        )


def _goes_on(rows: Sequence[str], separator: str, width: int, cut: bool) -> bool:
    """Whether open quotes join lines to rows that are all whole, and leave none open."""
    if all(row.count('"') % 2 == 0 for row in rows):
        return False
    joined = list(_joined(rows))
    # The last may go on beyond the head.
    widths = [len(parse(row, separator) or []) for row in (joined[:-1] if cut else joined)]
    # One more where there is a separator behind each row.
    return bool(widths) and set(widths) in ({width}, {width + 1})


def _joined(rows: Sequence[str]) -> Iterator[str]:
    pending: list[str] = []
    for row in rows:
        pending.append(row)
        if sum(part.count('"') for part in pending) % 2 == 0:
            yield "\n".join(pending)
            pending = []
    if pending:
        yield "\n".join(pending)


def _decimal(cells: Sequence[str], thousands: str, separator: str, uri: str) -> str:
    """A comma, where numbers have one, none has a point, and it cannot be one for thousands."""
    if thousands in (",", "."):
        return "." if thousands == "," else ","
    numbers = [cell.strip().replace(thousands, "") if thousands else cell.strip() for cell in cells]
    commas = [cell for cell in numbers if re.fullmatch(r"[-+]?\d*,\d+(?:[eE][-+]?\d+)?", cell)]
    points = [cell for cell in numbers if re.fullmatch(r"[-+]?\d*\.\d+(?:[eE][-+]?\d+)?", cell)]
    if not commas or points:
        return "."
    if not thousands and all(re.fullmatch(r"[-+]?[1-9]\d{0,2},\d{3}", cell) for cell in commas):
        # Between commas such a cell stands in quotes: there it is one for thousands by far more often.
        if separator == ",":
            return "."
        raise DataError(
            f"{uri} has numbers like {commas[0]!r}, where the comma may be a decimal sign or stand for thousands:"
            f" declare dataset.format.decimal or dataset.format.thousands."
        )
    return ","


def _names(dataset: Dataset) -> str:
    return ", ".join(column.header for column in dataset.columns.values())
