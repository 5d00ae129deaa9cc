"""Generates the CustomResourceDefinition from the models: ``make crds`` writes it to ``crds/``, and to the package for :mod:`crd`."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import yaml
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from syncsource.resource import api
from syncsource.resource.spec import SyncSourceSpec
from syncsource.resource.status import SyncSourceStatus
from syncsource.resource.types import format_duration

_DROPPED = ("title", "additionalProperties", "$defs", "examples", "exclusiveMinimum", "exclusiveMaximum")

_READY = '.status.conditions[?(@.type=="Ready")]'
COLUMNS = (
    ("Schedule", "string", ".status.effectiveSchedule", 0),
    ("Suspended", "boolean", ".spec.suspend", 0),
    ("Ready", "string", f"{_READY}.status", 0),
    ("Reason", "string", f"{_READY}.reason", 0),
    ("Rows", "integer", ".status.lastRun.changed", 0),
    ("Last Sync", "date", ".status.lastSuccessTime", 0),
    ("Next", "string", ".status.nextRunTime", 0),
    ("Age", "date", ".metadata.creationTimestamp", 0),
    ("Source", "string", ".status.source", 1),
    ("Destination", "string", ".spec.destination.sql.table", 1),
    ("Duration", "string", ".status.history[0].duration", 1),
    ("Failures", "integer", ".status.consecutiveFailures", 1),
    ("Accuracy", "string", ".status.accuracy", 1),
    ("Message", "string", f"{_READY}.message", 1),
)


def generated() -> dict[str, Any]:
    """The CustomResourceDefinition of SyncSource, as a new dict."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{api.PLURAL}.{api.GROUP}"},
        "spec": {
            "group": api.GROUP,
            "scope": "Namespaced",
            "names": {
                "plural": api.PLURAL,
                "singular": api.SINGULAR,
                "kind": api.KIND,
                "listKind": f"{api.KIND}List",
                "shortNames": [api.SHORT_NAME],
                "categories": [api.CATEGORY],
            },
            "versions": [_version()],
        },
    }


def crd_yaml() -> str:
    """The same as YAML text, as it stands in ``crds/syncsource.yaml``."""
    head = "# Generated from operator/syncsource/resource by `make crds`. Do not edit.\n"
    return head + yaml.safe_dump(generated(), sort_keys=False, width=140, allow_unicode=True)


def crd_json() -> str:
    """The same as JSON text, as it stands in the package."""
    return json.dumps(generated(), indent=1, ensure_ascii=False) + "\n"


def _version() -> dict[str, Any]:
    return {
        "name": api.VERSION,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "selectableFields": [{"jsonPath": ".spec.suspend"}],
        "additionalPrinterColumns": [
            {"name": name, "type": kind, "jsonPath": path, **({"priority": priority} if priority else {})}
            for name, kind, path, priority in COLUMNS
        ],
        "schema": {"openAPIV3Schema": _object_schema()},
    }


def _object_schema() -> dict[str, Any]:
    return {
        "description": "A SyncSource keeps rows of an outside system up to date in a SQL table that people also edit.",
        "type": "object",
        "required": ["spec"],
        "x-kubernetes-validations": [{"rule": "size(self.metadata.name) <= 63", "message": "metadata.name must be at most 63 characters"}],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": structural(SyncSourceSpec),
            "status": structural(SyncSourceStatus),
        },
    }


class _Schema(GenerateJsonSchema):
    def encode_default(self, dft: Any) -> Any:
        return format_duration(dft) if isinstance(dft, timedelta) else super().encode_default(dft)


def structural(model: type[BaseModel]) -> dict[str, Any]:
    """The model's JSON schema as a structural schema: no $ref, no anyOf with null, nothing that an API server refuses."""
    schema = model.model_json_schema(by_alias=True, mode="validation", schema_generator=_Schema)
    flat = _flatten(schema, schema.get("$defs", {}))
    assert isinstance(flat, dict)
    return flat


def _flatten(node: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [_flatten(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    node = _resolve(_without_null(_resolve(node, definitions)), definitions)
    if "x-kubernetes-int-or-string" in node:
        node.pop("anyOf", None)
    flat = {key: _flatten_key(key, value, definitions) for key, value in node.items() if _kept(key, value)}
    if flat.get("default", 0) is None:
        del flat["default"]
    if flat.get("properties", 0) == {}:
        del flat["properties"]
    if "const" in flat:
        flat["enum"] = [flat.pop("const")]
    return flat


def _flatten_key(key: str, value: Any, definitions: dict[str, Any]) -> Any:
    if key == "properties":
        return {name: _flatten(child, definitions) for name, child in value.items()}
    if key == "items":
        return _without_defaults(_flatten(value, definitions))
    return value if key in ("default", "enum", "x-kubernetes-validations") else _flatten(value, definitions)


def _without_defaults(schema: Any) -> Any:
    """Inside lists the API server sets no defaults, or `kubectl apply` of an unchanged manifest would replace the list each time."""
    if not isinstance(schema, dict):
        return schema
    properties = {name: _without_defaults(child) for name, child in schema.get("properties", {}).items()}
    kept = {key: value for key, value in schema.items() if key != "default"}
    return {**kept, "properties": properties} if properties else kept


def _kept(key: str, value: Any) -> bool:
    return key not in _DROPPED or (key == "additionalProperties" and isinstance(value, dict))


def _resolve(node: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """The node with its $ref in place; what stands beside the $ref (a description) wins."""
    if "$ref" not in node:
        return dict(node)
    target = definitions[node["$ref"].rsplit("/", 1)[1]]
    return {**_resolve(target, definitions), **{key: value for key, value in node.items() if key != "$ref"}}


def _without_null(node: dict[str, Any]) -> dict[str, Any]:
    """Optional[X] is X that may be absent: the API has no nulls."""
    choices = [choice for choice in node.get("anyOf", ()) if choice.get("type") != "null"]
    if len(choices) != 1:
        return node
    rest = {key: value for key, value in node.items() if key != "anyOf"}
    return {**choices[0], **rest}
