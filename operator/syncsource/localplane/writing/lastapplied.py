"""From client-side apply to server-side apply: what an object's annotation says was applied last (`managedfields/lastappliedmanager`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from syncsource.localplane.admission.schema import Schema
from syncsource.localplane.storage.encoding import decode, encode
from syncsource.localplane.writing.fieldset import EMPTY, FieldSet, compare, fields_of
from syncsource.localplane.writing.managedfields import Manager, bare

ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"
MANAGER = "kubectl"
LONGEST = 262_144
"""Bytes that annotations may take in all: what was applied is not kept where it does not fit."""


def unchanged_since(live: Mapping[str, Any], schema: Schema, manager: Manager) -> FieldSet:
    """The fields that were applied last and have their values still: `kubectl` takes them over from any manager without a conflict."""
    applied = _applied(live)
    if manager.name != MANAGER or applied.get("apiVersion") != manager.api_version:
        return EMPTY
    found = compare(bare(applied), bare(live), schema)
    return fields_of(bare(applied), schema) - found.added - found.modified - found.removed


def followed(obj: dict[str, Any], config: Mapping[str, Any], manager: Manager) -> dict[str, Any]:
    """The object that `kubectl` has applied `config` to: its annotation, where it has one, says so, for client-side apply to go on from."""
    annotations = obj["metadata"].get("annotations") or {}
    if manager.name != MANAGER or not annotations.get(ANNOTATION):
        return obj
    said = {**annotations, ANNOTATION: encode(_without_annotation(config)).decode() + "\n"}
    if sum(len(name.encode()) + len(value.encode()) for name, value in said.items()) > LONGEST:
        del said[ANNOTATION]
    return {**obj, "metadata": {**obj["metadata"], "annotations": said}}


def _without_annotation(config: Mapping[str, Any]) -> dict[str, Any]:
    metadata = dict(config["metadata"])
    if metadata.get("annotations"):
        metadata["annotations"] = {name: value for name, value in metadata["annotations"].items() if name != ANNOTATION}
    return {**config, "metadata": metadata}


def _applied(live: Mapping[str, Any]) -> dict[str, Any]:
    try:
        applied = decode(((live["metadata"].get("annotations") or {}).get(ANNOTATION) or "{}").encode())
    except ValueError:
        return {}
    return applied if isinstance(applied, dict) else {}
