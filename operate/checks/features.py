"""features.sql against the dataset's declaration: it runs, and gives what training needs.

It runs in DuckDB, as in the rehearsal; on AWS it runs in Spark.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from contracts.dataset import Dataset
from functions.jobs.features.features_job import PARTS, not_a_query, readable, with_lots
from functions.validate.check import check as check_rows
from functions.validate.resolve import DataError
from operate.checks.finding import Finding, Result

SQL = "functions/jobs/features/features.sql"
SAMPLE = "tests/project/sample.csv"
"""A sample of the project's data, where it keeps one."""
ROWS = 200
"""Rows that are made where there is no sample."""
SALTS = ("one", "another")
"""In place of the project's secret: which row falls into which part differs with it, how many do hardly."""
MOST_BAD = 0.1
"""Share of a sample's rows that may not fit the declaration; the pipeline has the same default."""

_GROWTH = 1.06
_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "DECIMAL", "UTINYINT",
            "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT")  # fmt: skip


def check(root: Path, dataset: Dataset, data: Path | None = None) -> Result:
    """Runs the SQL on the given CSV file, else on the project's sample, else on rows made from the declaration."""
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
        findings = _shape(connection, sql, dataset)
        if findings:
            return Result("features", SQL, tuple(findings))
        if sample:
            return _on_sample(connection, sql, dataset, sample)
        return _on_made_rows(connection, sql, dataset)


def _shape(connection: Any, sql: str, dataset: Dataset) -> list[Finding]:
    """What is wrong with the SQL whatever the rows are: more than a query, syntax, names, the columns that it gives."""
    more = not_a_query(sql)
    if more:
        return [Finding(SQL, f"{more}: features.sql only gives rows")]
    columns = ", ".join(f"{_quoted(column)} VARCHAR" for column in dataset.columns)
    connection.execute(f"CREATE OR REPLACE TABLE raw ({columns})")
    draw(connection, dataset, SALTS[0])
    try:
        given = {str(row[0]).lower(): str(row[1]) for row in connection.execute(f"DESCRIBE {_bare(sql)}").fetchall()}
    except _errors() as error:
        return [Finding(SQL, _sentence(error))]
    found = [
        Finding(SQL, f"does not give the column {column}; it gives {', '.join(given)}")
        for column in (dataset.target, *dataset.features, "split")
        if column.lower() not in given
    ]
    for column in (dataset.target, *dataset.features):
        kind = given.get(column.lower(), "DOUBLE")
        if kind.partition("(")[0] not in _NUMBERS:
            found.append(Finding(SQL, f"gives {column} as {kind}, but a model learns from numbers: cast it to DOUBLE"))
    if given.get("split", "VARCHAR") != "VARCHAR":
        found.append(Finding(SQL, f"gives split as {given['split']}; it must be one of {', '.join(PARTS)}"))
    return found


def _on_sample(connection: Any, sql: str, dataset: Dataset, sample: Path) -> Result:
    place = str(sample)
    try:
        with sample.open("rb") as file:
            rows = check_rows(iter(lambda: file.read(1 << 20), b""), dataset, MOST_BAD, place).rows
        connection.execute(
            "CREATE OR REPLACE TABLE raw AS SELECT * FROM read_csv(?, header = true, all_varchar = true,"
            " null_padding = true, quote = '\"', nullstr = '')",
            [place],
        )
        draw(connection, dataset, SALTS[0])
        counts = _counts(connection, sql)
        leaked = _leaked(connection)
        notes = _chosen(connection, sql, dataset)
    except (OSError, DataError) as error:
        return Result("features", place, (Finding(place, str(error)),))
    except _errors() as error:
        return Result("features", place, (Finding(SQL, f"on {place}: {_sentence(error)}"),))
    summary = f"{SQL} on {rows} rows of {place}: " + ", ".join(f"{part} {counts.get(part, 0)}" for part in PARTS)
    if None in counts:
        summary += f", in no part {counts[None]}"
    findings = [Finding(SQL, f"leaves no row of {place} for {part}") for part in PARTS if not counts.get(part)]
    if leaked:
        findings.append(Finding(SQL, f"puts {leaked} rows of {place} into more than one of {', '.join(PARTS)}"))
    # What has no part is left out, as the filters' rows are.
    odd = [str(part) for part in counts if part is not None and part not in PARTS]
    if odd:
        findings.append(Finding(SQL, f"gives split the value {odd[0]!r}; it must be one of {', '.join(PARTS)}"))
    return Result("features", summary, tuple(findings), notes)


def _on_made_rows(connection: Any, sql: str, dataset: Dataset) -> Result:
    """Made rows cannot have the form that a project's texts have: what fails on them alone is no more than a note."""
    notes = []
    kinds = {"rows": made(dataset), "rows with cells that cannot be read": unreadable(dataset)}
    for kind, rows in kinds.items():
        marks = ", ".join("?" * len(dataset.columns))
        connection.execute("DELETE FROM raw")
        connection.executemany(f"INSERT INTO raw VALUES ({marks})", list(rows))  # noqa: S608 - marks alone
        try:
            _counts(connection, sql)
        except _errors() as error:
            notes.append(
                f"{SQL} fails on made-up {kind}: {_sentence(error)} (TRY_CAST reads what may be wrong; with a sample of"
                f" your data at {SAMPLE} that is checked instead)"
            )
            break
    return Result("features", f"{SQL} on {ROWS} made-up rows", (), tuple(notes))


def draw(connection: Any, dataset: Dataset, salt: str) -> None:
    """`input` as the job makes it of the raw rows (functions/jobs/features/features_job.py), with another secret."""
    connection.execute("CREATE OR REPLACE TABLE lots AS SELECT ? AS secret", [salt])
    connection.execute(f"CREATE OR REPLACE VIEW drawn AS {with_lots(dataset.columns)}")
    connection.execute(f"CREATE OR REPLACE VIEW input AS {readable(dataset.columns)}")


def _chosen(connection: Any, sql: str, dataset: Dataset) -> tuple[str, ...]:
    """A note where the same rows are tested whatever their lots are."""
    tested = []
    for salt in SALTS:
        draw(connection, dataset, salt)
        _counts(connection, sql)
        order = ", ".join(str(number) for number in range(1, len(dataset.features) + 2))
        kept = ", ".join(map(_quoted, (dataset.target, *dataset.features)))
        query = f"SELECT {kept} FROM features WHERE split = 'test' ORDER BY {order}"  # noqa: S608
        tested.append(connection.execute(query).fetchall())
    if not tested[0] or tested[0] != tested[1]:
        return ()
    note = (
        f"{SQL} splits without input.draw: whoever uploads data can choose what a model is tested on (where that is"
        " nobody but you, or you split by time, leave it so)"
    )
    return (note,)


def _leaked(connection: Any) -> int:
    """Rows that are in several parts, where the SQL gives the lot on by which a row is known."""
    columns = [str(row[0]).lower() for row in connection.execute("DESCRIBE features").fetchall()]
    if "draw" not in columns:
        return 0
    query = "SELECT draw FROM features GROUP BY draw HAVING COUNT(DISTINCT split) > 1"
    return len(connection.execute(query).fetchall())


def _counts(connection: Any, sql: str) -> dict[Any, int]:
    # As a table: DuckDB would leave out what no count needs.
    connection.execute(f"CREATE OR REPLACE TEMP TABLE features AS SELECT * FROM ({_bare(sql)}\n)")  # noqa: S608
    return dict(connection.execute("SELECT split, count(*) FROM features GROUP BY split").fetchall())


def made(dataset: Dataset) -> Iterator[list[str]]:
    """Rows that fit the declaration; numbers from half to tens of thousands, so that some pass the SQL's filters."""
    start = datetime(2026, 1, 1)
    values = {
        "number": lambda number: f"{0.5 * _GROWTH**number:.6g}",
        "integer": lambda number: str(int(_GROWTH**number)),
        "timestamp": lambda number: str(start + timedelta(minutes=37 * number)),
        "string": lambda number: f"text {number % 5}",
    }
    for number in range(ROWS):
        yield [values[kind](number + place) for place, kind in enumerate(dataset.columns.values())]


def unreadable(dataset: Dataset) -> Iterator[list[str]]:
    """The same rows, each with one cell that is not of its column's type."""
    kinds = list(dataset.columns.values())
    typed = [place for place, kind in enumerate(kinds) if kind != "string"]
    for number, row in enumerate(made(dataset)):
        if typed:
            row[typed[number % len(typed)]] = ("", "nonsense", "n/a")[number % 3]
        yield row


def _errors() -> Any:
    """DuckDB's error, which is only there where it is installed."""
    import duckdb

    return duckdb.Error


def _sentence(error: Exception) -> str:
    """DuckDB's message up to the picture of the place."""
    return " ".join(str(error).partition("\n\nLINE")[0].split())


def _bare(sql: str) -> str:
    return sql.strip().rstrip(";")


def _quoted(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'
