"""Who owns which field (KEP-555, `k8s.io/apimachinery/pkg/util/managedfields`): the entries of `metadata.managedFields`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from syncsource.localplane.writing.fieldset import FieldSet, from_fields_v1, to_fields_v1

MAX_UPDATERS = 10
OLD_UPDATES = "ancient-changes"


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
    """The entries of an object; where one of them can't be read there are none, as in the real server."""
    entries: Entries = {}
    for raw in metadata.get("managedFields") or []:
        if not _is_readable(raw):
            return {}
        manager = Manager(raw.get("manager", ""), raw["operation"], raw.get("apiVersion", ""), raw.get("subresource", ""))
        entries[manager.identity] = Entry(manager, from_fields_v1(raw["fieldsV1"]), raw.get("time") or "")
    return entries


def _is_readable(raw: Any) -> bool:
    return (
        isinstance(raw, dict)
        and raw.get("operation") in {"Apply", "Update"}
        and raw.get("fieldsType") == "FieldsV1"
        and isinstance(raw.get("fieldsV1"), dict)
    )


def is_reset(metadata: Mapping[str, Any]) -> bool:
    """Whether a client asks for all ownership to be forgotten: an empty list, or one empty entry."""
    return metadata.get("managedFields") in ([], [{}])


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
    }
    if entry.time:
        raw["time"] = entry.time
    return {**raw, "subresource": manager.subresource} if manager.subresource else raw


def bare(obj: Mapping[str, Any]) -> dict[str, Any]:
    """The object without its managed fields."""
    return {**obj, "metadata": {name: value for name, value in (obj.get("metadata") or {}).items() if name != "managedFields"}}


def capped(entries: Entries) -> Entries:
    """At most MAX_UPDATERS that update: the oldest of one version become one entry."""
    updaters = sorted(
        (entry for entry in entries.values() if entry.manager.operation == "Update"), key=lambda entry: (entry.time, entry.manager.identity)
    )
    kept, surplus = dict(entries), len(updaters) - MAX_UPDATERS
    first: dict[str, Entry] = {}
    for entry in updaters:
        if surplus <= 0:
            break
        before = first.get(entry.manager.api_version)
        first[entry.manager.api_version] = entry
        if before is None:
            continue
        merged = Entry(Manager(OLD_UPDATES, "Update", entry.manager.api_version), before.fields | entry.fields, entry.time)
        for gone in (before, entry):
            kept.pop(gone.manager.identity, None)
        kept[merged.manager.identity] = first[entry.manager.api_version] = merged
        surplus -= 1
    return kept


def without(entries: Entries, lost: Mapping[str, FieldSet]) -> Entries:
    """The entries less the fields that were lost, by version; entries of a version that is not served any more go."""
    kept = {
        identity: replace(entry, fields=entry.fields - lost[entry.manager.api_version])
        for identity, entry in entries.items()
        if entry.manager.api_version in lost
    }
    return {identity: entry for identity, entry in kept.items() if entry.fields}
