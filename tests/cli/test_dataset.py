"""`./glidepath dataset`: a file before it is uploaded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from cli.main import main
from contracts.dataset import parse_dataset
from contracts.errors import UserError
from tests.functions.reading import HEADER, OTHER, ROW, as_csv, document
from tests.functions.test_parquet import GOOD, write
from tests.functions.test_parquet import OTHER as PARQUET_OTHER


@pytest.fixture(autouse=True)
def declared(monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = parse_dataset(document(maxBadShare=0.4))
    monkeypatch.setattr("operate.checks.dataset_of", lambda root: dataset)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "trips.csv"
    path.write_bytes(as_csv([ROW, OTHER, [*ROW[:4], "far"]]))
    return path


def test_check_counts_and_shows_what_breaks_a_rule(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dataset", "check", str(file)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{file}: UTF-8, comma, 5 columns"
    assert lines[1] == "3 rows read, 2 keep every rule, 1 break one"
    assert lines[2].split(maxsplit=2) == ["1", "total.type", "total is not a number like 1012.40"]
    assert lines[3] == "  line 4: 'far' (total.type)"
    assert lines[4] == "a run would go on to features.sql"


def test_check_ends_with_1_where_a_run_would_stop(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_bytes(as_csv([ROW, ["x"] * 5]))
    assert main(["dataset", "check", str(file), "--json"]) == 1
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert (found["ok"], found["read"], found["rules"]) == (False, 2, {"pickup.type": 1})
    assert "1 of 2 rows of" in found["problem"]


def test_check_keeps_the_quarantine(file: Path, tmp_path: Path) -> None:
    kept = tmp_path / "it's aside.parquet"
    assert main(["dataset", "check", str(file), "--quarantine", str(kept)]) == 0
    with duckdb.connect() as connection:
        rows = connection.read_parquet(str(kept)).fetchall()
    assert rows == [(str(file), 4, "total.type", "far", ",".join([*ROW[:4], "far"]))]


def test_check_overwrites_nothing(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = file.read_bytes()
    assert main(["dataset", "check", str(file), "--quarantine", str(file)]) == 1
    assert f"glidepath: {file} is there already" in capsys.readouterr().err
    assert file.read_bytes() == before
    assert main(["dataset", "check", str(file), "--quarantine", str(file.parent / "none" / "q.parquet")]) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_describe_says_which_column_is_which(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dataset", "describe", str(file)]) == 0
    head, names, *rows = capsys.readouterr().out.splitlines()
    assert head.endswith("UTF-8, comma, 5 columns")
    assert names.split() == ["column", "sql", "type", "place"]
    assert [row.split()[0] for row in rows] == HEADER


def test_profile_says_what_training_would_see(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    main(["dataset", "profile", str(file), "--json"])
    found = json.loads(capsys.readouterr().out)
    total = next(column for column in found["columns"] if column["column"] == "total")
    assert (total["rows"], total["empty"], total["min"], total["max"]) == (2, 0, 8.5, 12.95)
    assert found["features"]["check"] == "features"


@pytest.mark.parametrize("command", ["check", "describe", "profile"])
def test_a_file_that_no_run_would_take_is_one_line(
    file: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    file.write_bytes("pickup,dropoff".encode("utf-16"))
    assert main(["dataset", command, str(file)]) == 1
    assert capsys.readouterr().err == f"glidepath: {file} is not UTF-8 text (UTF-16): save it as UTF-8 CSV.\n"
    assert main(["dataset", command, str(file.with_name("none.csv"))]) == 2


def test_config_without_a_dataset_is_one_line(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from operate import checks

    monkeypatch.undo()
    monkeypatch.setattr("cli.place.ROOT", file.parent)
    with pytest.raises(UserError, match=r"Pulumi\.delivery\.yaml: is missing"):
        checks.dataset_of(file.parent)
    assert main(["dataset", "check", str(file)]) == 1
    assert "Pulumi.delivery.yaml" in capsys.readouterr().err


def test_a_folder_several_files_or_a_pattern_are_one_set(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "trips"
    folder.mkdir()
    for name in ("a.csv", "b.csv"):
        (folder / name).write_bytes(as_csv([ROW, OTHER, [*ROW[:4], "far"]]))
    (folder / "_SUCCESS").touch()
    for names in ([str(folder)], [str(folder / "a.csv"), str(folder / "b.csv")], [str(folder / "*.csv")]):
        assert main(["dataset", "check", *names]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert lines[0] == f"{folder / 'a.csv'} and 1 more: UTF-8, comma, 5 columns"
        assert lines[1] == "6 rows read, 4 keep every rule, 2 break one"
        assert lines[4] == f"  {folder / 'b.csv'}, line 4: 'far' (total.type)"


def test_parquet_is_described(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path / "trips.parquet", GOOD, PARQUET_OTHER)
    assert main(["dataset", "describe", str(file)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{file}: Parquet, 5 columns"
    assert lines[2].split() == ["pickup", "pickup", "timestamp", "1"]
    assert main(["dataset", "check", str(file)]) == 0


def test_a_folder_with_something_else_in_it_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a.csv", "b.xlsx"):
        (tmp_path / name).write_bytes(as_csv([ROW]))
    assert main(["dataset", "check", str(tmp_path)]) == 1
    assert "b.xlsx is none of .csv, .csv.gz, .parquet" in capsys.readouterr().err
