"""Built-in types as OpenAPI components, for `kubectl explain` and for what clients validate and patch by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from syncsource.localplane.registry.apitypes import NO_DEFAULT, SCALARS, Field, api_type, references
from syncsource.localplane.registry.builtin import descriptions

_META = "io.k8s.apimachinery.pkg.apis.meta.v1."
_SCALARS: dict[str, dict[str, Any]] = {
    "text": {"type": "string"},
    "int32": {"type": "integer", "format": "int32"},
    "int64": {"type": "integer", "format": "int64"},
    "bool": {"type": "boolean"},
    "float64": {"type": "number", "format": "double"},
    "bytes": {"type": "string", "format": "byte"},
    "words": {"type": "array", "items": {"type": "string"}},
}
_NAMED: dict[str, tuple[str, dict[str, Any]]] = {
    "time": (f"{_META}Time", {"type": "string", "format": "date-time"}),
    "micro": (f"{_META}MicroTime", {"type": "string", "format": "date-time"}),
    "duration": (f"{_META}Duration", {"type": "string"}),
    "any": (f"{_META}FieldsV1", {"type": "object"}),
    "raw": ("io.k8s.apimachinery.pkg.runtime.RawExtension", {"type": "object"}),
    "quantity": ("io.k8s.apimachinery.pkg.api.resource.Quantity", {"oneOf": [{"type": "string"}, {"type": "number"}]}),
    "intstr": (
        "io.k8s.apimachinery.pkg.util.intstr.IntOrString",
        {"format": "int-or-string", "oneOf": [{"type": "integer"}, {"type": "string"}]},
    ),
}
V2, V3 = "#/definitions/", "#/components/schemas/"


def published_name(name: str) -> str:
    return _META + name.removeprefix("meta.v1.") if name.startswith("meta.v1.") else f"io.k8s.api.{name}"


def components(names: Iterable[str], prefix: str) -> dict[str, Any]:
    """The types called `names` and all that they consist of; `prefix` is where references point to, V2 or V3."""
    types = sorted({below for name in names for below in references(name)})
    scalars = {name: _in_version(schema, prefix) for name, schema in _NAMED.values()}
    return {**{published_name(name): component(name, prefix) for name in types}, **scalars}


def _in_version(schema: Mapping[str, Any], prefix: str) -> Mapping[str, Any]:
    """Swagger knows no oneOf: there such a value is a string."""
    return schema if prefix == V3 or "oneOf" not in schema else {**{k: v for k, v in schema.items() if k != "oneOf"}, "type": "string"}


@cache
def component(name: str, prefix: str) -> Mapping[str, Any]:
    """One type, with references to the others."""
    fields = api_type(name).fields
    found: dict[str, Any] = {"type": "object", "properties": {field.name: _property(name, field, prefix) for field in fields.values()}}
    required = [field.name for field in fields.values() if field.is_required]
    if required:
        found["required"] = required
    if name in descriptions():
        found["description"] = descriptions()[name]
    if api_type(name).is_atomic:
        found["x-kubernetes-map-type"] = "atomic"
    return found


def _property(owner: str, field: Field, prefix: str) -> dict[str, Any]:
    found = {"[]": _list, "{}": _map, "": _single}[field.shape](field, prefix)
    said = descriptions().get(f"{owner}.{field.name}", "")
    if said:
        found["description"] = said
    if field.default is not NO_DEFAULT:
        found["default"] = field.default
    if field.is_atomic:
        found["x-kubernetes-map-type"] = "atomic"
    return found


def _single(field: Field, prefix: str) -> dict[str, Any]:
    below = _base(field, prefix)
    return {"allOf": [below]} if "$ref" in below and prefix == V3 else below


def _map(field: Field, prefix: str) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": _base(field, prefix)}


def _list(field: Field, prefix: str) -> dict[str, Any]:
    found: dict[str, Any] = {"type": "array", "items": _base(field, prefix)}
    found["x-kubernetes-list-type"] = "map" if field.keys else "set" if field.is_set else "atomic"
    if field.keys:
        found["x-kubernetes-list-map-keys"] = list(field.keys)
    if field.is_merged:
        found["x-kubernetes-patch-strategy"] = "merge,retainKeys" if field.retains_keys else "merge"
    if field.merge_key:
        found["x-kubernetes-patch-merge-key"] = field.merge_key
    return found


def _base(field: Field, prefix: str) -> dict[str, Any]:
    if field.base in _NAMED:
        return {"$ref": prefix + _NAMED[field.base][0]}
    if field.base not in SCALARS:
        return {"$ref": prefix + published_name(field.base)}
    return {**_SCALARS[field.base], **({"enum": list(field.enum)} if field.enum else {})}
