"""What a schema means to CEL (`k8s.io/apiserver/pkg/cel/common.SchemaDeclType`): types, and bounds on the sizes of values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from syncsource.localplane.admission.cel.values import escape, is_accessible
from syncsource.localplane.admission.schema import ABSENT, Schema

MAX_REQUEST_BYTES = 3 * 1024 * 1024
_TEXT_BYTES = MAX_REQUEST_BYTES - 2  # the largest string: a request less the quotes


@dataclass(frozen=True, slots=True)
class DeclType:
    """One type. `min_size` is the least number of bytes of a value in JSON, `max_elements` the greatest size of a value:
    of a string in bytes, of a list or map in entries; 0 for what has no size.
    """

    kind: str
    min_size: int
    max_elements: int = 0
    fields: Mapping[str, DeclType] = field(default_factory=dict)
    element: DeclType | None = None

    def max_cardinality(self) -> int:
        """How many values of the type one request can hold."""
        return MAX_REQUEST_BYTES // (self.min_size + 1)


_SCALARS = {"boolean": DeclType("bool", 4), "number": DeclType("double", 1), "integer": DeclType("int", 1)}
_FORMATS = {
    "duration": DeclType("duration", 3, 32), "date": DeclType("timestamp", 12, 12), "date-time": DeclType("timestamp", 21, 32),
}  # fmt: skip
STRING = DeclType("string", 2)


def decl_type(schema: Schema) -> DeclType | None:
    """The type of values of `schema`; None where rules can't see them, as below x-kubernetes-preserve-unknown-fields alone."""
    if schema.int_or_string:
        return DeclType("dyn", 1, _text_length(schema))
    kind = schema.types[0] if len(schema.types) == 1 else ""
    if kind == "array":
        return _list(schema)
    if kind == "object":
        return _object(schema) if schema.additional is None else _map(schema, schema.additional)
    return _string(schema) if kind == "string" else _SCALARS.get(kind)


def _list(schema: Schema) -> DeclType | None:
    element = None if schema.items is None else decl_type(schema.items)
    if element is None:
        return None
    most = (MAX_REQUEST_BYTES - 2) // (element.min_size + 1) if schema.max_items is None else max(schema.max_items, 0)
    return DeclType("list", 2, most, element=element)


def _map(schema: Schema, values: Schema) -> DeclType | None:
    element = decl_type(values)
    if element is None:
        return None
    most = (MAX_REQUEST_BYTES - 2) // (element.min_size + 6) if schema.max_properties is None else max(schema.max_properties, 0)
    return DeclType("map", 2, most, element=element)


def _object(schema: Schema) -> DeclType:
    fields, size = {}, 2
    for name, sub in schema.properties.items():
        below = decl_type(sub)
        if below is None:
            continue
        if is_accessible(name):
            fields[escape(name)] = below
        if name in schema.required and sub.default is ABSENT:
            size += len(name) + below.min_size + 4
    return DeclType("object", size, fields=fields)


def _string(schema: Schema) -> DeclType:
    if schema.format == "byte":
        return DeclType("bytes", 2, _TEXT_BYTES if schema.max_length is None else max(schema.max_length, 0))
    if schema.format in _FORMATS:
        return _FORMATS[schema.format]
    if schema.max_length is None and schema.enum:
        return DeclType("string", 2, max(len(value.encode()) if isinstance(value, str) else 0 for value in schema.enum))
    return DeclType("string", 2, _text_length(schema))


def _text_length(schema: Schema) -> int:
    """A character takes up to four bytes."""
    return _TEXT_BYTES if schema.max_length is None else max(schema.max_length, 0) * 4
