"""Schemas of the built-in types: what the generic machinery merges, prunes and owns by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from syncsource.localplane.admission.schema import ABSENT, Schema
from syncsource.localplane.registry.apitypes import NO_DEFAULT, Field, api_type

_SCALARS: dict[str, dict[str, Any]] = {
    "text": {"types": ("string",)},
    "int32": {"types": ("integer",), "format": "int32"},
    "int64": {"types": ("integer",), "format": "int64"},
    "bool": {"types": ("boolean",)},
    "float64": {"types": ("number",)},
    "bytes": {"types": ("string",), "format": "byte"},
    "time": {"types": ("string",), "format": "date-time", "nullable": True},
    "micro": {"types": ("string",), "format": "date-time", "nullable": True},
    "duration": {"types": ("string",)},
    "quantity": {},
    "intstr": {"types": ("integer", "string"), "int_or_string": True},
    "raw": {"types": ("object",), "preserve": True, "additional_allowed": True},
    "any": {"types": ("object",), "preserve": True, "additional_allowed": True},
    "words": {"types": ("array",), "items": Schema(types=("string",))},
}


class _Properties(Mapping[str, Schema]):
    """The properties of a type, made when one of them is looked at."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getitem__(self, name: str) -> Schema:
        return _properties(self._name)[name]

    def __iter__(self) -> Iterator[str]:
        return iter(_properties(self._name))

    def __len__(self) -> int:
        return len(_properties(self._name))


@cache
def schema_of(name: str) -> Schema:
    """The schema of a built-in type, expanded as far as it is looked at."""
    return Schema(types=("object",), properties=_Properties(name), map_type="atomic" if api_type(name).is_atomic else "granular")


@cache
def _properties(name: str) -> dict[str, Schema]:
    return {found.name: _schema(found) for found in api_type(name).fields.values()}


def _schema(field: Field) -> Schema:
    map_type = "atomic" if field.is_atomic else "granular"
    default = ABSENT if field.default is NO_DEFAULT else field.default
    if field.shape == "{}":
        return Schema(types=("object",), additional=_base(field), additional_allowed=True, nullable=True, map_type=map_type)
    if field.shape == "[]":
        list_type = "map" if field.keys else "set" if field.is_set else "atomic"
        return Schema(
            types=("array",), items=_base(field), nullable=True, list_type=list_type, list_map_keys=field.keys,
            is_merged=field.is_merged, merge_key=field.merge_key,
        )  # fmt: skip
    if not field.is_struct:
        return Schema(**{**_SCALARS[field.base], "nullable": True}, default=default)
    below = schema_of(field.base)
    return Schema(types=("object",), properties=below.properties, nullable=True, map_type="atomic" if field.is_atomic else below.map_type)


def _base(field: Field) -> Schema:
    return Schema(**_SCALARS[field.base]) if field.base in _SCALARS else schema_of(field.base)
