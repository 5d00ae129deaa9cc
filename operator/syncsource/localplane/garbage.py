"""What follows from a deletion: dependents of an owner, contents of a namespace, objects of a definition.

A queue and one task, as the controllers of a cluster would do it; after a restart everything is looked at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Any

from syncsource.localplane import errors
from syncsource.localplane.registry import definitions
from syncsource.localplane.registry.resource import Resource
from syncsource.localplane.storage.broadcast import Change
from syncsource.localplane.storage.encoding import decode
from syncsource.localplane.storage.store import Key, WriteFailed
from syncsource.localplane.writing import pipeline
from syncsource.localplane.writing.options import DeleteOptions
from syncsource.localplane.writing.strategies import CRD
from syncsource.localplane.writing.writer import Writer

Object = dict[str, Any]
_log = logging.getLogger(__name__)
_AGAIN_SECONDS = 1.0
BACKGROUND = DeleteOptions()


class GarbageCollector:
    """Listens to the writer; works off what it heard in `run`."""

    def __init__(self, writer: Writer) -> None:
        self._writer, self._store, self._registry = writer, writer.store, writer.registry
        self._queue: asyncio.Queue[tuple[Change, Object]] = asyncio.Queue()
        writer.listeners.append(self._heard)

    def _heard(self, change: Change, obj: Object) -> None:
        metadata = obj["metadata"]
        if change.type == "DELETED" or metadata.get("deletionTimestamp") or (change.type == "ADDED" and metadata.get("ownerReferences")):
            self._queue.put_nowait((change, obj))

    async def run(self) -> None:
        """Work until cancelled."""
        self._catch_up()
        while True:
            change, obj = await self._queue.get()
            try:
                self._work(change, obj)
            except WriteFailed as failed:
                _log.warning("garbage collection after %s of %s waits: %s", change.type, change.key, failed)
                self._queue.put_nowait((change, obj))
                await asyncio.sleep(_AGAIN_SECONDS)
            except Exception:
                _log.exception("garbage collection after %s of %s failed", change.type, change.key)
            await asyncio.sleep(0)

    def _catch_up(self) -> None:
        """What was left when the server stopped."""
        for key, _ in self._store.owned():
            self._collect_dependent(key)
        for resource in list(self._registry):
            if resource.is_stored:
                for stored in self._store.objects(resource.storage):
                    self._finalize_stored(stored.key)

    def _finalize_stored(self, key: Key) -> None:
        body = self._store.get(key)
        if body is not None and b'"deletionTimestamp"' in body:
            self._finalize(key, decode(body))

    def _work(self, change: Change, obj: Object) -> None:
        if change.type != "DELETED":
            if obj["metadata"].get("deletionTimestamp"):
                self._finalize(change.key, obj)
            self._collect_dependent(change.key)
            return
        for dependent in self._store.dependents(obj["metadata"]["uid"]):
            self._collect_dependent(dependent)
        for owner in obj["metadata"].get("ownerReferences") or []:
            self._finish_foreground(owner, change.key.namespace)
        if change.key.namespace:
            self._finalize_stored(Key("namespaces", "", change.key.namespace))
        self._finalize_stored(Key(CRD, "", change.key.resource))

    # -- owners

    def _collect_dependent(self, key: Key) -> None:
        """Delete an object none of whose owners is left, or drop the references to those that are gone."""
        body = self._store.get(key)
        resource = self._registry.stored(key.resource)
        if body is None or resource is None:
            return
        owners = decode(body)["metadata"].get("ownerReferences") or []
        alive = [owner for owner in owners if self._store.has_uid(owner["uid"])]
        if owners and not alive:
            self._delete(resource, key)
        elif len(alive) < len(owners):
            self._writer.edit(key, lambda obj: obj["metadata"].update(ownerReferences=alive))

    def _delete(self, resource: Resource, key: Key, options: DeleteOptions = BACKGROUND) -> None:
        with contextlib.suppress(errors.APIError):
            self._writer.delete(resource, key.namespace, key.name, options)

    def _finish_foreground(self, owner: Object, namespace: str) -> None:
        group = owner["apiVersion"].rpartition("/")[0]
        for resource in self._registry:
            if (resource.group, resource.kind) == (group, owner["kind"]):
                self._finalize_stored(self._writer.key(resource, namespace, owner["name"]))

    # -- finalizers of the server's own

    def _finalize(self, key: Key, obj: Object) -> None:
        finalizers = obj["metadata"].get("finalizers") or []
        if "orphan" in finalizers:
            self._orphan(key, obj)
        if "foregroundDeletion" in finalizers:
            self._delete_foreground(key, obj)
        if key.resource == "namespaces":
            self._empty_namespace(key)
        if key.resource == CRD and definitions.FINALIZER in finalizers:
            self._empty_definition(key)

    def _orphan(self, key: Key, obj: Object) -> None:
        uid = obj["metadata"]["uid"]
        for dependent in self._store.dependents(uid):
            self._writer.edit(dependent, lambda found: _disown(found, uid))
        self._writer.edit(key, lambda found: _drop_finalizer(found, "orphan"))

    def _delete_foreground(self, key: Key, obj: Object) -> None:
        uid = obj["metadata"]["uid"]
        for dependent in self._store.dependents(uid):
            resource = self._registry.stored(dependent.resource)
            body = self._store.get(dependent)
            if resource is not None and body is not None and not decode(body)["metadata"].get("deletionTimestamp"):
                self._delete(resource, dependent, DeleteOptions(propagation="Foreground"))
        if not any(self._blocks(dependent, uid) for dependent in self._store.dependents(uid)):
            self._writer.edit(key, lambda found: _drop_finalizer(found, "foregroundDeletion"))

    def _blocks(self, key: Key, uid: str) -> bool:
        body = self._store.get(key)
        owners = decode(body)["metadata"].get("ownerReferences") or [] if body else []
        return any(owner["uid"] == uid and owner.get("blockOwnerDeletion") for owner in owners)

    def _empty_namespace(self, key: Key) -> None:
        with self._writer.batch():
            for content in self._store.keys_in(key.name):
                resource = self._registry.stored(content.resource)
                if resource is not None:
                    self._delete(resource, content)
        if not self._store.keys_in(key.name):
            self._writer.finish(key)

    def _empty_definition(self, key: Key) -> None:
        self._writer.edit(key, lambda found: definitions.deletion_is_under_way(found, pipeline.now()))
        resource = self._registry.stored(key.name)
        if resource is not None:
            with self._writer.batch():
                for stored in self._store.objects(key.name):
                    self._delete(resource, stored.key)
        if not self._store.objects(key.name, limit=1):
            self._writer.edit(key, lambda found: _drop_finalizer(found, definitions.FINALIZER))


def _drop_finalizer(obj: Object, name: str) -> None:
    obj["metadata"]["finalizers"] = [other for other in obj["metadata"].get("finalizers") or [] if other != name]
    if not obj["metadata"]["finalizers"]:
        del obj["metadata"]["finalizers"]


def _disown(obj: Object, uid: str) -> None:
    obj["metadata"]["ownerReferences"] = [owner for owner in obj["metadata"].get("ownerReferences") or [] if owner["uid"] != uid]
