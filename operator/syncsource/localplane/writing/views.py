"""Two versions of one stored object: mostly, a resource that is stored as another only names some fields differently."""

from __future__ import annotations

import copy
from typing import Any

from syncsource.localplane.admission.defaulting import apply_defaults, drop_nulls
from syncsource.localplane.admission.pruning import prune
from syncsource.localplane.admission.schema import Schema
from syncsource.localplane.registry.resource import Resource
from syncsource.localplane.writing import autoscalers


def incoming(resource: Resource, obj: dict[str, Any]) -> dict[str, Any]:
    """From a client's version to the stored one."""
    if resource.type_name == autoscalers.TYPE and obj["apiVersion"] == resource.api_version:
        return autoscalers.to_stored(obj)
    if not resource.renames:
        return obj
    return {**{resource.renames.get(name, name): value for name, value in obj.items()}, "apiVersion": "v1"}


def outgoing(resource: Resource, obj: dict[str, Any]) -> dict[str, Any]:
    """From the stored version to the client's: of a custom object, without the fields that this version does not have."""
    if resource.type_name == autoscalers.TYPE and obj["apiVersion"] != resource.api_version:
        return autoscalers.from_stored(obj)
    if not resource.renames and not (resource.is_custom and obj["apiVersion"] != resource.api_version):
        return obj
    names = {stored: name for name, stored in resource.renames.items()}
    shown = {**{names.get(name, name): value for name, value in obj.items()}, "apiVersion": resource.api_version}
    return _fitted(shown, resource.rules.schema) if resource.is_custom else shown


def completed(resource: Resource | None, obj: dict[str, Any], version: int) -> dict[str, Any]:
    """What was stored as `version`, in place with the defaults that its definition gained since, and without the fields that it lost."""
    form = resource.stored_form if resource is not None else None
    if form is not None and version <= form.since and obj["apiVersion"] in form.rules:
        form.rules[obj["apiVersion"]].decode(obj)
    return obj


def from_stored(resource: Resource, obj: dict[str, Any], version: int) -> dict[str, Any]:
    """What was stored as `version`, in the resource's version; `obj` may be changed."""
    return outgoing(resource, completed(resource, obj, version))


def to_stored(resource: Resource, obj: dict[str, Any]) -> dict[str, Any]:
    """A custom object in the version that is stored, whose defaults it gets and which may not have all of its fields."""
    form = resource.stored_form
    if form is None or obj["apiVersion"] == form.api_version:
        return obj
    schema = form.rules[form.api_version].schema
    stored = _fitted({**obj, "apiVersion": form.api_version}, schema)
    apply_defaults(stored, schema)
    return stored


def _fitted(obj: dict[str, Any], schema: Schema) -> dict[str, Any]:
    """A copy with what the schema knows."""
    fitted = copy.deepcopy(obj)
    prune(fitted, schema, is_resource=True)
    drop_nulls(fitted, schema)
    return fitted
