"""A structured query over documents: https://cloud.google.com/firestore/docs/reference/rest/v1/StructuredQuery"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any

from google.cloud.firestore_v1 import types

from tests.firestore.ordering import Key, key, name_key, rank

Document = types.Document.pb()
Value = types.Value.pb()
Query = types.StructuredQuery.pb()

_FIELD = types.StructuredQuery.FieldFilter.Operator
_UNARY = types.StructuredQuery.UnaryFilter.Operator
_INEQUALITIES = {
    _FIELD.LESS_THAN,
    _FIELD.LESS_THAN_OR_EQUAL,
    _FIELD.GREATER_THAN,
    _FIELD.GREATER_THAN_OR_EQUAL,
    _FIELD.NOT_EQUAL,
    _FIELD.NOT_IN,
}
_NOT_UNARY = {_UNARY.IS_NOT_NULL, _UNARY.IS_NOT_NAN}
_SEGMENT = re.compile(r"`((?:[^`\\]|\\.)+)`|([A-Za-z_][A-Za-z0-9_]*)")
DESCENDING = types.StructuredQuery.Direction.DESCENDING


class Invalid(Exception):
    """What Firestore refuses with INVALID_ARGUMENT."""


def run(query: Any, documents: Iterable[Any], parent: str) -> list[Any]:
    """The documents that the query finds, in its order, with the fields that it selects."""
    found = [one for one in documents if _within(one.name, query, parent) and _meets(query.where, one)]
    order = _order(query)
    placed = sorted(
        ((position, one) for one in found if (position := _position(one, order)) is not None), key=lambda pair: _Place(pair[0], order)
    )
    bounded = [one for position, one in placed if _bounded(position, query, order)]
    limited = bounded[query.offset :][: query.limit.value if query.HasField("limit") else None]
    return [_selected(one, query) for one in limited]


def segments(path: str) -> list[str]:
    """A field path's names. Raises Invalid."""
    names, place = [], 0
    while True:
        match = _SEGMENT.match(path, place)
        if match is None:
            raise Invalid(f"Invalid property path {path!r}.")
        names.append(re.sub(r"\\(.)", r"\1", match[1]) if match[1] else match[2])
        if match.end() == len(path):
            return names
        if path[match.end()] != ".":
            raise Invalid(f"Invalid property path {path!r}.")
        place = match.end() + 1


def value_at(document: Any, path: str) -> Any:
    """The value of a field; None where it is absent."""
    if path == "__name__":
        return Value(reference_value=document.name)
    first, *rest = segments(path)
    value = document.fields.get(first)
    for name in rest:
        within = value is not None and value.WhichOneof("value_type") == "map_value" and name in value.map_value.fields
        value = value.map_value.fields[name] if within else None
    return value


class _Place:
    """A position in the order, each part in its own direction."""

    def __init__(self, position: tuple[Key, ...], order: list[tuple[str, int]]) -> None:
        self.position, self.order = position, order

    def __lt__(self, other: _Place) -> bool:
        return _compare(self.position, other.position, self.order) < 0


def _compare(one: tuple[Key, ...], other: tuple[Key, ...], order: list[tuple[str, int]]) -> int:
    """Less than, equal to or more than 0, as far as both go."""
    for left, right, (_, direction) in zip(one, other, order, strict=False):
        if left != right:
            return (-1 if left < right else 1) * (-1 if direction == DESCENDING else 1)
    return 0


def _within(name: str, query: Any, parent: str) -> bool:
    above, _, _ = name.rpartition("/")
    holder, _, collection = above.rpartition("/")
    selector = query.from_[0]
    if selector.collection_id and collection != selector.collection_id:
        return False
    return holder.startswith(parent) and holder[len(parent) :][:1] in ("", "/") if selector.all_descendants else holder == parent


def _order(query: Any) -> list[tuple[str, int]]:
    """The declared order, then fields of inequalities by name, then the document's name."""
    order = [(one.field.field_path, one.direction) for one in query.order_by]
    last = order[-1][1] if order else types.StructuredQuery.Direction.ASCENDING
    wanted = [*sorted(_unequal(query.where)), "__name__"]
    return order + [(path, last) for path in dict.fromkeys(wanted) if path not in dict(order)]


def _unequal(where: Any) -> set[str]:
    kind = where.WhichOneof("filter_type")
    if kind == "composite_filter":
        return {path for one in where.composite_filter.filters for path in _unequal(one)}
    if kind == "field_filter" and where.field_filter.op in _INEQUALITIES:
        return {where.field_filter.field.field_path}
    return {where.unary_filter.field.field_path} if kind == "unary_filter" and where.unary_filter.op in _NOT_UNARY else set()


def _position(document: Any, order: list[tuple[str, int]]) -> tuple[Key, ...] | None:
    values = [value_at(document, path) for path, _ in order]
    return None if None in values else tuple(map(key, values))


def _bounded(position: tuple[Key, ...], query: Any, order: list[tuple[str, int]]) -> bool:
    if query.HasField("start_at"):
        compared = _compare(position, _cursor(query.start_at, order), order)
        if compared < 0 or (compared == 0 and not query.start_at.before):
            return False
    if query.HasField("end_at"):
        compared = _compare(position, _cursor(query.end_at, order), order)
        return compared < 0 or (compared == 0 and not query.end_at.before)
    return True


def _cursor(cursor: Any, order: list[tuple[str, int]]) -> tuple[Key, ...]:
    if len(cursor.values) > len(order):
        raise Invalid("Cursor has too many values.")
    for value, (path, _) in zip(cursor.values, order, strict=False):
        if value.WhichOneof("value_type") is None or (path == "__name__" and not value.reference_value):
            raise Invalid("Cursor has an invalid value.")
    return tuple(map(key, cursor.values))


def _meets(where: Any, document: Any) -> bool:
    kind = where.WhichOneof("filter_type")
    if kind is None:
        return True
    if kind == "composite_filter":
        combine = any if where.composite_filter.op == types.StructuredQuery.CompositeFilter.Operator.OR else all
        return combine(_meets(one, document) for one in where.composite_filter.filters)
    part = getattr(where, kind)
    value = value_at(document, part.field.field_path)
    if value is None:
        return False
    return _unary(part.op, value) if kind == "unary_filter" else _compared(part.op, value, part.value)


def _unary(op: Any, value: Any) -> bool:
    null = value.WhichOneof("value_type") == "null_value"
    nan = value.WhichOneof("value_type") == "double_value" and math.isnan(value.double_value)
    return {
        _UNARY.IS_NULL: null,
        _UNARY.IS_NAN: nan,
        _UNARY.IS_NOT_NULL: not null,
        _UNARY.IS_NOT_NAN: not nan and not null,
    }[op]


def _compared(op: Any, value: Any, other: Any) -> bool:
    mine, theirs = key(value), key(other)
    listed = [key(one) for one in other.array_value.values]
    held = [key(one) for one in value.array_value.values]
    null = rank(value) == "null"
    alike = rank(value) == rank(other) and not null
    return bool(
        {
            _FIELD.EQUAL: mine == theirs,
            _FIELD.NOT_EQUAL: mine != theirs and not null,
            _FIELD.LESS_THAN: alike and mine < theirs,
            _FIELD.LESS_THAN_OR_EQUAL: alike and mine <= theirs,
            _FIELD.GREATER_THAN: alike and mine > theirs,
            _FIELD.GREATER_THAN_OR_EQUAL: alike and mine >= theirs,
            _FIELD.IN: mine in listed,
            _FIELD.NOT_IN: mine not in listed and not null,
            _FIELD.ARRAY_CONTAINS: theirs in held,
            _FIELD.ARRAY_CONTAINS_ANY: any(one in held for one in listed),
        }[op]
    )


def _selected(document: Any, query: Any) -> Any:
    if not query.HasField("select"):
        return document
    found = Document(name=document.name, create_time=document.create_time, update_time=document.update_time)
    for reference in query.select.fields:
        value = None if reference.field_path == "__name__" else value_at(document, reference.field_path)
        if value is not None:
            _place(found.fields, segments(reference.field_path), value)
    return found


def _place(fields: Any, path: list[str], value: Any) -> None:
    for name in path[:-1]:
        fields = fields[name].map_value.fields
    fields[path[-1]].CopyFrom(value)


__all__ = ["Document", "Invalid", "Query", "Value", "name_key", "run", "segments", "value_at"]
