"""Tables for kubectl (KEP-384): a list or object as rows of printer columns."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from syncsource.localplane.registry.resource import Column, Resource
from syncsource.localplane.serving.cells import CELLS
from syncsource.localplane.serving.durations import since
from syncsource.localplane.serving.jsonpath import find


def table(
    resource: Resource, objects: Iterable[Mapping[str, Any]], metadata: Mapping[str, Any], include: str, *, header: bool = True
) -> dict[str, Any]:
    """The Table of `objects`; `include` (Metadata, Object or None) says what comes with each row."""
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": dict(metadata),
        "columnDefinitions": [_definition(column) for column in resource.columns] if header else None,
        "rows": [_row(resource, obj, include) for obj in objects],
    }


def _definition(column: Column) -> dict[str, Any]:
    return {
        "name": column.name,
        "type": column.type,
        "format": column.format,
        "description": column.description,
        "priority": column.priority,
    }


def _row(resource: Resource, obj: Mapping[str, Any], include: str) -> dict[str, Any]:
    row: dict[str, Any] = {"cells": [_cell(column, obj) for column in resource.columns]}
    if include == "Object":
        row["object"] = obj
    elif include == "None":
        row["object"] = None
    else:
        row["object"] = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}
    return row


def _cell(column: Column, obj: Mapping[str, Any]) -> Any:
    if column.cell:
        return CELLS[column.cell](obj)
    try:
        found = find(column.path, obj)
    except ValueError:
        return None
    if not found:
        return "" if column.type == "date" and column.path == ".metadata.creationTimestamp" else None
    return _converted(column.type, found)


def _converted(kind: str, found: list[Any]) -> Any:
    value = found[0]
    if len(found) > 1:
        return ",".join(map(_text, found)) if kind == "string" else value
    match kind:
        case "date":
            return since(value) if isinstance(value, str) else None
        case "string":
            return _text(value)
        case "integer":
            return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
        case "number":
            return value if isinstance(value, int | float) and not isinstance(value, bool) else None
        case "boolean":
            return value if isinstance(value, bool) else None
    return value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), sort_keys=True)
