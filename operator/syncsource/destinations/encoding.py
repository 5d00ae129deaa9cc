"""Columns of typed values as the driver takes them, and what is wrong with those that their column can't hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from syncsource.destinations.table import Column
from syncsource.records.columns import Written, has_nulls


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a row can't be staged."""

    reason: str
    message: str
    field: str | None


def encoded(column: Column, values: Sequence[Any], faults: dict[int, Fault]) -> Sequence[Any]:
    """A column's values as the driver takes them. A row's first fault is kept."""
    if isinstance(values, Written):
        if column.codec.written is not None and column.codec.written(values.texts):
            return values
        values = values.values
    present: Sequence[Any] = values
    if has_nulls(values):
        if column.key or column.fixed or not column.found.nullable:
            _refuse_nulls(column, values, faults)
        present = [value for value in values if value is not None]
    codec = column.codec
    if codec.column is not None and present:
        made = iter(codec.column(present))
        return [None if value is None else next(made) for value in values] if len(present) < len(values) else list(made)
    if codec.convert is None or not present or (codec.passes is not None and codec.passes(present)):
        return values
    try:
        return [None if value is None else codec.convert(value) for value in values]
    except (ValueError, ArithmeticError):
        return [_encode(column, value, place, faults) for place, value in enumerate(values)]


def _encode(column: Column, value: Any, place: int, faults: dict[int, Fault]) -> Any:
    assert column.codec.convert is not None
    try:
        return None if value is None else column.codec.convert(value)
    except (ValueError, ArithmeticError) as error:
        faults.setdefault(place, Fault("InvalidValue", f"{column.name}: {error}", column.name))
        return None


def _refuse_nulls(column: Column, values: Sequence[Any], faults: dict[int, Fault]) -> None:
    reason = "MissingKey" if column.key else "MissingValue"
    why = "a field of the key is missing or null" if column.key else f"missing or null, and the column is {column.found.type} NOT NULL"
    for place, value in enumerate(values):
        if value is None:
            faults.setdefault(place, Fault(reason, f"{column.name}: {why}", column.name))
