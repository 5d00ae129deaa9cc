"""Pruning (`apiextensions-apiserver/pkg/apiserver/schema/pruning`): what the schema does not know is dropped."""

from __future__ import annotations

from typing import Any

from syncsource.localplane.admission.cause import child
from syncsource.localplane.admission.schema import Schema

TYPE_AND_OBJECT_META = frozenset({"apiVersion", "kind", "metadata"})


def prune(value: Any, schema: Schema, path: str = "", *, is_resource: bool = False) -> list[str]:
    """Drop unknown fields in place and return their paths; the meta fields of a resource always stay."""
    if isinstance(value, dict):
        return _prune_object(value, schema, path, is_resource=is_resource or schema.embedded)
    if isinstance(value, list) and schema.items is not None:
        return [gone for index, item in enumerate(value) for gone in prune(item, schema.items, f"{path}[{index}]")]
    return []


def _prune_object(value: dict[str, Any], schema: Schema, path: str, *, is_resource: bool) -> list[str]:
    pruned: list[str] = []
    for name in list(value):
        if is_resource and name in TYPE_AND_OBJECT_META:
            continue
        below = schema.property(name)
        if below is not None:
            pruned += prune(value[name], below, child(path, name))
        elif not schema.preserve and not schema.additional_allowed:
            del value[name]
            pruned.append(child(path, name))
    return pruned
