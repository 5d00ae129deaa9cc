"""A place in the store, and what happened there."""

from __future__ import annotations

from dataclasses import dataclass

from syncsource.localplane.storage.encoding import decode, encode


@dataclass(frozen=True, slots=True)
class Key:
    """Where an object is: `resource` is `plural.group`, `namespace` is empty for what has none."""

    resource: str
    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Change:
    """One write: `type` is ADDED, MODIFIED or DELETED; `previous` is the object before it and `replaced` its version, empty and 0 for ADDED.

    The body of a deletion is the object as it was, with the version of the deletion.
    """

    type: str
    key: Key
    version: int
    body: bytes
    previous: bytes
    replaced: int = 0

    @property
    def size(self) -> int:
        return len(self.body) + len(self.previous)


def deleted(body: bytes, version: int) -> bytes:
    """An object as its deletion tells it."""
    obj = decode(body)
    obj["metadata"]["resourceVersion"] = str(version)
    return encode(obj)
