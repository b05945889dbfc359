"""The dataset's schema, as config gives it: what the raw file must hold, and what the model learns from it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import Any

from contracts.columns import TYPES as TYPES
from contracts.columns import Column, parse_columns
from contracts.features import Feature, columns_of, parse_feature
from contracts.fields import FieldError, Fields, name, number, parse_json, unique
from contracts.format import Format, parse_format
from contracts.retraining import OWN_REASONS, REASONS
from contracts.tasks import BINARY, LOWER_IS_BETTER, METRICS, REGRESSION, TASKS, class_name, wrong_classes

MODES = ("edges", "quantiles")
ACCEPT, REFUSE = UNDECIDED = ("accept", "refuse")
"""What may follow where rows do not tell whether a model is better or worse than the champion."""
MOST_BAD = 0.01
"""Share of rows that may break a rule, unless config says otherwise: one in a hundred."""
_NOT_IN_A_RULE = re.compile(
    r"""["`\\;$^~]|--|/\*|//|::|\b(?:SELECT|FROM|TABLE|VALUES|EXISTS|OVER|WITH|RAISE_ERROR|ERROR|RANDOM|RAND|UUID)\b"""
    r"|\b(?:DAYOFWEEK|WEEKDAY|DOW|LOG)\b|\bAS\s+(?:INT|INTEGER|BIGINT|SMALLINT|TINYINT)\b",
    re.IGNORECASE,
)
"""What is more than a condition, and what Spark 3.5 and DuckDB 2.0 answer differently: days of a week, logarithms of
base e and 10, rounding in casts to whole numbers, `^` (xor and power)."""
SLICE_ROWS = 100
"""Fewest rows of a slice that is judged, unless config says otherwise: about what the normal form of an interval of a
bootstrap needs (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13)."""


@dataclass(frozen=True)
class Slice:
    """A feature whose ranges are evaluated apart: cut at `edges`, or in `quantiles` parts of equal size."""

    feature: str
    edges: tuple[float, ...] = ()
    quantiles: int = 0


@dataclass(frozen=True)
class Also:
    """A further metric that a model must satisfy: better than `threshold`, or proven to lose less than `non_inferior`
    against the champion, in the metric's unit; or both. None: not asked."""

    name: str
    threshold: float | None = None
    non_inferior: float | None = None

    @property
    def lower_is_better(self) -> bool:
        """Whether a smaller value is the better one."""
        return LOWER_IS_BETTER[self.name]


@dataclass(frozen=True)
class Metric:
    """What the gate looks at. A value exactly at the threshold does not pass.

    `margin` is the largest loss against the champion that is let through although it is proven, in the metric's unit;
    `slice_loss` is the same for a slice of at least `slice_rows` rows. `undecided` says for each reason to train what
    follows where the rows tell neither better nor worse. `also` are further metrics, all of which must be satisfied.
    """

    name: str
    threshold: float
    margin: float = 0.0
    slice_rows: int = SLICE_ROWS
    slice_loss: float = 0.0
    undecided: Mapping[str, str] = field(default_factory=lambda: undecided({}))
    also: tuple[Also, ...] = ()

    @property
    def lower_is_better(self) -> bool:
        """Whether a smaller value is the better one."""
        return LOWER_IS_BETTER[self.name]


@dataclass(frozen=True)
class Rule:
    """What each row must keep: `sql` is a predicate over the columns, in Spark's SQL and DuckDB's alike."""

    name: str
    sql: str


@dataclass(frozen=True)
class Dataset:
    """`columns`: SQL's name → raw column; `inputs`: what features.sql computes and callers send.

    `features` are the columns of the model's matrix, in its order: those of each input.

    Rows that break a column's declaration or one of `rules` are set aside; a larger share than `max_bad_share` stops a
    run. `classes` are the names of the target's values 0, 1, …: of several always, of two where answers are to have
    them.
    """

    columns: dict[str, Column]
    target: str
    inputs: tuple[Feature, ...]
    slices: tuple[Slice, ...]
    metric: Metric
    format: Format = field(default_factory=Format)
    rules: tuple[Rule, ...] = ()
    max_bad_share: float = MOST_BAD
    leakage: str = REFUSE
    task: str = REGRESSION
    classes: tuple[str, ...] = ()

    @property
    def features(self) -> tuple[str, ...]:
        """The columns of the model's matrix."""
        return columns_of(self.inputs)

    @property
    def class_count(self) -> int:
        """How many classes there are; 0 of a regression."""
        return {REGRESSION: 0, BINARY: 2}.get(self.task, len(self.classes))


def undecided(given: Mapping[str, str]) -> dict[str, str]:
    """What follows for each reason to train: a retraining that no person asked for must have helped."""
    return {reason: given.get(reason, REFUSE if reason in OWN_REASONS else ACCEPT) for reason in REASONS}


def parse_dataset(source: str | dict[str, Any]) -> Dataset:
    """Read a schema from its JSON text or object; a FieldError names place and reason."""
    document = parse_json(source, "dataset") if isinstance(source, str) else source
    dataset, slices = _read(document)
    dataset = replace(dataset, slices=tuple(_slice(part, path) for path, part in slices))
    for error in _disagreements(dataset, {path: part for (path, _), part in zip(slices, dataset.slices, strict=True)}):
        raise error
    return dataset


def review(document: dict[str, Any]) -> tuple[Dataset | None, list[FieldError]]:
    """The schema, or everything that is wrong with it, where its members by themselves are as they should be."""
    try:
        dataset, given = _read(document)
    except FieldError as error:
        return None, [error]
    errors: list[FieldError] = []
    slices: dict[str, Slice] = {}
    for path, part in given:
        try:
            slices[path] = _slice(part, path)
        except FieldError as error:
            errors.append(error)
    errors += _disagreements(dataset, slices)
    return (None if errors else replace(dataset, slices=tuple(slices.values()))), errors


def _read(document: object) -> tuple[Dataset, tuple[tuple[str, object], ...]]:
    """A schema without its slices, and these as they are given, with their paths."""
    fields = Fields(document, "dataset")
    task = fields.text("task", "|".join(TASKS), f"one of {', '.join(TASKS)}") if fields.has("task") else REGRESSION
    dataset = Dataset(
        columns=parse_columns(fields.raw("columns"), "dataset.columns"),
        target=name(fields.raw("target"), "dataset.target"),
        inputs=_inputs(fields),
        slices=(),
        metric=_metric(fields.raw("metric"), task),
        format=parse_format(fields.raw("format"), "dataset.format") if fields.has("format") else Format(),
        rules=fields.items("rules", _rule) if fields.has("rules") else (),
        max_bad_share=_share(fields) if fields.has("maxBadShare") else MOST_BAD,
        leakage=fields.text("leakage", "|".join(UNDECIDED), " or ".join(UNDECIDED))
        if fields.has("leakage")
        else REFUSE,
        task=task,
        classes=fields.items("classes", class_name) if fields.has("classes") else (),
    )
    slices = fields.items("slices", lambda part, path: (path, part)) if fields.has("slices") else ()
    fields.done()
    return dataset, slices


def _disagreements(dataset: Dataset, slices: Mapping[str, Slice]) -> Iterator[FieldError]:
    """What members say that others contradict."""
    if dataset.target not in dataset.columns:
        yield FieldError("dataset.target", f"{dataset.target!r} is not among the columns {', '.join(dataset.columns)}")
    if dataset.target.lower() in [name.lower() for name in (*dataset.features, *(it.name for it in dataset.inputs))]:
        yield FieldError("dataset.features", f"contain the target {dataset.target!r}")
    if len(dataset.inputs) == 1 and dataset.inputs[0].nullable:
        reason = "are one, which may be NULL: a request in CSV would be an empty line, which is no row to anybody"
        yield FieldError("dataset.features", reason)
    yield from _names_taken(dataset)
    if reason := wrong_classes(dataset.task, dataset.classes):
        yield FieldError("dataset.classes", reason)
    for path, part in slices.items():
        if part.feature not in dataset.features:
            yield FieldError(f"{path}.feature", f"{part.feature!r} is not among the features")


def _names_taken(dataset: Dataset) -> Iterator[FieldError]:
    """Names that the job has itself, or that stand for two things."""
    for column in dataset.columns.values():
        if column.name.lower() == "draw":
            yield FieldError(
                "dataset.columns", f"may not name {column.name!r}: features.sql finds each row's lot under it"
            )
        if column.name.startswith("__"):
            yield FieldError(
                "dataset.columns", f"may not name {column.name!r}: names that begin with __ are the job's own"
            )
    # Engines do not tell capitals apart. A category has the name of its own and those of its columns.
    names = [name for feature in dataset.inputs for name in dict.fromkeys((feature.name, *feature.columns))]
    made = [name.lower() for name in (dataset.target, *names)]
    for given, low in zip((dataset.target, *names), made, strict=True):
        if low in ("split", "draw"):
            reason = f"may not be called {given!r}: features.sql has a row's part and lot under that name"
            yield FieldError("dataset.features", reason)
    twice = sorted({low for low in made if made.count(low) > 1} - {dataset.target} - {"split", "draw"})
    if twice:
        yield FieldError("dataset.features", f"name {', '.join(twice)} twice, since SQL does not tell capitals apart")
    names = [rule.name for rule in dataset.rules]
    if len(set(names)) < len(names):
        yield FieldError("dataset.rules", "have one name twice")


def _rule(value: object, path: str) -> Rule:
    fields = Fields(value, path)
    rule = Rule(name(fields.raw("name"), f"{path}.name"), fields.text("sql", r"(?s).*\S.*", "a condition").strip())
    fields.done()
    bare = re.sub("'[^']*'", "''", rule.sql)
    bare = re.sub(r"\bEXTRACT\s*\(\s*(?!DOW\b)\w+\s+FROM\b", "EXTRACT(", bare, flags=re.IGNORECASE)
    odd = _NOT_IN_A_RULE.search(bare) or re.search(r"[\\$]", rule.sql)
    if odd:
        reason = "write one condition over the row's own columns, of what Spark and DuckDB read alike"
        raise FieldError(f"{path}.sql", f"has {odd[0]!r}: {reason}")
    depths = list(accumulate({"(": 1, ")": -1}.get(sign, 0) for sign in bare))
    if bare.count("'") % 2 or min(depths) < 0 or depths[-1]:
        raise FieldError(f"{path}.sql", f"{rule.sql!r} leaves a quote or a bracket open")
    return rule


def _inputs(fields: Fields) -> tuple[Feature, ...]:
    found = fields.items("features", parse_feature)
    unique(tuple(feature.name for feature in found), "dataset.features")
    return found


def _share(fields: Fields) -> float:
    value = fields.number("maxBadShare")
    if not 0 <= value < 1:
        raise FieldError(fields.at("maxBadShare"), f"must be a share from 0 to less than 1, not {value:g}")
    return value


def _slice(value: object, path: str) -> Slice:
    fields = Fields(value, path)
    feature = name(fields.raw("feature"), f"{path}.feature")
    given = [mode for mode in MODES if fields.has(mode)]
    if len(given) != 1:
        raise FieldError(path, "needs either edges (a list of numbers) or quantiles (2 to 10)")
    edges = fields.items("edges", number) if given == ["edges"] else ()
    quantiles = fields.count("quantiles", least=2) if given == ["quantiles"] else 0
    fields.done()
    if given == ["edges"] and (not edges or list(edges) != sorted(set(edges))):
        raise FieldError(f"{path}.edges", f"must be increasing numbers, at least one, not {list(edges)}")
    if quantiles > 10:
        raise FieldError(f"{path}.quantiles", f"must be at most 10, not {quantiles}")
    return Slice(feature, edges, quantiles)


def _metric(value: object, task: str) -> Metric:
    fields = Fields(value, "dataset.metric")
    known = METRICS[task]
    margin = _loss(fields, "margin", 0.0)
    metric = Metric(
        name=fields.text("name", "|".join(known), f"one of {', '.join(known)} for task {task}"),
        threshold=fields.number("threshold"),
        margin=margin,
        slice_rows=fields.count("sliceRows", least=2) if fields.has("sliceRows") else SLICE_ROWS,
        slice_loss=_loss(fields, "sliceLoss", margin),
        undecided=_undecided(fields.raw("undecided") if fields.has("undecided") else {}),
        also=fields.items("also", lambda item, path: _also(item, path, task)) if fields.has("also") else (),
    )
    fields.done()
    names = [metric.name, *(each.name for each in metric.also)]
    if len(set(names)) < len(names):
        raise FieldError("dataset.metric.also", f"must name each metric once, and not {metric.name}, which is judged")
    return metric


def _also(value: object, path: str, task: str) -> Also:
    fields = Fields(value, path)
    known = METRICS[task]
    found = Also(
        name=fields.text("name", "|".join(known), f"one of {', '.join(known)} for task {task}"),
        threshold=fields.number("threshold") if fields.has("threshold") else None,
        non_inferior=_loss(fields, "nonInferior", 0.0) if fields.has("nonInferior") else None,
    )
    fields.done()
    if found.threshold is None and found.non_inferior is None:
        raise FieldError(path, "needs a threshold, or nonInferior (the loss that must be ruled out), or both")
    return found


def _loss(fields: Fields, name: str, default: float) -> float:
    if not fields.has(name):
        return default
    value = fields.number(name)
    if value < 0:
        raise FieldError(fields.at(name), f"must be 0 or more, not {value:g}")
    return value


def _undecided(value: object) -> dict[str, str]:
    path = "dataset.metric.undecided"
    fields = Fields(value, path)
    given = {
        reason: fields.text(reason, "|".join(UNDECIDED), f"one of {', '.join(UNDECIDED)}")
        for reason in REASONS
        if fields.has(reason)
    }
    fields.done()
    return undecided(given)
