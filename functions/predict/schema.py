"""What one release is asked with, and how a caller's row becomes a line of CSV for the model."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from contracts.features import Input, names_of


class ValueRefusedError(Exception):
    """A value that no request may hold; the message ends the sentence that begins with its place."""


class Schema:
    """The columns of the model's matrix, and the features that are more than a number that is always there.

    A category may be sent by its name, or as the columns that stand for it: so golden records and captured requests
    are sent again.
    """

    def __init__(self, columns: Sequence[str], inputs: Sequence[Input] = ()) -> None:
        self.columns, self.inputs = list(columns), tuple(inputs)
        self.expected = frozenset(columns)
        self._categories = [each for each in inputs if each.codes]

    @cached_property
    def names(self) -> list[str]:
        """What callers send, in order."""
        return names_of(self.columns, self.inputs)

    @cached_property
    def nullable(self) -> frozenset[str]:
        """Columns that may be missing. Of a category in several columns all of them are 0 instead."""
        return frozenset(each.name for each in self.inputs if each.nullable and each.width == 1)

    def members(self, instance: dict[str, Any], refuse: Callable[[str, str], Exception]) -> dict[str, Any]:
        """One instance with columns in place of categories. `refuse` makes the error of a feature and a reason."""
        for each in self._categories:
            columns = self.columns[each.place : each.place + each.width]
            if each.name not in instance:
                self._check(each, [instance.get(column) for column in columns], refuse)
                continue
            if each.width > 1 and not instance.keys().isdisjoint(columns):
                continue
            try:
                values = self._encoded(each, instance[each.name])
            except ValueRefusedError as error:
                raise refuse(each.name, str(error)) from None
            others = {name: value for name, value in instance.items() if name != each.name}
            instance = others | dict(zip(columns, values, strict=True))
        return instance

    def cells(self, cells: list[str], refuse: Callable[[str, str], Exception]) -> list[str]:
        """The cells of a line with columns in place of categories, where the line has as many as `names`."""
        if not self._categories or len(cells) != len(self.names):
            for one in self._categories if len(cells) == len(self.columns) else ():
                self._check(one, [_number(cell) for cell in cells[one.place : one.place + one.width]], refuse)
            return cells
        by_name = {each.name: each for each in self._categories}
        found: list[str] = []
        for name, cell in zip(self.names, cells, strict=True):
            each = by_name.get(name)
            if each is None:
                found.append(cell)
                continue
            try:
                values = self._encoded(each, cell if cell in each.codes else _number(cell))
            except ValueRefusedError as error:
                raise refuse(name, str(error)) from None
            found += ["" if value is None else str(value) for value in values]
        return found

    def _check(self, each: Input, values: list[object], refuse: Callable[[str, str], Exception]) -> None:
        """Refuse columns that stand for no category: what no caller could send by name, the model has never seen.

        What is no number is left to whoever reads numbers.
        """
        if any(type(value) not in (int, float) and value is not None for value in values):
            return
        if each.width == 1:
            right = values[0] in range(len(each.codes)) or (values[0] is None and each.nullable)
        else:
            fewest = 0 if each.nullable else 1
            right = all(value in (0, 1) for value in values) and fewest <= sum(values) <= 1  # type: ignore[arg-type]
        if not right and None not in values[: 2 * (each.width > 1)]:
            columns = ", ".join(self.columns[each.place : each.place + each.width])
            known = f"a place of {', '.join(each.codes)}" if each.width == 1 else "0 and one 1"
            raise refuse(columns, f"must be {known}, not {', '.join(map(shown, values))}")

    def _encoded(self, each: Input, value: object) -> list[Any]:
        code = each.codes.get(value) if isinstance(value, str) else None
        if code is not None:
            return [code] if each.width == 1 else [int(place == code) for place in range(each.width)]
        if value is None and each.nullable:
            return [None] if each.width == 1 else [0] * each.width
        # The place itself, as golden records and captured requests have it.
        if each.width == 1 and type(value) in (int, float) and value in range(len(each.codes)):
            return [value]
        null = ", or null" if each.nullable else ""
        raise ValueRefusedError(f"must be one of {', '.join(each.codes)}{null}, not {shown(value)}")


def _number(cell: str) -> object:
    """What a cell that is no category may mean: a place, nothing, or the text itself."""
    if not cell:
        return None
    if "_" in cell or not cell.isascii():
        return cell
    try:
        return float(cell)
    except ValueError:
        return cell


def shown(value: object) -> str:
    """A value for a message, cut."""
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."
