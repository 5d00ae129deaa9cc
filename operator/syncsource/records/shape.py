"""From a page of records to typed rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, tzinfo
from operator import itemgetter
from typing import Any
from zoneinfo import ZoneInfo

from syncsource.records import paths
from syncsource.records.batch import Batch, Broken
from syncsource.records.cells import Cells
from syncsource.records.cursors import cursor_texts, highest
from syncsource.records.faults import Faults, rejected
from syncsource.records.filtering import Filter
from syncsource.records.mapping import Constant, Field
from syncsource.records.rows import Rows
from syncsource.records.rules import check
from syncsource.resource.fields import FieldSpec
from syncsource.resource.spec import SyncSourceSpec
from syncsource.resource.validating import Rule


class Shape:
    """The declared shape of records: turns pages into batches.

    ``keys`` are the names of the key's fields, ``cursor`` is the path to a record's cursor, ``partition`` the value of the partition that is
    read, ``filter`` the condition on records, ``rules`` what their values must be like. StalledError where a default, a constant or a rule's
    value has not its field's type.
    """

    def __init__(
        self,
        fields: Sequence[FieldSpec],
        keys: Sequence[str],
        cursor: str | None = None,
        *,
        partition: str = "",
        filter: str | None = None,
        rules: Sequence[Rule] = (),
    ) -> None:
        self._fields = [_field(field, frozenset(keys), partition) for field in fields]
        self._cursor = paths.column(cursor) if cursor else None
        self._filter = Filter(filter) if filter else None
        self._checks = [check(rule, fields) for rule in rules]
        self._names = _names(fields)
        self.zone = cursor_zone(fields, cursor)

    @classmethod
    def of(cls, spec: SyncSourceSpec, partition: str = "") -> Shape:
        """What a spec declares, for one of its partitions."""
        cursor = spec.incremental.cursor if spec.incremental else None
        rules = spec.validation.rules or ()
        return cls(spec.fields, spec.needed_keys, cursor, partition=partition, filter=spec.filter, rules=rules)

    @classmethod
    def of_rows(cls, spec: SyncSourceSpec) -> Shape:
        """Of records that are the rows that were made of others, by column."""
        fields = [
            FieldSpec(name=field.name, path=paths.quoted(field.name), type=field.type, required=field.required) for field in spec.fields
        ]
        return cls(fields, spec.needed_keys, rules=spec.validation.rules or ())

    def batch(self, records: Sequence[Any], place: str = "", positions: Sequence[int] | None = None) -> Batch:
        """The page as rows and rejected records. A record that is no object is rejected. ``place`` and ``positions``: see sources.Page."""
        faults, read = Faults(), len(records)
        numbers = range(1, read + 1) if positions is None else positions
        objects = records if isinstance(records, Cells) or set(map(type, records)) <= {dict} else _only_objects(records, faults)
        cursors = self._cursors(objects, faults)
        top = highest(cursors, self.zone) if cursors else None
        if self._filter is not None:
            kept = self._filter.kept(objects, faults)
            faults, objects = faults.among(kept), _at(kept, objects)
            records, numbers, cursors = _at(kept, records), _at(kept, numbers), None if cursors is None else _at(kept, cursors)
        rows = self._rows(objects, faults)
        texts = None if cursors is None else faults.left(cursor_texts(cursors))
        found = [rejected(records[index], fault, place, numbers[index]) for index, fault in sorted(faults.items())]
        return Batch(read, faults.left(rows), found, top, texts, read - len(records))

    def _rows(self, records: Sequence[Any], faults: Faults) -> Rows:
        seen = self._by_column(records)
        columns = [field.values(seen, faults) for field in self._fields]
        for look in self._checks:
            look(columns, faults)
        return Rows(columns)

    def _by_column(self, records: Sequence[Any]) -> Sequence[Any]:
        """The members that fields are made of, taken out of all objects at once, where each object has all of them."""
        if len(self._names) < 2 or not records or isinstance(records, Cells):
            return records
        try:
            return Cells.of_columns(self._names, list(zip(*map(itemgetter(*self._names), records), strict=True)))
        except (KeyError, TypeError):
            return records

    def _cursors(self, records: Sequence[Any], faults: Faults) -> list[Any] | None:
        """Each record's cursor; None where the source has none."""
        if self._cursor is None:
            return None
        try:
            return self._cursor(records)
        except paths.ExpressionFailed:
            return [self._cursor_of(record, index, faults) for index, record in enumerate(records)]

    def _cursor_of(self, record: Any, index: int, faults: Faults) -> Any:
        assert self._cursor is not None
        try:
            return self._cursor([record])[0]
        except paths.ExpressionFailed as error:
            faults.add(index, "PathFailed", f"spec.incremental.cursor can't be applied to the record: {error}")
            return None


def _at(places: Sequence[int], items: Sequence[Any]) -> list[Any]:
    return [items[place] for place in places]


def _field(spec: FieldSpec, keys: frozenset[str], partition: str) -> Field | Constant:
    return Constant.of(spec, partition) if spec.value is not None or spec.partition else Field.of(spec, keys)


def _names(fields: Sequence[FieldSpec]) -> list[str]:
    """The members of a record that fields are made of; empty where one is made of the record as a whole."""
    ways = [paths.names(field.path or paths.quoted(field.name)) for field in fields if field.value is None and not field.partition]
    return list(dict.fromkeys(way[0] for way in ways if way)) if all(ways) else []


def _only_objects(records: Sequence[Any], faults: Faults) -> list[Any]:
    for index, record in enumerate(records):
        if isinstance(record, Broken):
            faults.add(index, record.reason, record.message)
        elif not isinstance(record, dict):
            faults.add(index, "NotAnObject", f"a record must be a JSON object, not {type(record).__name__}")
    return [record if isinstance(record, dict) else {} for record in records]


def cursor_zone(fields: Sequence[FieldSpec], cursor: str | None) -> tzinfo:
    """Instants without a zone mean what they mean in the column that the cursor fills, if it fills one."""
    zones = [field.time_zone for field in fields if (field.path or field.name) == cursor and field.time_zone]
    return ZoneInfo(zones[0]) if zones else UTC
