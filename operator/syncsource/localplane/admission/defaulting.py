"""Defaulting (`apiextensions-apiserver/pkg/apiserver/schema/defaulting`): what the user left out is filled in, in place."""

from __future__ import annotations

import copy
from typing import Any

from syncsource.localplane.admission.schema import ABSENT, Schema


def apply_defaults(value: Any, schema: Schema) -> None:
    """Fill in defaults below `value`; a null where null is not allowed counts as left out."""
    if isinstance(value, dict):
        _default_object(value, schema)
    elif isinstance(value, list) and schema.items is not None:
        for item in value:
            apply_defaults(item, schema.items)


def _default_object(value: dict[str, Any], schema: Schema) -> None:
    for name, sub in schema.properties.items():
        if sub.default is ABSENT:
            continue
        if name not in value or (value[name] is None and not sub.nullable):
            value[name] = copy.deepcopy(sub.default)
    for name, item in value.items():
        below = schema.property(name)
        if below is not None:
            apply_defaults(item, below)
