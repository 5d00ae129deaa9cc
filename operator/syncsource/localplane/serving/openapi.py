"""OpenAPI v2 and v3, made from the registry: what `kubectl explain` prints and what clients validate by."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from syncsource.localplane.registry.object_meta import OBJECT_META_TYPE
from syncsource.localplane.registry.registry import Registry
from syncsource.localplane.registry.resource import Resource
from syncsource.localplane.serving.published import V2, V3, component, components, published_name

_DOCS = "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md"
_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_API_VERSION = (
    "APIVersion defines the versioned schema of this representation of an object. Servers should convert recognized schemas to the "
    f"latest internal value, and may reject unrecognized values. More info: {_DOCS}#resources"
)
_KIND = (
    "Kind is a string value representing the REST resource this object represents. Servers may infer this from the endpoint the client "
    f"submits requests to. Cannot be updated. In CamelCase. More info: {_DOCS}#types-kinds"
)
_BODIES = ("application/json", "application/yaml")
_PATCHES = ("application/apply-patch+yaml", "application/json-patch+json", "application/merge-patch+json")
_PARAMETERS = {"get": (), "post": ("dryRun", "fieldManager", "fieldValidation"), "delete": ("dryRun",)}
_WRITE_PARAMETERS = ("dryRun", "fieldManager", "fieldValidation")


def group_versions(registry: Registry) -> dict[str, tuple[str, str]]:
    """The paths below /openapi/v3, each with its group and version."""
    found = {(resource.group, resource.version) for resource in registry}
    return {f"apis/{group}/{version}" if group else f"api/{version}": (group, version) for group, version in sorted(found)}


def index_v3(registry: Registry) -> dict[str, Any]:
    """The document of /openapi/v3: a link per group version, whose hash changes with its content."""
    paths = {}
    for path, place in group_versions(registry).items():
        digest = hashlib.sha256(repr([(id(resource), resource.kind) for resource in registry.of(*place)]).encode()).hexdigest()
        paths[path] = {"serverRelativeURL": f"/openapi/v3/{path}?hash={digest.upper()}"}
    return {"paths": paths}


def document_v3(registry: Registry, group: str, version: str) -> dict[str, Any]:
    resources = registry.of(group, version)
    paths = {path: item for resource in resources for path, item in _paths(resource)}
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": "v1.36.2"},
        "paths": paths,
        "components": {"schemas": _schemas(resources, V3)},
    }


def document_v2(registry: Registry) -> dict[str, Any]:
    """Every kind in one Swagger document."""
    resources = list(registry)
    return {
        "swagger": "2.0",
        "info": {"title": "Kubernetes", "version": "v1.36.2"},
        "paths": {path: _without_bodies(item) for resource in resources for path, item in _paths(resource)},
        "definitions": _schemas(resources, V2),
    }


def _schemas(resources: list[Resource], prefix: str) -> dict[str, Any]:
    types = [OBJECT_META_TYPE, *(resource.type_name for resource in resources if resource.type_name)]
    return {**components(types, prefix), **{_name(resource): _schema(resource, prefix) for resource in resources}}


def _name(resource: Resource) -> str:
    if resource.type_name:
        return published_name(resource.type_name)
    if not resource.is_custom:
        return f"io.k8s.api.{resource.group.partition('.')[0] or 'core'}.{resource.version}.{resource.kind}"
    return ".".join([*reversed(resource.group.split(".")), resource.version, resource.kind])


def _kind(resource: Resource) -> dict[str, str]:
    return {"group": resource.group, "kind": resource.kind, "version": resource.version}


def _schema(resource: Resource, prefix: str) -> dict[str, Any]:
    metadata = {"description": f"Standard object's metadata. More info: {_DOCS}#metadata", "allOf": [{"$ref": prefix + _META}]}
    if prefix == V2:
        metadata = {"description": metadata["description"], "$ref": prefix + _META}
    raw = dict(component(resource.type_name, prefix) if resource.type_name else _published(resource.raw_schema))
    raw["properties"] = {
        **(raw.get("properties") or {}),
        "apiVersion": {"description": _API_VERSION, "type": "string"},
        "kind": {"description": _KIND, "type": "string"},
        "metadata": metadata,
    }
    return {**raw, "x-kubernetes-group-version-kind": [_kind(resource)]}


def _published(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Merge keys under the names that strategic patches look for."""
    changed: dict[str, Any] = {name: _published_below(name, value) for name, value in schema.items()}
    if schema.get("x-kubernetes-list-type") == "map":
        changed["x-kubernetes-patch-merge-key"] = schema["x-kubernetes-list-map-keys"][0]
        changed["x-kubernetes-patch-strategy"] = "merge"
    return changed


def _published_below(name: str, value: Any) -> Any:
    if name == "properties":
        return {key: _published(below) for key, below in value.items()}
    return _published(value) if name in {"items", "additionalProperties"} and isinstance(value, dict) else value


def _paths(resource: Resource) -> Iterator[tuple[str, dict[str, Any]]]:
    base = f"/apis/{resource.group}/{resource.version}" if resource.group else f"/api/{resource.version}"
    place = f"{base}/namespaces/{{namespace}}/{resource.plural}" if resource.namespaced else f"{base}/{resource.plural}"
    yield place, {method: _operation(resource, method) for method in ("get", "post", "delete") if _allowed(resource, method)}
    if not resource.is_stored:
        return
    if resource.namespaced:
        yield f"{base}/{resource.plural}", {"get": _operation(resource, "get")}
    methods = ("get", "put", "patch", "delete")
    yield f"{place}/{{name}}", {method: _operation(resource, method) for method in methods}
    if resource.has_status:
        yield f"{place}/{{name}}/status", {method: _operation(resource, method) for method in methods[:3]}


def _allowed(resource: Resource, method: str) -> bool:
    return {"get": "list", "post": "create", "delete": "deletecollection"}[method] in resource.verbs


def _operation(resource: Resource, method: str) -> dict[str, Any]:
    names = (
        _WRITE_PARAMETERS + (("force",) if method == "patch" else ()) if method in {"put", "patch", "post"} else _PARAMETERS.get(method, ())
    )
    reference = {"schema": {"$ref": f"#/components/schemas/{_name(resource)}"}}
    operation: dict[str, Any] = {
        "parameters": [{"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": True}} for name in names],
        "responses": {"200": {"description": "OK", "content": dict.fromkeys(_BODIES, reference)}},
        "x-kubernetes-action": {"get": "list", "post": "post"}.get(method, method),
        "x-kubernetes-group-version-kind": _kind(resource),
    }
    if method in {"put", "post"}:
        operation["requestBody"] = {"content": dict.fromkeys(_BODIES, reference), "required": True}
    elif method == "patch":
        operation["requestBody"] = {"content": {kind: {"schema": {"type": "object"}} for kind in _PATCHES}, "required": True}
    return operation


def _without_bodies(item: Mapping[str, Any]) -> dict[str, Any]:
    """Operations as Swagger 2 has them."""
    return {
        method: {
            **{name: value for name, value in operation.items() if name != "requestBody"},
            "parameters": [{"name": each["name"], "in": "query", "type": "string"} for each in operation["parameters"]],
            "responses": {"200": {"description": "OK"}},
        }
        for method, operation in item.items()
    }
