"""Defaulting (`apiextensions-apiserver/pkg/apiserver/schema/defaulting`): what the user left out is filled in, in place."""

from __future__ import annotations

import copy
from typing import Any

from syncsource.localplane.admission.schema import ABSENT, Schema


def drop_nulls(value: Any, schema: Schema) -> None:
    """Take out the members below `value` that are null, may not be, and have no default: they count as left out."""
    if isinstance(value, dict):
        for name in list(value):
            below = schema.property(name)
            if below is not None and value[name] is None and not below.nullable and below.default is ABSENT:
                del value[name]
            elif below is not None:
                drop_nulls(value[name], below)
    elif isinstance(value, list) and schema.items is not None:
        for item in value:
            drop_nulls(item, schema.items)


def apply_defaults(value: Any, schema: Schema) -> None:
    """Fill in defaults below `value`; a null where null is not allowed counts as left out."""
    if isinstance(value, dict):
        _default_object(value, schema)
    elif isinstance(value, list) and schema.items is not None:
        for index, item in enumerate(value):
            if _counts_as_left_out(item, schema.items):
                value[index] = copy.deepcopy(schema.items.default)
            apply_defaults(value[index], schema.items)


def _default_object(value: dict[str, Any], schema: Schema) -> None:
    for name, sub in schema.properties.items():
        if name not in value and sub.default is not ABSENT:
            value[name] = copy.deepcopy(sub.default)
    for name in value:
        below = schema.property(name)
        if below is not None:
            if _counts_as_left_out(value[name], below):
                value[name] = copy.deepcopy(below.default)
            apply_defaults(value[name], below)


def _counts_as_left_out(value: Any, schema: Schema) -> bool:
    return value is None and not schema.nullable and schema.default is not ABSENT
