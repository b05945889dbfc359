"""Faults before there is a release: bad data, jobs that fail, models that are not good enough.

Each goes through the real workflow; the first and the last through the whole pipeline, from the upload on.
"""

import json
from collections.abc import Callable
from typing import Any

import numpy

from contracts.dataset import Dataset, parse_dataset
from contracts.errors import UserError
from functions.jobs.evaluate.evaluate import METRICS
from operate.runs import newest_run, run_ids
from scenarios.faults import delivery, shaping
from scenarios.faults.fault import Expected, Fault
from scenarios.faults.outcome import NONE, Outcome
from scenarios.faults.world import TRICKLE, World
from scenarios.tour.dataset import DATA_KEY, to_csv
from scenarios.tour.evidence import artifact_predictions, labelled_rows, read_object

STAGE = "Train"
_UNREADABLE = {"code": "InternalError", "message": "We encountered an internal error. Please try again.", "status": 500}


def wrong_schema(world: World) -> Outcome:
    """New data lacks the target; it is uploaded as ever, and starts its run by itself."""
    header, rows = delivery.rows_of(world)
    text = to_csv(shaping.renamed(header, dataset(world).target), rows)
    with world.traffic(TRICKLE) as traffic:
        run = _started(world, lambda: _upload(world, text))
        stage, error = delivery.end_of(world, run)
    return world.outcome(stage, error, traffic)


def dataset(world: World) -> Dataset:
    """The dataset's schema, as the project's config declares it."""
    return parse_dataset(dict(world.project.config["glidepath:dataset"]))


def training_fails(world: World) -> Outcome:
    """The training job cannot read its input."""
    return _unreadable(world, "features/train/")


def baseline_fails(world: World) -> Outcome:
    """The job that makes the baseline cannot read its input."""
    return _unreadable(world, "features/baseline/")


def _unreadable(world: World, place: str) -> Outcome:
    version = str(world.old.manifest["data"]["version"])
    with world.traffic(TRICKLE) as traffic, world.seam("s3", "GetObject", {"Key": place}, _UNREADABLE):
        error = world.candidates.execute(version).error
    return world.outcome(STAGE if error else NONE, error, traffic)


def below_gate(world: World) -> Outcome:
    """Targets that have nothing to do with their rows: no model of them is any good."""
    return _with_targets(world, shaping.unrelated)


def champion_better(world: World) -> Outcome:
    """A change of features.sql misleads training: the model is good enough, and clearly worse than the champion."""
    declared = dataset(world)
    shift = _shift(world)
    version = str(world.old.manifest["data"]["version"])

    def change(sql: str) -> str:
        return shaping.misled(sql, [declared.target, *declared.features], shift)

    with world.traffic(TRICKLE) as traffic:
        error = world.candidates.execute(version, sql=change).error
    return world.outcome(STAGE if error else NONE, error, traffic)


def _shift(world: World) -> float:
    """By how much the targets are moved for that."""
    labelled = labelled_rows(world.clients, world.old.manifest, "test")
    artifact = read_object(world.clients.of("delivery", "s3"), world.old.manifest["model"]["artifact"])
    predictions = artifact_predictions(artifact, world.old.features, [row for _, row in labelled])
    metrics = world.old.manifest["metrics"]
    return shaping.shift_between(
        numpy.array([label for label, _ in labelled]),
        numpy.array(predictions),
        METRICS[metrics["name"]],
        metrics["value"],
        metrics["threshold"],
    )


def _with_targets(world: World, change: Callable[[shaping.Rows, int], shaping.Rows]) -> Outcome:
    header, rows = delivery.rows_of(world)
    changed = change(rows, header.index(dataset(world).target))
    with world.traffic(TRICKLE) as traffic, delivery.data(world, header, changed) as version:
        error = world.candidates.execute(version).error
    return world.outcome(STAGE if error else NONE, error, traffic)


def same_data_twice(world: World) -> Outcome:
    """The same bytes are trained on again: model, golden records and metrics must be those of the champion."""
    with world.traffic(TRICKLE) as traffic:
        ended = world.candidates.execute(str(world.new.manifest["data"]["version"]))
        difference = ended.error or _difference(world, world.candidates.of_run(ended.run).manifest)
    return world.outcome(STAGE if difference else NONE, difference, traffic)


def _difference(world: World, manifest: dict[str, Any]) -> str:
    known = world.new.manifest
    if manifest["model"]["sha256"] != known["model"]["sha256"]:
        return "the same data gave another model"
    if manifest["metrics"] != known["metrics"]:
        return f"the same model has the metrics {manifest['metrics']}, and not {known['metrics']}"
    s3 = world.clients.of("delivery", "s3")
    golden = [json.loads(read_object(s3, found["golden"])) for found in (manifest, known)]
    return "" if golden[0] == golden[1] else "the same model has other golden records"


def event_twice(world: World) -> Outcome:
    """The same object version is announced twice: one run. It ends at the gate of its data, so that it costs little."""
    header, rows = delivery.rows_of(world)
    name = f"{world.project.names.name}-trigger"
    without = shaping.renamed(header, dataset(world).target)
    with world.traffic(TRICKLE) as traffic, delivery.data(world, without, rows) as version:
        detail = {
            "bucket": {"name": world.project.names.data_bucket},
            "object": {"key": DATA_KEY, "version-id": version},
        }
        event = json.dumps({"detail": detail}).encode()
        functions = world.clients.of("delivery", "lambda")
        answers = [json.load(functions.invoke(FunctionName=name, Payload=event)["Payload"]) for _ in range(2)]
        runs = {answer["execution"] for answer in answers}
        stage, error = delivery.end_of(world, runs.pop())
    if runs:
        raise UserError(f"one object version started {len(runs) + 1} runs")
    return world.outcome(stage, error, traffic)


def two_runs_at_once(world: World) -> Outcome:
    """Two uploads at the same moment: each run judges its own data, and none waits for ever."""
    header, rows = delivery.rows_of(world)
    declared = dataset(world)
    other = next((column for column in declared.columns if column != declared.target), declared.target)
    texts = [to_csv(shaping.renamed(header, column), rows) for column in (other, declared.target)]
    client = world.clients.of("delivery", "codepipeline")
    with world.traffic(TRICKLE) as traffic:
        known = run_ids(client, world.project.names.name)
        for text in texts:
            _upload(world, text)
        runs = []
        for _ in texts:
            runs.append(newest_run(client, world.project.names.name, known))
            known.add(runs[-1])
        ended = {delivery.end_of(world, run) for run in runs}
    stages = sorted({stage for stage, _ in ended})
    return world.outcome(", ".join(stages), " / ".join(sorted(error for _, error in ended)), traffic)


def _started(world: World, begin: Callable[[], None]) -> str:
    client = world.clients.of("delivery", "codepipeline")
    known = run_ids(client, world.project.names.name)
    begin()
    return newest_run(client, world.project.names.name, known)


def _upload(world: World, text: str) -> None:
    s3 = world.clients.of("delivery", "s3")
    s3.put_object(Bucket=world.project.names.data_bucket, Key=DATA_KEY, Body=text.encode())


FAULTS: tuple[Fault, ...] = (
    Fault(
        "wrong-schema",
        "New data lacks a column",
        wrong_schema,
        Expected("Train", r"DataError: s3://\S+/datasets/\S+ lacks the column (\S+) \(\1 is the target\)"),
    ),
    Fault(
        "training-fails",
        "The training job fails",
        training_fails,
        Expected("Train", r"^JobFailed: ClientError: .*features/train"),
    ),
    Fault(
        "baseline-fails",
        "The baseline job fails",
        baseline_fails,
        Expected("Train", r"^JobFailed: ClientError: .*features/baseline"),
    ),
    Fault(
        "below-gate",
        "The evaluation is below the gate",
        below_gate,
        Expected("Train", r"GateRejected: Failed: \w+ .+ on \d+ held-out rows must be (below|above) \S+; "),
    ),
    Fault(
        "champion-better",
        "The champion is better",
        champion_better,
        Expected("Train", r"GateRejected: Failed: \w+ .+ is (below|above) \S+; clearly worse than the champion \("),
    ),
    Fault("same-data-twice", "The same data is trained on twice", same_data_twice, Expected(NONE, r"^$")),
    Fault(
        "event-twice",
        "The same upload is announced twice",
        event_twice,
        Expected("Train", r"DataError: .+ lacks the column"),
    ),
    Fault(
        "two-runs-at-once",
        "Two uploads at once",
        two_runs_at_once,
        Expected("Train", r"^(?=.*lacks the column \S+\. )(?=.*lacks the column (\S+) \(\1 is the target\)).+ / "),
    ),
)
