"""Who owns which field (KEP-555, `k8s.io/apimachinery/pkg/util/managedfields`): `metadata.managedFields` and its conflicts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from syncsource.localplane import errors
from syncsource.localplane.admission.schema import Schema
from syncsource.localplane.writing import apply
from syncsource.localplane.writing.fieldset import (
    EMPTY,
    Comparison,
    FieldSet,
    Path,
    compare,
    fields_of,
    from_fields_v1,
    path_text,
    remove,
    to_fields_v1,
)

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
class Manager:
    """Who writes: entries with the same values here are one entry."""

    name: str
    operation: str
    api_version: str
    subresource: str = ""

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """An applier stays itself in every version."""
        return (self.name, self.operation, "" if self.operation == "Apply" else self.api_version, self.subresource)

    def __str__(self) -> str:
        where = f' with subresource "{self.subresource}"' if self.subresource else ""
        using = f" using {self.api_version}" if self.operation == "Update" else ""
        return f'"{self.name}"{where}{using}'


@dataclass(frozen=True, slots=True)
class Entry:
    manager: Manager
    fields: FieldSet
    time: str


Entries = dict[tuple[str, str, str, str], Entry]


def read(metadata: Mapping[str, Any]) -> Entries:
    """The entries of an object; what can't be read counts as none, as in the real server."""
    entries: Entries = {}
    for raw in metadata.get("managedFields") or []:
        manager = Manager(raw.get("manager", ""), raw.get("operation", "Update"), raw.get("apiVersion", ""), raw.get("subresource", ""))
        entries[manager.identity] = Entry(manager, from_fields_v1(raw.get("fieldsV1") or {}), raw.get("time", ""))
    return entries


def write(metadata: dict[str, Any], entries: Entries) -> None:
    """Put the entries back, appliers first, older before newer."""
    kept = sorted(
        (entry for entry in entries.values() if entry.fields),
        key=lambda entry: (entry.manager.operation, entry.time, entry.manager.name, entry.manager.api_version, entry.manager.subresource),
    )
    metadata.pop("managedFields", None)
    if kept:
        metadata["managedFields"] = [_raw(entry) for entry in kept]


def _raw(entry: Entry) -> dict[str, Any]:
    manager = entry.manager
    raw = {
        "apiVersion": manager.api_version,
        "fieldsType": "FieldsV1",
        "fieldsV1": to_fields_v1(entry.fields),
        "manager": manager.name,
        "operation": manager.operation,
        "time": entry.time,
    }
    return {**raw, "subresource": manager.subresource} if manager.subresource else raw


def bare(obj: Mapping[str, Any]) -> dict[str, Any]:
    """The object without its managed fields."""
    return {**obj, "metadata": {name: value for name, value in (obj.get("metadata") or {}).items() if name != "managedFields"}}


def after_update(old: Mapping[str, Any], new: Mapping[str, Any], schema: Schema, entries: Entries, manager: Manager, now: str) -> Entries:
    """The entries after `manager` has written `new` over `old`."""
    found = compare(bare(old), bare(new), schema)
    changed = frozenset(found.added | found.modified) - _UNOWNED
    result = _disown(entries, found)
    if changed:
        before = result.get(manager.identity)
        result[manager.identity] = Entry(manager, changed | (before.fields if before else EMPTY), now)
    return result


def _disown(entries: Entries, found: Comparison) -> Entries:
    lost = frozenset(found.added | found.modified | found.removed)
    return {identity: replace(entry, fields=entry.fields - lost) for identity, entry in entries.items()} if lost else dict(entries)


@dataclass(frozen=True, slots=True)
class Applied:
    object: dict[str, Any]
    entries: Entries


def after_apply(
    live: Mapping[str, Any], config: Mapping[str, Any], schema: Schema, entries: Entries, manager: Manager, now: str, *, force: bool
) -> Applied:
    """Merge `config` into `live` and take over its fields; raises the 409 that lists conflicts unless `force`."""
    mine = entries.get(manager.identity)
    wanted = fields_of(config, schema) - _UNOWNED
    merged = apply.merge(bare(live), bare(config), schema)
    others = {identity: entry for identity, entry in entries.items() if identity != manager.identity}
    if mine is not None:
        merged = remove(merged, schema, _abandoned(mine.fields, wanted, others.values()))
    found = compare(bare(live), merged, schema)
    conflicts = [(entry.manager, path) for entry in others.values() for path in sorted(entry.fields & (found.added | found.modified))]
    if conflicts and not force:
        raise _conflict(conflicts)
    result = _disown(others, found)
    is_same = mine is not None and mine.fields == wanted and mine.manager == manager and found.is_same
    result[manager.identity] = mine if is_same and mine is not None else Entry(manager, wanted, now)
    return Applied(merged, result)


def _abandoned(before: FieldSet, wanted: FieldSet, others: Iterable[Entry]) -> FieldSet:
    """What was applied before, is not any more, and nobody else owns, neither it nor a part of it."""
    owned: set[Path] = set()
    for fields in (wanted, *(entry.fields for entry in others)):
        for path in fields:
            owned.update(path[:length] for length in range(1, len(path) + 1))
    return before - owned


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
    listed = [f"conflicts with {manager}:\n" + "\n".join(paths) for manager, paths in sorted(by_manager.items())]
    return errors.apply_conflict(f"Apply failed with {len(conflicts)} conflicts: " + "\n".join(listed), causes)
