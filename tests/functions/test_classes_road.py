"""Sets of classes by config and SQL alone, from raw rows to the API's answer: what runs between is the program's.

The rows are those of Horst, Hill and Gorman, palmerpenguins, 2020, https://allisonhorst.github.io/palmerpenguins (CC0).
The containers that train and serve are the rehearsal's, which answer as the real ones do.
"""

from __future__ import annotations

import hashlib
import importlib
import io
import json
import math
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from contracts.dataset import Dataset
from contracts.evaluation_arguments import evaluation_arguments
from contracts.features import render_inputs
from contracts.release import Baseline, Hashes, Release, Split, parse_release, render_release
from functions.gate.decide import Champion, decide
from functions.jobs.evaluate import evaluate as job
from functions.jobs.features import features_job
from functions.manifest.build import build_release, summary
from functions.manifest.publish import Kept
from functions.shared.evaluation import parse_evaluation
from functions.shared.golden import Golden, Record, check_answer, parse_golden
from functions.system_test.checks import as_callers_write
from operate.dataset import look
from rehearsal.cloud.containers import xgboost_train
from rehearsal.cloud.containers.xgboost_serve import XGBoostModel
from scenarios.tour.evidence import artifact_predictions
from settings import parse
from settings.model import Settings
from tests.functions import samples
from tests.settings.configs import config

ROWS = Path(__file__).parent / "data" / "penguins.csv"
COLUMNS = {
    "species": "string", "island": "string", "bill_length_mm": "number", "bill_depth_mm": "number",
    "flipper_length_mm": "number", "body_mass_g": "number", "sex": "string", "year": "integer",
}  # fmt: skip
FEATURES = ["bill_length", "bill_depth", "body_mass", "year"]
SQL = """
WITH typed AS (
    SELECT
        CAST({target} AS DOUBLE) AS {name},
        TRY_CAST(input.bill_length_mm AS DOUBLE) AS bill_length,
        TRY_CAST(input.bill_depth_mm AS DOUBLE) AS bill_depth,
        TRY_CAST(input.body_mass_g AS DOUBLE) AS body_mass,
        TRY_CAST(input.year AS INTEGER) AS year,
        SUBSTR(MD5(CONCAT_WS('|', input.species, input.bill_length_mm, input.bill_depth_mm, input.body_mass_g)), 1, 4)
            AS bucket
    FROM input
)
SELECT {name}, bill_length, bill_depth, body_mass, year,
    CASE WHEN bucket < '9999' THEN 'train' WHEN bucket < 'b333' THEN 'validation' ELSE 'test' END AS split
FROM typed
WHERE {name} IS NOT NULL AND bill_length > 0 AND bill_depth > 0 AND body_mass > 0 AND year > 0
"""
WITH_GAPS = SQL.replace(
    "SELECT {name}, bill_length, bill_depth, body_mass, year,",
    "SELECT {name}, CASE WHEN SUBSTR(bucket, 4) NOT IN ('1', '5', '9') THEN bill_length END AS bill_length, island,"
    " bill_depth, sex,"
    " NULLIF(year, 2009) AS wave,",
).replace("AS bucket", "AS bucket, input.island AS island, NULLIF(input.sex, 'NA') AS sex")
SEX = "CASE WHEN input.sex = 'male' THEN 1 WHEN input.sex = 'female' THEN 0 END"
SPECIES = "CASE input.species WHEN 'Adelie' THEN 0 WHEN 'Chinstrap' THEN 1 WHEN 'Gentoo' THEN 2 END"
TRAINED = {"num_round": 60, "early_stopping_rounds": 10, "max_depth": 3, "eta": 0.3, "min_child_weight": 1}
LOGISTIC = {"objective": "binary:logistic", "eval_metric": "auc", **TRAINED}
SOFTPROB = {"objective": "multi:softprob", "num_class": 3, "eval_metric": "mlogloss", **TRAINED}


@dataclass(frozen=True)
class Case:
    """A dataset by its config, and the SQL of its target."""

    target: str
    sql: str
    metric: dict[str, Any]
    hyperparameters: dict[str, Any]
    more: dict[str, Any] = field(default_factory=dict)
    query: str = SQL

    def settings(self) -> Settings:
        """As `pulumi up` reads them."""
        given = {"columns": COLUMNS, "target": self.target, "features": FEATURES, "metric": self.metric, **self.more}
        return parse("delivery", config("delivery", dataset=given, hyperparameters=self.hyperparameters))


CASES = {
    # Config from before there were tasks, to the letter.
    "binary by rmse": Case("sex", SEX, {"name": "rmse", "threshold": 0.45}, LOGISTIC),
    "binary by auc": Case(
        "sex",
        SEX,
        {"name": "auc", "threshold": 0.85},
        LOGISTIC,
        {"classes": ["female", "male"], "slices": [{"feature": "body_mass", "quantiles": 2}]},
    ),
    "three classes": Case(
        "species",
        SPECIES,
        {"name": "f1_macro", "threshold": 0.85},
        SOFTPROB,
        {"classes": ["Adelie", "Chinstrap", "Gentoo"]},
    ),
    "categories and gaps": Case(
        "species",
        SPECIES,
        {"name": "accuracy", "threshold": 0.85},
        SOFTPROB,
        {
            "classes": ["Adelie", "Chinstrap", "Gentoo"],
            "features": [
                {"name": "bill_length", "nullable": True},
                {"name": "island", "categories": ["Biscoe", "Dream", "Torgersen"]},
                "bill_depth",
                {"name": "sex", "nullable": True, "categories": ["male", "female"], "encoding": "ordinal"},
                {"name": "wave", "nullable": True, "categories": ["2007", "2008"], "encoding": "one_hot"},
            ],
            "slices": [{"feature": "bill_length", "quantiles": 2}, {"feature": "island_Dream", "edges": [0.5]}],
        },
        WITH_GAPS,
    ),
}


@dataclass
class Made:
    """What a run leaves: the model, the gate's verdict, golden records, and the release."""

    dataset: Dataset
    archive: bytes
    evaluation: dict[str, Any]
    verdict: dict[str, Any]
    golden: Golden
    release: Release


def trained(root: Path, case: Case, settings: Settings) -> bytes:
    """Features in DuckDB, then the training container; the archive as SageMaker packs it."""
    for folder in ("input/config", "model", "output"):
        (root / folder).mkdir(parents=True)
    assert settings.dataset is not None
    with look(ROWS, settings.dataset) as looked:
        assert not looked.problem
        query = case.query.format(target=case.sql, name=case.target)
        looked.session.sql(query).persist().createOrReplaceTempView("made")
        assert features_job.unfit_values(looked.session, looked.plan) == ""
        columns = ", ".join((case.target, *settings.dataset.features, "split"))
        rows = looked.session.sql(f"SELECT {columns} FROM matrix").collect()
    for part in ("train", "validation", "test"):
        place = root / "input" / "data" / part
        place.mkdir(parents=True)
        lines = [",".join(map(cell, row[:-1])) for row in rows if row[-1] == part]
        (place / "part-0.csv").write_text("\n".join(lines) + "\n")
    channels = {part: {"ContentType": "text/csv"} for part in ("train", "validation")}
    (root / "input/config/hyperparameters.json").write_text(json.dumps(dict(settings.hyperparameters)))
    (root / "input/config/inputdataconfig.json").write_text(json.dumps(channels))
    assert xgboost_train.main(root) == 0, (root / "output" / "failure").read_text()
    with tarfile.open(root / "model" / "model.tar.gz", "w:gz") as archive:
        archive.add(root / "model" / "xgboost-model", "xgboost-model")
    return (root / "model" / "model.tar.gz").read_bytes()


def cell(value: float | None) -> str:
    """As the features job writes it."""
    return "" if value is None else repr(value)


def made(root: Path, case: Case) -> Made:
    """Train, evaluate, judge, and write the manifest."""
    settings = case.settings()
    dataset = settings.dataset
    assert dataset is not None
    archive = trained(root, case, settings)
    places = ["--model", str(root / "model"), "--test", str(root / "input/data/test"), "--output", str(root / "out")]
    job.main([*evaluation_arguments(dataset), *places, "--champion", str(root / "model")])
    text = (root / "out" / "evaluation.json").read_text()
    verdict = decide(parse_evaluation(text), dataset.metric, Champion(samples.PACKAGE), "commit", dataset.classes)
    golden = parse_golden((root / "out" / "golden.json").read_text())
    release = released(dataset, verdict, archive)
    return Made(dataset, archive, json.loads(text), verdict, golden, release)


def released(dataset: Dataset, verdict: dict[str, Any], archive: bytes) -> Release:
    """The release, as the next steps read it."""
    event = {
        "run": "run-1", "reason": "commit", "commit": "4f2a", "package": samples.PACKAGE, "image": "xgb:1",
        "data": {"uri": "s3://data/penguins.csv", "version": "v1"}, "gate": verdict,
    }  # fmt: skip
    hashes = Hashes("01" * 32, "02" * 32, "03" * 32)
    kept = Kept(
        artifact="s3://artifacts/model.tar.gz",
        sha256=hashlib.sha256(archive).hexdigest(),
        golden="s3://artifacts/golden.json",
        baseline=Baseline("s3://artifacts/statistics.json", "s3://artifacts/constraints.json"),
        hashes=hashes,
        split=Split("s3://artifacts/features.sql", "04" * 32, "05" * 8, "06" * 32),
        rows={"read": 344, "quarantined": 2, "filtered": 9, "used": 333, "rules": {"bill_length_mm.null": 2}},
    )
    return parse_release(render_release(build_release(event, dataset, kept, datetime(2026, 11, 21, tzinfo=UTC))))


class Endpoint:
    """A sagemaker-runtime client whose endpoint runs the serving container."""

    def __init__(self, archive: bytes) -> None:
        self._model = XGBoostModel.from_archive(archive)

    def invoke_endpoint(self, **request: Any) -> dict[str, Any]:
        """The real client's method."""
        body, _ = self._model.invoke(request["Body"], request["ContentType"], request["Accept"])
        return {"Body": io.BytesIO(body)}


def answers(
    monkeypatch: pytest.MonkeyPatch, found: Made, archive: bytes, way: str = "as columns"
) -> list[dict[str, Any]]:
    """What the API says of each golden record, sent one way or another."""
    release = found.release
    assert release.distribution is not None
    environment = {
        "ENDPOINT_NAME": "e", "RELEASE_ID": release.id, "FEATURES": json.dumps(release.features),
        "METRIC_NAMESPACE": "Glidepath", "SERVICE": "penguins-prod", "LATENCY_MS": "1000",
        "PREDICTION_EDGES": json.dumps(release.distribution.edges), "CLASSES": json.dumps(release.classes),
        "INPUTS": render_inputs(release.inputs),
    }  # fmt: skip
    for name, value in {**environment, "AWS_DEFAULT_REGION": "eu-west-1"}.items():
        monkeypatch.setenv(name, value)
    handler = importlib.reload(importlib.import_module("functions.predict.handler"))
    service = handler.Service(Endpoint(archive), environment)
    ways = {
        "as columns": lambda record: samples.proxy_event(samples.instances(record.features)),
        "as callers write them": lambda record: samples.proxy_event(samples.instances(written(record, found))),
        "in CSV": lambda record: samples.proxy_event(line(record.features.values()), "text/csv"),
        "in CSV as callers write them": lambda record: samples.proxy_event(
            line(written(record, found).values()), "text/csv"
        ),
    }
    return [json.loads(service.handle(ways[way](record), "7")["body"]) for record in found.golden.records]


def written(record: Record, found: Made) -> dict[str, Any]:
    """A golden record with categories by their names."""
    return as_callers_write(record, found.dataset.inputs)


def line(values: Iterable[Any]) -> str:
    """A row of CSV."""
    return ",".join("" if value is None else str(value) for value in values)


@pytest.fixture(scope="module", params=CASES)
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    return made(tmp_path_factory.mktemp("ml"), CASES[request.param])


def test_the_model_passes_the_gate_and_is_released(run: Made) -> None:
    assert run.verdict["passed"], run.verdict["reason"]
    assert "undecided against the champion" in run.verdict["reason"]  # which is the model itself
    assert run.release.task == run.dataset.task == ("multiclass" if run.dataset.class_count == 3 else "binary")
    assert run.release.classes == run.dataset.classes
    assert sum(run.release.metrics.class_rows) == run.release.metrics.rows
    assert min(run.release.metrics.class_rows) >= job.CLASS_ROWS
    assert f"({run.dataset.class_count} classes, fewest of " in summary(run.release)


def test_the_api_answers_golden_records_with_label_and_probability(run: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    names = run.release.classes
    told = answers(monkeypatch, run, run.archive)
    for record, answer in zip(run.golden.records, told, strict=True):
        assert check_answer(run.golden, record, answer, run.release.id) is None
        if not names:
            assert answer.keys() == {"predictions", "release", "inference_id"}
            continue
        (probabilities,), (label,) = answer["probabilities"], answer["labels"]
        assert sum(probabilities) == pytest.approx(1, abs=1e-6)
        assert label == names[int(np.argmax(probabilities))]
    if names:
        assert {answer["labels"][0] for answer in told} == set(names)


@pytest.mark.parametrize("way", ["as callers write them", "in CSV", "in CSV as callers write them"])
def test_a_category_by_its_name_is_what_its_columns_are(run: Made, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    told, again = answers(monkeypatch, run, run.archive), answers(monkeypatch, run, run.archive, way)
    assert [answer["predictions"] for answer in told] == [answer["predictions"] for answer in again]


def test_golden_records_hold_what_is_missing(run: Made) -> None:
    missing = {name for record in run.golden.records for name, value in record.features.items() if value is None}
    assert missing <= {"bill_length", "sex"}
    slices = [one["slice"] for one in run.evaluation.get("slices", ())]
    if "bill_length" in [feature.name for feature in run.dataset.inputs if feature.nullable]:
        assert "bill_length" in missing
        assert "bill_length is missing" in slices


def test_what_the_tour_works_out_of_the_artifact_is_what_the_api_answers(
    run: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [
        {name: math.nan if value is None else value for name, value in record.features.items()}
        for record in run.golden.records
    ]
    told = [answer["predictions"][0] for answer in answers(monkeypatch, run, run.archive)]
    assert artifact_predictions(run.archive, run.release.features, rows) == pytest.approx(told)


def test_another_model_does_not_answer_golden_records(
    run: Made, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    case = next(case for case in CASES.values() if case.settings().dataset == run.dataset)
    other = replace(case, hyperparameters={**case.hyperparameters, "num_round": 1})
    told = answers(monkeypatch, run, trained(tmp_path, other, other.settings()))
    wrong = [check_answer(run.golden, *each, run.release.id) for each in zip(run.golden.records, told, strict=True)]
    assert all(wrong)


def test_no_constant_answer_passes_golden_records(run: Made) -> None:
    for record in run.golden.records:
        told = [{"predictions": [record.prediction], "probabilities": [list(record.probabilities)]}] * len(
            run.golden.records
        )
        wrong = [
            check_answer(run.golden, each, {"release": "r", **answer}, "r")
            for each, answer in zip(run.golden.records, told, strict=True)
        ]
        assert sum(problem is not None for problem in wrong) >= len(run.golden.records) - 1
