"""One column of the rows: where its values come from, and what is made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

from syncsource.errors import StalledError
from syncsource.records import paths
from syncsource.records.columns import SLOWER, Bulk, FieldType, has_nulls, over_present
from syncsource.records.converting import from_json
from syncsource.records.faults import Faults, excerpt
from syncsource.records.normalizing import normalizer
from syncsource.records.types import declared_type, field_type
from syncsource.resource.fields import FieldSpec


@dataclass(frozen=True, slots=True)
class Field:
    """One column: where its values stand, their type, and whether they may be absent."""

    name: str
    type: FieldType
    column: paths.Column
    normalize: Bulk | None
    default: Any
    """The typed value that stands for null; None: null stays."""
    required: bool
    key: bool

    @classmethod
    def of(cls, spec: FieldSpec, keys: frozenset[str]) -> Field:
        """The field that a spec.field declares; its value comes from the record. StalledError where its default has not its type."""
        return cls(
            spec.name,
            declared_type(spec),
            paths.column(spec.path or paths.quoted(spec.name)),
            normalizer(spec.normalize) if spec.normalize else None,
            None if spec.default is None else constant(spec, "default", spec.default),
            spec.required,
            spec.name in keys,
        )

    def values(self, records: Sequence[Any], faults: Faults) -> Sequence[Any]:
        """A typed value for each record; None where it is null, or is at fault."""
        values = self._found(records, faults)
        if self.normalize is not None:
            values = list(self.normalize(values))
        if self.default is None and (self.required or self.key) and has_nulls(values):
            self._refuse_nulls(values, faults)
        try:
            typed = over_present(self.type.bulk, values)
        except SLOWER:
            typed = [self._converted(value, index, faults) for index, value in enumerate(values)]
        return typed if self.default is None else [self.default if value is None else value for value in typed]

    def _found(self, records: Sequence[Any], faults: Faults) -> list[Any]:
        try:
            return self.column(records)
        except paths.ExpressionFailed:
            return [self._found_in(record, index, faults) for index, record in enumerate(records)]

    def _found_in(self, record: Any, index: int, faults: Faults) -> Any:
        try:
            return self.column([record])[0]
        except paths.ExpressionFailed as error:
            faults.add(index, "PathFailed", f"{self.name}: the path can't be applied to the record: {error}", self.name)
            return None

    def _refuse_nulls(self, values: list[Any], faults: Faults) -> None:
        what = "a field of the key" if self.key else "a required field"
        for index, value in enumerate(values):
            if value is None:
                faults.add(index, "MissingKey" if self.key else "MissingValue", f"{self.name}: {what} is missing or null", self.name)

    def _converted(self, value: Any, index: int, faults: Faults) -> Any:
        try:
            return None if value is None else self.type.convert(value)
        except (ValueError, ArithmeticError) as error:
            faults.add(index, "InvalidValue", f"{self.name}: {error}", self.name, excerpt(value))
            return None


@dataclass(frozen=True, slots=True)
class Constant:
    """A column that has one value for all records: a constant, or the partition's."""

    name: str
    value: Any

    @classmethod
    def of(cls, spec: FieldSpec, partition: str) -> Constant:
        """StalledError where the value has not the field's type."""
        if spec.value is not None:
            return cls(spec.name, constant(spec, "value", spec.value))
        return cls(spec.name, constant(spec, "partition", partition) if partition else None)

    def values(self, records: Sequence[Any], faults: Faults) -> list[Any]:
        """The value, once for each record."""
        return list(repeat(self.value, len(records)))


def constant(spec: FieldSpec, part: str, value: str | int) -> Any:
    """A value that the spec itself holds, typed: written as JSON and ISO 8601 have it, whatever the source does."""
    try:
        return field_type(spec.type, spec.time_zone).convert(from_json(str(value)) if spec.type == "json" else str(value))
    except ValueError as error:
        raise StalledError(f"spec.fields[{spec.name}].{part}: {error}") from None
