"""ObjectMeta, the schema of `metadata` in every kind."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from syncsource.localplane.admission.schema import Schema
from syncsource.localplane.registry.schemas import schema_of

OBJECT_META_TYPE = "meta.v1.ObjectMeta"
OBJECT_META = schema_of(OBJECT_META_TYPE)


@cache
def whole_object(schema: Schema) -> Schema:
    """A kind's schema with the meta fields that every object has."""
    string = Schema(types=("string",))
    return replace(schema, properties={**schema.properties, "apiVersion": string, "kind": string, "metadata": OBJECT_META})
