"""A file before it is uploaded: how it is written, what its rows break, and what training would see.

The same code as in the pipeline: the validation finds the dialect, and the features job's own functions run the plan.
"""

from __future__ import annotations

import gzip
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from contracts.columns import BOOLEAN, INTEGER, NUMBER, NUMERIC, TIMESTAMP
from contracts.dataset import Dataset
from contracts.errors import UserError
from contracts.format import Dialect
from contracts.plan import build
from functions.jobs.features import features_job
from functions.validate.head import BYTES, find_dialect
from functions.validate.resolve import DataError
from operate.local_spark import Session

TYPES = {NUMBER: "DOUBLE", INTEGER: "BIGINT", TIMESTAMP: "TIMESTAMP", BOOLEAN: "BOOLEAN"}
"""DuckDB's, of columns that are not text."""
SECRET = "in place of the project's own"  # noqa: S105
"""Which row falls into which part differs with the secret; how many do hardly."""


@dataclass(frozen=True)
class Looked:
    """A file, read and checked: `session` has `checked`, `input` and (where a rule is broken) `quarantine`.

    `rows` is what the job would write of them; `problem` says why a run with this file would stop, empty where it would
    not.
    """

    session: Session
    dialect: Dialect
    plan: dict[str, Any]
    rows: dict[str, Any]
    problem: str


def find(file: Path, dataset: Dataset) -> Dialect:
    """How a file is written. Raises UserError for what the validation refuses, and for a file that cannot be read."""
    try:
        with file.open("rb") as opened:
            return find_dialect(opened.read(BYTES), dataset, str(file))
    except OSError as error:
        raise UserError(f"{file} cannot be read: {error.strerror}", "name a CSV file") from None
    except DataError as error:
        raise UserError(str(error)) from None


@contextmanager
def look(file: Path, dataset: Dataset, secret: str = SECRET, sql: str = "") -> Iterator[Looked]:
    """Reads and checks a file, with the undeclared columns that `sql` reads.

    Raises UserError for what the validation refuses, and for a file that cannot be read.
    """
    with tempfile.TemporaryDirectory() as folder:
        session = Session(Path(folder))
        with session.connection:
            yield _looked(session, file, dataset, secret, sql)


def _looked(session: Session, file: Path, dataset: Dataset, secret: str, sql: str) -> Looked:
    wrong = wrong_rules(session, dataset)
    if wrong:
        raise UserError(f"glidepath:dataset.rules: {wrong}")
    try:
        return _look(session, file, dataset, secret, sql)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UserError(f"{file} is cut off or damaged ({error}): pack it anew") from None
    except session.error as error:
        raise UserError(f"{file} cannot be read by glidepath:dataset: {sentence(error)}") from None


def wrong_rules(session: Session, dataset: Dataset) -> str:
    """What is wrong with the rules, whatever the rows are, like names that are not there; empty for nothing."""
    columns = ", ".join(
        f"CAST(NULL AS {TYPES.get(it.kind, 'VARCHAR')}) AS {it.name}" for it in dataset.columns.values()
    )
    for rule in dataset.rules:
        more = features_job.not_a_query(f"SELECT {rule.sql}")
        if more:
            return f"{rule.name} {more}"
        try:
            described = f"DESCRIBE SELECT ({rule.sql}) AS rule FROM (SELECT {columns}) r"  # noqa: S608
            ((_, kind, *_),) = session.connection.execute(described).fetchall()
        except session.error as error:
            return f"{rule.name} cannot be read: {sentence(error)}"
        if kind != "BOOLEAN":
            return f"{rule.name} is {kind}, and no condition: compare it with something"
    return ""


def sentence(error: Exception) -> str:
    """DuckDB's message up to the picture of the place."""
    return " ".join(str(error).partition("\n\nLINE")[0].split())[:300]


def _look(session: Session, file: Path, dataset: Dataset, secret: str, sql: str) -> Looked:
    dialect = find(file, dataset)
    plan = build(dataset, dialect, [{"uri": str(file), "source": str(file)}], datetime.now(UTC))
    plan = features_job.with_others(plan, sql)
    features_job.read_rows(session, plan)
    draw(session, plan, secret)
    rows = features_job.account(session, plan)
    problem = features_job.unusable(session, rows, plan)
    return Looked(session, dialect, plan, rows, problem)


def draw(session: Session, plan: dict[str, Any], secret: str) -> None:
    """`checked` and `input` with the lots of a secret, from what was read."""
    features_job.view_input(features_job.draw_lots(session, plan, secret), plan)


def profile(looked: Looked, dataset: Dataset) -> list[dict[str, Any]]:
    """Of each column: how many of the rows that break no rule have it, how many different values, and their range."""
    found = []
    for column in dataset.columns.values():
        ordered = column.kind in (*NUMERIC, TIMESTAMP)
        middle = f"CAST(AVG({column.name}) AS DOUBLE)" if column.kind in NUMERIC else "NULL"
        span = f"MIN({column.name}), {middle}, MAX({column.name})" if ordered else "NULL, NULL, NULL"
        query = f"SELECT COUNT(*), COUNT({column.name}), COUNT(DISTINCT {column.name}), {span} FROM input"  # noqa: S608
        (row,) = looked.session.sql(query).collect()
        rows, present, different, *values = row
        values = [value.isoformat(" ") if isinstance(value, datetime) else value for value in values]
        names = ("min", "mean", "max")
        counts = {"rows": rows, "empty": rows - present, "different": different}
        found.append({"column": column.header, "sql": column.name, "type": column.kind, "unit": column.unit, **counts}
                     | dict(zip(names, values, strict=True)))  # fmt: skip
    return found
