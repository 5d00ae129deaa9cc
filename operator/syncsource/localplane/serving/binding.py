"""The `binding` subresource of Pods: a scheduler's choice of a node."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from syncsource.localplane import errors
from syncsource.localplane.registry.resource import Resource
from syncsource.localplane.serving import parameters
from syncsource.localplane.serving.bodies import answer, read_object
from syncsource.localplane.serving.requestinfo import RequestInfo
from syncsource.localplane.writing import pipeline
from syncsource.localplane.writing.writer import Writer

Object = dict[str, Any]


class PodBinding:
    """Gives a Pod its node, once."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def create(self, request: web.Request, resource: Resource, info: RequestInfo) -> web.StreamResponse:
        """Raises the 400, 404 or 409 of what can't be bound."""
        asked = await read_object(request)
        node = _target(asked, info.name)
        if self._writer.store.get(self._writer.key(resource, info.namespace, info.name)) is None:
            raise errors.not_found(resource.group, resource.plural, info.name)
        if not parameters.write_options(request, "").dry_run:
            self._writer.edit(self._writer.key(resource, info.namespace, info.name), lambda pod: _bind(pod, node, asked))
        return answer({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}, request, code=201)


def _target(asked: Any, name: str) -> str:
    if not isinstance(asked, dict) or not isinstance(asked.get("metadata", {}), dict):
        raise errors.bad_request("a Binding is an object with metadata and target")
    if asked.get("metadata", {}).get("name") != name:
        raise errors.bad_request("name in URL does not match name in Binding object")
    target = asked.get("target")
    node = target.get("name") if isinstance(target, dict) and target.get("kind") in (None, "", "Node") else None
    if not isinstance(node, str) or not node:
        raise errors.bad_request("target.name: Required value: a Binding names the Node that the Pod is to run on")
    return node


def _bind(pod: Object, node: str, asked: Object) -> None:
    metadata, name = pod["metadata"], pod["metadata"]["name"]
    uid = asked["metadata"].get("uid")
    if uid and uid != metadata["uid"]:
        why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {metadata['uid']}"
        raise errors.conflict("", "pods/binding", name, why)
    if metadata.get("deletionTimestamp"):
        raise errors.conflict("", "pods/binding", name, f"pod {name} is being deleted, cannot be assigned to a host")
    if pod["spec"].get("nodeName"):
        raise errors.conflict("", "pods/binding", name, f'pod {name} is already assigned to node "{pod["spec"]["nodeName"]}"')
    pod["spec"]["nodeName"] = node
    status = pod.setdefault("status", {})
    others = [one for one in status.get("conditions") or [] if one["type"] != "PodScheduled"]
    status["conditions"] = [*others, {"type": "PodScheduled", "status": "True", "lastTransitionTime": pipeline.now()}]
