"""Which columns a spec's paths mean."""

from __future__ import annotations

from collections.abc import Iterator

from syncsource.errors import StalledError
from syncsource.records.paths import names, quoted, top_level
from syncsource.resource.spec import SyncSourceSpec


def column_of(path: str) -> str | None:
    """The column that a JMESPath is the name of; None where it is more than a name."""
    way = names(path)
    return way[0] if way is not None and len(way) == 1 else None


def cursor_column(spec: SyncSourceSpec) -> str | None:
    """The column of ``spec.incremental.cursor``. StalledError (InvalidSpec) where it is more than a name."""
    if spec.incremental is None:
        return None
    column = column_of(spec.incremental.cursor)
    if column is None:
        raise StalledError(
            f"spec.incremental.cursor: {spec.incremental.cursor!r} must be the name of a column, in double quotes if it is no word"
        )
    return column


def key_columns(spec: SyncSourceSpec) -> list[str]:
    """The columns behind the first key's fields; those that are more than a name are left out."""
    paths = {name: path for name, path, _ in _mapped(spec)}
    columns = (column_of(paths[name]) if name in paths else None for name in spec.keys[0].fields)
    return [column for column in columns if column is not None]


def needed_columns(spec: SyncSourceSpec) -> Iterator[tuple[str, str]]:
    """Each field's name and the column that its path begins with."""
    for name, path, _ in _mapped(spec):
        root = top_level(path)
        if root is not None:
            yield name, root


def json_columns(spec: SyncSourceSpec) -> set[str]:
    """Columns whose texts are JSON: those that the spec lists, and those that a field of type json takes whole."""
    assert spec.source.sql is not None
    whole = {column_of(path) for _, path, kind in _mapped(spec) if kind == "json"}
    return {*spec.source.sql.json_columns, *(column for column in whole if column is not None)}


def _mapped(spec: SyncSourceSpec) -> Iterator[tuple[str, str, str]]:
    """Name, path and type of each field that comes from a record."""
    for field in spec.fields or ():
        if field.value is None and not field.partition:
            yield field.name, field.path or quoted(field.name), field.type
