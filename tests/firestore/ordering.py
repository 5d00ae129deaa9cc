"""How Firestore's values compare: https://firebase.google.com/docs/firestore/manage-data/data-types#value_type_ordering"""

from __future__ import annotations

import math
from typing import Any

RANKS = ("null", "boolean", "number", "timestamp", "string", "bytes", "reference", "geo", "array", "vector", "map")
Key = tuple[Any, ...]


def key(value: Any) -> Key:
    """What a Value is sorted by: its type first."""
    kind = rank(value)
    return (RANKS.index(kind), _PARTS[kind](value))


def rank(value: Any) -> str:
    """The group of types that compare with one another."""
    kind = value.WhichOneof("value_type")
    if kind in ("integer_value", "double_value"):
        return "number"
    if kind == "map_value" and "__type__" in value.map_value.fields:
        return "vector"
    return str(kind).removesuffix("_value").replace("geo_point", "geo")


def _number(value: Any) -> Key:
    number = value.integer_value if value.WhichOneof("value_type") == "integer_value" else value.double_value
    return (0, 0) if isinstance(number, float) and math.isnan(number) else (1, number)


def _array(values: Any) -> Key:
    return tuple(map(key, values))


def _vector(value: Any) -> Key:
    values = value.map_value.fields["value"].array_value.values
    return (len(values), _array(values))


def name_key(name: str) -> Key:
    """Of a document's name: segment by segment, as UTF-8."""
    return tuple(segment.encode() for segment in name.split("/"))


_PARTS = {
    "null": lambda value: (),
    "boolean": lambda value: (value.boolean_value,),
    "number": _number,
    "timestamp": lambda value: (value.timestamp_value.seconds, value.timestamp_value.nanos),
    "string": lambda value: (value.string_value.encode(),),
    "bytes": lambda value: (value.bytes_value,),
    "reference": lambda value: name_key(value.reference_value),
    "geo": lambda value: (value.geo_point_value.latitude, value.geo_point_value.longitude),
    "array": lambda value: _array(value.array_value.values),
    "vector": _vector,
    "map": lambda value: tuple((name.encode(), key(held)) for name, held in sorted(value.map_value.fields.items())),
}
