"""From a page of records to typed rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from syncsource.records import paths
from syncsource.records.batch import Batch, Broken, Rejected
from syncsource.records.cursors import cursor_texts, highest
from syncsource.records.types import NONE, FieldType, Unusual, field_type, to_json
from syncsource.resource.fields import FieldSpec


@dataclass(frozen=True, slots=True)
class Field:
    """One column: where its values stand, their type, and whether they may be absent."""

    name: str
    type: FieldType
    column: paths.Column
    required: bool
    key: bool

    @classmethod
    def of(cls, spec: FieldSpec, keys: frozenset[str]) -> Field:
        """The field that a spec.field declares."""
        return cls(
            spec.name,
            field_type(spec.type, spec.time_zone),
            paths.column(spec.path or _quoted(spec.name)),
            spec.required,
            spec.name in keys,
        )


Fault = tuple[Field | None, str, str]
"""The field at fault, if one is; the reason; the message."""
Faults = dict[int, Fault]
"""Faults by the record's place in the page; a record's first is kept."""


class Shape:
    """The declared shape of records: turns pages into batches. ``keys`` are the names of the key's fields."""

    def __init__(self, fields: Sequence[FieldSpec], keys: Sequence[str], cursor: str | None = None) -> None:
        self._fields = [Field.of(field, frozenset(keys)) for field in fields]
        self._cursor = paths.column(cursor) if cursor else None
        self.zone = _cursor_zone(fields, cursor)

    def batch(self, records: list[Any]) -> Batch:
        """The page as rows and rejected records. A record that is no object is rejected."""
        faults: Faults = {}
        objects = records if set(map(type, records)) <= {dict} else _only_objects(records, faults)
        rows = list(zip(*[self._values(field, objects, faults) for field in self._fields], strict=True))
        cursors = self._cursor(objects) if self._cursor else None
        top = highest(cursors, self.zone) if cursors else None
        texts = cursor_texts(cursors) if cursors is not None else None
        if faults:
            rows = _without(faults, rows)
            texts = None if texts is None else _without(faults, texts)
        return Batch(len(records), rows, [_rejected(records[index], *fault) for index, fault in sorted(faults.items())], top, texts)

    def _values(self, field: Field, records: list[Any], faults: Faults) -> list[Any]:
        values = field.column(records)
        if (field.required or field.key) and NONE in map(type, values):
            for index, value in enumerate(values):
                if value is None:
                    faults.setdefault(index, _absent(field))
        try:
            return field.type.column(values)
        except (Unusual, ValueError, TypeError, ArithmeticError):
            return [_convert(field, value, index, faults) for index, value in enumerate(values)]


def _convert(field: Field, value: Any, index: int, faults: Faults) -> Any:
    try:
        return None if value is None else field.type.convert(value)
    except ValueError as error:
        faults.setdefault(index, (field, "InvalidValue", f"{field.name}: {error}"))
        return None


def _absent(field: Field) -> tuple[Field, str, str]:
    if field.key:
        return field, "MissingKey", f"{field.name}: a field of the key is missing or null"
    return field, "MissingValue", f"{field.name}: a required field is missing or null"


def _only_objects(records: list[Any], faults: Faults) -> list[Any]:
    for index, record in enumerate(records):
        if isinstance(record, Broken):
            faults[index] = (None, record.reason, record.message)
        elif not isinstance(record, dict):
            faults[index] = (None, "NotAnObject", f"a record must be a JSON object, not {type(record).__name__}")
    return [record if isinstance(record, dict) else {} for record in records]


def _rejected(record: Any, field: Field | None, reason: str, message: str) -> Rejected:
    return Rejected(to_json(record.record if isinstance(record, Broken) else record), reason, message, field.name if field else None)


def _without(faults: Faults, items: list[Any]) -> list[Any]:
    return [item for index, item in enumerate(items) if index not in faults]


def _quoted(name: str) -> str:
    """A field's name as JMESPath, so that any name can stand for itself."""
    return name if name.isidentifier() and name.isascii() else '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _cursor_zone(fields: Sequence[FieldSpec], cursor: str | None) -> tzinfo:
    """Instants without a zone mean what they mean in the column that the cursor fills, if it fills one."""
    zones = [field.time_zone for field in fields if (field.path or field.name) == cursor and field.time_zone]
    return ZoneInfo(zones[0]) if zones else UTC
