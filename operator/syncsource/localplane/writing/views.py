"""Two versions of one stored object: mostly, a resource that is stored as another only names some fields differently."""

from __future__ import annotations

import copy
from typing import Any

from syncsource.localplane.admission.pruning import prune
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
    if resource.is_custom:
        shown = copy.deepcopy(shown)
        prune(shown, resource.rules.schema, is_resource=True)
    return shown
