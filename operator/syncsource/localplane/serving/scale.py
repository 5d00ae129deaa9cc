"""The `scale` subresource: how many replicas an object wants and has, in one form for every kind that has it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from aiohttp import web

from syncsource.localplane import errors
from syncsource.localplane.access import Access, escalation
from syncsource.localplane.admission import cause
from syncsource.localplane.registry.resource import Resource, ScalePaths
from syncsource.localplane.serving import bodies, parameters
from syncsource.localplane.serving.gate import user_of
from syncsource.localplane.serving.labelcells import NONE, formatted_labels, formatted_selector
from syncsource.localplane.serving.requestinfo import RequestInfo
from syncsource.localplane.storage.encoding import decode
from syncsource.localplane.writing import patches, views
from syncsource.localplane.writing.native import read_native
from syncsource.localplane.writing.writer import Writer

API_VERSION = "autoscaling/v1"
JSON_PATCH, MERGE_PATCH = "application/json-patch+json", "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"

Object = dict[str, Any]
Change = Callable[[Object], Any]


class Scales:
    """Reads and writes scales. Raises the 4xx of what is no scale."""

    def __init__(self, writer: Writer, access: Access) -> None:
        self._writer, self._authorizer = writer, access.authorizer

    async def get(self, request: web.Request, resource: Resource, info: RequestInfo) -> web.StreamResponse:
        stored = self._writer.store.find(self._writer.key(resource, info.namespace, info.name))
        if stored is None:
            raise errors.not_found(resource.group, resource.plural, info.name)
        obj = decode(stored.body)
        return bodies.answer(scale_of(resource, views.completed(resource, obj, stored.version)), request)

    async def update(self, request: web.Request, resource: Resource, info: RequestInfo) -> web.StreamResponse:
        given = await bodies.read_object(request)
        return self._write(request, resource, info, lambda _: given)

    async def patch(self, request: web.Request, resource: Resource, info: RequestInfo) -> web.StreamResponse:
        kind = bodies.media_type(request)
        if kind not in (JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH):
            raise errors.unsupported_media_type([JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH])
        patch = bodies.parse_patch(await bodies.read_body(request), kind).value
        if kind == JSON_PATCH:
            return self._write(request, resource, info, lambda scale: patches.json_patch(scale, patch))
        if not isinstance(patch, dict):
            raise errors.bad_request("error decoding patch: a merge patch is an object")
        return self._write(request, resource, info, lambda scale: patches.merge_patch(scale, patch))

    def _write(self, request: web.Request, resource: Resource, info: RequestInfo, change: Change) -> web.StreamResponse:
        guard = escalation.guard(self._authorizer, user_of(request), info.attributes(""))
        options = replace(parameters.write_options(request, "scale"), guard=guard)

        def scaled(obj: Object) -> Object:
            wanted = _checked(change(copy.deepcopy(scale_of(resource, obj))), info.name)
            obj["metadata"]["resourceVersion"] = wanted["metadata"].get("resourceVersion") or obj["metadata"]["resourceVersion"]
            obj["metadata"]["uid"] = wanted["metadata"].get("uid") or obj["metadata"]["uid"]
            _put(obj, _paths(resource).spec, wanted["spec"].get("replicas", 0))
            return obj

        result = self._writer.patch(resource, info.namespace, info.name, scaled, options)
        return bodies.answer(scale_of(resource, result.object), request)


def scale_of(resource: Resource, obj: Mapping[str, Any]) -> Object:
    """The scale of an object; raises the 500 of one that says nothing of replicas."""
    paths, metadata = _paths(resource), obj["metadata"]
    wanted = _find(obj, paths.spec)
    if wanted is None:
        message = f'Internal error occurred: the spec replicas field ".{".".join(paths.spec)}" does not exist'
        raise errors.APIError(500, "InternalError", message)
    names = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    status = {"replicas": _find(obj, paths.status) or 0}
    selector = _selector(obj, paths)
    return {
        "kind": "Scale",
        "apiVersion": API_VERSION,
        "metadata": {name: metadata[name] for name in names if name in metadata},
        "spec": {"replicas": wanted} if wanted else {},
        "status": {**status, "selector": selector} if selector else status,
    }


def _selector(obj: Mapping[str, Any], paths: ScalePaths) -> str:
    found = _find(obj, paths.selector) if paths.selector else None
    if isinstance(found, dict):
        text = formatted_labels(found) if obj["kind"] == "ReplicationController" else formatted_selector(found)
        return "" if text == NONE else text
    return str(found or "")


def _paths(resource: Resource) -> ScalePaths:
    if resource.scale is None:
        raise LookupError(f"{resource.plural} have no scale")
    return resource.scale


def _checked(scale: Any, name: str) -> Object:
    """Raises the 400 of what is no Scale, or is another object's, and the 422 of a negative one."""
    if not isinstance(scale, dict) or (scale.get("kind", "Scale"), scale.get("apiVersion", API_VERSION)) != ("Scale", API_VERSION):
        raise errors.bad_request(f"the object provided is unrecognized: it must be a Scale in version {API_VERSION!r}")
    try:
        read_native("autoscaling.v1.Scale", scale)
    except ValueError as wrong:
        raise errors.bad_request(f'Scale in version "v1" cannot be handled as a Scale: {str(wrong)[:1000]}') from wrong
    if scale["metadata"].get("name", name) != name:
        raise errors.bad_request(f"the name of the object ({scale['metadata']['name']}) does not match the name on the URL ({name})")
    replicas = scale["spec"].get("replicas", 0)
    if replicas < 0:
        wrong_value = cause.invalid("spec.replicas", replicas, "must be greater than or equal to 0")
        raise errors.invalid("autoscaling", "Scale", name, [wrong_value])
    return scale


def _find(obj: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        obj = obj.get(name) if isinstance(obj, dict) else None
    return obj


def _put(obj: Object, path: tuple[str, ...], value: int) -> None:
    for name in path[:-1]:
        obj = obj.setdefault(name, {})
    obj[path[-1]] = value
