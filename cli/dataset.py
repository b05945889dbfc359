"""Look at data before it is uploaded: how files are written, what their rows break, what training would see."""

import json
from collections.abc import Iterator
from glob import glob
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.app import new_app
from cli.errors import FAILED, UserError

if TYPE_CHECKING:
    from contracts.dataset import Dataset
    from operate.dataset import Looked

app = new_app()
_FILES = Annotated[
    list[Path],
    typer.Argument(
        help="CSV (.csv), CSV packed by gzip (.csv.gz) or Parquet (.parquet); a folder or several: one set."
    ),
]
_JSON = Annotated[bool, typer.Option("--json", help="Print JSON for other programs.")]
_SHOWN = 20


@app.command()
def check(
    files: _FILES,
    quarantine: Annotated[
        Path | None, typer.Option(help="Write the rows that break a rule there, as Parquet, as the job would.")
    ] = None,
    as_json: _JSON = False,
) -> None:
    """Read FILES as the pipeline would, and count the rows that break a rule of glidepath:dataset.

    Ends with 1 where a run with them would stop.
    """
    from operate.dataset import look

    with look(named(files), _dataset()) as looked:
        if quarantine and looked.rows["quarantined"]:
            _keep(looked, quarantine)
        result = {**looked.rows, "ok": not looked.problem, "problem": looked.problem}
        print(json.dumps(result, indent=2) if as_json else "\n".join(_checked(looked)))
        if looked.problem:
            raise typer.Exit(FAILED)


@app.command()
def describe(files: _FILES, as_json: _JSON = False) -> None:
    """Say how FILES are written, which column is which, and what features.sql finds under which name."""
    from operate.dataset import find

    dataset = _dataset()
    plan = find(named(files), dataset)
    where = {name: place or "folder" for name, place in plan["where"].items()}
    columns = [
        {"column": it.header, "sql": it.name, "type": it.kind, "place": where[it.name], "unit": it.unit}
        for it in dataset.columns.values()
    ]
    if as_json:
        print(json.dumps({"file": _told(plan), "dialect": plan["dialect"], "columns": columns}, indent=2))
        return
    print(f"{_told(plan)}: {plan['dialect']}")
    print("\n".join(_table(columns)))


@app.command()
def profile(files: _FILES, as_json: _JSON = False) -> None:
    """Say of each column of FILES how often it is empty, how many different values it has, and from where to where.

    Rows that break a rule are left out. Then features.sql runs, and how many rows of each part it gives is told.
    """
    from cli.place import ROOT
    from operate.checks import features
    from operate.dataset import look
    from operate.dataset import profile as profile_of

    dataset = _dataset()
    with look(named(files), dataset) as looked:
        columns, told = profile_of(looked, dataset), _told(looked.plan)
    trained = features.check(ROOT, dataset, named(files))
    if as_json:
        print(json.dumps({"file": told, "columns": columns, "features": trained.as_dict()}, indent=2, default=str))
    else:
        print("\n".join([*_table(columns), "", trained.summary, *(f"  {found}" for found in trained.findings)]))
    if not trained.ok:
        raise typer.Exit(FAILED)


def _keep(looked: "Looked", place: Path) -> None:
    if place.exists():
        raise UserError(f"{place} is there already", "name a file that is not: nothing is overwritten")
    try:
        looked.session.write_parquet("SELECT * FROM quarantine ORDER BY file, line", place)
    except looked.session.error as error:
        raise UserError(
            f"{place} cannot be written: {str(error)[:200]}", "name a file in a folder that is there"
        ) from None


def _dataset() -> "Dataset":
    """The declaration in the delivery stack's config."""
    from cli.place import ROOT
    from operate.checks import dataset_of

    return dataset_of(ROOT)


def named(places: list[Path]) -> list[Path]:
    """What is meant by names: `*`, `?` and `[` are patterns where no shell has read them and no file has the name."""
    found: list[Path] = []
    for place in places:
        meant = [place] if place.exists() else sorted(map(Path, glob(str(place), recursive=True)))
        if not meant:
            raise typer.BadParameter(f"{place} does not exist")
        found += meant
    return found


def _told(plan: dict[str, Any]) -> str:
    files = plan["files"]
    more = f" and {len(files) - 1} more" if len(files) > 1 else ""
    return f"{files[0]['source']}{more}"


def _checked(looked: "Looked") -> Iterator[str]:
    rows = looked.rows
    yield f"{_told(looked.plan)}: {rows['dialect']}"
    yield f"{rows['read']} rows read, {rows['filtered']} keep every rule, {rows['quarantined']} break one"
    for rule, count in list(rows["rules"].items())[:_SHOWN]:
        yield f"  {count:>8}  {rule:<24} {looked.plan['rules'][rule]}"
    for each in rows["examples"]:
        place = f"{looked.plan['place']} {each['line']}"
        yield f"  {each['file'] + ', ' if len(rows['files']) > 1 else ''}{place}: {each['cell']!r} ({each['rule']})"
    yield f"a run would stop: {looked.problem}" if looked.problem else "a run would go on to features.sql"


def _table(rows: list[dict[str, Any]]) -> list[str]:
    """Rows under a header, each column as wide as it needs."""
    names = [name for name in rows[0] if any(row[name] not in ("", None) for row in rows)]
    cells = [names, *([_shown(row[name]) for name in names] for row in rows)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(names))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)
