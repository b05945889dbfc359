"""The analyzer: captured requests against a baseline. Whether Model Monitor says the same, these tests do not prove."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from functions.jobs.monitor import capture, main, metrics, violations
from functions.jobs.monitor.baseline import BaselineError, baseline
from functions.jobs.monitor.constraints import constraints
from functions.jobs.monitor.statistics import sketch, statistics
from functions.jobs.monitor.summary import Asked
from functions.jobs.monitor.table import parse

GOLDEN = json.loads((Path(__file__).parent / "golden" / "model_monitor.json").read_text(encoding="utf-8"))
ASKED = Asked("glidepath-prod", "r-1", "e-1", "2026-11-21T03:00:00Z", "2026-11-21T04:00:00Z", 30, 0.2)


def line(asked: str, answered: str, **more: Any) -> str:
    """One captured exchange, as an endpoint writes it."""
    sides = {
        "endpointInput": {"observedContentType": "text/csv", "mode": "INPUT", "data": asked, "encoding": "CSV"},
        "endpointOutput": {"observedContentType": "text/csv", "mode": "OUTPUT", "data": answered, "encoding": "CSV"},
    }
    for side, changes in more.items():
        sides[side] = {**sides[side], **changes}
    metadata = {"eventId": "e", "inferenceId": "i", "inferenceTime": "2026-11-21T03:10:00Z"}
    return json.dumps({"captureData": sides, "eventMetadata": metadata, "eventVersion": "0"})


@pytest.mark.parametrize("own", ["probe-1", "replay-d-ABC-1"])
def test_what_we_asked_ourselves_is_no_callers(places: dict[str, str], own: str) -> None:
    numbers = hour(1, 40, 3)
    asked = rows(numbers)
    probes = [each.replace('"inferenceId": "i"', f'"inferenceId": "{own}"') for each in rows(hour(2, 20, 3, 90.0))]
    captured(places, [*probes, *asked])
    found = capture.read(places["capture"], 3)
    assert (found.table.rows, found.bad) == (40, 0)
    # As SageMaker may write it too, without spaces.
    captured(places, [each.replace('": ', '":') for each in probes])
    assert capture.read(places["capture"], 3).table.rows == 0
    prepare(places, numbers, names(3))
    captured(places, probes)
    assert analyzed(places)["summary"]["records"] == 0


def rows(numbers: np.ndarray) -> list[str]:
    """Rows with the answer first as captured lines."""
    return [line(",".join(map(repr, row[1:])), f"{row[0]!r}\n") for row in numbers.tolist()]


def hour(seed: int, count: int = 500, width: int = 8, shift: float = 0.0) -> np.ndarray:
    random = np.random.default_rng(seed)
    found = random.normal(10, 3, size=(count, width)).round(6)
    found[:, 2] = random.integers(1, 7, count)
    found[:, -1] += shift
    return found


@pytest.fixture
def places(tmp_path: Path) -> dict[str, str]:
    """Folders as SageMaker mounts them."""
    for name in ("capture/live", "baseline/rows", "baseline/made"):
        (tmp_path / name).mkdir(parents=True)
    return {"capture": str(tmp_path / "capture"), "baseline": str(tmp_path / "baseline/made"), "output": str(tmp_path)}


def prepare(places: dict[str, str], numbers: np.ndarray, names: Sequence[str]) -> None:
    """Make a baseline, as the evaluation does, of rows whose answers the model gives."""
    folder = Path(places["baseline"]).parent / "rows"
    text = ",".join(names) + "\n" + "".join(",".join(map(repr, row)) + "\n" for row in numbers.tolist())
    (folder / "part-0.csv").write_text(text, encoding="utf-8")
    (folder / "_SUCCESS").touch()
    assert baseline(str(folder), names[1:], lambda _: numbers[:, 0], places["baseline"]) == len(numbers)


def captured(places: dict[str, str], lines: Sequence[str], name: str = "a.jsonl") -> None:
    (Path(places["capture"]) / "live" / name).write_text("".join(f"{each}\n" for each in lines), encoding="utf-8")


def analyzed(places: dict[str, str]) -> dict[str, Any]:
    main.analyze(ASKED, places["capture"], places["baseline"], places["output"])
    names = ("statistics", "constraints", "constraint_violations", "summary")
    return {name: json.loads(Path(places["output"], f"{name}.json").read_text()) for name in names}


def names(width: int) -> list[str]:
    return ["total", *(f"f{index}" for index in range(1, width))]


def conforms(value: Any, wanted: Any, where: str = "") -> None:
    """Fails where a document is not of the documented form; `?` marks what may be absent."""
    if isinstance(wanted, str):
        kinds: dict[str, Any] = {"number": (int, float), "string": str, "boolean": bool}
        assert isinstance(value, kinds[wanted]), where
        return
    if isinstance(wanted, list):
        assert isinstance(value, list), where
        for item in value:
            conforms(item, wanted[0], f"{where}[]")
        return
    known = {key.rstrip("?"): (inner, key.endswith("?")) for key, inner in wanted.items()}
    assert set(value) <= set(known), where
    assert {key for key, (_, optional) in known.items() if not optional} <= set(value), where
    for key, inner in value.items():
        conforms(inner, known[key][0], f"{where}.{key}")


def test_every_document_has_the_documented_form(places: dict[str, str]) -> None:
    numbers = hour(1)
    prepare(places, numbers, names(8))
    lines = rows(hour(2, shift=9.0))
    captured(places, [*lines[:200], *(line("a,,3,4,5,6,7", "1\n") for _ in range(20))])
    found = analyzed(places)
    for name in ("statistics", "constraints", "constraint_violations"):
        conforms(found[name], GOLDEN[name], name)
    conforms(json.loads(Path(places["baseline"], "constraints.json").read_text()), GOLDEN["constraints"])
    broken = found["constraint_violations"]["violations"]
    assert {item["constraint_check_type"] for item in broken} <= set(GOLDEN["constraint_check_types"])
    kinds = {(item["feature_name"], item["constraint_check_type"]) for item in broken}
    assert {("f7", "baseline_drift_check"), ("f1", "data_type_check"), ("f2", "completeness_check")} <= kinds


def test_of_several_classes_the_most_probable_one_is_watched(places: dict[str, str]) -> None:
    """The baseline has the place of the class; what is captured has the probability of each."""
    random = np.random.default_rng(5)
    told = random.dirichlet([1.0, 1.0, 1.0], 400)
    numbers = np.column_stack([told.argmax(axis=1), random.normal(size=(400, 2))])
    prepare(places, numbers, names(3))
    lines = [
        line(",".join(map(repr, row[1:])), ",".join(map(repr, answer)) + "\n")
        for row, answer in zip(numbers.tolist(), told.tolist(), strict=True)
    ]
    two = "\n".join("0.1,0.1,0.8" for _ in range(2)) + "\n"
    captured(places, [*lines, line("1.5,1.5\n2.5,x", two)])
    seen = main.analyze(ASKED, places["capture"], places["baseline"], places["output"], None, 3)
    assert (seen.records, seen.bad) == (402, 0)
    found = json.loads(Path(places["output"], "statistics.json").read_text())
    assert [feature["name"] for feature in found["features"]] == names(3)
    assert found["features"][0]["inferred_type"] == "Integral"
    assert found["features"][0]["numerical_statistics"]["sum"] == told.argmax(axis=1).sum() + 4
    assert [feature["inferred_type"] for feature in found["features"][1:]] == ["Fractional", "String"]
    assert max(value for name, value in seen.distances.items() if name != "f2") < 0.05


def test_another_mix_of_classes_is_drift(places: dict[str, str]) -> None:
    random = np.random.default_rng(6)
    numbers = np.column_stack([random.integers(0, 3, 400), random.normal(size=(400, 2))])
    prepare(places, numbers, names(3))
    captured(places, [line(",".join(map(repr, row[1:])), "0.1,0.2,0.7\n") for row in numbers.tolist()])
    seen = main.analyze(ASKED, places["capture"], places["baseline"], places["output"], None, 3)
    assert seen.distances["total"] > 0.5


@pytest.mark.parametrize("seed", range(20))
def test_twenty_hours_agree_with_pandas(places: dict[str, str], seed: int) -> None:
    numbers = hour(seed, count=200 + 50 * seed, width=4 + seed % 7)
    before = hour(1000 + seed, width=numbers.shape[1])
    holes = np.random.default_rng(seed).random(numbers[:, 1:].shape) < 0.05
    numbers[:, 1:][holes] = np.nan
    prepare(places, before, names(numbers.shape[1]))
    captured(places, [each.replace("nan", "") for each in rows(numbers)])
    found = analyzed(places)
    frame = pd.DataFrame(numbers, columns=names(numbers.shape[1]))
    old = pd.DataFrame(before, columns=frame.columns)
    for feature in found["statistics"]["features"]:
        column, inside = frame[feature["name"]].dropna(), feature["numerical_statistics"]
        assert inside["common"] == {"num_present": len(column), "num_missing": len(frame) - len(column)}
        expected = {"mean": column.mean(), "sum": column.sum(), "min": column.min(), "max": column.max()}
        expected["std_dev"] = column.std(ddof=0)
        assert {name: inside[name] for name in expected} == pytest.approx(expected, rel=1e-12)
        buckets = inside["distribution"]["kll"]["buckets"]
        edges = [buckets[0]["lower_bound"], *(bucket["upper_bound"] for bucket in buckets)]
        counts = pd.cut(column, edges, right=False).value_counts(sort=False).tolist()
        counts[-1] += int((column == edges[-1]).sum())
        assert [bucket["count"] for bucket in buckets] == counts
        assert found["summary"]["drift"][feature["name"]] == pytest.approx(_distance(old[feature["name"]], column))


def _distance(old: pd.Series[float], new: pd.Series[float]) -> float:
    points = sorted({*old, *new})
    gap = max(abs((old <= point).mean() - (new <= point).mean()) for point in points)
    n, m = len(old), len(new)
    return max(0.0, float(gap) - 1.8 * float(np.sqrt((n + m) / (n * m))))


def test_whole_numbers_raise_no_violation_however_they_are_written(places: dict[str, str]) -> None:
    numbers = hour(3)
    numbers[:, 2] += 2000
    prepare(places, numbers, names(8))
    captured(places, rows(numbers))
    assert ",2004.0," in (Path(places["capture"]) / "live" / "a.jsonl").read_text()
    found = analyzed(places)
    assert found["constraint_violations"] == {"violations": []}
    wanted = json.loads(Path(places["baseline"], "constraints.json").read_text())["features"][2]
    assert (wanted["name"], wanted["inferred_type"]) == ("f2", "Integral")


def test_half_a_passenger_is_a_violation(places: dict[str, str]) -> None:
    numbers = hour(3)
    prepare(places, numbers, names(8))
    numbers[:50, 2] += 0.5
    captured(places, rows(numbers))
    (broken,) = [
        item
        for item in analyzed(places)["constraint_violations"]["violations"]
        if item["constraint_check_type"] == "data_type_check"
    ]
    assert broken["feature_name"] == "f2"
    assert broken["description"].endswith("Observed: Only 90.0% of data is Integral.")


def test_drift_is_told_in_a_sentence_and_measured(places: dict[str, str]) -> None:
    prepare(places, hour(1), names(8))
    captured(places, rows(hour(2, shift=9.0)))
    summary = analyzed(places)["summary"]
    assert summary["drifted"] == ["f7"]
    text = Path(places["output"], "summary.txt").read_text()
    assert text.startswith("glidepath-prod, 2026-11-21 03:00 to 04:00 UTC, release r-1: 500 records. Drifted from the")
    assert "f7 (0." in text
    seen = main.analyze(ASKED, places["capture"], places["baseline"], places["output"])
    found = metrics.metrics(ASKED, seen)
    assert [item["MetricName"] for item in found] == [*["Drift"] * 8, "Records", "Analyses"]
    assert found[7]["Dimensions"][2] == {"Name": "Feature", "Value": "f7"}


@pytest.mark.parametrize("count", [0, 1, 29])
def test_too_few_records_are_told_and_not_judged(places: dict[str, str], count: int) -> None:
    prepare(places, hour(1), names(8))
    captured(places, rows(hour(2, shift=90.0))[:count])
    found = analyzed(places)
    assert found["constraint_violations"] == {"violations": []}
    assert found["summary"]["drifted"] == []
    assert "not enough records" in found["summary"]["sentence"]
    seen = main.analyze(ASKED, places["capture"], places["baseline"], places["output"])
    assert [item["MetricName"] for item in metrics.metrics(ASKED, seen)] == ["Records", "Analyses"]


def test_bad_lines_are_counted_and_told(places: dict[str, str]) -> None:
    prepare(places, hour(1), names(8))
    good = rows(hour(2))
    hidden = {"data": base64.b64encode(b"1").decode(), "encoding": "BASE64"}
    bad = [
        "{", good[0][:-9], line("1,2,3,4,5,6,7\n1,2,3,4,5,6,7", "1\n"), line("1,2", "1\n"), '{"captureData": {}}',
        line("1,2,3,4,5,6,7", "1\n", endpointOutput=hidden),
        line("1,2,3,4,5,6,7", "1\n", endpointInput={"encoding": "JSON", "data": '{"a": {"b": 1}}'}),
    ]  # fmt: skip
    captured(places, [*good[:100], *bad, *good[100:]])
    summary = analyzed(places)["summary"]
    assert (summary["records"], summary["bad_lines"]) == (500, len(bad))
    assert f"{len(bad)} lines could not be used" in summary["sentence"]


def test_an_hour_of_which_nothing_can_be_read_is_an_error(places: dict[str, str]) -> None:
    prepare(places, hour(1), names(8))
    captured(places, ["{"] * 3)
    with pytest.raises(main.AnalysisError, match="not one of 3 captured lines can be used"):
        analyzed(places)


@pytest.mark.parametrize("name", ["statistics.json", "constraints.json"])
def test_a_baseline_that_is_gone_is_an_error(places: dict[str, str], name: str) -> None:
    prepare(places, hour(1), names(8))
    captured(places, rows(hour(2)))
    Path(places["baseline"], name).unlink()
    with pytest.raises(main.AnalysisError, match="the release's baseline is gone"):
        analyzed(places)


def test_batches_older_answers_and_json_are_read(tmp_path: Path) -> None:
    lines = [
        line("1,2\n3,4", "5\n6\n"), line("1,2\n3,4", "5,6"), line("1,2", "5"),
        line("1,2", "5", endpointInput={"encoding": "JSON", "data": '{"a": 1, "b": 2}'}),
        line("1,2", "5", endpointOutput={"encoding": "JSON", "data": "[5]"}),
        # As SageMaker writes it, without spaces.
        json.dumps(json.loads(line("1,2", "5")), separators=(",", ":")),
    ]  # fmt: skip
    (tmp_path / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
    found = capture.read(str(tmp_path), 3)
    assert (found.bad, found.table.rows) == (0, 8)
    assert sorted(map(tuple, found.table.numbers.tolist()))[:2] == [(5.0, 1.0, 2.0), (5.0, 1.0, 2.0)]


def test_pieces_of_files_hold_every_line_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = hour(5, count=300, width=3)
    for number in range(2):
        part = rows(numbers[number * 150 : (number + 1) * 150])
        (tmp_path / f"{number}.jsonl").write_text("\n".join(part), encoding="utf-8")
    for size in (100, 391, 4096, 10**6):
        monkeypatch.setattr(capture, "PIECE", size)
        for processes in (1, 2):
            found = capture.read(str(tmp_path), 3, processes).table.numbers
            assert np.array_equal(found, numbers), (size, processes)


def test_texts_are_categories(places: dict[str, str]) -> None:
    folder = Path(places["baseline"]).parent / "rows"
    kinds = ["card", "cash"] * 200
    (folder / "a.csv").write_text("total,kind\n" + "".join(f"1,{kind}\n" for kind in kinds), encoding="utf-8")
    baseline(str(folder), ["kind"], lambda found: np.ones(len(found)), places["baseline"])
    wanted = json.loads(Path(places["baseline"], "constraints.json").read_text())["features"][1]
    assert wanted["string_constraints"] == {"domains": ["card", "cash"]}
    captured(places, [line(kind, "1") for kind in ["cash"] * 90 + ["barter"] * 10])
    found = analyzed(places)
    kinds_of = {
        (item["feature_name"], item["constraint_check_type"]) for item in found["constraint_violations"]["violations"]
    }
    assert kinds_of == {("kind", "categorical_values_check"), ("kind", "baseline_drift_check")}
    inside = found["statistics"]["features"][1]["string_statistics"]
    assert inside["distribution"]["categorical"]["buckets"][0] == {"value": "cash", "count": 90}


def test_missing_and_extra_columns_are_told(places: dict[str, str]) -> None:
    prepare(places, hour(1), names(8))
    for width, check in ((7, "missing_column_check"), (9, "extra_column_check")):
        captured(places, rows(hour(2, width=width)))
        kinds = {item["constraint_check_type"] for item in analyzed(places)["constraint_violations"]["violations"]}
        assert check in kinds


def test_many_values_keep_their_shape_in_a_sketch() -> None:
    numbers = np.random.default_rng(1).normal(size=(100_000, 1))
    found = statistics(["a"], parse([repr(float(value)) for value in numbers[:, 0]]) or pytest.fail("not parsed"))
    values, weights = sketch(found["features"][0])
    assert len(values) <= 2048
    assert weights.sum() == pytest.approx(100_000, rel=0.01)
    assert float(np.median(np.repeat(values, 64))) == pytest.approx(float(np.median(numbers)), abs=0.01)
    assert violations.distances(found, found, constraints(found)) == {"a": 0.0}


def test_a_baseline_of_other_columns_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("total,b\n1,2\n", encoding="utf-8")
    with pytest.raises(BaselineError, match="the baseline's columns are total, b, not the target and a"):
        baseline(str(tmp_path), ["a"], lambda found: found[:, 0], str(tmp_path))


def gappy(seed: int, share: float, count: int = 600) -> np.ndarray:
    numbers = hour(seed, count, 3)
    numbers[np.random.default_rng(seed + 100).random(count) < share, 1] = np.nan
    return numbers


def looked_at(places: dict[str, str], share: float, seed: int = 2) -> dict[str, Any]:
    """An hour in which such a share of a column is missing, beside a baseline with a tenth."""
    prepare(places, gappy(1, 0.1), names(3))
    folder = Path(places["baseline"]).parent / "rows"
    text = (folder / "part-0.csv").read_text().replace("nan", "")
    (folder / "part-0.csv").write_text(text)
    baseline(str(folder), names(3)[1:], lambda features: np.nan_to_num(features).sum(axis=1), places["baseline"])
    captured(places, [each.replace("nan", "") for each in rows(gappy(seed, share))])
    return analyzed(places)


@pytest.mark.parametrize("seed", range(2, 12))
def test_a_column_that_may_be_missing_breaks_nothing_by_chance(places: dict[str, str], seed: int) -> None:
    found = looked_at(places, 0.1, seed)
    checks = [item["constraint_check_type"] for item in found["constraint_violations"]["violations"]]
    assert "completeness_check" not in checks
    assert found["summary"]["drift"]["f1"] < 0.05


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_a_column_that_is_missing_far_more_often_has_drifted(places: dict[str, str], share: float) -> None:
    found = looked_at(places, share)
    checks = {(item["feature_name"], item["constraint_check_type"])
              for item in found["constraint_violations"]["violations"]}  # fmt: skip
    assert ("f1", "completeness_check") in checks
    assert "f1" in found["summary"]["drifted"]


def test_a_column_that_is_never_missing_any_more_has_drifted_by_its_gaps(places: dict[str, str]) -> None:
    found = looked_at(places, 0.0)
    assert 0.01 < found["summary"]["drift"]["f1"] < 0.1
