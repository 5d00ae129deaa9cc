"""ObjectMeta, the schema of `metadata` in every kind."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

from syncsource.localplane.admission.schema import Schema

_STRING = {"type": "string"}
_STRINGS = {"type": "object", "additionalProperties": _STRING}
_TIME = {"type": "string", "format": "date-time", "nullable": True}
RAW_OBJECT_META: dict[str, Any] = {
    "type": "object",
    "description": "ObjectMeta is metadata that all persisted resources must have, which includes all objects users must create.",
    "properties": {
        "annotations": {**_STRINGS, "description": "Annotations is an unstructured key value map stored with a resource."},
        "creationTimestamp": _TIME,
        "deletionGracePeriodSeconds": {"type": "integer", "format": "int64"},
        "deletionTimestamp": _TIME,
        "finalizers": {"type": "array", "x-kubernetes-list-type": "set", "items": _STRING},
        "generateName": _STRING,
        "generation": {"type": "integer", "format": "int64"},
        "labels": {**_STRINGS, "description": "Map of string keys and values that can be used to organize and categorize objects."},
        "managedFields": {
            "type": "array",
            "x-kubernetes-list-type": "atomic",
            "items": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        },
        "name": {**_STRING, "description": "Name must be unique within a namespace."},
        "namespace": {**_STRING, "description": "Namespace defines the space within which each name must be unique."},
        "ownerReferences": {
            "type": "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["uid"],
            "items": {
                "type": "object",
                "x-kubernetes-map-type": "atomic",
                "required": ["apiVersion", "kind", "name", "uid"],
                "properties": {
                    "apiVersion": _STRING,
                    "blockOwnerDeletion": {"type": "boolean"},
                    "controller": {"type": "boolean"},
                    "kind": _STRING,
                    "name": _STRING,
                    "uid": _STRING,
                },
            },
        },
        "resourceVersion": _STRING,
        "selfLink": _STRING,
        "uid": _STRING,
    },
}
OBJECT_META = Schema.parse(RAW_OBJECT_META)


@cache
def whole_object(schema: Schema) -> Schema:
    """A kind's schema with the meta fields that every object has."""
    string = Schema(types=("string",))
    return replace(schema, properties={**schema.properties, "apiVersion": string, "kind": string, "metadata": OBJECT_META})
