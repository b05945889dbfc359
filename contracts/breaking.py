"""What breaks a column's declaration or a rule: as SQL, in the order in which it is looked at, and in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from contracts.cells import integer_pattern, like, number_pattern, stands_for_nothing
from contracts.columns import BOOLEAN, CATEGORY, INTEGER, NOW, NUMBER, TEXT, TIMESTAMP, Column
from contracts.dataset import Dataset, Rule
from contracts.format import Dialect
from contracts.literal import literal
from contracts.timestamps import PLAIN

WIDTH, QUOTES, CHARACTERS = "row.width", "row.quotes", "row.characters"


def problem(columns: Sequence[Column], rules: Sequence[Rule], dialect: Dialect, now: datetime) -> str:
    """The first rule that a row breaks; NULL where it keeps all."""
    whens = [when for column in columns for when in _breaks(column, dialect, now)]
    whens += broken_rules(rules)
    return f"CASE WHEN __torn IS NOT NULL THEN __torn {' '.join(whens)} END"


def broken_rules(rules: Sequence[Rule]) -> list[str]:
    """As a CHECK of a table: what is unknown breaks nothing."""
    return [f"WHEN NOT ({rule.sql}) THEN '{rule_id(rule)}'" for rule in rules]


def rule_id(rule: Rule) -> str:
    """Under what a rule's rows are counted."""
    return f"rule.{rule.name}"


def _breaks(column: Column, dialect: Dialect, now: datetime) -> Iterator[str]:
    """What breaks a column's declaration, in the order in which it is looked at."""
    yield from unread(column, dialect)
    yield from outside(column, now)


def unread(column: Column, dialect: Dialect) -> Iterator[str]:
    """What keeps a text from being a value of the column."""
    name, text = column.name, f"__t_{column.name}"
    null = stands_for_nothing(column, text, dialect)
    if not column.nullable:
        yield f"WHEN {name} IS NULL AND {null} THEN '{name}.null'"
    if column.kind not in (TEXT, CATEGORY):
        for rule, pattern, _ in misspelt(column, dialect):
            told = f"{like(text, pattern)} AND NOT {null}" if dialect.nulls else like(text, pattern)
            yield f"WHEN {name} IS NULL AND {told} THEN '{name}.{rule}'"
        yield f"WHEN {name} IS NULL AND NOT {null} THEN '{name}.type'"


def outside(column: Column, now: datetime) -> Iterator[str]:
    """What is declared of a column's values beside their type."""
    name = column.name
    for member, sign, bound in (("min", "<", column.minimum), ("max", ">", column.maximum)):
        if bound is not None:
            yield f"WHEN {name} {sign} {_bound(bound, now)} THEN '{name}.{member}'"
    if column.allowed:
        known = ", ".join(column.allowed) if column.kind == INTEGER else ", ".join(map(literal, column.allowed))
        yield f"WHEN {name} NOT IN ({known}) THEN '{name}.allowed'"
    if column.pattern:
        yield f"WHEN NOT {like(name, column.pattern)} THEN '{name}.pattern'"


def _bound(bound: float | str, now: datetime) -> str:
    if not isinstance(bound, str):
        return f"CAST('{bound!r}' AS DOUBLE)"
    text = f"{now:%Y-%m-%d %H:%M:%S}" if bound == NOW else bound
    return f"CAST('{text}' AS TIMESTAMP)"


def misspelt(column: Column, dialect: Dialect) -> Iterator[tuple[str, str, str]]:
    """Of cells of no such type, those about which more can be said: rule, pattern and what to do."""
    if column.kind in (NUMBER, INTEGER):
        separated = "[ ]*[+-]?[0-9]{1,3}(?:[,.' \u00a0\u202f][0-9]{3})+(?:[.,][0-9]*)?[ ]*"
        yield "separators", separated, "has separators within: write it like 1012.40, or declare format.thousands"
        yield (
            "decimal",
            "[ ]*[+-]?[0-9]*[,.][0-9]+[ ]*",
            "has another decimal sign: write it like 1012.40, or declare format.decimal",
        )
        yield (
            "large",
            integer_pattern(dialect) if column.kind == INTEGER else number_pattern(dialect),
            "is larger than 64 bits hold"
            if column.kind == INTEGER
            else "is larger than a model can compute with (3.4e+38)",
        )
    if column.kind == TIMESTAMP and (column.layout or column.zone != "UTC"):
        shown = column.layout.pattern if column.layout else PLAIN
        yield "skipped", shown, f"is a day or time that does not exist in {column.zone}"


def words(dataset: Dataset, dialect: Dialect) -> Iterator[tuple[str, str]]:
    """Rule → what is said of a row that breaks it."""
    yield WIDTH, f"does not have {dialect.width} values, as the header says"
    yield (
        QUOTES,
        "has a quote that does not enclose a whole cell, or is never closed (declare format.lineBreaks if it goes on)",
    )
    yield CHARACTERS, "is not UTF-8 text, or has a control character: save the file as UTF-8"
    for column in dataset.columns.values():
        name = column.header
        yield f"{column.name}.null", f"{name} is empty (declare nullable: true if it may be)"
        for rule, _, words in misspelt(column, dialect):
            yield f"{column.name}.{rule}", f"{name} {words}"
        yield f"{column.name}.type", f"{name} is not {_like_what(column, dialect)}"
        yield from outside_words(column)
    yield from rule_words(dataset)


def outside_words(column: Column) -> Iterator[tuple[str, str]]:
    """Of what `outside` and `repeated` look at."""
    name = column.header
    yield f"{column.name}.min", f"{name} is below {column.minimum}"
    yield f"{column.name}.max", f"{name} is above {column.maximum}"
    yield f"{column.name}.allowed", f"{name} is none of {', '.join(column.allowed)[:80]}"
    yield f"{column.name}.pattern", f"{name} does not match {column.pattern}"
    yield f"{column.name}.unique", f"{name} was in a row before"


def rule_words(dataset: Dataset) -> Iterator[tuple[str, str]]:
    """Of the rules over rows."""
    for each in dataset.rules:
        yield rule_id(each), f"breaks the rule {each.name} ({each.sql[:80]})"


def _like_what(column: Column, dialect: Dialect) -> str:
    if column.kind == TIMESTAMP:
        shape = column.layout.text if column.layout else "2019-03-23 20:21:09 or 2019-03-23T20:21:09+02:00"
        return f"a time like {shape}"
    if column.kind == BOOLEAN:
        return "true or false"
    return "a whole number like 12" if column.kind == INTEGER else f"a number like 1012{dialect.decimal}40"
