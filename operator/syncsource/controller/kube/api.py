"""The requests that the operator makes. Each raises an ApiError, and nothing else."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Sequence
from typing import Any, TypeVar

from kubernetes.aio.client import ApiClient, CustomObjectsApi

from syncsource import failpoints
from syncsource.controller.core.asked import SeenRun, observe_run
from syncsource.controller.core.observed import Observed, Ref, observe
from syncsource.controller.core.packed import unpack
from syncsource.controller.kube.failures import Conflict, Gone, Rejected, translated
from syncsource.controller.kube.plain import Plain
from syncsource.resource import api
from syncsource.resource.syncsource import Metadata

_API: dict[str, Any] = {"group": api.GROUP, "version": api.VERSION}
_CORE = ("api", "v1")
_TIMEOUT = 30.0
_CHUNK = 250
"""Objects per page of a list."""


class Api:
    """An API server, with the operator's credentials."""

    def __init__(self, configuration: Any) -> None:
        self._client = ApiClient(configuration)
        self._plain = Plain(self._client, timeout=_TIMEOUT)
        self._objects = CustomObjectsApi(self._client)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def cluster(self) -> str:
        """The cluster's identity: the uid of its kube-system namespace."""
        with translated():
            namespace = await self._plain.get(*_CORE, "namespaces", "kube-system")
        return str(namespace["metadata"]["uid"])

    @property
    def syncruns(self) -> SyncRuns:
        """What is asked about SyncRuns."""
        return SyncRuns(self._objects)

    async def object(self, ref: Ref) -> Observed:
        """The SyncSource as it is now. Raises Gone, also where another took its place."""
        return _same(observe(await _get(self._objects, api.PLURAL, ref.namespace, ref.name)), ref)

    async def refs(self, namespaces: Sequence[str] | None, plural: str = api.PLURAL) -> AsyncIterator[Ref]:
        """All SyncSources, or SyncRuns, of the namespaces, or of all."""
        for namespace in namespaces if namespaces is not None else (None,):
            async for ref in self._refs(plural, namespace):
                yield ref

    async def _refs(self, plural: str, namespace: str | None) -> AsyncIterator[Ref]:
        position: str | None = None
        while position != "":
            page = await self._page(plural, namespace, position)
            for metadata in (item["metadata"] for item in page["items"]):
                yield Ref(namespace=metadata["namespace"], name=metadata["name"], uid=metadata["uid"])
            position = page["metadata"].get("continue") or ""

    async def _page(self, plural: str, namespace: str | None, position: str | None) -> Any:
        more: dict[str, Any] = {"limit": _CHUNK, "_request_timeout": _TIMEOUT, **({"_continue": position} if position else {})}
        with translated():
            if namespace is None:
                return await self._objects.list_cluster_custom_object(**_API, plural=plural, **more)
            return await self._objects.list_namespaced_custom_object(**_API, plural=plural, namespace=namespace, **more)

    async def is_served(self) -> bool:
        """Whether the API server knows SyncSources and SyncRuns."""
        try:
            with translated():
                known = await self._plain.get("apis", api.GROUP, api.VERSION)
        except Gone:
            return False
        return {api.PLURAL, api.RUN_PLURAL} <= {resource["name"] for resource in known["resources"]}

    async def look_at_secrets(self, namespaces: Sequence[str] | None) -> None:
        """Raises Rejected where Secrets may not be listed."""
        with translated():
            if namespaces is None:
                await self._plain.get(*_CORE, "secrets", limit="1")
            for namespace in namespaces or ():
                await self._plain.get(*_CORE, "namespaces", namespace, "secrets", limit="1")

    async def write_status(self, ref: Ref, packed: bytes, version: str) -> str:
        """Write status if the object is still that one, at that version; returns its new version.

        Raises Gone, or Conflict where it changed, or Rejected where the API server does not take the status.
        """
        return await _write_status(self._objects, api.PLURAL, ref, packed, version)

    async def secret(self, namespace: str, name: str) -> dict[str, str]:
        """The Secret's values, decoded. Raises Rejected where a value is no text."""
        with translated():
            secret = await self._plain.get(*_CORE, "namespaces", namespace, "secrets", name)
        try:
            return {key: base64.b64decode(value).decode() for key, value in (secret.get("data") or {}).items()}
        except ValueError:
            raise Rejected(f"Secret {name} holds a value that is not UTF-8 text") from None

    async def create_event(self, namespace: str, event: Any) -> None:
        """Create a v1 Event."""
        with translated():
            await self._plain.create(*_CORE, "namespaces", namespace, "events", body=event)

    async def patch_event(self, namespace: str, name: str, patch: Any) -> None:
        """Change a v1 Event. Raises Gone where it has expired."""
        with translated():
            await self._plain.patch(*_CORE, "namespaces", namespace, "events", name, body=patch)


class SyncRuns:
    """The same for SyncRuns."""

    def __init__(self, objects: CustomObjectsApi) -> None:
        self._objects = objects

    async def object(self, ref: Ref) -> SeenRun:
        """The SyncRun as it is now. Raises Gone, also where another took its place."""
        return _same(observe_run(await _get(self._objects, api.RUN_PLURAL, ref.namespace, ref.name)), ref)

    async def named(self, namespace: str, name: str) -> Observed:
        """The SyncSource of that name. Raises Gone."""
        return observe(await _get(self._objects, api.PLURAL, namespace, name))

    async def write_status(self, ref: Ref, packed: bytes, version: str) -> str:
        """As that of :class:`Api`."""
        return await _write_status(self._objects, api.RUN_PLURAL, ref, packed, version)

    async def delete(self, ref: Ref) -> None:
        """Delete it, if it is still that one. Raises Gone, or Conflict where another took its place."""
        body: Any = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": ref.uid}}
        with translated():
            await self._objects.delete_namespaced_custom_object(
                **_API, plural=api.RUN_PLURAL, namespace=ref.namespace, name=ref.name, body=body, _request_timeout=_TIMEOUT
            )


_Seen = TypeVar("_Seen", Observed, SeenRun)


def _same(seen: _Seen, ref: Ref) -> _Seen:
    if seen.ref.uid != ref.uid:
        raise Gone(f"{ref.key} was deleted and created again")
    return seen


async def _get(objects: CustomObjectsApi, plural: str, namespace: str, name: str) -> dict[str, Any]:
    with translated():
        manifest: Any = await objects.get_namespaced_custom_object(
            **_API, plural=plural, namespace=namespace, name=name, _request_timeout=_TIMEOUT
        )
    return dict(manifest)


async def _write_status(objects: CustomObjectsApi, plural: str, ref: Ref, packed: bytes, version: str) -> str:
    patch: list[dict[str, Any]] = [
        {"op": "test", "path": "/metadata/uid", "value": ref.uid},
        {"op": "test", "path": "/metadata/resourceVersion", "value": version},
        {"op": "add", "path": "/status", "value": unpack(packed)},
    ]
    failpoints.hit("before-status")
    try:
        written = await _patch_status(objects, plural, ref, patch)
    except Conflict as conflict:
        held = Metadata.model_validate((await _get(objects, plural, ref.namespace, ref.name))["metadata"])
        if held.uid != ref.uid:
            raise Gone(f"{ref.key} was deleted and created again") from conflict
        if held.resource_version != version:
            raise
        raise Rejected(str(conflict), 422) from conflict
    failpoints.hit("after-status")
    return written


async def _patch_status(objects: CustomObjectsApi, plural: str, ref: Ref, patch: list[dict[str, Any]]) -> str:
    with translated():
        manifest: Any = await objects.patch_namespaced_custom_object_status(
            **_API,
            plural=plural,
            namespace=ref.namespace,
            name=ref.name,
            body=patch,
            _content_type="application/json-patch+json",
            _request_timeout=_TIMEOUT,
        )
    return str(manifest["metadata"]["resourceVersion"])
