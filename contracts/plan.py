"""The plan by which raw lines become rows: one SQL text that Spark and DuckDB read alike.

A line is a row (with `lineBreaks`, so are lines that an open quote joins), and SQL alone takes it apart: the engines'
own readers of CSV agree on neither quotes, escapes, widths nor numbers (docs/adr/0022-one-reading-of-a-file.md). What
is in the text is in both: no backslash, no quote within a literal, no lambda, no name in quotes. Functions that DuckDB
lacks are macros there (operate/local_spark.py).

The text reads the view `lines` (`__file`, `__block`, `__place`, `__text`) and gives
    one column for each declared column, of its type: DOUBLE, BIGINT, TIMESTAMP in UTC, BOOLEAN or text
    one for each column that nobody declared and the job asks for, as text
    __key      what a row's lot depends on beside the secret, from which `drawing` makes `draw`, 32 hex digits
    __problem  the first rule that the row breaks, NULL where it keeps all
    __sample   the cell that breaks it, cut, or the line
    __file, __block, __place, __text  as in `lines`; `__text` only of rows with a problem
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from contracts.breaking import CHARACTERS, QUOTES, WIDTH, problem, words
from contracts.cells import typed
from contracts.columns import Column
from contracts.dataset import Dataset
from contracts.encoding import encodings, unknown
from contracts.format import Dialect
from contracts.literal import literal

MOST_SHOWN = 60
_MOST_DOUBLED = 500
"""Quotes within one row that are told from its own: each takes a frame of Java's stack."""
_QUOTES = "(LENGTH(__text) - LENGTH(REPLACE(__text, '\"', '')))"
_BEFORE = "PARTITION BY __file ORDER BY __block, __place ROWS BETWEEN UNBOUNDED PRECEDING"
_COUNTED = (
    f"SELECT *, COALESCE(SUM({_QUOTES} % 2) OVER ({_BEFORE} AND 1 PRECEDING), 0) AS __before,"
    f" SUM({_QUOTES} % 2) OVER (PARTITION BY __file) AS __all FROM lines"
)
_NUMBERED = (
    f"SELECT *, SUM(__first) OVER ({_BEFORE} AND CURRENT ROW) AS __row FROM (SELECT *, CASE WHEN"
    f" COALESCE(SUM({_QUOTES}) OVER ({_BEFORE} AND 1 PRECEDING), 0) % 2 = 0 THEN 1 ELSE 0 END AS __first FROM lines) a"
)
"""Lines with the number of the row that each belongs to: up to each line, quotes are even or odd."""
_ORDERED = (
    "CONCAT(LPAD(CAST(__block AS STRING), 20, '0'), LPAD(CAST(__place AS STRING), 20, '0'), CHR(2),"
    " REPLACE(__text, CHR(2), CHR(0)), CHR(3))"
)
_JOINED = (
    "SELECT __file, __row, MIN(__block) AS __block, MIN(CASE WHEN __first = 1 THEN __place END) AS __place,"
    " COUNT(*) AS __lines, CASE WHEN COUNT(*) = 1 THEN MIN(__text) ELSE"
    f" ARRAY_JOIN(REGEXP_EXTRACT_ALL(ARRAY_JOIN(SORT_ARRAY(ARRAY_AGG({_ORDERED})), ''),"
    " CONCAT(CHR(2), '([^', CHR(3), ']*)', CHR(3)), 1), CHR(10)) END AS __text FROM numbered GROUP BY __file, __row"
)
"""Lines of one row as one text, at the place of the first. No engine's way to keep the order is the other's."""
_SPLIT = chr(31)
NO_TEXT = ("\ufffd", "\x00", "\x01", "\x02", "\x03")
"""What no text has; the first is what bytes become that are not UTF-8."""
LINES, RECORDS = "lines", "records"
"""What is read of the files: lines of text, or records of Parquet (contracts/plan_parquet.py)."""
OTHER_PIECES, OTHERS = "/* pieces of others */", "/* others */"
"""Where the job puts columns that nobody declared and features.sql reads (`with_others` there)."""


def build(dataset: Dataset, dialect: Dialect, files: Sequence[Mapping[str, str]], now: datetime) -> dict[str, Any]:
    """The plan as a document: `files` have `uri`, what is read, and `source`, how people call it.

    Of several files each `uri` ends with `part-` and its place among them, in five digits from 0: so SQL knows which.
    """
    foldered = {name: by_file(dialect.folders[name]) for name in dialect.other_folders(dataset.columns)}
    return {
        "kind": LINES,
        "place": "line",
        "dialect": dialect.words(),
        "sql": reading(dataset, dialect, now),
        "broken": "" if dialect.line_breaks else reading(dataset, dialect, now, broken=True),
        "others": {
            **{name: _other(place) for name, place in dialect.others.items()},
            **{name: f"NULLIF({value}, '')" for name, value in foldered.items()},
        },
        "where": {name: dialect.places[name] + 1 if name in dialect.places else 0 for name in dataset.columns},
        "rules": dict(words(dataset, dialect)),
        "quarantine": quarantine(files),
        **shared(dataset, files),
    }


def shared(dataset: Dataset, files: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """What a plan says however the files are written."""
    columns = list(dataset.columns.values())
    return {
        "files": [dict(file) for file in files],
        "columns": [column.name for column in columns],
        "draw": drawing(dataset),
        "nulls": {column.name: column.max_null_share for column in columns if column.max_null_share is not None},
        "unique": repeated(columns),
        "max_bad_share": dataset.max_bad_share,
        "predicates": [rule.sql for rule in dataset.rules],
        "target": dataset.target,
        "unit": dataset.columns[dataset.target].unit,
        "features": list(dataset.features),
        "inputs": [feature.document() for feature in dataset.inputs],
        "encoding": encodings(dataset.inputs),
        "unknown": unknown(dataset.inputs),
        "classes": dataset.class_count,
        "leakage": dataset.leakage,
    }


def drawing(dataset: Dataset) -> str:
    """SQL that gives each row of the view `read` its lot, by the secret in the one row of `lots`.

    A query of its own: what reads and checks rows, rules of the config among it, runs while there is no such view.
    """
    names = ", ".join(f"read.{name}" for name in dataset.columns)
    rest = ", ".join(f"read.{name}" for name in ("__problem", "__sample", "__text", "__file", "__block", "__place"))
    # Without the hint Spark sends the data to the secret: it does not know how small that is.
    return (
        f"SELECT /*+ BROADCAST(lots) */ {names} {OTHERS}, MD5(CONCAT_WS('|', lots.secret, read.__key)) AS draw, {rest}"
        " FROM read CROSS JOIN lots"
    )


def reading(dataset: Dataset, dialect: Dialect, now: datetime, broken: bool = False) -> str:
    """The SQL that takes lines apart, types and checks them.

    `broken`: for files in which quotes are torn. What lies between the first line that leaves a quote open and the last
    may be rows, or the middles of cells: nothing tells, and it is set aside.
    """
    columns = list(dataset.columns.values())
    written = [column for column in columns if column.name in dialect.places]
    foldered = "".join(f", {by_file(dialect.folders[it.name])} AS __t_{it.name}" for it in columns if it not in written)
    names = ", ".join(column.name for column in columns)
    texts = ", ".join(f"COALESCE(__t_{column.name}, '')" for column in columns)
    return (
        f"WITH {_rows(dialect, broken)},"
        f" pieces AS (SELECT __file, __block, __place, __text, {_pieces(written, dialect)} {OTHER_PIECES} FROM rows),"
        f" cells AS (SELECT __file, __block, __place, __text, __torn, {_bare(written)}{foldered} {OTHERS} FROM pieces),"
        f" typed AS (SELECT *, {typed(columns, dialect)} FROM cells),"
        f" checked AS (SELECT *, {problem(columns, dataset.rules, dialect, now)} AS __problem FROM typed)"
        f" SELECT {names} {OTHERS}, CONCAT_WS('|', {texts}) AS __key, __problem,"
        f" CASE WHEN __problem IS NOT NULL THEN SUBSTR({sample(columns)}, 1, {MOST_SHOWN}) END AS __sample,"
        f" {'__text' if repeated(columns) else 'CASE WHEN __problem IS NOT NULL THEN __text END AS __text'}, __file,"
        " __block, __place"
        " FROM checked"
    )


def repeated(columns: Sequence[Column]) -> str:
    """SQL that marks in `checked` each row whose value of a unique column was in a row before; empty for none."""
    unique = [column.name for column in columns if column.unique]
    whens = (
        f"WHEN {name} IS NOT NULL AND ROW_NUMBER() OVER (PARTITION BY {name} ORDER BY"
        f" CASE WHEN __problem IS NULL THEN 0 ELSE 1 END, __file, __block, __place) > 1 THEN '{name}.unique'"
        for name in unique
    )
    names = ", ".join(column.name for column in columns)
    samples = " ".join(f"WHEN '{name}' THEN CAST({name} AS STRING)" for name in unique)
    return (
        f"SELECT {names} {OTHERS}, draw, __problem, CASE WHEN __sample IS NULL AND __problem IS NOT NULL THEN"
        f" CASE SPLIT_PART(__problem, '.', 1) {samples} END ELSE __sample END AS __sample, __text, __file, __block,"
        f" __place FROM (SELECT {names} {OTHERS}, draw,"
        f" CASE WHEN __problem IS NOT NULL THEN __problem {' '.join(whens)} END AS __problem, __sample,"
        " __text, __file, __block, __place FROM checked) u"
        if unique
        else ""
    )


def quarantine(files: Sequence[Mapping[str, str]]) -> str:
    """SQL over `checked` and `lines`: the rows that break a rule, with the line of their file at which each begins.

    A file's blocks are numbered one after another: Spark reads them side by side, each from its first line on.
    """
    return (
        "WITH blocks AS (SELECT __file, __block, MIN(__place) AS __least, COUNT(*) AS __lines FROM lines"
        " GROUP BY __file, __block), starts AS (SELECT __file, __block, __least, COALESCE(SUM(__lines) OVER"
        " (PARTITION BY __file ORDER BY __block ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS __before"
        f" FROM blocks) SELECT {source(files)} AS file,"
        " CAST(q.__place - s.__least + s.__before + 1 AS BIGINT) AS line, q.__problem AS rule, q.__sample AS cell,"
        " q.__text AS text FROM checked q JOIN starts s ON q.__file = s.__file AND q.__block = s.__block"
        " WHERE q.__problem IS NOT NULL"
    )


def source(files: Sequence[Mapping[str, str]]) -> str:
    """SQL for how people call the file of a row of `q`."""
    return by_file([file["source"] for file in files], "q.__file")


def by_file(values: Sequence[str], file: str = "__file") -> str:
    """SQL for the value of a row's file, of one value for each file: one array, however many files there are."""
    if len(set(values)) == 1:
        return literal(values[0])
    place = f"CAST(REGEXP_EXTRACT({file}, '/part-([0-9]{{5}})[.][a-z.]+$', 1) AS INT)"
    return f"GET(SPLIT({literal(_SPLIT.join(values))}, {literal(_SPLIT)}), {place})"


def _rows(dialect: Dialect, broken: bool) -> str:
    """CTEs, the last of them `rows`: lines, or what open quotes join of them, but headers and empty ones.

    They have `__cells`, and in `__torn` what is wrong with them as a whole.
    """
    dropped = ", ".join(literal(text) for text in ("", *dialect.skipped, dialect.header, f"\ufeff{dialect.header}"))
    chosen = f"WHERE __text NOT IN ({dropped}) AND TRIM(__text) <> ''"
    if dialect.line_breaks:
        # Of a row that is torn although it is joined nothing tells where it should have ended: each line is one again.
        return (
            f"numbered AS ({_NUMBERED}), joined AS ({_JOINED}), apart AS ({_apart(dialect, 'joined')}),"
            f" rows AS (SELECT __file, __block, __place, __text, __cells, __torn FROM apart {chosen} AND"
            " (__torn IS NULL OR __lines = 1) UNION ALL SELECT n.__file, n.__block, n.__place, n.__text,"
            f" SPLIT('', ',') AS __cells, '{QUOTES}' AS __torn FROM numbered n JOIN apart a ON n.__file = a.__file"
            f" AND n.__row = a.__row {chosen.replace('__text', 'n.__text')} AND a.__torn IS NOT NULL AND a.__lines > 1)"
        )
    if broken:
        # Between which of several a cell goes on, nothing tells: one that belongs to none turns all others round.
        inside = "__before > 0 AND __all > __before"
        return (
            f"counted AS ({_COUNTED}), apart AS ({_apart(dialect, 'counted')}), rows AS (SELECT __file, __block,"
            f" __place, __text, __cells, CASE WHEN __torn IS NULL AND {inside} THEN '{QUOTES}' ELSE __torn END AS"
            f" __torn FROM apart {chosen})"
        )
    return f"rows AS ({_apart(dialect, 'lines')} {chosen})"


def _apart(dialect: Dialect, view: str) -> str:
    """The rows of a view with their cells. What cells joined again do not give is torn."""
    separator = literal(dialect.separator)
    pieces = f"REGEXP_EXTRACT_ALL(CONCAT({separator}, __text), {literal(piece_pattern(dialect.separator))}, 1)"
    quoted = "INSTR(__text, '\"') > 0"
    many = f"LENGTH(__text) - LENGTH(REPLACE(__text, '\"\"', '')) > {2 * _MOST_DOUBLED}"
    broken = " OR ".join(f"INSTR(__text, {literal(char)}) > 0" for char in NO_TEXT)
    return (
        f"SELECT *, CASE WHEN {broken} THEN '{CHARACTERS}' WHEN {many} THEN '{QUOTES}'"
        f" WHEN {quoted} AND ARRAY_JOIN(__cells, {separator}) <> __text THEN '{QUOTES}' END AS __torn FROM (SELECT *,"
        f" CASE WHEN {quoted} AND NOT {many} THEN {pieces} ELSE {_split(dialect)} END AS __cells FROM {view}) x"
    )


def piece_pattern(separator: str) -> str:
    """What a cell matches with the separator before it, the cell as first group.

    The first cell is given one too: after a match of nothing, engines go on one character later. And no pattern goes
    over a whole row, or over each character of a cell: Java's would need a stack as deep.
    """
    return f'[{separator}]("[^"]*(?:""[^"]*)*"|[^"{separator}]*)'


def _split(dialect: Dialect) -> str:
    """A bar means something in a pattern, by which Spark splits: another mark stands in for it."""
    if dialect.separator != "|":
        return f"SPLIT(__text, {literal(dialect.separator)})"
    return f"SPLIT(REPLACE(__text, '|', {literal(_SPLIT)}), {literal(_SPLIT)})"


def _pieces(columns: Sequence[Column], dialect: Dialect) -> str:
    """Each declared column's piece of the row, and whether the row has as many as the header."""
    width = (
        f"CASE WHEN __torn IS NOT NULL THEN __torn WHEN SIZE(__cells) <> {dialect.width} THEN '{WIDTH}' END AS __torn"
    )
    return ", ".join([*(f"GET(__cells, {dialect.places[it.name]}) AS __p_{it.name}" for it in columns), width])


def _bare(columns: Sequence[Column]) -> str:
    """The pieces without the quotes around them."""
    return ", ".join(f"{_unquoted(f'__p_{column.name}')} AS __t_{column.name}" for column in columns)


def _other(place: int) -> str:
    """The text of a column that nobody declared."""
    text = _unquoted(f"GET(__cells, {place})")
    return f"CASE WHEN TRIM({text}) <> '' THEN {text} END"


def _unquoted(piece: str) -> str:
    bare = f"REPLACE(SUBSTR({piece}, 2, LENGTH({piece}) - 2), '\"\"', '\"')"
    return f"CASE WHEN {piece} LIKE '\"%' THEN {bare} ELSE {piece} END"


def sample(columns: Sequence[Column]) -> str:
    """The cell that a problem is about, which the part before its dot names."""
    whens = " ".join(f"WHEN '{column.name}' THEN COALESCE(__t_{column.name}, '')" for column in columns)
    return f"CASE SPLIT_PART(__problem, '.', 1) {whens} ELSE __text END"
