"""Serve what is defined, from the moment that its names are accepted to the moment that it is gone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from syncsource.localplane.registry import definitions
from syncsource.localplane.registry.definition_checks import is_established
from syncsource.localplane.storage.broadcast import Change
from syncsource.localplane.storage.encoding import decode
from syncsource.localplane.storage.store import Key
from syncsource.localplane.writing import pipeline
from syncsource.localplane.writing.strategies import CRD
from syncsource.localplane.writing.writer import Writer

Object = dict[str, Any]


class Definers:
    """Listens to the writer: what is defined is served, and names that are free again go to whoever waits for them.

    A definition that changes ends the watches of its objects, as in Kubernetes: they may look otherwise now, and nothing has written them.
    """

    def __init__(self, writer: Writer) -> None:
        self._writer, self._registry = writer, writer.registry
        writer.listeners.append(self.heard)

    def establish(self) -> None:
        """Serve what has been defined before the start."""
        for stored in self._writer.store.objects(CRD):
            self._serve(decode(stored.body), stored.version)

    def heard(self, change: Change, crd: Object) -> None:
        if change.key.resource != CRD:
            return
        previous = decode(change.previous) if change.previous else {}
        if change.type == "DELETED":
            self._registry.remove(crd["spec"]["group"], crd["spec"]["names"]["plural"])
            self._writer.broadcast.end(change.key.name)
        elif _served(previous) != _served(crd):
            self._serve(crd, change.version)
            self._writer.broadcast.end(change.key.name)
        elif definitions.is_terminating(crd) and not definitions.is_terminating(previous):
            self._close(change.key.name)
        if change.type == "DELETED" or _names(previous) != _names(crd):
            self._reconsider(change.key.name, crd["spec"]["group"])

    def _serve(self, crd: Object, since: int) -> None:
        self._registry.remove(crd["spec"]["group"], crd["spec"]["names"]["plural"])
        for resource in definitions.resources(crd, since):
            self._registry.add(resource)

    def _close(self, storage: str) -> None:
        """Nothing is created any more; what is there can still be read and written."""
        for resource in list(self._registry.versions_of(storage)):
            self._registry.add(replace(resource, is_terminating=True))

    def _reconsider(self, name: str, group: str) -> None:
        for other in self._writer.definitions(group):
            if other["metadata"]["name"] != name and other["spec"]["names"] != _names(other):
                self._writer.edit(Key(CRD, "", other["metadata"]["name"]), self._accept)

    def _accept(self, crd: Object) -> None:
        crd["status"] = self._writer.accepted_status(crd, pipeline.now())


def _names(crd: Object) -> Any:
    return (crd.get("status") or {}).get("acceptedNames")


def _served(crd: Object) -> tuple[Any, ...]:
    """What decides about what is served."""
    return crd.get("spec"), _names(crd), is_established(crd)
