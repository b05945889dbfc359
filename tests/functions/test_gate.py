"""The gate's decision."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from contracts.dataset import ACCEPT, UNDECIDED, Also, Metric, undecided
from contracts.fields import FieldError
from contracts.release import parse_release
from contracts.retraining import OWN_REASONS, REASONS, trained_key
from functions.gate.decide import Champion, decide
from functions.gate.handler import judge
from functions.shared.evaluation import parse_evaluation
from tests.functions import samples

RMSE, R2 = Metric("rmse", 10.0), Metric("r2", 0.5)
URI = "s3://artifacts/runs/run-1/evaluation/evaluation.json"


def compared(
    value: float, low: float, high: float, metric: str = "rmse", slices: list[dict[str, Any]] | None = None
) -> dict[str, Any]:
    """The champion's part of an evaluation; `low` and `high` bound the difference, ours less the champion's."""
    difference = {"value": (low + high) / 2, "standard_deviation": 0.1, "ci": [low, high]}
    return {"metrics": {metric: {"value": value, "difference": difference}}, "slices": slices or []}


def verdict(
    value: float, low: float, high: float, champion: dict[str, Any] | None = None, metric: Metric = RMSE,
    problem: str = "", reason: str = "commit",
) -> dict[str, Any]:  # fmt: skip
    document = samples.evaluation(value, low, high)
    document["regression_metrics"] = {metric.name: document["regression_metrics"]["rmse"]}
    document |= {"metric": metric.name, "champion": champion}
    found = parse_evaluation(json.dumps(document))
    return decide(found, metric, Champion(samples.PACKAGE, problem) if champion or problem else None, reason)


@pytest.mark.parametrize(
    ("arguments", "passed", "reason"),
    [
        (
            (4.97, 3.3, 6.9),
            True,
            "Passed: rmse 4.97 (95 % interval 3.3 to 6.9) on 597 held-out rows is below 10;",
        ),
        ((10.0, 9.0, 11.0), False, "Failed: rmse 10 (95 % interval 9 to 11) on 597 held-out rows must be below 10;"),
        (
            (4.0, 3.0, 5.0, compared(4.5, -0.6, -0.4)),
            True,
            "clearly better than the champion (it has 4.5, this model 4 on the same rows; difference -0.5, 95 % ",
        ),
        (
            (4.0, 3.0, 5.0, compared(3.5, -0.1, 1.1)),
            True,
            "undecided against the champion (it has 3.5, this model 4 on",
        ),
        # Inside its own interval, and yet worse on every resample of the same rows.
        (
            (4.0, 3.0, 5.0, compared(3.5, 0.4, 0.6)),
            False,
            "; clearly worse than the champion (it has 3.5, this model 4 on",
        ),
        ((11.0, 9.0, 12.0, compared(12.5, -2.0, -1.0)), False, "must be below 10"),
        ((0.8, 0.7, 0.9, None, R2), True, "is above 0.5"),
        ((0.4, 0.3, 0.6, None, R2), False, "must be above 0.5"),
        (
            (0.8, 0.7, 0.9, compared(0.95, -0.2, -0.1, "r2"), R2),
            False,
            "clearly worse than the champion (it has 0.95, this",
        ),
        (
            (0.8, 0.7, 0.9, compared(0.7, 0.05, 0.15, "r2"), R2),
            True,
            "clearly better than the champion (it has 0.7, this",
        ),
        ((0.8, 0.7, 0.9, compared(0.85, -0.2, 0.1, "r2"), R2), True, "undecided against"),
    ],
)
def test_decides(arguments: Any, passed: bool, reason: str) -> None:
    found = verdict(*arguments)
    assert found["passed"] is passed
    assert reason in found["reason"]
    assert found["reason"].startswith("Passed: " if passed else "Failed: ")


UNCLEAR = compared(3.9, -0.1, 0.3)


@pytest.mark.parametrize(("reason", "passed"), [(reason, reason not in OWN_REASONS) for reason in REASONS])
def test_what_is_undecided_follows_the_reason_to_train(reason: str, passed: bool) -> None:
    found = verdict(4.0, 3.0, 5.0, UNCLEAR, reason=reason)
    assert found["passed"] is passed
    assert found["champion"]["outcome"] == "undecided"
    assert (f", and after {reason} a model must be better." in found["reason"]) is not passed


@pytest.mark.parametrize("reason", REASONS)
@pytest.mark.parametrize("follows", UNDECIDED)
def test_config_says_what_follows(reason: str, follows: str) -> None:
    metric = replace(RMSE, undecided=undecided({reason: follows}))
    assert verdict(4.0, 3.0, 5.0, UNCLEAR, metric, reason=reason)["passed"] is (follows == ACCEPT)
    # Better and worse are no question of config.
    assert verdict(4.0, 3.0, 5.0, compared(4.5, -0.6, -0.4), metric, reason=reason)["passed"]
    assert not verdict(4.0, 3.0, 5.0, compared(3.5, 0.4, 0.6), metric, reason=reason)["passed"]


@pytest.mark.parametrize("reason", REASONS)
def test_without_a_comparison_the_threshold_decides_whatever_the_reason(reason: str) -> None:
    assert verdict(4.0, 3.0, 5.0, problem="it is gone", reason=reason)["passed"]
    assert verdict(4.0, 3.0, 5.0, reason=reason)["passed"]


@pytest.mark.parametrize(
    ("champion", "problem", "said"),
    [
        (None, "it takes a, b, and not a", "it takes a, b, and not a"),
        ({"problem": "ReadError: not a gzip file"}, "", "ReadError: not a gzip file"),
        (compared(0.5, 0.1, 0.2, "r2"), "", "its rmse is undefined on these rows"),
    ],
)
def test_a_champion_that_cannot_be_asked_stops_nobody_and_is_named(champion: Any, problem: str, said: str) -> None:
    for value, passed in ((4.0, True), (11.0, False)):
        found = verdict(value, value - 1, value + 1, champion, problem=problem)
        assert found["passed"] is passed
        assert f"NOT compared with the champion ({said}): the threshold alone decides" in found["reason"]
        assert found["champion"]["package"] == samples.PACKAGE
        assert found["champion"]["value"] is None
        assert "NOT compared" in found["champion"]["verdict"]


def test_an_evaluation_that_was_not_given_the_champion_says_so() -> None:
    found = decide(parse_evaluation(json.dumps(samples.evaluation())), RMSE, Champion(samples.PACKAGE), "commit")
    assert "(the evaluation was not given it)" in found["reason"]


def test_what_the_evaluation_says_of_a_champion_is_one_short_line() -> None:
    reason = verdict(3, 2, 4, {"problem": "it is\n\ngone. " + "All is well. " * 99})["reason"]
    assert "NOT compared with the champion (it is gone. All" in reason
    assert len(reason) < 450


@pytest.mark.parametrize("champion", [compared(4.5, -0.6, -0.4), {"problem": "it is gone"}])
def test_hands_on_what_the_manifest_wants(champion: dict[str, Any]) -> None:
    found = verdict(4.0, 3.0, 5.0, champion)
    document = {**samples.manifest(), "metrics": found["metrics"], "champion": found["champion"]}
    assert document["distribution"] == found["distribution"]
    release = parse_release(json.dumps(document))
    assert release.metrics.slices[0].slice == "distance < 2"
    assert release.champion is not None
    assert release.champion.value == (4.5 if "metrics" in champion else None)
    assert release.champion.outcome == ("better" if "metrics" in champion else None)


def test_hands_on_how_far_the_two_models_answers_lie_apart() -> None:
    pair = samples.manifest()["pair"]
    document = {**samples.evaluation(4.0, 3.0, 5.0), "champion": compared(4.5, -0.6, -0.4)}
    champion = Champion(samples.PACKAGE, "", pair["release"], pair["sha256"])
    assert decide(parse_evaluation(json.dumps(document)), RMSE, champion, "commit")["pair"] is None
    document["champion"]["answers"] = pair["differences"]
    evaluation = parse_evaluation(json.dumps(document))
    found = decide(evaluation, RMSE, champion, "commit")["pair"]
    assert found == {**pair, "table": None}
    # Whose they are must be known: a pair without a name could be any.
    assert decide(evaluation, RMSE, replace(champion, release=""), "commit")["pair"] is None
    assert decide(evaluation, RMSE, None, "commit")["pair"] is None


def test_hands_on_how_both_models_put_the_rows_into_bins() -> None:
    pair = samples.manifest()["pair"]
    champion = Champion(samples.PACKAGE, "", pair["release"], pair["sha256"], edges=tuple(pair["table"]["edges"]))
    told = {**compared(4.5, -0.6, -0.4), "answers": pair["differences"], "table": pair["table"]}
    evaluation = parse_evaluation(json.dumps({**samples.evaluation(4.0, 3.0, 5.0), "champion": told}))
    assert decide(evaluation, RMSE, champion, "commit")["pair"] == pair
    for edges in ((), (7.5, 11.0, 15.0, 21.0)):
        with pytest.raises(FieldError, match=r"^evaluation\.champion\.table\.edges: must be those that the champion's"):
            decide(evaluation, RMSE, replace(champion, edges=edges), "commit")


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([[120]] * 5, r"table\.rows\[0\]: must have one number for each of the new model's 5 bins, not 1"),
        ([[120, 0, 0, 0, 1]] * 5, r"table\.rows: must add up to the 600 rows of the pair, not 605"),
        ([[120, 0, 0, 0, -1]] * 5, r"table\.rows\[0\]\[4\]: must be at least 0, not -1"),
    ],
)
def test_refuses_a_table_of_other_rows_or_bins(rows: list[list[int]], reason: str) -> None:
    pair = samples.manifest()["pair"]
    table = {"edges": pair["table"]["edges"], "rows": rows}
    told = {**compared(4.5, -0.6, -0.4), "answers": pair["differences"], "table": table}
    with pytest.raises(FieldError, match=rf"^evaluation\.champion\.{reason}"):
        parse_evaluation(json.dumps({**samples.evaluation(4.0, 3.0, 5.0), "champion": told}))


@pytest.mark.parametrize("edges", ["", "[7.5, 11.0]"])
def test_the_champions_edges_come_from_its_manifest(s3: Any, edges: str) -> None:
    pair = samples.manifest()["pair"]
    table = {"edges": [7.5, 11.0], "rows": [[120, 0, 0, 0, 80]] * 3}
    told = {**compared(4.5, -0.6, -0.4), "answers": pair["differences"], "table": table}
    document = {**samples.evaluation(4.0, 3.0, 5.0), "champion": told}
    s3.put_object(Bucket="artifacts", Key="runs/run-1/evaluation/evaluation.json", Body=json.dumps(document).encode())
    data = {"uri": "s3://data-bucket/windows/1.csv", "version": "v1"}
    champion = {**found_champion(samples.PACKAGE, ""), "release": pair["release"], "sha256": "cd" * 32, "edges": edges}
    event = {"run": "run-1", "reason": "commit", "evaluation": URI, "champion": champion, "data": data}
    if edges:
        assert judge(s3, event, {"DATASET_URI": samples.DATASET_URI})["pair"]["table"] == table
        return
    with pytest.raises(FieldError, match=r"counted by, \[\], not \[7\.5, 11\.0\]"):
        judge(s3, event, {"DATASET_URI": samples.DATASET_URI})


def test_the_metric_is_found_by_name() -> None:
    with pytest.raises(FieldError, match="have no 'mae', only rmse"):
        decide(parse_evaluation(json.dumps(samples.evaluation())), Metric("mae", 3), None, "commit")


@pytest.mark.parametrize(
    "change",
    [
        {"rows": 0},
        {"metric": "mae"},
        {"regression_metrics": []},
        {"regression_metrics": {"rmse": 4}},
        {"more": 1},
        {"champion": {"metrics": {"rmse": {"value": 4}}}},
        {"champion": {"problem": ""}},
        {"champion": {}},
    ],
)
def test_refuses_an_unusable_evaluation(change: dict[str, Any]) -> None:
    with pytest.raises(FieldError):
        parse_evaluation(json.dumps({**samples.evaluation(), **change}))


def found_champion(package: str | None, problem: str) -> dict[str, Any]:
    return {"package": package, "artifact": None, "problem": problem, "release": "", "sha256": ""}


def judged(s3: Any, champion: dict[str, Any], reason: str = "drift") -> dict[str, Any]:
    document = {**samples.evaluation(4.0, 3.0, 5.0), "champion": compared(3.5, 0.4, 0.6)}
    s3.put_object(Bucket="artifacts", Key="runs/run-1/evaluation/evaluation.json", Body=json.dumps(document).encode())
    data = {"uri": "s3://data-bucket/windows/1.csv", "version": "v1"}
    event = {"run": "run-1", "reason": reason, "evaluation": URI, "champion": champion, "data": data}
    return judge(s3, event, {"DATASET_URI": samples.DATASET_URI})


@pytest.mark.parametrize("reason", ["drift", "schedule", "data", "commit"])
def test_no_reason_switches_the_comparison_off(s3: Any, reason: str) -> None:
    found = judged(s3, found_champion(samples.PACKAGE, ""), reason)
    assert not found["passed"]
    assert "clearly worse than the champion" in found["reason"]
    written = s3.get_object(Bucket="artifacts", Key="runs/run-1/evaluation/gate.json")["Body"].read()
    assert json.loads(written) == found


def test_a_champion_whose_package_nothing_tells_is_named_all_the_same(s3: Any) -> None:
    found = judged(s3, found_champion(None, "release r cannot be read"))["champion"]
    assert found["package"] is None
    release = parse_release(json.dumps({**samples.manifest(), "champion": {**found, "value": None}}))
    assert release.champion is not None
    assert release.champion.package is None


@pytest.mark.parametrize(
    ("rows", "said"),
    [(None, "on the same rows;"), (597, "on the same rows;"), (512, "on the 512 of 597 rows that neither was ")],
)
def test_the_sentence_says_on_which_rows_both_were_measured(rows: int | None, said: str) -> None:
    champion = {**compared(4.5, -0.6, -0.4), **({"rows": rows} if rows else {})}
    assert said in verdict(4.0, 3.0, 5.0, champion)["reason"]


@pytest.mark.parametrize("split", [None, {"rule": "ab" * 32}])
def test_a_champion_whose_test_rows_nobody_recorded_is_said_to_be_one(s3: Any, split: dict[str, str] | None) -> None:
    champion = {"package": samples.PACKAGE, "problem": "", "release": "", "sha256": "", "split": split}
    said = "; the champion may have been trained on some of these rows (it is not recorded how its rows were split)."
    assert judged(s3, champion)["reason"].endswith(said) == (split is None)


@pytest.mark.parametrize("doubt", ["", "features.sql does not\n give draw on."])
def test_the_sentence_says_why_the_champion_may_know_the_rows(doubt: str) -> None:
    champion = {**compared(4.5, -0.6, -0.4), **({"doubt": doubt} if doubt else {})}
    reason = verdict(4.0, 3.0, 5.0, champion)["reason"]
    assert reason.endswith(" some of these rows (features.sql does not give draw on).") == bool(doubt)


@pytest.mark.parametrize(
    ("low", "high", "outcome"), [(-0.6, -0.4, "undecided"), (-0.1, 0.1, "undecided"), (0.4, 0.6, "worse")]
)
def test_who_wins_against_a_champion_with_the_wrong_features_has_proved_nothing(
    low: float, high: float, outcome: str
) -> None:
    champion = {**compared(4.5, low, high), "foreign": "it was given this commit's features: no draw."}
    found = verdict(4.0, 3.0, 5.0, champion)
    assert found["champion"]["outcome"] == outcome
    said = "; that a champion loses proves nothing here (it was given this commit's features: no draw)"
    assert said in found["reason"]
    assert found["pair"] is None
    if outcome == "undecided":
        assert not verdict(4.0, 3.0, 5.0, champion, reason="drift")["passed"]


def test_the_sentence_claims_no_more_of_the_rows_than_is_known() -> None:
    champion = {**compared(4.5, -0.6, -0.4), "rows": 512, "doubt": "of 7 of these rows alone it is known"}
    assert "on the 512 of 597 rows that both have features of;" in verdict(4.0, 3.0, 5.0, champion)["reason"]


def test_what_was_judged_is_remembered_whatever_came_of_it(s3: Any) -> None:
    assert judged(s3, found_champion(None, ""))["champion"] is None
    key = trained_key("s3://data-bucket/windows/1.csv", "v1")
    written = json.loads(s3.get_object(Bucket="artifacts", Key=key)["Body"].read())
    assert written == {"run": "run-1", "reason": "drift", "passed": True, "data": "s3://data-bucket/windows/1.csv"}


def test_an_evaluation_of_classes_says_how_many_rows_each_has() -> None:
    document = samples.evaluation()
    document["binary_classification_metrics"] = document.pop("regression_metrics")
    document["task"] = "binary"
    with pytest.raises(FieldError, match=r"evaluation\.class_rows: is missing"):
        parse_evaluation(json.dumps(document))
    with pytest.raises(FieldError, match=r"evaluation\.class_rows: must be of two classes or more, not \[597\]"):
        parse_evaluation(json.dumps({**document, "class_rows": [597]}))
    found = parse_evaluation(json.dumps({**document, "class_rows": [300, 200, 97]}))
    with pytest.raises(FieldError, match=r"evaluation\.class_rows: must be of no, yes, not of 3 classes"):
        decide(found, RMSE, None, "commit", ("no", "yes"))


def test_of_many_classes_the_rarest_are_named() -> None:
    document = samples.evaluation()
    document["multiclass_classification_metrics"] = document.pop("regression_metrics")
    document |= {"task": "multiclass", "class_rows": [90, 80, 7, 60, 5, 50, 30], "rows": 322}
    reason = decide(parse_evaluation(json.dumps(document)), RMSE, None, "commit")["reason"]
    assert reason.startswith(
        "Not judged: 322 held-out rows (5 of class 4, 7 of class 2, 30 of class 6, 50 of class 5, 60 of class 3, more"
        " of 2 others) are too few of a class; 10 of each are needed, which takes about 644 test rows"
    )


def with_others(
    also: Also, low: float = -0.05, high: float = 0.01, foreign: str = "", alone: bool = False
) -> dict[str, Any]:
    """The verdict on a model with r2 0.8, whose difference to the champion in it lies between `low` and `high`."""
    document = samples.evaluation(4.0, 3.0, 5.0)
    document["regression_metrics"]["r2"] = {"value": 0.8, "standard_deviation": 0.02, "ci": [0.7, 0.9]}
    told = compared(4.5, -0.6, -0.4)
    told["metrics"]["r2"] = compared(0.8, low, high, "r2")["metrics"]["r2"]
    told |= {"foreign": foreign} if foreign else {}
    metric = replace(RMSE, also=(also,))
    evaluation = parse_evaluation(json.dumps(document | {"champion": None if alone else told}))
    return decide(evaluation, metric, None if alone else Champion(samples.PACKAGE), "commit")


@pytest.mark.parametrize(
    ("also", "more", "passed", "words"),
    [
        (Also("r2", 0.75), {}, True, "; r2 0.8 is above 0.75."),
        (Also("r2", 0.8), {}, False, "; r2 0.8 must be above 0.8."),
        (Also("r2", None, 0.1), {}, True, "; r2 loses 0.05 at most to the champion (95 %), less than 0.1."),
        (
            Also("r2", None, 0.05),
            {},
            False,
            "; r2 loses 0.05 at most to the champion (95 %), which must be less than 0.05.",
        ),
        (
            Also("r2", None, 0.0),
            {"low": 0.01, "high": 0.1},
            True,
            "; r2 loses -0.01 at most to the champion (95 %), less than 0.",
        ),
        (Also("r2", 0.9, 0.1), {}, False, "; r2 0.8 must be above 0.9; r2 loses 0.05 at most"),
        (Also("r2", None, 0.1), {"alone": True}, True, "; r2 not compared."),
        (Also("r2", None, 0.1), {"foreign": "other lots"}, True, "; r2 not compared."),
    ],
)
def test_further_metrics_must_be_satisfied(also: Also, more: dict[str, Any], passed: bool, words: str) -> None:
    """What is not proven to be less is not enough, whatever the estimate."""
    verdict = with_others(also, **more)
    assert verdict["passed"] is passed
    assert words in verdict["reason"]


def test_a_further_metric_that_was_not_evaluated_is_named() -> None:
    with pytest.raises(FieldError, match="have no 'mape', only rmse, r2"):
        with_others(Also("mape", 0.1))


def test_what_cannot_be_judged_is_written_down_all_the_same(s3: Any) -> None:
    """The workflow ends with the sentence; nothing else of the answer is read then."""
    metric = {"name": "auc", "threshold": 0.8}
    dataset = json.loads(samples.DATASET_TEXT) | {"task": "binary", "classes": ["kept", "lost"], "metric": metric}
    s3.put_object(Bucket="artifacts", Key="dataset/2.json", Body=json.dumps(dataset).encode())
    document = {**samples.evaluation(), "task": "binary", "metric": "auc", "class_rows": [40, 0], "rows": 40}
    del document["regression_metrics"]
    document |= {"binary_classification_metrics": {}, "constant": None, "slices": []}
    document["distribution"] = {"edges": [], "shares": [1.0]}
    s3.put_object(Bucket="artifacts", Key="runs/run-1/evaluation/evaluation.json", Body=json.dumps(document).encode())
    data = {"uri": "s3://data-bucket/windows/1.csv", "version": "v1"}
    event = {"run": "run-1", "reason": "data", "evaluation": URI, "champion": found_champion(None, ""), "data": data}
    found = judge(s3, event, {"DATASET_URI": "s3://artifacts/dataset/2.json"})
    assert (found["passed"], found["metrics"], found["pair"]) == (False, None, None)
    assert found["reason"] == (
        "Not judged: 40 held-out rows (40 of kept, 0 of lost) are too few of a class; 10 of each are needed, which"
        " takes at least 139 test rows where none of 40 is of the rarest: train on more data, or have features.sql hold"
        " out more."
    )
    written = s3.get_object(Bucket="artifacts", Key="runs/run-1/evaluation/gate.json")["Body"].read()
    assert json.loads(written) == found
    trained = s3.get_object(Bucket="artifacts", Key=trained_key(data["uri"], data["version"]))["Body"].read()
    assert json.loads(trained)["passed"] is False
