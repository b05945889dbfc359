"""The dataset as config declares it: columns, rules, features, metric."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from contracts.columns import TYPES
from contracts.dataset import ACCEPT, MOST_BAD, REFUSE, SLICE_ROWS, UNDECIDED
from contracts.features import ENCODINGS, FEWEST, MOST_CATEGORIES, ONE_HOT
from contracts.format import DECIMALS, DECLARED, THOUSANDS
from contracts.tasks import CLASS_NAME, METRICS, NAMES, TASKS
from settings.keys import Key, Section, WordOr
from settings.kinds import Choice, Flag, ListOf, Number, Scalar, TableOf, Text, Whole

_COLUMN = Text("a name of letters, digits and underscores", r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_HEADER = Text("a column's name as the file has it", r"[^\x00-\x1f\x7f]{1,200}")
_CLASS = Text("a name of 1 to 40 letters, digits, spaces and _.+-, in quotes", CLASS_NAME)
_METRICS = "; ".join(f"{task} has {', '.join(METRICS[task])}" for task in TASKS)


@dataclass(frozen=True)
class SliceDocument:
    """A feature whose ranges are evaluated apart: cut at `edges`, or in `quantiles` parts of equal size."""

    feature: Annotated[str, Key(_COLUMN, "the feature")]
    edges: Annotated[
        tuple[float, ...], Key(ListOf(Number(strict=True), "increasing numbers", 1), "where it is cut", ())
    ]
    quantiles: Annotated[int, Key(Whole(2, 10, strict=True), "in how many parts", None, instead="none")]


@dataclass(frozen=True)
class UndecidedDocument:
    """What follows by reason to train: a retraining that no person asked for must be better than the champion."""

    commit: Annotated[str, Key(Choice(UNDECIDED), "after a commit", ACCEPT)]
    data: Annotated[str, Key(Choice(UNDECIDED), "after an upload", ACCEPT)]
    manual: Annotated[str, Key(Choice(UNDECIDED), "after a person started it", ACCEPT)]
    drift: Annotated[str, Key(Choice(UNDECIDED), "after drift", REFUSE)]
    schedule: Annotated[str, Key(Choice(UNDECIDED), "by the calendar", REFUSE)]


@dataclass(frozen=True)
class AlsoDocument:
    """A further metric that a model must satisfy, by a threshold, by non-inferiority, or both."""

    name: Annotated[str, Key(Choice(NAMES), "the metric, one of the task's")]
    threshold: Annotated[float, Key(Number(strict=True), "what a model must beat", None, instead="none")]
    non_inferior: Annotated[
        float,
        Key(
            Number(0, 1e12, strict=True),
            "the loss against the champion that the whole 95 % interval must lie below, in the metric's unit",
            None,
            instead="none",
        ),
    ]


@dataclass(frozen=True)
class MetricDocument:
    """What the gate looks at. A value exactly at the threshold does not pass."""

    name: Annotated[str, Key(Choice(NAMES), f"the metric, one of the task's: {_METRICS}")]
    threshold: Annotated[float, Key(Number(strict=True), "what a model must beat")]
    margin: Annotated[
        float,
        Key(
            Number(0, 1e12, strict=True),
            "the largest loss against the champion that is let through although it is proven, in the metric's unit",
            0.0,
        ),
    ]
    slice_rows: Annotated[
        int, Key(Whole(2, 1_000_000_000, strict=True), "fewest rows of a slice that is judged", SLICE_ROWS)
    ]
    slice_loss: Annotated[
        float,
        Key(Number(0, 1e12, strict=True), "the largest such loss in one slice", None, instead="`margin`"),
    ]
    undecided: Annotated[
        UndecidedDocument,
        Key(Section(UndecidedDocument), "what follows where the rows tell neither better nor worse", {}),
    ]
    also: Annotated[
        tuple[AlsoDocument, ...],
        Key(ListOf(Section(AlsoDocument), "objects"), "further metrics, all of which must be satisfied", ()),
    ]


@dataclass(frozen=True)
class ColumnDocument:
    """What the cells of a column must be. A row with any other is set aside, and counted by the rule that it breaks.

    A type alone (`total: number`) says the same as an object that has nothing else.
    """

    type: Annotated[
        str,
        Key(
            Choice(TYPES),
            "`1012.40`, `12`, `2019-03-23 20:21:09` or `2019-03-23T20:21:09+02:00`, `true`; `category` and `text`: any",
        ),
    ]
    as_: Annotated[str, Key(_COLUMN, "what features.sql calls it", None, instead="its name, made fit", name="as")]
    nullable: Annotated[bool, Key(Flag(), "whether a cell may be empty", None, instead="`true` for text")]
    max_null_share: Annotated[
        float, Key(Number(0, 1, strict=True), "in how large a share of rows it may be empty", None, instead="any")
    ]
    min: Annotated[str, Key(Scalar(), "least number or earliest time", None, instead="none")]
    max: Annotated[str, Key(Scalar(), "largest number or latest time, or `now`", None, instead="none")]
    allowed: Annotated[tuple[str, ...], Key(ListOf(Scalar(), "values", 1), "what alone it may be", ())]
    pattern: Annotated[str, Key(Text("a regular expression"), "what a text matches as a whole", "")]
    unique: Annotated[bool, Key(Flag(), "whether a value may stand in one row alone", False)]
    unit: Annotated[str, Key(Text("a text"), "what it is measured in, for people", "")]
    zone: Annotated[str, Key(Text("a time zone like Europe/Berlin"), "of times without an offset", "UTC")]
    format: Annotated[
        str, Key(Text("a format like dd.MM.yyyy HH:mm:ss"), "how times are written", None, instead="as above")
    ]


@dataclass(frozen=True)
class FormatDocument:
    """How the file is written. What is not declared is found in its first million characters."""

    separator: Annotated[str, Key(Choice(tuple(DECLARED)), "what stands between cells", None, instead="found")]
    decimal: Annotated[str, Key(Choice(DECIMALS), "decimal sign of numbers", None, instead="found")]
    thousands: Annotated[str, Key(Choice(THOUSANDS), "what parts thousands within numbers", None, instead="none")]
    line_breaks: Annotated[bool, Key(Flag(), "whether cells in quotes go on over lines", None, instead="found")]
    nulls: Annotated[
        tuple[str, ...],
        Key(ListOf(Text("a text", r".*"), "texts"), "what stands for nothing beside an empty cell, capitals aside",
            None, instead="`NA`, `null`, `nan`, `none` and the like, but not in texts"),
    ]  # fmt: skip


@dataclass(frozen=True)
class RuleDocument:
    """What every row must keep."""

    name: Annotated[str, Key(_COLUMN, "under what rows that break it are counted")]
    sql: Annotated[str, Key(Text("a condition in SQL"), "like `dropoff > pickup`; what is unknown breaks nothing")]


@dataclass(frozen=True)
class FeatureDocument:
    """What the model is asked with. A name alone is a number that is always there."""

    name: Annotated[str, Key(_COLUMN, "what features.sql and callers call it")]
    nullable: Annotated[
        bool, Key(Flag(), "whether features.sql may give NULL for it, and callers null (an empty cell in CSV)", False)
    ]
    categories: Annotated[
        tuple[str, ...],
        Key(
            ListOf(Text("a text"), f"texts, {FEWEST} to {MOST_CATEGORIES}"),
            "what a text may be: features.sql gives the text, callers send it, and the release keeps the mapping",
            (),
        ),
    ]
    encoding: Annotated[
        str,
        Key(
            Choice(ENCODINGS),
            "how a text becomes numbers: a column of 0 and 1 for each category, or one with its place, 0, 1, …",
            None,
            instead=f"`{ONE_HOT}` where there are categories",
        ),
    ]


@dataclass(frozen=True)
class DatasetDocument:
    """The dataset's schema: what the raw file must hold, and what the model learns from it."""

    columns: Annotated[
        Mapping[str, Any],
        Key(
            TableOf(WordOr(ColumnDocument, word=Choice(TYPES)), "columns and their types", _HEADER, 1),
            "raw column, as the file's header has it → its type, or an object",
        ),
    ]
    format: Annotated[Mapping[str, Any], Key(Section(FormatDocument), "how the file is written", {})]
    rules: Annotated[tuple[Any, ...], Key(ListOf(Section(RuleDocument), "objects"), "what every row must keep", ())]
    max_bad_share: Annotated[
        float, Key(Number(0, 0.999, strict=True), "share of rows that may break a rule before a run stops", MOST_BAD)
    ]
    leakage: Annotated[str, Key(Choice(UNDECIDED), "what follows where a feature is all but the target itself", REFUSE)]
    target: Annotated[str, Key(_COLUMN, "the column that is predicted")]
    features: Annotated[
        tuple[str, ...],
        Key(
            ListOf(WordOr(FeatureDocument, word=_COLUMN), "feature names", 1),
            "what features.sql computes for the model: names, or objects",
        ),
    ]
    slices: Annotated[
        tuple[SliceDocument, ...],
        Key(ListOf(Section(SliceDocument), "objects"), "ranges of features that are evaluated apart", ()),
    ]
    metric: Annotated[MetricDocument, Key(Section(MetricDocument), "what the gate looks at")]
    task: Annotated[
        str,
        Key(
            Choice(TASKS),
            "what is predicted: a number, which of two classes, which of several. Of classes features.sql gives the"
            " place, 0, 1, …",
            None,
            instead="what the objective says: `binary` of binary:logistic, `multiclass` of multi:softprob, else"
            " `regression`",
        ),
    ]
    classes: Annotated[
        tuple[str, ...],
        Key(
            ListOf(_CLASS, "names of classes"),
            "names of the target's values 0, 1, …, in this order. multiclass needs them; with those of binary, answers"
            " have `labels` and `probabilities` as well",
            (),
        ),
    ]
