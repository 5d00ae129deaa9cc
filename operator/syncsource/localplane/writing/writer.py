"""Every write goes through here: read what is stored, decide, store, tell the watchers, all in one transaction."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from syncsource.localplane import errors
from syncsource.localplane.admission import cause
from syncsource.localplane.registry import naming
from syncsource.localplane.registry.object_meta import whole_object
from syncsource.localplane.registry.registry import Registry
from syncsource.localplane.registry.resource import Resource
from syncsource.localplane.storage.broadcast import Broadcast, Change
from syncsource.localplane.storage.encoding import decode as from_json
from syncsource.localplane.storage.encoding import encode
from syncsource.localplane.storage.store import Key, Store
from syncsource.localplane.writing import deletion, managedfields, ownership, pipeline, views
from syncsource.localplane.writing.claims import check_name, check_unchanged, checked_config
from syncsource.localplane.writing.managedfields import Manager
from syncsource.localplane.writing.metadatachecks import finalizer_warnings
from syncsource.localplane.writing.options import DeleteOptions, WriteOptions
from syncsource.localplane.writing.ownership import Versions
from syncsource.localplane.writing.pipeline import Object, Result
from syncsource.localplane.writing.strategies import CRD, GENERIC, STRATEGIES

Listener = Callable[[Change, Object], None]
Patch = Callable[[Object], Any]


class Writer:
    """Creates, updates, patches and deletes objects of any resource; raises APIError for what is refused."""

    def __init__(self, store: Store, broadcast: Broadcast, registry: Registry) -> None:
        self.store, self.broadcast, self.registry = store, broadcast, registry
        self.listeners: list[Listener] = []
        self._pending: list[tuple[Change, Object]] | None = None
        self._untold: deque[tuple[Change, Object]] = deque()
        self._is_telling = False

    def create(self, resource: Resource, namespace: str, obj: Any, options: WriteOptions) -> Result:
        obj = pipeline.check_type(resource, obj, namespace)
        warnings = pipeline.decode(resource, obj, options)
        return self._insert(resource, namespace, obj, options, warnings)

    def update(self, resource: Resource, namespace: str, name: str, obj: Any, options: WriteOptions) -> Result:
        obj = pipeline.check_type(resource, obj, namespace)
        check_name(obj, name, is_given=True)
        key = self.key(resource, namespace, name)
        if resource.is_custom and obj["metadata"].get("resourceVersion") in (None, "", "0") and self.store.get(key) is not None:
            unconditional = cause.invalid("metadata.resourceVersion", 0, "must be specified for an update")
            raise errors.invalid(resource.group, resource.plural, name, [unconditional])
        return self._replace(resource, key, obj, options)

    def patch(self, resource: Resource, namespace: str, name: str, patch: Patch, options: WriteOptions) -> Result:
        key = self.key(resource, namespace, name)
        patched = patch(views.outgoing(resource, self._current(resource, key)))
        obj = pipeline.check_type(resource, patched, namespace)
        check_name(obj, name, is_given=True)
        return self._replace(resource, key, obj, options)

    def apply(self, resource: Resource, namespace: str, name: str, config: Any, options: WriteOptions) -> Result:
        """Server-side apply: creates what is not there."""
        config = checked_config(resource, config, name)
        key = self.key(resource, namespace, name)
        live = self._live(resource, key, config["metadata"].get("uid", ""), options)
        versions, manager = self._versions(resource, options), Manager(options.manager, "Apply", resource.api_version, options.subresource)
        warnings = options.duplicates if options.validation == "Warn" else ()
        if not resource.is_custom:
            warnings = pipeline.decode(resource, config, options, defaults=False)
        entries = managedfields.read(live["metadata"])
        applied = ownership.after_apply(live, config, versions, entries, manager, pipeline.now(), force=options.force)
        obj = pipeline.check_type(resource, applied.object, namespace)
        if not live["metadata"]:
            obj["metadata"].pop("resourceVersion", None)
            pipeline.decode(resource, obj, options, applied=True)
            return self._insert(resource, namespace, obj, options, warnings, applied.entries)
        return self._replace(resource, key, obj, options, applied.entries)

    def _live(self, resource: Resource, key: Key, uid: str, options: WriteOptions) -> Object:
        """What a configuration is applied to: an empty object where there is none yet."""
        if self.store.get(key) is not None or options.subresource:
            return self._current(resource, key)
        if uid:
            why = f"uid mismatch: the provided object specified uid {uid}, and no existing object was found"
            raise errors.conflict(resource.group, resource.plural, key.name, why)
        return {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": {}}

    def _versions(self, resource: Resource, options: WriteOptions) -> Versions:
        ignored = ("metadata", "spec") if options.subresource == "status" else ("status",) if resource.has_status else ()
        served = self.registry.versions_of(resource.storage)
        is_renamed = any(other.renames for other in served)
        return Versions({other.api_version: whole_object((resource if is_renamed else other).rules.schema) for other in served}, ignored)

    def _own(self, resource: Resource, old: Object, obj: Object, options: WriteOptions, entries: managedfields.Entries | None) -> None:
        if entries is not None:
            managedfields.write(obj["metadata"], entries)
            return
        manager = Manager(options.manager, "Update", resource.api_version, options.subresource)
        ownership.record(old, obj, self._versions(resource, options), manager, pipeline.now())

    def delete(self, resource: Resource, namespace: str, name: str, options: DeleteOptions) -> tuple[Object, bool]:
        """The object, and whether it is gone: finalizers, the kind's own clean-up or its grace may keep it."""
        key = self.key(resource, namespace, name)
        with self.batch():
            old = self._current(resource, key)
            check_unchanged(resource, old, options)
            if name in STRATEGIES.get(resource.storage, GENERIC).immortal:
                raise errors.forbidden(resource.group, resource.plural, name, f"this {resource.singular} may not be deleted")
            obj = self._current(resource, key)
            _mark_propagation(obj, options.propagation)
            deletion.begin(resource, obj, options.grace)
            if not deletion.is_held(obj):
                if not options.dry_run:
                    self._remove(key, old)
                return old, True
            if options.dry_run or pipeline.is_unchanged(obj, old):
                return obj, False
            return self._store(key, views.to_stored(resource, obj)), False

    def finish(self, key: Key) -> None:
        """Remove an object that nothing holds any more, whatever its kind's clean-up was."""
        with self.batch():
            stored = self.store.get(key)
            if stored is not None:
                self._remove(key, from_json(stored))

    def edit(self, key: Key, change: Callable[[Object], None]) -> None:
        """The server's own edit of metadata or status: no validation, no ownership; nothing happens where nothing changes."""
        with self.batch():
            stored, resource = self.store.find(key), self.registry.stored(key.resource)
            if stored is None:
                return
            old, obj = (views.completed(resource, from_json(stored.body), stored.version) for _ in range(2))
            change(obj)
            if not pipeline.is_unchanged(obj, old):
                self._store_or_remove(key, obj)

    def key(self, resource: Resource, namespace: str, name: str) -> Key:
        return Key(resource.storage, namespace if resource.namespaced else "", name)

    def _current(self, resource: Resource, key: Key) -> Object:
        """A custom object in the resource's version, another as it is stored."""
        stored = self.store.find(key)
        if stored is None:
            raise errors.not_found(resource.group, resource.plural, key.name)
        found: Object = from_json(stored.body)
        return views.from_stored(resource, found, stored.version) if resource.is_custom else found

    def _is_as_stored(self, resource: Resource, key: Key) -> bool:
        """Whether the object would be stored today as it was."""
        stored, form = self.store.find(key), resource.stored_form
        if stored is None or form is None:
            return True
        obj = from_json(stored.body)
        return obj["apiVersion"] == form.api_version and encode(views.completed(resource, obj, stored.version)) == stored.body

    def _insert(
        self,
        resource: Resource,
        namespace: str,
        obj: Object,
        options: WriteOptions,
        warnings: tuple[str, ...],
        entries: managedfields.Entries | None = None,
    ) -> Result:
        if resource.is_terminating:
            why = "create not allowed while custom resource definition is terminating"
            raise errors.forbidden(resource.group, resource.plural, obj["metadata"].get("name", ""), why)
        self._check_namespace(resource, namespace, obj)
        pipeline.prepare_create(resource, obj)
        self._own(resource, pipeline.unwritten(resource, obj), obj, options, entries)
        obj = views.incoming(resource, obj)
        self._validate(resource, obj, None)
        key = self.key(resource, namespace, obj["metadata"]["name"])
        with self.batch():
            if self.store.get(key) is not None:
                raise self._already_exists(resource, key)
            self._accept(resource, obj)
            options.guard(obj, None)
            warnings += finalizer_warnings(resource, obj, None)
            stored = views.to_stored(resource, obj)
            return Result(_shown(resource, stored if options.dry_run else self._store(key, stored)), warnings=warnings)

    def _replace(
        self, resource: Resource, key: Key, obj: Object, options: WriteOptions, entries: managedfields.Entries | None = None
    ) -> Result:
        with self.batch():
            old = self._current(resource, key)
            metadata = obj["metadata"]
            self._check_preconditions(resource, old, metadata.get("uid", ""), metadata.pop("resourceVersion", ""))
            warnings = pipeline.decode(resource, obj, options, applied=entries is not None)
            obj = pipeline.prepare_update(resource, views.incoming(resource, obj), old, options.subresource)
            self._own(resource, old, obj, options, entries)
            obj["metadata"]["resourceVersion"] = old["metadata"]["resourceVersion"]
            self._validate(resource, obj, old)
            if options.subresource != "status":
                self._accept(resource, obj)
            options.guard(obj, old)
            warnings += finalizer_warnings(resource, obj, old)
            if pipeline.is_unchanged(obj, old) and self._is_as_stored(resource, key):
                return Result(old, changed=False, warnings=warnings)
            stored = views.to_stored(resource, obj)
            return Result(_shown(resource, stored if options.dry_run else self._store_or_remove(key, stored)), warnings=warnings)

    def _already_exists(self, resource: Resource, key: Key) -> errors.APIError:
        refused = errors.already_exists(resource.group, resource.plural, key.name)
        if self._current(resource, key)["metadata"].get("deletionTimestamp"):
            return errors.APIError(refused.code, refused.reason, f"object is being deleted: {refused.message}", refused.details)
        return refused

    def _accept(self, resource: Resource, obj: Object) -> None:
        if resource.storage == CRD:
            obj["status"] = self.accepted_status(obj, pipeline.now())

    def accepted_status(self, crd: Object, now: str) -> Object:
        """The status that a definition gets beside the others of its group."""
        others = [other for other in self.definitions(crd["spec"]["group"]) if other["metadata"]["name"] != crd["metadata"]["name"]]
        return naming.accepted_status(crd, others, now)

    def definitions(self, group: str) -> list[Object]:
        """The definitions of a group, as they are stored."""
        return [from_json(stored.body) for stored in self.store.objects(CRD) if stored.key.name.partition(".")[2] == group]

    def _validate(self, resource: Resource, obj: Object, old: Object | None) -> None:
        causes = list(dict.fromkeys(pipeline.causes(resource, obj, old)))
        if causes:
            raise errors.invalid(resource.group, resource.kind, obj["metadata"].get("name", ""), causes)

    def _check_namespace(self, resource: Resource, namespace: str, obj: Object) -> None:
        if not resource.namespaced:
            return
        stored = self.store.get(Key("namespaces", "", namespace))
        if stored is None:
            raise errors.not_found("", "namespaces", namespace)
        if from_json(stored)["metadata"].get("deletionTimestamp"):
            why = f"unable to create new content in namespace {namespace} because it is being terminated"
            raise errors.forbidden(resource.group, resource.plural, obj["metadata"].get("name", ""), why)

    def _check_preconditions(self, resource: Resource, old: Object, uid: str, version: str) -> None:
        metadata = old["metadata"]
        if uid and uid != metadata["uid"]:
            why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {metadata['uid']}"
            raise errors.conflict(resource.group, resource.plural, metadata["name"], why)
        if version and version != metadata["resourceVersion"]:
            raise errors.conflict(resource.group, resource.plural, metadata["name"], errors.MODIFIED)

    def _store_or_remove(self, key: Key, obj: Object) -> Object:
        if obj["metadata"].get("deletionTimestamp") and not deletion.is_held(obj):
            self._remove(key, obj)
            return obj
        return self._store(key, obj)

    def _store(self, key: Key, obj: Object) -> Object:
        version = self.store.next_version()
        obj["metadata"]["resourceVersion"] = str(version)
        body = encode(obj)
        owners = [owner["uid"] for owner in obj["metadata"].get("ownerReferences") or []]
        self._note(self.store.put(key, version, body, obj["metadata"]["uid"], owners), obj)
        return obj

    def _remove(self, key: Key, obj: Object) -> None:
        self._note(self.store.remove(key, self.store.next_version()), obj)

    def _note(self, change: Change, obj: Object) -> None:
        if self._pending is None:
            raise RuntimeError("a write outside of a batch")
        self._pending.append((change, obj))

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Several writes as one transaction. Watchers hear of them after the commit, and only then."""
        if self._pending is not None:
            yield
            return
        self._pending = []
        try:
            with self.store.transaction():
                yield
            written = self._pending
        finally:
            self._pending = None
        self._untold.extend(written)
        self._tell()

    def _tell(self) -> None:
        """In the order of the versions: what a listener writes is told after what it heard of."""
        if self._is_telling:
            return
        self._is_telling = True
        try:
            while self._untold:
                change, obj = self._untold.popleft()
                self.broadcast.publish(change)
                for listener in self.listeners:
                    listener(change, obj)
        finally:
            self._is_telling = False


def _shown(resource: Resource, obj: Object) -> Object:
    return views.outgoing(resource, obj) if resource.is_custom else obj


def _mark_propagation(obj: Object, propagation: str) -> None:
    finalizer = {"Foreground": "foregroundDeletion", "Orphan": "orphan"}.get(propagation)
    finalizers = obj["metadata"].get("finalizers") or []
    if finalizer and finalizer not in finalizers:
        obj["metadata"]["finalizers"] = [*finalizers, finalizer]
