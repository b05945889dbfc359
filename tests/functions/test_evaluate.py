"""The evaluation job, on a real model."""

from __future__ import annotations

import json
import math
import os
import tarfile
from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost
from hypothesis import given
from hypothesis import strategies as st

from contracts.cross_table import parse_table, render_table
from contracts.differences import LEVELS
from functions.jobs.evaluate import evaluate as job
from functions.shared.evaluation import parse_evaluation
from functions.shared.golden import parse_golden

NAMES = ["minutes", "people", "miles"]
ARGUMENTS = ["--metric", "rmse", "--features", *NAMES, "--slice", "miles=2,5", "--slice", "minutes=quantiles:4"]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`model/model.tar.gz` and `test/` as SageMaker would mount them."""
    root = tmp_path_factory.mktemp("job")
    random = np.random.default_rng(1)
    features = random.uniform(0, 10, size=(400, 3))
    labels = 3 + features @ [0.5, 0.0, 2.5] + random.normal(0, 0.5, 400)
    booster = xgboost.train({"max_depth": 4, "nthread": 1}, xgboost.DMatrix(features[:300], labels[:300]), 30)
    for name in ("model", "test"):
        (root / name).mkdir()
    booster.save_model(root / "xgboost-model.ubj")
    with tarfile.open(root / "model" / "model.tar.gz", "w:gz") as archive:
        archive.add(root / "xgboost-model.ubj", "xgboost-model")
    rows = np.column_stack([labels, features])[300:]
    for number, part in enumerate((rows[:60], rows[60:])):
        np.savetxt(root / "test" / f"part-{number}.csv", part, delimiter=",", fmt="%.17g")
    (root / "test" / "_SUCCESS").touch()
    return root


def run(folders: Path, output: Path, arguments: list[str] = ARGUMENTS) -> tuple[dict[str, Any], dict[str, Any]]:
    places = ["--model", str(folders / "model"), "--test", str(folders / "test"), "--output", str(output)]
    job.main([*arguments, *places])
    found = [json.loads((output / name).read_text()) for name in ("evaluation.json", "golden.json")]
    return found[0], found[1]


def test_metrics_are_those_of_the_model(folders: Path, tmp_path: Path) -> None:
    document, golden = run(folders, tmp_path)
    evaluation = parse_evaluation(json.dumps(document))
    rows = job.load_test(str(folders / "test"), 3)
    booster = job.load_model(str(folders / "model"), 3)
    predicted = booster.inplace_predict(rows[:, 1:].astype(np.float32)).astype(float)
    error = rows[:, 0] - predicted
    assert evaluation.rows == 100
    assert evaluation.named("rmse").value == pytest.approx(math.sqrt((error**2).mean()))
    assert evaluation.named("mae").value == pytest.approx(np.abs(error).mean())
    assert evaluation.named("r2").value == pytest.approx(1 - error.var() / rows[:, 0].var(), abs=0.01)
    for value in evaluation.metrics.values():
        assert value.ci[0] < value.value < value.ci[1]
    by_prediction = {float(value): row.tolist() for value, row in zip(predicted, rows[:, 1:], strict=True)}
    records = parse_golden(json.dumps(golden)).records
    assert len(records) == 20
    for record in records:
        assert list(record.features) == NAMES
        assert list(record.features.values()) == by_prediction[record.prediction]
    values = [record.prediction for record in records]
    assert (values[0], values[-1]) == (predicted.min(), predicted.max())
    assert values == sorted(set(values))


def test_a_row_beyond_float32_is_named(folders: Path, tmp_path: Path) -> None:
    copy = tmp_path / "test"
    copy.mkdir()
    (copy / "part-0.csv").write_text("1,2,3,4\n1,2,1e39,4\n")
    with pytest.raises(job.EvaluationError, match=r"test row 2 has 1e\+39 in column 3, which is larger"):
        job.load_test(str(copy), 3)


def test_the_distribution_is_that_of_the_predictions(folders: Path, tmp_path: Path) -> None:
    document, golden = run(folders, tmp_path)
    found = parse_evaluation(json.dumps(document)).distribution
    rows = job.load_test(str(folders / "test"), 3)
    predicted = job.predict(job.load_model(str(folders / "model"), 3), rows[:, 1:])
    bins = [bisect_right(found.edges, value) for value in predicted]
    assert [bins.count(number) / 100 for number in range(5)] == pytest.approx(found.shares)
    assert found.shares == pytest.approx([0.2] * 5, abs=0.03)
    # What the endpoint writes with fewer digits is counted in the same bin.
    assert [bisect_right(found.edges, float(f"{value:.6g}")) for value in predicted] == bins
    replayed = [bisect_right(found.edges, record["prediction"]) for record in golden["records"]]
    assert [replayed.count(number) for number in range(5)] == [4] * 5


@pytest.mark.parametrize(
    ("predictions", "edges", "shares"),
    [
        ([7.0] * 10, [], [1.0]),
        ([1.0, 2.0], [1.5], [0.5, 0.5]),
        ([1.0] * 9 + [2.0], [1.5], [0.9, 0.1]),
        ([1.0] * 6 + [2.0, 3.0, 4.0, 5.0], [1.5, 3.5], [0.6, 0.2, 0.2]),
    ],
)
def test_equal_predictions_leave_no_bin_empty(
    predictions: list[float], edges: list[float], shares: list[float]
) -> None:
    found = job.distribution(np.array(predictions))
    assert found["edges"] == edges
    assert found["shares"] == pytest.approx(shares)


def test_slices_cover_all_rows_without_overlap(folders: Path, tmp_path: Path) -> None:
    evaluation = parse_evaluation(json.dumps(run(folders, tmp_path)[0]))
    by_feature = {name: [item for item in evaluation.slices if name in item.slice] for name in ("miles", "minutes")}
    assert [item.slice for item in by_feature["miles"]] == ["miles < 2", "2 <= miles < 5", "5 <= miles"]
    for slices in by_feature.values():
        assert sum(item.rows for item in slices) == 100
        squares = sum(item.rows * item.value**2 for item in slices)
        assert math.sqrt(squares / 100) == pytest.approx(evaluation.named("rmse").value)
    assert [item.rows for item in by_feature["minutes"]] == [25, 25, 25, 25]


def test_is_the_same_every_time(folders: Path, tmp_path: Path) -> None:
    assert run(folders, tmp_path / "a") == run(folders, tmp_path / "b")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--metric", "rmse", "--features", "a", "b"], "the test rows have 4 columns, not a label and 2 features"),
        ([*ARGUMENTS, "--slice", "fare=1"], "slice 'fare=1' does not name one of the features"),
        ([*ARGUMENTS, "--slice", "miles=x"], "slice 'miles=x' must be FEATURE=1,2,3"),
    ],
)
def test_names_what_does_not_fit(folders: Path, tmp_path: Path, arguments: list[str], reason: str) -> None:
    with pytest.raises(job.EvaluationError, match=reason):
        run(folders, tmp_path, arguments)


def test_names_a_model_of_other_features(folders: Path) -> None:
    with pytest.raises(job.EvaluationError, match="was trained on 3 features, the dataset has 2"):
        job.load_model(str(folders / "model"), 2)


def test_names_an_archive_without_model(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as archive:
        archive.add(os.devnull, "something-else")
    with pytest.raises(job.EvaluationError, match="does not hold exactly one xgboost-model"):
        job.load_model(str(tmp_path), 3)


def test_names_an_empty_test_part(tmp_path: Path) -> None:
    (tmp_path / "part-0.csv").touch()
    with pytest.raises(job.EvaluationError, match="there are no test rows"):
        job.load_test(str(tmp_path), 3)


def test_equal_labels_leave_r2_undefined() -> None:
    labels, features = np.ones(30), np.ones((30, 1))
    found = job.evaluate(labels, labels + 0.5, "rmse", job.cut(features, ["x"], job.SliceDefinition("x", [], 4)))
    assert sorted(found["regression_metrics"]) == ["mae", "mape", "rmse"]
    with pytest.raises(job.EvaluationError, match="r2 is undefined"):
        job.evaluate(labels, labels, "r2", [])
    assert len(job.golden(features, labels, ["x"])["records"]) == 1


def champion(folders: Path, tmp_path: Path, rounds: int = 30) -> Path:
    """A folder with another model of the same features: the fewer rounds, the worse it is."""
    random = np.random.default_rng(1)
    features = random.uniform(0, 10, size=(400, 3))
    labels = 3 + features @ [0.5, 0.0, 2.5] + random.normal(0, 0.5, 400)
    booster = xgboost.train({"max_depth": 4, "nthread": 1}, xgboost.DMatrix(features[:300], labels[:300]), rounds)
    booster.save_model(tmp_path / "xgboost-model.ubj")
    place = tmp_path / "champion"
    place.mkdir()
    with tarfile.open(place / "model.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "xgboost-model.ubj", "xgboost-model")
    return place


def test_both_models_are_measured_on_the_same_rows(folders: Path, tmp_path: Path) -> None:
    place = champion(folders, tmp_path, rounds=3)
    document, _ = run(folders, tmp_path, [*ARGUMENTS, "--champion", str(place)])
    evaluation = parse_evaluation(json.dumps(document))
    assert evaluation.champion is not None
    rows = job.load_test(str(folders / "test"), 3)
    theirs = job.predict(job.load_model(str(place), 3), rows[:, 1:])
    for name, found in evaluation.champion.metrics.items():
        assert found.value == pytest.approx(job.METRICS[name](rows[:, 0], theirs))
        assert found.difference.value == pytest.approx(evaluation.named(name).value - found.value)
        low, high = found.difference.ci
        assert low < found.difference.value < high
        assert (high < 0) if name != "r2" else (low > 0)


def test_both_models_are_measured_on_each_slice(folders: Path, tmp_path: Path) -> None:
    place = champion(folders, tmp_path, rounds=3)
    evaluation = parse_evaluation(json.dumps(run(folders, tmp_path, [*ARGUMENTS, "--champion", str(place)])[0]))
    assert evaluation.champion is not None
    parts = evaluation.champion.slices
    assert [(part.slice, part.rows) for part in parts] == [(part.slice, part.rows) for part in evaluation.slices]
    assert len(parts) == 7
    rows = job.load_test(str(folders / "test"), 3)
    theirs = job.predict(job.load_model(str(place), 3), rows[:, 1:])
    inside = rows[:, 3] < 2
    assert parts[0].slice == "miles < 2"
    assert parts[0].paired.value == pytest.approx(job.rmse(rows[inside, 0], theirs[inside]))
    for part, ours in zip(parts, evaluation.slices, strict=True):
        assert part.paired.value + part.paired.difference.value == pytest.approx(ours.value)
        assert part.paired.difference.sd > 0


def test_how_far_the_answers_lie_apart_is_told_by_bins_of_the_champions(folders: Path, tmp_path: Path) -> None:
    place = champion(folders, tmp_path, rounds=3)
    evaluation = parse_evaluation(json.dumps(run(folders, tmp_path, [*ARGUMENTS, "--champion", str(place)])[0]))
    assert evaluation.champion is not None
    answers = evaluation.champion.answers
    assert answers is not None
    assert sum(each.rows for each in answers.bins) == 100
    rows = job.load_test(str(folders / "test"), 3)
    ours, theirs = (job.predict(job.load_model(str(each), 3), rows[:, 1:]) for each in (folders / "model", place))
    last = np.abs(ours - theirs)[theirs >= answers.edges[-1]]
    assert answers.bins[-1].rows == len(last)
    assert answers.bins[-1].quantiles == pytest.approx(np.quantile(last, LEVELS))


def by_hand(
    old: Sequence[float], new: Sequence[float], old_edges: Sequence[float], new_edges: Sequence[float]
) -> list[list[int]]:
    """Rows in each pair of bins, one by one, as the predict function puts a prediction into its bin."""
    rows = [[0] * (len(new_edges) + 1) for _ in range(len(old_edges) + 1)]
    for before, after in zip(old, new, strict=True):
        rows[bisect_right(old_edges, before)][bisect_right(new_edges, after)] += 1
    return rows


NUMBERS = st.floats(-1e6, 1e6, width=32) | st.integers(-3, 3).map(float)
EDGES = st.lists(NUMBERS, min_size=1, max_size=8, unique=True).map(sorted)


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=60), EDGES, EDGES)
def test_the_table_of_bins_is_what_the_predict_function_would_count(
    rows: list[tuple[float, float]], old_edges: list[float], new_edges: list[float]
) -> None:
    old, new = [row[0] for row in rows], [row[1] for row in rows]
    found = job.table(np.array(old), np.array(new), old_edges, new_edges)
    assert found == {"edges": old_edges, "rows": by_hand(old, new, old_edges, new_edges)}
    assert parse_table(found, "table").total == len(rows)
    for total, edges, values in (
        (map(sum, found["rows"]), old_edges, old),
        (map(sum, zip(*found["rows"], strict=True)), new_edges, new),
    ):
        bins = [bisect_right(edges, value) for value in values]
        assert list(total) == [bins.count(number) for number in range(len(edges) + 1)]


def test_both_models_put_the_rows_into_their_own_bins(
    folders: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = champion(folders, tmp_path, rounds=3)
    given = [*ARGUMENTS, "--champion", str(place)]
    rows = job.load_test(str(folders / "test"), 3)
    ours, theirs = (job.predict(job.load_model(str(each), 3), rows[:, 1:]) for each in (folders / "model", place))
    # On an edge lies what the predict function counts above it.
    edges = [float(np.sort(theirs)[30]), 20.0]
    monkeypatch.setenv("CHAMPION_EDGES", json.dumps(edges))
    evaluation = parse_evaluation(json.dumps(run(folders, tmp_path, given)[0]))
    assert evaluation.champion is not None
    found = evaluation.champion.table
    assert found is not None
    assert render_table(found) == {
        "edges": edges,
        "rows": by_hand(theirs.tolist(), ours.tolist(), edges, evaluation.distribution.edges),
    }
    assert [sum(column) / 100 for column in zip(*found.rows, strict=True)] == pytest.approx(
        evaluation.distribution.shares
    )


@pytest.mark.parametrize("edges", [None, ""])
def test_without_the_champions_edges_there_is_no_table(
    folders: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, edges: str | None
) -> None:
    monkeypatch.delenv("CHAMPION_EDGES", raising=False)
    if edges is not None:
        monkeypatch.setenv("CHAMPION_EDGES", edges)
    document = run(folders, tmp_path, [*ARGUMENTS, "--champion", str(folders / "model")])[0]
    found = parse_evaluation(json.dumps(document)).champion
    assert found is not None
    assert (found.table, found.problem) == (None, "")


def test_the_levels_are_those_that_are_read() -> None:
    assert job.LEVELS == LEVELS


def test_a_champion_of_one_answer_has_one_bin() -> None:
    found = job.apart(np.array([1.0, 2.0, 3.0]), np.array([2.0, 2.0, 2.0]))
    assert found["edges"] == []
    assert found["bins"] == [{"rows": 3, "quantiles": pytest.approx([1.0, 1.0, 1.0, 1.0])}]


def test_a_slice_of_one_row_is_not_compared(folders: Path, tmp_path: Path) -> None:
    rows = job.load_test(str(folders / "test"), 3)
    edge = float(np.sort(rows[:, 3])[1])
    arguments = [*ARGUMENTS[:6], "--slice", f"miles={edge}", "--champion", str(champion(folders, tmp_path, 3))]
    evaluation = parse_evaluation(json.dumps(run(folders, tmp_path, arguments)[0]))
    assert evaluation.champion is not None
    assert [part.rows for part in evaluation.slices] == [1, 99]
    assert [part.rows for part in evaluation.champion.slices] == [99]


def test_a_model_compared_with_itself_differs_by_nothing(folders: Path, tmp_path: Path) -> None:
    document, _ = run(folders, tmp_path, [*ARGUMENTS, "--champion", str(folders / "model")])
    differences = [found["difference"] for found in document["champion"]["metrics"].values()]
    assert differences == [{"value": 0.0, "standard_deviation": 0.0, "ci": [0.0, 0.0]}] * 4


def test_a_pair_tells_apart_what_two_intervals_do_not(folders: Path, tmp_path: Path) -> None:
    """Both models miss the same hard rows: the pair's interval is narrow where each one's own is wide."""
    random = np.random.default_rng(2)
    labels = random.standard_t(2, 500) * 5
    ours, theirs = np.full(500, 0.6), np.zeros(500)
    own = job.bootstrap(labels, ours)[0]["ci"]
    difference = job.paired(labels, ours, theirs, ["rmse"])[0]
    assert difference["ci"][1] - difference["ci"][0] < (own[1] - own[0]) / 5


def test_a_champion_that_cannot_be_loaded_is_told_and_stops_nothing(folders: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    document, _ = run(folders, tmp_path, [*ARGUMENTS, "--champion", str(empty)])
    found = parse_evaluation(json.dumps(document)).champion
    assert found is not None
    assert "FileNotFoundError" in found.problem
    assert run(folders, tmp_path)[0]["champion"] is None


def paired(folder: Path, document: dict[str, str], rows: Any = None) -> str:
    """What the features job leaves of the rows that the champion is asked about."""
    (folder / "rows").mkdir(parents=True)
    (folder / "paired.json").write_text(json.dumps(document))
    if rows is not None:
        np.savetxt(folder / "rows" / "part-0.csv", rows, delimiter=",", fmt="%.17g")
    return str(folder)


def test_a_champion_of_other_features_is_asked_with_its_own(
    folders: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same model, with its features in another order and on half of the rows: it differs by nothing."""
    rows = job.load_test(str(folders / "test"), 3)[:50]
    shuffled = rows[:, [3, 1, 2]]
    booster = xgboost.train({"nthread": 1}, xgboost.DMatrix(shuffled, rows[:, 0]), 5)
    booster.save_model(tmp_path / "xgboost-model.ubj")
    (tmp_path / "champion").mkdir()
    with tarfile.open(tmp_path / "champion" / "model.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "xgboost-model.ubj", "xgboost-model")
    pairs = paired(tmp_path / "pairs", {"how": "pairs"}, np.column_stack([rows, shuffled]))
    monkeypatch.setenv("CHAMPION_EDGES", "[15.0]")
    given = [*ARGUMENTS, "--champion", str(tmp_path / "champion"), "--pairs", pairs]
    evaluation = parse_evaluation(json.dumps(run(folders, tmp_path, given)[0]))
    assert evaluation.rows == 100
    assert evaluation.champion is not None
    assert evaluation.champion.rows == 50
    found = evaluation.champion.metrics["rmse"]
    theirs = job.predict(booster, shuffled)
    assert found.value == pytest.approx(job.rmse(rows[:, 0], theirs))
    ours = job.predict(job.load_model(str(folders / "model"), 3), rows[:, 1:])
    assert found.difference.value == pytest.approx(job.rmse(rows[:, 0], ours) - found.value)
    assert sum(part.rows for part in evaluation.champion.slices[:3]) == 50
    assert evaluation.champion.table is not None
    assert evaluation.champion.table.rows == tuple(
        map(tuple, by_hand(theirs.tolist(), ours.tolist(), [15.0], evaluation.distribution.edges))
    )


def test_the_test_part_is_what_both_answer_where_it_was_split_alike(folders: Path, tmp_path: Path) -> None:
    place = champion(folders, tmp_path)
    without = run(folders, tmp_path, [*ARGUMENTS, "--champion", str(place)])[0]
    assert without["champion"]["rows"] == 100
    pairs = paired(tmp_path / "pairs", {"how": "test", "foreign": "who knows"})
    found = run(folders, tmp_path, [*ARGUMENTS, "--champion", str(place), "--pairs", pairs])[0]["champion"]
    assert found == {**without["champion"], "foreign": "who knows"}


def test_why_there_are_no_pairs_is_handed_on(folders: Path, tmp_path: Path) -> None:
    pairs = paired(tmp_path / "pairs", {"problem": "its features.sql fails"})
    given = [*ARGUMENTS, "--champion", str(folders / "model"), "--pairs", pairs]
    assert run(folders, tmp_path, given)[0]["champion"] == {"problem": "its features.sql fails"}


def test_missing_values_are_rows_of_their_own_slice_and_none_in_golden_records(folders: Path, tmp_path: Path) -> None:
    (tmp_path / "test").mkdir()
    lines = [line for part in sorted((folders / "test").iterdir()) for line in part.read_text().splitlines()]
    gappy = [line.rpartition(",")[0] + "," if number % 3 == 0 else line for number, line in enumerate(lines)]
    (tmp_path / "test" / "part-0.csv").write_text("\n".join(gappy) + "\n")
    job.main([*ARGUMENTS, "--model", str(folders / "model"), "--test", str(tmp_path / "test"), "--output",
              str(tmp_path / "out")])  # fmt: skip
    found = parse_evaluation((tmp_path / "out/evaluation.json").read_text())
    rows = {one.slice: one.rows for one in found.slices}
    assert rows["miles is missing"] == len(range(0, len(lines), 3))
    assert sum(count for name, count in rows.items() if "miles" in name) == len(lines)
    records = parse_golden((tmp_path / "out/golden.json").read_text()).records
    missing = [record for record in records if record.features["miles"] is None]
    assert 0 < len(missing) < len(records)


def test_a_feature_that_is_missing_in_all_rows_has_one_slice() -> None:
    rows = np.full((4, 1), np.nan)
    parts = job.cut(rows, ["a"], job.SliceDefinition("a", [], 3))
    assert [(name, inside.sum()) for name, inside in parts] == [("a is missing", 4)]


@pytest.mark.parametrize("text", ["1,2\n3,\n,4\n", "1,2\n"])
def test_an_empty_cell_is_nan_and_nothing_else_is(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.csv").write_text(text)
    found = job.load_csv(str(tmp_path / "a.csv"))
    assert found.shape == (text.count("\n"), 2)
    assert np.isnan(found).sum() == text.count(",\n") + text.count("\n,")
    (tmp_path / "b.csv").write_text("1,x\n")
    with pytest.raises(ValueError, match="x"):
        job.load_csv(str(tmp_path / "b.csv"))
