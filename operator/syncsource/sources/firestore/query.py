"""A structured query: https://cloud.google.com/firestore/docs/reference/rest/v1/StructuredQuery"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

from syncsource.errors import PermanentError, StalledError, outside_text
from syncsource.resource.conditions import INVALID_SPEC
from syncsource.resource.firestore import INEQUALITIES, PARTITION, Condition, FirestoreSource
from syncsource.sources.firestore.mask import FieldPath, plain_path, written
from syncsource.sources.firestore.values import NAME

Json = dict[str, Any]

_OPS = {
    "Equal": "EQUAL",
    "NotEqual": "NOT_EQUAL",
    "LessThan": "LESS_THAN",
    "LessThanOrEqual": "LESS_THAN_OR_EQUAL",
    "GreaterThan": "GREATER_THAN",
    "GreaterThanOrEqual": "GREATER_THAN_OR_EQUAL",
    "ArrayContains": "ARRAY_CONTAINS",
    "In": "IN",
    "NotIn": "NOT_IN",
    "ArrayContainsAny": "ARRAY_CONTAINS_ANY",
    "IsNull": "IS_NULL",
    "IsNotNull": "IS_NOT_NULL",
    "IsNaN": "IS_NAN",
    "IsNotNaN": "IS_NOT_NAN",
}
_KINDS = {
    "text": ("stringValue", re.compile(r".*", re.DOTALL)),
    "integer": ("integerValue", re.compile(r"-?\d{1,19}")),
    "double": ("doubleValue", re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?|NaN|-?Infinity")),
    "boolean": ("booleanValue", re.compile(r"true|false")),
    "timestamp": ("timestampValue", re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)")),
    "reference": ("referenceValue", re.compile(r"[^/]+/[^/]+(/[^/]+/[^/]+)*")),
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a query looks, by resource names."""

    documents: str
    """``projects/p/databases/d/documents``."""
    parent: str
    """That, or a document below it, whose collections the query reads."""
    collection: str
    descendants: bool

    @classmethod
    def of(cls, source: FirestoreSource, partition: str = "") -> Place:
        """What the source declares. Raises PermanentError (InvalidPartition)."""
        if PARTITION.search(source.collection) and ("/" in partition or partition in ("", ".", "..")):
            raise PermanentError(
                f"spec.source.firestore.collection: the partition {outside_text(partition, 60)!r} can't be a part of a path",
                reason="InvalidPartition",
            )
        documents = f"projects/{source.project}/databases/{source.database}/documents"
        above, _, collection = filled(source.collection, partition).rpartition("/")
        return cls(documents, f"{documents}/{above}".rstrip("/"), collection, source.collection_group)


@dataclass(frozen=True, slots=True)
class Query:
    """One read, without its place in the order. All of it is ascending."""

    place: Place
    where: tuple[Json, ...]
    order: tuple[FieldPath, ...]
    """Ends with ``__name__``, so that no two documents are equal in it."""
    mask: tuple[FieldPath, ...] | None
    """None: whole documents."""

    @classmethod
    def of(cls, source: FirestoreSource, mask: Sequence[FieldPath] | None, partition: str = "") -> Query:
        """All documents that meet the conditions: ordered by the fields of inequalities, which Firestore requires, and by name.

        Raises PermanentError (InvalidPartition), StalledError (InvalidSpec).
        """
        place = Place.of(source, partition)
        where = tuple(_filter(condition, place, partition) for condition in source.where)
        unequal = {_path(condition) for condition in source.where if condition.op in INEQUALITIES}
        return cls(place, where, (*sorted(unequal - {(NAME,)}), (NAME,)), None if mask is None else tuple(mask))

    def ordered_by(self, field: FieldPath) -> Query:
        """The same, in the order of this field before others. Documents without it are not found by it."""
        return replace(self, order=(field, *(path for path in self.order if path != field)))

    def body(self, limit: int, start: Json | None = None, end: Json | None = None) -> Json:
        """The structured query for one page."""
        query: Json = {
            "from": [{"collectionId": self.place.collection, "allDescendants": self.place.descendants}],
            "orderBy": [{"field": {"fieldPath": written(path)}, "direction": "ASCENDING"} for path in self.order],
            "limit": limit,
        }
        parts = {"select": self._select(), "where": self._where(), "startAt": start, "endAt": end}
        return query | {name: part for name, part in parts.items() if part is not None}

    def newest(self) -> Json:
        """The structured query for the one document that is last in the order."""
        query = self.body(1)
        return query | {"orderBy": [order | {"direction": "DESCENDING"} for order in query["orderBy"]]}

    def after(self, document: Mapping[str, Any]) -> Json:
        """The position after this document."""
        return {"values": [value_at(document, path) for path in self.order], "before": False}

    def _select(self) -> Json | None:
        if self.mask is None:
            return None
        wanted = dict.fromkeys((*self.mask, *self.order))
        return {"fields": [{"fieldPath": written(path)} for path in wanted if not _covered(path, wanted)]}

    def _where(self) -> Json | None:
        if len(self.where) < 2:
            return self.where[0] if self.where else None
        return {"compositeFilter": {"op": "AND", "filters": list(self.where)}}


def value_at(document: Mapping[str, Any], path: FieldPath) -> Any:
    """The Value at a path of a document, as Firestore sent it; None where there is none."""
    if path == (NAME,):
        return {"referenceValue": document["name"]}
    first, *rest = path
    return reduce(_step, rest, _member(document.get("fields"), first))


def _step(value: Any, name: str) -> Any:
    held = _member(value, "mapValue")
    return _member(_member(held, "fields"), name)


def _member(held: Any, name: str) -> Any:
    return held.get(name) if isinstance(held, dict) else None


def _covered(path: FieldPath, wanted: Mapping[FieldPath, Any]) -> bool:
    return any(path[:length] in wanted for length in range(1, len(path)))


def _path(condition: Condition) -> FieldPath:
    return plain_path(condition.field) or (condition.field,)


def filled(text: str, partition: str) -> str:
    """The text with the partition's value in place of ``{{ partition }}``."""
    return PARTITION.sub(lambda _: partition, text)


def _filter(condition: Condition, place: Place, partition: str) -> Json:
    def value(held: Any) -> Json:
        return _value(filled(held, partition) if isinstance(held, str) else held, condition, place)

    field, op = {"fieldPath": written(_path(condition))}, _OPS[condition.op]
    if condition.op.startswith("Is"):
        return {"unaryFilter": {"field": field, "op": op}}
    compared = value(condition.value) if condition.values is None else {"arrayValue": {"values": list(map(value, condition.values))}}
    return {"fieldFilter": {"field": field, "op": op, "value": compared}}


def _value(value: Any, condition: Condition, place: Place) -> Json:
    kind = condition.type or ("integer" if isinstance(value, int) else "text")
    name, form = _KINDS[kind]
    text = str(value)
    if not form.fullmatch(text):
        said = f"{outside_text(text, 60)!r} is not a Firestore {kind}"
        raise StalledError(f"spec.source.firestore.where: {condition.field}: {said}", reason=INVALID_SPEC)
    if kind == "boolean":
        return {name: text == "true"}
    return {name: f"{place.documents}/{text}" if kind == "reference" and not text.startswith("projects/") else text}
