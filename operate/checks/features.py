"""features.sql against the dataset's declaration: it runs, and gives what training needs.

It runs in DuckDB, as in the rehearsal; on AWS it runs in Spark.
"""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from contracts.columns import BOOLEAN, INTEGER, NUMBER, TIMESTAMP
from contracts.dataset import Dataset
from contracts.errors import UserError
from functions.jobs.features.features_job import PARTS, FeatureError, columns_named, not_a_query, unfit_values
from operate import dataset as datasets
from operate.checks.finding import Finding, Result
from operate.local_spark import Session

SQL = "functions/jobs/features/features.sql"
SAMPLE = "tests/project/sample.csv"
"""A sample of the project's data, where it keeps one."""
ROWS = 200
"""Rows that are made where there is no sample."""
SALTS = ("one", "another")
"""In place of the project's secret: which row falls into which part differs with it, how many do hardly."""

_GROWTH = 1.06
_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "DECIMAL", "UTINYINT",
            "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT")  # fmt: skip


_TEXTS = ("VARCHAR", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "BOOLEAN")
"""Types whose values Spark and DuckDB write alike."""


def check(root: Path, dataset: Dataset, data: Path | Sequence[Path] | None = None) -> Result:
    """Runs the SQL on the given files, else on the project's sample, else on rows made from the declaration."""
    try:
        import duckdb
    except ImportError:
        return Result("features", SQL, (Finding("duckdb", "is not installed: pip install -r requirements-build.txt"),))
    try:
        sql = (root / SQL).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        return Result("features", SQL, (Finding(SQL, f"cannot be read: {error}"),))
    sample = data or (root / SAMPLE if (root / SAMPLE).is_file() else None)
    with duckdb.connect(config={"autoinstall_known_extensions": "false"}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        wrong = _wrong_rules(dataset)
        findings = [Finding("glidepath:dataset.rules", wrong)] if wrong else _shape(connection, sql, dataset)
        if findings:
            return Result("features", SQL, tuple(findings))
        result = _on_sample(sql, dataset, sample) if sample else _on_made_rows(connection, sql, dataset)
    notes = [
        f"{SQL} reads {name}, which is not declared: it is taken from the file, as text"
        for name in undeclared(sql, dataset)
    ]
    return replace(result, notes=(*result.notes, *notes))


def _wrong_rules(dataset: Dataset) -> str:
    with tempfile.TemporaryDirectory() as folder:
        session = Session(Path(folder))
        with session.connection:
            return datasets.wrong_rules(session, dataset)


def undeclared(sql: str, dataset: Dataset) -> list[str]:
    """Columns of `input` that the SQL names and nobody declared; each file must have them."""
    known = {name.lower() for name in dataset.columns} | {"draw"}
    return [name for name in columns_named(sql) if name.lower() not in known]


def _shape(connection: Any, sql: str, dataset: Dataset) -> list[Finding]:
    """What is wrong with the SQL whatever the rows are: more than a query, syntax, names, the columns that it gives."""
    more = not_a_query(sql)
    if more:
        return [Finding(SQL, f"{more}: features.sql only gives rows")]
    columns = ", ".join(
        f"{column.name} {datasets.TYPES.get(column.kind, 'VARCHAR')}" for column in dataset.columns.values()
    )
    others = "".join(f", {_quoted(name)} VARCHAR" for name in undeclared(sql, dataset))
    connection.execute(f"CREATE OR REPLACE TABLE input ({columns}, draw VARCHAR{others})")
    try:
        given = {str(row[0]).lower(): str(row[1]) for row in connection.execute(f"DESCRIBE {_bare(sql)}").fetchall()}
    except _errors() as error:
        return [Finding(SQL, datasets.sentence(error))]
    names = [feature.name for feature in dataset.inputs]
    found = [
        Finding(SQL, f"does not give the column {column}; it gives {', '.join(given)}")
        for column in (dataset.target, *names, "split")
        if column.lower() not in given
    ]
    for column in (dataset.target, *(feature.name for feature in dataset.inputs if not feature.categories)):
        kind = given.get(column.lower(), "DOUBLE")
        if kind.partition("(")[0] not in _NUMBERS:
            reason = "a model learns from numbers: cast it to DOUBLE, or declare its categories (dataset.features)"
            found.append(Finding(SQL, f"gives {column} as {kind}, but {reason}"))
    for column in (feature.name for feature in dataset.inputs if feature.categories):
        kind = given.get(column.lower(), "VARCHAR")
        if kind not in _TEXTS:
            reason = "engines write such values in different ways: cast it to BIGINT, or give a text by CASE"
            found.append(Finding(SQL, f"gives {column} as {kind}, but it is a category; {reason}"))
    if given.get("split", "VARCHAR") != "VARCHAR":
        found.append(Finding(SQL, f"gives split as {given['split']}; it must be one of {', '.join(PARTS)}"))
    return found


def _on_sample(sql: str, dataset: Dataset, sample: Path | Sequence[Path]) -> Result:
    place = str(sample) if isinstance(sample, Path) else ", ".join(map(str, sample))
    try:
        with datasets.look(sample, dataset, SALTS[0], sql) as looked:
            if looked.problem:
                return Result("features", place, (Finding(place, looked.problem),))
            connection, rows, bad = looked.session.connection, looked.rows["read"], looked.rows["quarantined"]
            counts = _counts(connection, sql)
            leaked = _leaked(connection)
            tested = [_tested(connection, dataset)]
            unfit = unfit_values(looked.session, looked.plan)
            datasets.draw(looked.session, looked.plan, SALTS[1])
            _counts(connection, sql)
            tested.append(_tested(connection, dataset))
    except (UserError, FeatureError) as error:
        return Result("features", place, (Finding(place, str(error)),))
    except _errors() as error:
        return Result("features", place, (Finding(SQL, f"on {place}: {datasets.sentence(error)}"),))
    summary = f"{SQL} on {rows} rows of {place}: " + ", ".join(f"{part} {counts.get(part, 0)}" for part in PARTS)
    if bad:
        summary += f", set aside {bad}"
    if None in counts:
        summary += f", in no part {counts[None]}"
    findings = [Finding(SQL, f"leaves no row of {place} for {part}") for part in PARTS if not counts.get(part)]
    if leaked:
        findings.append(Finding(SQL, f"puts {leaked} rows of {place} into more than one of {', '.join(PARTS)}"))
    # What has no part is left out, as the filters' rows are.
    odd = [str(part) for part in counts if part is not None and part not in PARTS]
    if odd:
        findings.append(Finding(SQL, f"gives split the value {odd[0]!r}; it must be one of {', '.join(PARTS)}"))
    if unfit:
        findings.append(Finding(SQL, unfit))
    notes = (_CHOSEN,) if tested[0] and tested[0] == tested[1] else ()
    return Result("features", summary, tuple(findings), notes)


def _on_made_rows(connection: Any, sql: str, dataset: Dataset) -> Result:
    """Made rows cannot have the form that a project's texts have: what fails on them alone is no more than a note."""
    notes = []
    kinds = {"rows": made(dataset), "rows with empty cells": with_gaps(dataset)}
    others = ["text"] * len(undeclared(sql, dataset))
    for kind, rows in kinds.items():
        marks = ", ".join("?" * (len(dataset.columns) + 1 + len(others)))
        connection.execute("DELETE FROM input")
        connection.executemany(f"INSERT INTO input VALUES ({marks})", [[*row, *others] for row in rows])  # noqa: S608 - marks alone
        try:
            _counts(connection, sql)
        except _errors() as error:
            notes.append(
                f"{SQL} fails on made-up {kind}: {datasets.sentence(error)} (TRY_CAST reads what may be wrong; with a"
                f" sample of your data at {SAMPLE} that is checked instead)"
            )
            break
    return Result("features", f"{SQL} on {ROWS} made-up rows", (), tuple(notes))


_CHOSEN = (
    f"{SQL} splits without input.draw: whoever uploads data can choose what a model is tested on (where that is nobody"
    " but you, or you split by time, leave it so)"
)


def _tested(connection: Any, dataset: Dataset) -> list[Any]:
    """The rows that are tested on, in an order of their own."""
    order = ", ".join(str(number) for number in range(1, len(dataset.inputs) + 2))
    kept = ", ".join(map(_quoted, (dataset.target, *(feature.name for feature in dataset.inputs))))
    query = f"SELECT {kept} FROM made WHERE split = 'test' ORDER BY {order}"  # noqa: S608
    rows: list[Any] = connection.execute(query).fetchall()
    return rows


def _leaked(connection: Any) -> int:
    """Rows that are in several parts, where the SQL gives the lot on by which a row is known."""
    columns = [str(row[0]).lower() for row in connection.execute("DESCRIBE made").fetchall()]
    if "draw" not in columns:
        return 0
    query = "SELECT draw FROM made GROUP BY draw HAVING COUNT(DISTINCT split) > 1"
    return len(connection.execute(query).fetchall())


def _counts(connection: Any, sql: str) -> dict[Any, int]:
    # As a table: DuckDB would leave out what no count needs.
    connection.execute(f"CREATE OR REPLACE TEMP TABLE made AS SELECT * FROM ({_bare(sql)}\n)")  # noqa: S608
    return dict(connection.execute("SELECT split, count(*) FROM made GROUP BY split").fetchall())


def made(dataset: Dataset) -> Iterator[list[Any]]:
    """Rows that fit the declaration; numbers from half to tens of thousands, so that some pass the SQL's filters."""
    start = datetime(2026, 1, 1)
    values: dict[str, Any] = {
        NUMBER: lambda number: 0.5 * _GROWTH**number,
        INTEGER: lambda number: int(_GROWTH**number),
        TIMESTAMP: lambda number: start + timedelta(minutes=37 * number),
        BOOLEAN: lambda number: number % 2 == 0,
    }
    for number in range(ROWS):
        row = []
        for place, column in enumerate(dataset.columns.values()):
            if column.allowed:
                row.append(column.allowed[number % len(column.allowed)])
            else:
                row.append(values.get(column.kind, lambda number: f"text {number % 5}")(number + place))
        yield [*row, f"{number * 2654435761 % 2**32:08x}" * 4]


def with_gaps(dataset: Dataset) -> Iterator[list[Any]]:
    """The same rows, each with one cell empty that may be."""
    nullable = [place for place, column in enumerate(dataset.columns.values()) if column.nullable]
    for number, row in enumerate(made(dataset)):
        if nullable:
            row[nullable[number % len(nullable)]] = None
        yield row


def _errors() -> Any:
    """DuckDB's error, which is only there where it is installed."""
    import duckdb

    return duckdb.Error


def _bare(sql: str) -> str:
    return sql.strip().rstrip(";")


def _quoted(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'
