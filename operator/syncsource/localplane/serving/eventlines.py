"""Watch events as lines of JSON, encoded once for all watches that want the same form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from syncsource.localplane.registry.resource import Resource
from syncsource.localplane.serving.tables import table
from syncsource.localplane.storage.encoding import decode, encode, encode_ordered

INITIAL_EVENTS_END = "k8s.io/initial-events-end"
_KEPT = 256


@dataclass(frozen=True, slots=True)
class Form:
    """What a watch wants to have: `include` is set for tables, `partial` for metadata alone."""

    resource: Resource
    include: str | None = None
    partial: bool = False


class EventLines:
    """The latest lines, for the watches that come next to the same change."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, Form, bytes], bytes] = {}

    def line(self, kind: str, body: bytes, form: Form, *, header: bool = False) -> bytes:
        """`header` is for the first row of a table, which brings the columns."""
        if form.include is None and not form.partial:
            return _joined(kind, body)
        place = (kind, form, body)
        found = None if header else self._kept.get(place)
        if found is None:
            found = _joined(kind, _formed(body, form, header=header))
            if not header:
                self._keep(place, found)
        return found

    def _keep(self, place: tuple[str, Form, bytes], line: bytes) -> None:
        if len(self._kept) >= _KEPT:
            self._kept.clear()
        self._kept[place] = line


def bookmark(version: int, form: Form, *, initial_end: bool = False) -> bytes:
    """Nothing happened up to `version` that the watch has not been told."""
    metadata: dict[str, Any] = {"resourceVersion": str(version)}
    if initial_end:
        metadata["annotations"] = {INITIAL_EVENTS_END: "true"}
    obj: dict[str, Any] = {"kind": form.resource.kind, "apiVersion": form.resource.api_version, "metadata": metadata}
    if form.include is not None:
        obj = {"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata, "columnDefinitions": None, "rows": []}
    elif form.partial:
        obj = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata}
    return _joined("BOOKMARK", encode(obj))


def failure(status: dict[str, Any]) -> bytes:
    """The event that ends a watch."""
    return _joined("ERROR", encode_ordered(status))


def _joined(kind: str, body: bytes) -> bytes:
    return b'{"type":"%s","object":%s}\n' % (kind.encode(), body)


def _formed(body: bytes, form: Form, *, header: bool) -> bytes:
    obj = decode(body)
    if form.include is not None:
        metadata = {"resourceVersion": obj["metadata"]["resourceVersion"]}
        return encode_ordered(table(form.resource, [obj], metadata, form.include, header=header))
    return encode({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]})
