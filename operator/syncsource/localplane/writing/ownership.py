"""What a write does to the owners of fields (`structured-merge-diff/merge`): updates take fields over, appliers own what they say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from syncsource.localplane import errors
from syncsource.localplane.admission.schema import Schema
from syncsource.localplane.admission.validation import same
from syncsource.localplane.writing import apply, lastapplied, managedfields
from syncsource.localplane.writing.fieldset import (
    EMPTY,
    Comparison,
    FieldSet,
    Path,
    compare,
    fields_of,
    in_order,
    path_text,
    remove,
    with_parents,
)
from syncsource.localplane.writing.managedfields import Entries, Entry, Manager, bare
from syncsource.localplane.writing.typed import is_typed

Object = Mapping[str, Any]
BEFORE_FIRST_APPLY = "before-first-apply"
_SYSTEM_FIELDS = ("name", "namespace", "creationTimestamp", "selfLink", "uid", "generation", "managedFields", "resourceVersion")
_UNOWNED: FieldSet = frozenset(
    {
        ("f:apiVersion",),
        ("f:kind",),
        ("f:metadata",),
        *(("f:metadata", f"f:{name}") for name in _SYSTEM_FIELDS),
    }
)


@dataclass(frozen=True, slots=True)
class Versions:
    """The schemas of a kind by apiVersion, and the top-level fields that this write can't change."""

    schemas: Mapping[str, Schema]
    ignored: tuple[str, ...] = ()

    def without_ignored(self, paths: Iterable[Path]) -> FieldSet:
        return frozenset(path for path in paths if path[:1] not in {(f"f:{name}",) for name in self.ignored})


@dataclass(frozen=True, slots=True)
class Applied:
    object: dict[str, Any]
    entries: Entries


def record(old: Object, obj: dict[str, Any], versions: Versions, manager: Manager, now: str) -> None:
    """Write into `obj` what `manager` owns of it now. A client may set the entries itself, and an object without any is not followed."""
    given, before = obj["metadata"], old.get("metadata") or {}
    if manager.subresource:
        entries = managedfields.read(before)
    else:
        entries = {} if managedfields.is_reset(given) else managedfields.read(given) or managedfields.read(before)
    is_new = not before.get("uid")
    if not _fits(obj, old, versions, entries, manager):
        entries, is_new = {}, False
    managedfields.write(given, after_update(old, obj, versions, entries, manager, now) if entries or is_new else {})


def _fits(obj: Object, old: Object, versions: Versions, entries: Entries, manager: Manager) -> bool:
    """Whether the versions of the other owners have every field; the real server forgets all owners where they don't."""
    others = {entry.manager.api_version for entry in entries.values()} - {manager.api_version}
    schemas = [versions.schemas[version] for version in others if version in versions.schemas]
    return all(is_typed(each, schema) for schema in schemas for each in (old, obj))


def after_update(old: Object, new: Object, versions: Versions, entries: Entries, manager: Manager, now: str) -> Entries:
    """The entries after `manager` has written `new` over `old`."""
    found = _Changes(bare(old), bare(new), versions, manager.api_version)
    result = managedfields.without(entries, {version: change.all for version, change in found.of(entries).items()})
    mine = found.own
    changed = versions.without_ignored(mine.added | mine.modified) - _UNOWNED
    if changed:
        before = result.get(manager.identity)
        result[manager.identity] = Entry(manager, changed | (before.fields if before else EMPTY), now)
    return managedfields.capped(result)


def after_apply(live: Object, config: Object, versions: Versions, entries: Entries, manager: Manager, now: str, *, force: bool) -> Applied:
    """Merge `config` into `live` and take over its fields; raises the 409 that lists conflicts unless `force`."""
    schema = versions.schemas[manager.api_version]
    if not entries:
        unseen = {"apiVersion": live["apiVersion"], "kind": live["kind"], "metadata": {}}
        entries = after_update(unseen, live, versions, {}, replace(manager, name=BEFORE_FIRST_APPLY, operation="Update"), now)
    before = entries.get(manager.identity)
    mine = Entry(manager, versions.without_ignored(fields_of(bare(config), schema)), before.time if before else "")
    merged = apply.merge(bare(live), bare(config), schema)
    others = {identity: entry for identity, entry in entries.items() if identity != manager.identity}
    merged = _pruned(merged, before, [mine, *others.values()], versions)
    changes = _Changes(bare(live), merged, versions, manager.api_version).of(others)
    taken = lastapplied.unchanged_since(live, schema, manager)
    conflicts = [
        (entry.manager, path)
        for entry in sorted(others.values(), key=lambda entry: str(entry.manager))
        for path in in_order(entry.fields & changes.get(entry.manager.api_version, Comparison()).written)
        if path not in taken
    ]
    if conflicts and not force:
        raise _conflict(conflicts)
    result = managedfields.without(others, {version: change.all for version, change in changes.items()})
    fields = mine.fields - _UNOWNED
    if fields:
        result[manager.identity] = Entry(manager, fields, mine.time if same(bare(live), merged) else now)
    return Applied(lastapplied.followed(merged, config, manager), result)


@dataclass(slots=True)
class _Changes:
    """What a write changed, as each version of the kind sees it."""

    old: Object
    new: Object
    versions: Versions
    api_version: str
    known: dict[str, Comparison] = field(default_factory=dict)

    @property
    def own(self) -> Comparison:
        return self._of(self.api_version)

    def of(self, entries: Entries) -> dict[str, Comparison]:
        wanted = {entry.manager.api_version for entry in entries.values()}
        return {version: self._of(version) for version in wanted if version in self.versions.schemas}

    def _of(self, version: str) -> Comparison:
        if version not in self.known:
            found = compare(self.old, self.new, self.versions.schemas[version])
            kept = (set(self.versions.without_ignored(paths)) for paths in (found.added, found.modified, found.removed))
            self.known[version] = Comparison(*kept)
        return self.known[version]


def _pruned(merged: Any, before: Entry | None, owners: list[Entry], versions: Versions) -> Any:
    """Without what was applied before, is not any more, and nobody else owns, neither it nor a part of it."""
    if before is None or before.manager.api_version not in versions.schemas:
        return merged
    schema = versions.schemas[before.manager.api_version]
    last = with_parents(before.fields, schema)
    pruned = remove(merged, schema, last)
    for version in sorted({entry.manager.api_version for entry in owners}, key=lambda name: name != before.manager.api_version):
        below = versions.schemas.get(version)
        if below is not None:
            owned = frozenset(path for entry in owners if entry.manager.api_version == version for path in entry.fields)
            pruned = remove(merged, below, _whole(merged, below) - _whole(pruned, below) - with_parents(owned, below))
    return remove(merged, schema, (_whole(merged, schema) - _whole(pruned, schema)) & last)


def _whole(value: Any, schema: Schema) -> FieldSet:
    return with_parents(fields_of(value, schema), schema)


def _conflict(conflicts: list[tuple[Manager, Path]]) -> errors.APIError:
    causes = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {manager}", "field": path_text(path)} for manager, path in conflicts
    ]
    if len(conflicts) == 1:
        manager, path = conflicts[0]
        return errors.apply_conflict(f"Apply failed with 1 conflict: conflict with {manager}: {path_text(path)}", causes)
    by_manager: dict[str, list[str]] = {}
    for manager, path in conflicts:
        by_manager.setdefault(str(manager), []).append(f"- {path_text(path)}")
    listed = [f"conflicts with {manager}:\n" + "\n".join(paths) for manager, paths in by_manager.items()]
    return errors.apply_conflict(f"Apply failed with {len(conflicts)} conflicts: " + "\n".join(listed), causes)
