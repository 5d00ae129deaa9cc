"""The `eviction` subresource of Pods: a deletion that disruption budgets may refuse."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from syncsource.localplane import errors
from syncsource.localplane.registry.labels import matches_labels
from syncsource.localplane.registry.resource import Resource
from syncsource.localplane.serving import parameters
from syncsource.localplane.serving.bodies import answer, read_object
from syncsource.localplane.serving.requestinfo import RequestInfo
from syncsource.localplane.storage.encoding import decode
from syncsource.localplane.writing.writer import Writer

BUDGETS = "poddisruptionbudgets.policy"


class PodEviction:
    """Evicts a Pod. No controller counts what budgets allow here, so that a budget allows what its status says, which is nothing at first."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def create(self, request: web.Request, resource: Resource, info: RequestInfo) -> web.StreamResponse:
        """Raises the 429 of a budget, the 400 and 404 of what can't be evicted."""
        asked = await read_object(request)
        if not isinstance(asked, dict) or not isinstance(asked.get("metadata") or {}, dict):
            raise errors.bad_request("an Eviction is an object with metadata")
        if (asked.get("metadata") or {}).get("name", info.name) != info.name:
            raise errors.bad_request("name in URL does not match name in Eviction object")
        stored = self._writer.store.get(self._writer.key(resource, info.namespace, info.name))
        if stored is None:
            raise errors.not_found(resource.group, resource.plural, info.name)
        self._check_budgets(info.namespace, decode(stored))
        options = parameters.delete_options(request.query, asked.get("deleteOptions") or {})
        self._writer.delete(resource, info.namespace, info.name, options)
        return answer({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}, request, code=201)

    def _check_budgets(self, namespace: str, pod: dict[str, Any]) -> None:
        if (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed", "Pending"):
            return
        for stored in self._writer.store.objects(BUDGETS):
            budget = decode(stored.body)
            selector = budget["spec"].get("selector")
            if stored.key.namespace != namespace or selector is None or not matches_labels(selector, pod["metadata"].get("labels") or {}):
                continue
            if (budget.get("status") or {}).get("disruptionsAllowed", 0) <= 0:
                message = "Cannot evict pod as it would violate the pod's disruption budget."
                needed = f"The disruption budget {stored.key.name} allows no disruption"
                raise errors.APIError(429, "TooManyRequests", message, {"causes": [{"reason": "DisruptionBudget", "message": needed}]})
