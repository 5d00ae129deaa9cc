"""Generates the CustomResourceDefinitions from the models: ``make crds`` writes them to ``crds/``, and to the package for :mod:`crd`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import yaml
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from syncsource.resource import api
from syncsource.resource.runstatus import SyncRunStatus
from syncsource.resource.spec import SyncSourceSpec
from syncsource.resource.status import SyncSourceStatus
from syncsource.resource.syncrun import SyncRunSpec
from syncsource.resource.types import cel, format_duration

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
RUN_COLUMNS = (
    ("Source", "string", ".spec.source", 0),
    ("Action", "string", ".spec.action", 0),
    ("Phase", "string", ".status.phase", 0),
    ("Reason", "string", ".status.reason", 0),
    ("Duration", "string", ".status.duration", 0),
    ("Age", "date", ".metadata.creationTimestamp", 0),
    ("Run", "string", ".status.run", 1),
    ("Message", "string", ".status.message", 1),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of the API, as far as its definition goes beyond its models."""

    name: str
    plural: str
    singular: str
    short: str
    description: str
    spec: type[BaseModel]
    status: type[BaseModel]
    columns: tuple[tuple[str, str, str, int], ...]
    selectable: tuple[str, ...]
    longest_name: int | None = None


KINDS = (
    Kind(
        name=api.KIND,
        plural=api.PLURAL,
        singular=api.SINGULAR,
        short=api.SHORT_NAME,
        description="A SyncSource keeps rows of an outside system up to date in a SQL table that people also edit.",
        spec=SyncSourceSpec,
        status=SyncSourceStatus,
        columns=COLUMNS,
        selectable=(".spec.suspend",),
        longest_name=63,
    ),
    Kind(
        name=api.RUN_KIND,
        plural=api.RUN_PLURAL,
        singular=api.RUN_SINGULAR,
        short=api.RUN_SHORT_NAME,
        description="A SyncRun asks for one action of a SyncSource, such as Undo or Verify, and tells what came of it.",
        spec=SyncRunSpec,
        status=SyncRunStatus,
        columns=RUN_COLUMNS,
        selectable=(".spec.source", ".spec.action"),
    ),
)


def generated() -> list[dict[str, Any]]:
    """The CustomResourceDefinitions, as new dicts."""
    return [_definition(kind) for kind in KINDS]


def _definition(kind: Kind) -> dict[str, Any]:
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.plural}.{api.GROUP}"},
        "spec": {
            "group": api.GROUP,
            "scope": "Namespaced",
            "names": {
                "plural": kind.plural,
                "singular": kind.singular,
                "kind": kind.name,
                "listKind": f"{kind.name}List",
                "shortNames": [kind.short],
                "categories": [api.CATEGORY],
            },
            "versions": [_version(kind)],
        },
    }


def crd_yaml() -> str:
    """The same as YAML text, as it stands in ``crds/syncsource.yaml``."""
    head = "# Generated from operator/syncsource/resource by `make crds`. Do not edit.\n"
    return head + yaml.safe_dump_all(generated(), sort_keys=False, width=140, allow_unicode=True)


def crd_json() -> str:
    """The same as JSON text, as it stands in the package: a List, which kubectl takes too."""
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": generated()}, indent=1, ensure_ascii=False) + "\n"


def _version(kind: Kind) -> dict[str, Any]:
    return {
        "name": api.VERSION,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "selectableFields": [{"jsonPath": path} for path in kind.selectable],
        "additionalPrinterColumns": [
            {"name": name, "type": type_, "jsonPath": path, **({"priority": priority} if priority else {})}
            for name, type_, path, priority in kind.columns
        ],
        "schema": {"openAPIV3Schema": _object_schema(kind)},
    }


def _object_schema(kind: Kind) -> dict[str, Any]:
    length = f"size(self.metadata.name) <= {kind.longest_name}", f"metadata.name must be at most {kind.longest_name} characters"
    return {
        "description": kind.description,
        "type": "object",
        "required": ["spec"],
        **(cel(length) if kind.longest_name else {}),
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": structural(kind.spec),
            "status": structural(kind.status),
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
