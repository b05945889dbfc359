"""Hyperparameters of the config: what the container would refuse is refused before a run begins, and nothing else."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.cloud.containers import hyperparameters as container
from settings.hyperparameters import ALIASES, KINDS, Constraints, Hyperparameters, Interval, OneOf, Several
from settings.kinds import FAULTY, Kind, Problems

PATH = "glidepath:hyperparameters"
GOOD = {
    "objective": "reg:squarederror",
    "num_round": 100,
    "eta": 0.2,
    "subsample": "0.8",
    "deterministic_histogram": True,
}


def read(given: Any) -> tuple[Any, list[str]]:
    problems = Problems("delivery")
    found = Hyperparameters().read(given, PATH, problems)
    return found, [line.removeprefix(f"{PATH}.") for line in problems.lines]


def test_values_are_texts_under_the_first_of_their_names() -> None:
    assert read(GOOD)[0] == {
        "objective": "reg:squarederror", "num_round": "100", "eta": "0.2", "subsample": "0.8",
        "deterministic_histogram": "true",
    }  # fmt: skip
    assert read({"num_round": 1, "learning_rate": 0.1, "reg_alpha": 2}) == (
        {"num_round": "1", "eta": "0.1", "alpha": "2"}, [],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("more", "line"),
    [
        ({"max_dept": 4}, "max_dept: unknown hyperparameter; did you mean max_depth?"),
        ({"learningrate": 4}, "learningrate: unknown hyperparameter; did you mean learning_rate?"),
        ({"zzz": 4}, "zzz: unknown hyperparameter"),
        ({"num_round": 0}, "num_round: 0 is not a whole number of at least 1"),
        ({"num_round": 100.5}, "num_round: 100.5 is not a whole number of at least 1"),
        ({"n_estimators": 100}, "n_estimators: unknown hyperparameter; did you mean num_round?"),
        ({"num_round": None}, "num_round: None is not a whole number of at least 1"),
        ({"eta": 1.5}, "eta: 1.5 is not a number from 0 to 1"),
        ({"eta": "fast"}, "eta: 'fast' is not a number from 0 to 1"),
        ({"eta": True}, "eta: True is not a number from 0 to 1"),
        ({"gamma": float("nan")}, "gamma: nan is not a number of at least 0"),
        ({"subsample": 0}, "subsample: 0 is not a number above 0 and at most 1"),
        ({"tweedie_variance_power": 2}, "tweedie_variance_power: 2 is not a number above 1 and below 2"),
        ({"seed": 2**31 - 1}, "seed: 2147483647 is not a whole number above -2147483648 and below 2147483647"),
        ({"booster": "tree"}, "booster: 'tree' is not one of gbtree, gblinear, dart"),
        ({"objective": "aft_loss_distribution"}, "objective: 'aft_loss_distribution' is not one of binary:logistic, "),
        ({"learning_rate": 0.1}, "learning_rate: is another name of eta, which is given as well; remove one of them"),
        (
            {"tree_method": "gpu_hist"},
            "tree_method: 'gpu_hist' is not known to XGBoost 3: set tree_method to hist, and",
        ),
        ({"_kfold": 5}, "_kfold: is not supported: cross-validation makes several models, and one is released"),
        ({"eval_metric": "rmse, mae"}, "eval_metric: 'rmse, mae' is not a text of one or more of accuracy, auc"),
        ({"eval_metric": "error@x"}, "eval_metric: 'error@x' is not a text of one or more of"),
        ({"eval_metric": "rmse@0.5"}, "eval_metric: 'rmse@0.5' is not a text of one or more of"),
        ({"eval_metric": "auc"}, "eval_metric: auc needs an objective that begins with binary: or rank:, not reg:squ"),
        ({"eval_metric": "aft-nloglik"}, "eval_metric: aft-nloglik needs the objective survival:aft, not reg:squared"),
        (
            {"objective": "multi:softmax"},
            "num_class: is missing, and objective multi:softmax needs it; set it to a who",
        ),
        (
            {"monotone_constraints": "(1, 2)"},
            "monotone_constraints: '(1, 2)' is not a text in quotes with -1, 0 or 1 f",
        ),
        ({"monotone_constraints": "(1,"}, "monotone_constraints: '(1,' is not a text in quotes"),
        ({"monotone_constraints": "(1, -1)"}, "tree_method: is missing, and monotone_constraints needs one of exact, "),
        ({"monotone_constraints": [1, -1]}, "monotone_constraints: [1, -1] is not a text in quotes"),
        (
            {"monotone_constraints": "(1, -1)", "tree_method": "auto"},
            "tree_method: is auto, and monotone_constraints ne",
        ),
        ({"interaction_constraints": "[[1, 2]]"}, "interaction_constraints: is not supported: XGBoost 3.2 wants names"),
        ({"num_class": 3}, "num_class: needs an objective that begins with multi:, not reg:squarederror; take one out"),
        ({"updater": "distcol"}, "updater: 'distcol' is not a text of one or more of grow_colmaker"),
        (
            {"updater": "grow_quantile_histmaker"},
            "updater: 'grow_quantile_histmaker' is not a text of one or more of gr",
        ),
        ({"updater": "shotgun"}, "updater: trees take grow_colmaker, grow_histmaker,"),
        ({"updater": "grow_colmaker,grow_histmaker"}, "updater: only one of grow_colmaker, grow_histmaker can grow"),
        ({"updater": "prune", "booster": "gblinear"}, "updater: booster gblinear takes one of shotgun, coord_descent"),
        ({"updater": "sync", "process_type": "update"}, "updater: process_type update takes refresh and prune alone"),
    ],
)
def test_what_the_container_would_refuse(more: dict[str, Any], line: str) -> None:
    found, lines = read({**GOOD, **more})
    assert found is FAULTY
    assert len(lines) == 1
    assert lines[0].startswith(line)


def test_all_problems_are_told_at_once() -> None:
    assert read({"eta": 2, "max_dept": 3, "_kfold": 2})[1] == [
        "eta: 2 is not a number from 0 to 1",
        "max_dept: unknown hyperparameter; did you mean max_depth?",
        "_kfold: is not supported: cross-validation makes several models, and one is released",
        "num_round: is missing; set it to a whole number of at least 1",
    ]
    assert read({"num_round": 3, "eval_metric": "rmse"})[1] == [
        "objective: is missing, and eval_metric needs it; set it"
    ]


def _values(kind: Kind) -> st.SearchStrategy[str]:
    """In range and at its edges, and out of it."""
    match kind:
        case Interval():
            edges = [
                each for bound in (kind.low, kind.high) for each in (bound - 1, bound, bound + 1) if abs(each) < 1e10
            ]
            texts = [str(int(each)) if kind.whole else str(each) for each in (*edges, 0.5, 7)]
            return st.sampled_from([*texts, "x", "1e3"])
        case OneOf():
            return st.sampled_from([*kind.options, "other"])
        case Several():
            return st.lists(
                st.sampled_from([*kind.options, "error@0.5", "rmse@1", "other"]), min_size=1, max_size=2
            ).map(",".join)
        case Constraints():
            return st.sampled_from(["(1, -1)", "(0, 1)", "(2,)", "(", "[[0]]"])
    raise TypeError(kind)


@st.composite
def _given(draw: st.DrawFn) -> dict[str, str]:
    names = draw(st.lists(st.sampled_from([*KINDS, *ALIASES, "max_dept"]), max_size=3, unique=True))
    found = {name: draw(_values(KINDS.get(ALIASES.get(name, name), KINDS["eta"]))) for name in names}
    return found | draw(st.sampled_from([{"num_round": "5"}, {}, {"num_round": "5", "objective": "binary:logistic"}]))


def test_whole_numbers_may_be_written_with_a_point() -> None:
    assert read({"num_round": 100.0}) == ({"num_round": "100"}, [])


def test_python_reads_constraints_as_the_container_does() -> None:
    given = {"num_round": "5", "tree_method": "hist", "monotone_constraints": "(1, 0, -1)"}
    assert read(given) == (given, [])
    assert container.parse(given)["monotone_constraints"] == (1, 0, -1)


@given(_given())
def test_config_and_container_refuse_the_same(given: dict[str, str]) -> None:
    """The rehearsal's container, which has its table from the same source and shares no line with this one."""
    problem = ""
    try:
        container.parse(given)
    except container.HyperparameterError as error:
        problem = str(error)
    lines = read(given)[1]
    if "not implemented by the rehearsal" in problem or "another name of" in " ".join(lines):
        return  # AWS would take the one, and silently the last of the other
    if any(value in ("cuda", "gpu", "gpu_predictor") for value in given.values()):
        return  # needs a GPU, which the rehearsal has not
    if not problem and {line.partition(":")[0] for line in lines} <= {"num_class"}:
        return  # what only XGBoost refuses
    assert bool(problem) == bool(lines), (problem, lines)
