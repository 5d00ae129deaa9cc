"""Watches: a stream of changes from a version on (KEP-956 bookmarks, KEP-3157 streaming lists)."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from syncsource.localplane import errors
from syncsource.localplane.registry.resource import Resource
from syncsource.localplane.serving.listing import list_page, shown
from syncsource.localplane.serving.selectors import Selector
from syncsource.localplane.serving.tables import table
from syncsource.localplane.storage.broadcast import Broadcast, Change, Watcher
from syncsource.localplane.storage.encoding import decode, encode, encode_ordered
from syncsource.localplane.storage.store import Store

BOOKMARK_EVERY = 60.0
INITIAL_EVENTS_END = "k8s.io/initial-events-end"
SEND_TIMEOUT = 30.0


@dataclass(frozen=True, slots=True)
class WatchOptions:
    """`version` is empty for the state of now; `timeout` is in seconds; `include` is set for tables."""

    version: str
    timeout: float
    bookmarks: bool
    initial_events: bool
    include: str | None
    partial: bool = False


def default_timeout() -> float:
    """Between half an hour and an hour, as the real server has it."""
    return random.uniform(1800, 3600)


class Watch:
    """One client's watch of one resource."""

    def __init__(
        self, store: Store, broadcast: Broadcast, resource: Resource, namespace: str, selector: Selector, options: WatchOptions
    ) -> None:
        self.store, self.broadcast, self.resource, self.options = store, broadcast, resource, options
        self.namespace, self.selector = namespace, selector
        self.seen = 0
        self.header = True

    async def serve(self, response: web.StreamResponse) -> None:
        """Send events until the time is over, the client is gone or too slow, or the server stops."""
        ends = time.monotonic() + self.options.timeout
        with self.broadcast.watching(self.resource.storage) as watcher:
            start = self._start()
            if start is None:
                await _send(response, self._too_old())
                return
            for chunk in start:
                await _send(response, chunk)
            await self._follow(response, watcher, ends)

    async def _follow(self, response: web.StreamResponse, watcher: Watcher, ends: float) -> None:
        while not watcher.is_closed and (left := ends - time.monotonic()) > 0:
            changes = await watcher.next(min(left, BOOKMARK_EVERY))
            lines = b"".join(line for change in changes for line in self._lines(change))
            if not changes and self.options.bookmarks and not watcher.is_closed:
                lines = self._bookmark(self.store.version)
            if lines:
                await _send(response, lines)

    def _start(self) -> list[bytes] | None:
        """What to send first; None where the history does not go back so far."""
        if self.options.version not in {"", "0"} and not self.options.initial_events:
            self.seen = int(self.options.version)
            missed = self.broadcast.since(self.resource.storage, self.seen)
            return None if missed is None else [b"".join(line for change in missed for line in self._lines(change))]
        self.seen = self.store.version
        page = list_page(self.store, self.resource, self.namespace, self.selector, 0, "")
        lines = [self._line("ADDED", item) for item in page.items]
        if self.options.initial_events:
            lines.append(self._bookmark(self.seen, initial_end=True))
        return lines

    def _lines(self, change: Change) -> Iterator[bytes]:
        """The events of one change: an object may enter or leave what is selected."""
        if change.version <= self.seen:
            return
        self.seen = change.version
        if self.namespace and change.key.namespace != self.namespace:
            return
        before = shown(self.resource, change.previous, self.selector) if change.previous else None
        after = shown(self.resource, change.body, self.selector) if change.type != "DELETED" else None
        if after is not None:
            yield self._line("ADDED" if before is None else "MODIFIED", after)
        elif before is not None:
            yield self._line("DELETED", _at_version(before, change.version))

    def _line(self, kind: str, body: bytes) -> bytes:
        if self.options.include is not None:
            obj = decode(body)
            metadata = {"resourceVersion": obj["metadata"]["resourceVersion"]}
            body = encode_ordered(table(self.resource, [obj], metadata, self.options.include, header=self.header))
            self.header = False
        elif self.options.partial:
            body = encode({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": decode(body)["metadata"]})
        return b'{"type":"%s","object":%s}\n' % (kind.encode(), body)

    def _bookmark(self, version: int, *, initial_end: bool = False) -> bytes:
        metadata: dict[str, Any] = {"creationTimestamp": None, "resourceVersion": str(version)}
        if initial_end:
            metadata["annotations"] = {INITIAL_EVENTS_END: "true"}
        obj: dict[str, Any] = {"kind": self.resource.kind, "apiVersion": self.resource.api_version, "metadata": metadata}
        if self.options.include is not None:
            obj = {"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata, "columnDefinitions": None, "rows": []}
        return b'{"type":"BOOKMARK","object":%s}\n' % encode(obj)

    def _too_old(self) -> bytes:
        gone = errors.expired(f"too old resource version: {self.options.version} ({self.broadcast.oldest})")
        return b'{"type":"ERROR","object":%s}\n' % encode_ordered(gone.status())


def _at_version(body: bytes, version: int) -> bytes:
    obj = decode(body)
    obj["metadata"]["resourceVersion"] = str(version)
    return encode(obj)


async def _send(response: web.StreamResponse, data: bytes) -> None:
    """Raises TimeoutError for a client that takes nothing for SEND_TIMEOUT seconds."""
    if data:
        async with asyncio.timeout(SEND_TIMEOUT):
            await response.write(data)
