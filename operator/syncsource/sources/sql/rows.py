"""Records of the rows that a driver gives."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from syncsource.errors import SchemaMismatch
from syncsource.records.batch import Broken
from syncsource.records.cells import Cells
from syncsource.sources.sql.dialect import Column, Rows
from syncsource.sources.sql.values import Codec, Unreadable, json_text, presentable


class Records:
    """Makes records of rows with these columns; ``json``: names of those whose texts are to be parsed. SchemaMismatch where two have one name."""

    def __init__(self, columns: Sequence[Column], json: Collection[str]) -> None:
        self._names = [column.name for column in columns]
        twice = next((name for name in self._names if self._names.count(name) > 1), None)
        if twice is not None:
            raise SchemaMismatch(f"spec.source.sql.query gives two columns named {twice!r}: name one of them otherwise with AS")
        codecs = [_codec(column, column.name in json) for column in columns]
        self._coded = [(place, codec) for place, codec in enumerate(codecs) if codec is not None]

    def of(self, rows: Rows) -> Sequence[Any]:
        """A record for each row; Broken for one with a value that JSON can't say."""
        columns: list[Sequence[Any]] = list(zip(*rows, strict=True)) if self._coded else []
        try:
            for place, codec in self._coded:
                columns[place] = codec.column(columns[place])
        except Unreadable:
            return [self._one(row) for row in rows]
        return Cells(self._names, list(zip(*columns, strict=True)) if self._coded else rows)

    def _one(self, row: Sequence[Any]) -> Any:
        values, place = list(row), 0
        try:
            for place, codec in self._coded:
                values[place] = None if row[place] is None else codec.convert(row[place])
        except Unreadable as error:
            record = dict(zip(self._names, map(presentable, row), strict=True))
            return Broken("InvalidValue", f"{self._names[place]}: {error}", record)
        return dict(zip(self._names, values, strict=True))


def _codec(column: Column, json: bool) -> Codec | None:
    if not json or column.json:
        return column.codec
    first = column.codec
    return Codec(json_text if first is None else lambda value: json_text(first.convert(value)))
