"""Resources inside of resources (x-kubernetes-embedded-resource): their apiVersion, kind and metadata are checked as any object's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from syncsource.localplane.admission import cause
from syncsource.localplane.admission.cause import Cause, child
from syncsource.localplane.admission.objectmeta import dns_1035_label, path_segment, validate_metadata
from syncsource.localplane.admission.schema import Schema


def validate_embedded(value: Any, schema: Schema, path: str = "") -> Iterator[Cause]:
    """The causes of all embedded resources in `value`, itself included."""
    if isinstance(value, dict):
        if schema.embedded:
            yield from _resource(value, path)
        for name, item in value.items():
            below = schema.property(name)
            if below is not None:
                yield from validate_embedded(item, below, child(path, name) if name in schema.properties else f"{path}[{name}]")
    elif isinstance(value, list) and schema.items is not None:
        for index, item in enumerate(value):
            yield from validate_embedded(item, schema.items, f"{path}[{index}]")


def _resource(value: dict[str, Any], path: str) -> Iterator[Cause]:
    yield from (cause.required(child(path, name)) for name in ("apiVersion", "kind") if name not in value)
    for name, item in value.items():
        where = child(path, name)
        if name in {"apiVersion", "kind"} and not isinstance(item, str):
            yield cause.invalid(where, item, "must be a string")
        elif name in {"apiVersion", "kind"} and not item:
            yield cause.invalid(where, item, "must not be empty")
        elif name == "apiVersion" and item.count("/") > 1:
            yield cause.invalid(where, item, f"unexpected GroupVersion string: {item}")
        elif name == "kind":
            for text in dns_1035_label(item.lower()):
                yield cause.invalid(where, item, f"may have mixed case, but should otherwise match: {text}")
        elif name == "metadata" and not isinstance(item, dict):
            yield cause.invalid(where, item, "must be an object")
        elif name == "metadata":
            yield from _metadata(item, where)


def _metadata(metadata: dict[str, Any], path: str) -> Iterator[Cause]:
    if not isinstance(metadata.get("name") or "", str):
        yield cause.invalid(child(path, "name"), metadata["name"], "must be a string")
        return
    named = {**metadata, "name": metadata.get("name") or "unnamed"}
    for found in validate_metadata(named, path_segment):
        yield replace(found, field=re.sub("^metadata", lambda _: path, found.field))
