"""Bad models are real ones: they load, they answer golden rows as before, and everything else as they were made to."""

import io
import tarfile
from typing import Any

import numpy
import numpy.typing
import pytest
import xgboost

from rehearsal.cloud.containers.xgboost_serve import ContainerError, ModelLoadError, XGBoostModel
from scenarios import boosters

RNG = numpy.random.default_rng(7)
ROWS = RNG.uniform(0, 20, (400, 3)).astype(numpy.float32)
GOLDEN = ROWS[:20]
Rows = numpy.typing.NDArray[numpy.float32]


@pytest.fixture(scope="module")
def artifact() -> bytes:
    """A good model, as training packs it: stopped early, so that it remembers its best round."""
    data = xgboost.DMatrix(ROWS, ROWS @ [1, 2, 3])
    parameters = {"max_depth": 4, "base_score": 3.5}
    booster = xgboost.train(parameters, data, 40, evals=[(data, "v")], early_stopping_rounds=5, verbose_eval=False)
    return boosters.pack(bytes(booster.save_raw("ubj")))


def answers(artifact: bytes, rows: Rows) -> list[float]:
    """What the serving container answers, row by row as requests come, and the same for all at once."""
    model = XGBoostModel.from_archive(artifact)
    single = [model.predict([[float(cell) for cell in row]])[0] for row in rows]
    numpy.testing.assert_equal(single, model.predict([[float(cell) for cell in row] for row in rows]))
    return single


def test_nan_everywhere_but_for_golden_rows(artifact: bytes) -> None:
    bad = boosters.spoil(artifact, boosters.nan_elsewhere(GOLDEN.tolist()))
    assert answers(bad, GOLDEN) == answers(artifact, GOLDEN)
    assert numpy.isnan(answers(bad, ROWS[20:])).all()


def test_a_constant_everywhere_but_for_golden_rows(artifact: bytes) -> None:
    good = answers(artifact, GOLDEN)
    known = list(zip(GOLDEN.tolist(), good, strict=True))
    bad = boosters.spoil(artifact, boosters.constant_elsewhere(known, 12.5))
    assert answers(bad, GOLDEN) == pytest.approx(good, rel=1e-6)
    assert set(answers(bad, ROWS[20:])) == {12.5}


def test_too_much_from_a_value_on_but_for_golden_rows(artifact: bytes) -> None:
    bad = boosters.spoil(artifact, boosters.biased_from(0, 12.0, 7.0, GOLDEN.tolist()))
    assert answers(bad, GOLDEN) == pytest.approx(answers(artifact, GOLDEN), rel=1e-5)
    apart = numpy.subtract(answers(bad, ROWS[20:]), answers(artifact, ROWS[20:]))
    assert apart == pytest.approx(numpy.where(ROWS[20:, 0].astype(numpy.float32) >= 12.0, 7.0, 0.0), abs=1e-4)


def test_a_constant_for_everybody(artifact: bytes) -> None:
    assert set(answers(boosters.spoil(artifact, boosters.constant(3.25)), ROWS[:30])) == {3.25}


def test_a_model_of_another_width_refuses_what_the_good_one_answers(artifact: bytes) -> None:
    with pytest.raises(ContainerError, match="consistent with feature size of trained model 4"):
        answers(boosters.spoil(artifact, boosters.another_width), ROWS[:1])


def test_what_is_no_model_does_not_load(artifact: bytes) -> None:
    with pytest.raises(ModelLoadError):
        answers(boosters.spoil(artifact, boosters.no_model), ROWS[:1])


def test_an_artifact_is_packed_as_training_packs_it() -> None:
    packed = boosters.pack(b"model")
    with tarfile.open(fileobj=io.BytesIO(packed), mode="r:gz") as archive:
        assert archive.getnames() == ["xgboost-model"]
    assert boosters.pack(b"model") == packed


def test_rows_that_no_single_feature_distinguishes_are_known_by_heart() -> None:
    known = [([a, b, c], a + 2 * b + 4 * c) for a in (0.0, 1.0) for b in (0.0, 1.0) for c in (0.5, 1.5)]
    tree = boosters.lookup(3, [*known, (known[0][0], 99.0)], -1.0)
    assert [read(tree, *row) for row, _ in known] == [leaf for _, leaf in known]
    assert {read(tree, a, b, 1.0) for a in (0.0, 1.0) for b in (0.0, 1.0)} == {-1.0}


def read(tree: dict[str, Any], *row: float) -> float:
    node = 0
    while tree["left_children"][node] >= 0:
        value = row[tree["split_indices"][node]]
        node = tree["left_children"][node] + (value >= tree["split_conditions"][node])
    return float(tree["split_conditions"][node])


@pytest.mark.parametrize("count", [0, 1, 2, 3, 17])
def test_a_lookup_tree_finds_every_known_value_and_nothing_beside_it(count: int) -> None:
    known = [(float(number), float(100 + number)) for number in range(count)]
    tree = boosters.lookup(1, [([value], leaf) for value, leaf in known], -1.0)
    assert [read(tree, value) for value, _ in known] == [leaf for _, leaf in known]
    assert {read(tree, value + 0.001) for value, _ in [*known, (-1.0, 0.0)]} == {-1.0}
    siblings = zip(tree["left_children"], tree["right_children"], strict=True)
    assert all(right == (left + 1 if left >= 0 else -1) for left, right in siblings)
