"""Files before they are uploaded: how they are written, what their rows break, and what training would see.

The same code as in the pipeline: the validation finds the dialect, and the features job's own functions run the plan.
"""

from __future__ import annotations

import gzip
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from contracts.columns import BOOLEAN, INTEGER, NUMBER, NUMERIC, TIMESTAMP
from contracts.dataset import Dataset
from contracts.datasets import ENDINGS, MOST_FILES, hidden, is_data
from contracts.errors import UserError
from functions.jobs.features import features_job
from functions.validate.resolve import DataError
from functions.validate.survey import File, names, survey
from operate.local_spark import Session

TYPES = {NUMBER: "DOUBLE", INTEGER: "BIGINT", TIMESTAMP: "TIMESTAMP", BOOLEAN: "BOOLEAN"}
"""DuckDB's, of columns that are not text."""
SECRET = "in place of the project's own"  # noqa: S105
"""Which row falls into which part differs with the secret; how many do hardly."""
Plan = dict[str, Any]
"""How files are read (contracts/plan.py)."""


@dataclass(frozen=True)
class Looked:
    """A file, read and checked: `session` has `checked`, `input` and (where a rule is broken) `quarantine`.

    `rows` is what the job would write of them; `problem` says why a run with this file would stop, empty where it would
    not.
    """

    session: Session
    plan: Plan
    rows: dict[str, Any]
    problem: str


def find(places: Path | Sequence[Path], dataset: Dataset) -> Plan:
    """How files are read. Raises UserError for what the validation refuses, and for what cannot be read."""
    files = [_opened(path, name) for path, name in data_files(places)]
    return _plan(files, [file.name for file in files], dataset)


def data_files(places: Path | Sequence[Path]) -> list[tuple[Path, str]]:
    """The files that a file, a folder, or several of them mean, and where each stands in the set.

    Raises UserError where there is none, or one of another kind.
    """
    found: list[tuple[Path, str]] = []
    for place in [places] if isinstance(places, Path) else places:
        if place.is_dir():
            inside = sorted(path for path in place.rglob("*") if path.is_file())
            named = [(path, path.relative_to(place).as_posix()) for path in inside]
            found += [(path, name) for path, name in named if not hidden(name) and path.stat().st_size]
        else:
            found.append((place, place.as_posix()))
    if not found:
        raise UserError("there is no data in what is named", f"name files that end in {', '.join(ENDINGS)}")
    odd = [path for path, _ in found if len(found) > 1 and not is_data(path.name)]
    if odd:
        raise UserError(f"{odd[0]} is none of {', '.join(ENDINGS)}", "take it out of the folder, or name files")
    if len(found) > MOST_FILES:
        raise UserError(f"{len(found)} files are more than a set may have, {MOST_FILES}", "join them to larger ones")
    return found


def _opened(path: Path, name: str) -> File:
    def read(begin: int, end: int) -> bytes:
        with path.open("rb") as opened:
            opened.seek(begin)
            return opened.read(end - begin)

    try:
        return File(str(path), name, path.stat().st_size, read)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}", "name a file of data") from None


def _plan(files: Sequence[File], copies: Sequence[str], dataset: Dataset) -> Plan:
    try:
        return survey(files, copies, dataset, datetime.now(UTC))
    except OSError as error:
        raise UserError(f"{files[0].name} cannot be read: {error.strerror}", "name a file of data") from None
    except DataError as error:
        raise UserError(str(error)) from None


@contextmanager
def look(places: Path | Sequence[Path], dataset: Dataset, secret: str = SECRET, sql: str = "") -> Iterator[Looked]:
    """Reads and checks files, with the undeclared columns that `sql` reads.

    Raises UserError for what the validation refuses, and for a file that cannot be read.
    """
    with tempfile.TemporaryDirectory() as folder:
        session = Session(Path(folder))
        with session.connection:
            yield _looked(session, places, Path(folder), dataset, secret, sql)


def _looked(
    session: Session, places: Path | Sequence[Path], folder: Path, dataset: Dataset, secret: str, sql: str
) -> Looked:
    wrong = wrong_rules(session, dataset)
    if wrong:
        raise UserError(f"glidepath:dataset.rules: {wrong}")
    files = data_files(places)
    told = files[0][0] if len(files) == 1 else f"one of {len(files)} files"
    try:
        return _look(session, files, folder, dataset, secret, sql)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UserError(f"{told} is cut off or damaged ({error}): pack it anew") from None
    except session.error as error:
        raise UserError(f"{told} cannot be read by glidepath:dataset: {sentence(error)}") from None


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


def _look(
    session: Session, files: Sequence[tuple[Path, str]], folder: Path, dataset: Dataset, secret: str, sql: str
) -> Looked:
    opened = [_opened(path, name) for path, name in files]
    try:
        copies = _copies(opened, folder)
    except DataError as error:
        raise UserError(str(error)) from None
    plan = _plan(opened, copies, dataset)
    plan = features_job.with_others(plan, sql)
    features_job.read_rows(session, plan)
    draw(session, plan, secret)
    rows = features_job.account(session, plan)
    problem = features_job.unusable(session, rows, plan)
    return Looked(session, plan, rows, problem)


def _copies(files: Sequence[File], folder: Path) -> list[str]:
    """Under which names the files are read: of several by which the plan knows them."""
    if len(files) == 1:
        return [files[0].name]
    for file, name in zip(files, names(files), strict=True):
        (folder / name).symlink_to(Path(file.name).absolute())
    return [str(folder / name) for name in names(files)]


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
