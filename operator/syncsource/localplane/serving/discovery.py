"""Discovery, legacy and aggregated (KEP-3352): which groups, versions and resources there are."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from typing import Any

from syncsource.localplane.registry.registry import Registry
from syncsource.localplane.registry.resource import Resource, Subresource

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
VERSION = {
    "major": "1",
    "minor": "36",
    "gitVersion": "v1.36.2",
    "gitCommit": "",
    "gitTreeState": "clean",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "",
    "compiler": "",
    "platform": "linux/amd64",
}


def core_versions(address: str) -> dict[str, Any]:
    cidrs = [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}]
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": cidrs}


def group_list(registry: Registry) -> dict[str, Any]:
    groups = [_group(registry, group) for group in registry.groups() if group]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def group(registry: Registry, name: str) -> dict[str, Any] | None:
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(registry, name)} if registry.versions(name) else None


def _group(registry: Registry, name: str) -> dict[str, Any]:
    versions = [{"groupVersion": f"{name}/{version}", "version": version} for version in registry.versions(name)]
    return {"name": name, "versions": versions, "preferredVersion": versions[0]}


def resource_list(registry: Registry, group: str, version: str) -> dict[str, Any] | None:
    resources = registry.of(group, version)
    if not resources:
        return None
    listed = [entry for resource in resources for entry in _entries(resource)]
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": resources[0].api_version, "resources": listed}


def _entries(resource: Resource) -> Iterable[dict[str, Any]]:
    entry: dict[str, Any] = {
        "name": resource.plural,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": list(resource.verbs),
    }
    if resource.short_names:
        entry["shortNames"] = list(resource.short_names)
    if resource.categories:
        entry["categories"] = list(resource.categories)
    if resource.is_stored:
        entry["storageVersionHash"] = _storage_version_hash(resource)
    yield entry
    for found in resource.subresources:
        entry = {"name": f"{resource.plural}/{found.name}", "singularName": "", "namespaced": resource.namespaced}
        if found.group:
            entry |= {"group": found.group, "version": found.version}
        yield {**entry, "kind": found.kind, "verbs": list(found.verbs)}


def _storage_version_hash(resource: Resource) -> str:
    digest = hashlib.sha256(f"{resource.group}/{resource.version}/{resource.kind}".encode()).digest()
    return base64.b64encode(digest[:8]).decode()


def aggregated(registry: Registry, *, core: bool) -> dict[str, Any]:
    """The core group for /api, all others for /apis."""
    items = [_aggregated_group(registry, name) for name in registry.groups() if bool(name) is not core]
    return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items}


def _aggregated_group(registry: Registry, name: str) -> dict[str, Any]:
    versions = [
        {"version": version, "resources": [_aggregated(resource) for resource in registry.of(name, version)], "freshness": "Current"}
        for version in registry.versions(name)
    ]
    return {"metadata": {"name": name} if name else {}, "versions": versions}


def _aggregated(resource: Resource) -> dict[str, Any]:
    kind = {"group": resource.group, "version": resource.version, "kind": resource.kind}
    entry: dict[str, Any] = {
        "resource": resource.plural,
        "responseKind": kind,
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular,
        "verbs": list(resource.verbs),
    }
    if resource.short_names:
        entry["shortNames"] = list(resource.short_names)
    if resource.categories:
        entry["categories"] = list(resource.categories)
    if resource.subresources:
        entry["subresources"] = [_aggregated_part(resource, found) for found in resource.subresources]
    return entry


def _aggregated_part(resource: Resource, found: Subresource) -> dict[str, Any]:
    kind = {"group": found.group or resource.group, "version": found.version or resource.version, "kind": found.kind}
    return {"subresource": found.name, "responseKind": kind, "verbs": list(found.verbs)}
