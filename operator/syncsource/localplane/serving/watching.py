"""Watches: a stream of changes from a version on (KEP-956 bookmarks, KEP-3157 streaming lists)."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass

from aiohttp import web

from syncsource.localplane import errors
from syncsource.localplane.serving.eventlines import EventLines, Form, bookmark, failure
from syncsource.localplane.serving.listing import list_page, shown
from syncsource.localplane.serving.listoptions import ListOptions
from syncsource.localplane.serving.selectors import Selector
from syncsource.localplane.storage.broadcast import Broadcast, Change, Watcher
from syncsource.localplane.storage.encoding import decode, encode
from syncsource.localplane.storage.store import Store

BOOKMARK_EVERY = 60.0
_BOOKMARK_BEFORE_END = 2.0
SEND_TIMEOUT = 30.0
_SEND_EVERY = 0.01
_STORED_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Watched:
    """What a watch is to show."""

    form: Form
    namespace: str
    selector: Selector


class Watch:
    """One client's watch of one resource."""

    def __init__(self, store: Store, broadcast: Broadcast, lines: EventLines, watched: Watched, options: ListOptions) -> None:
        self._store, self._broadcast, self._line_of = store, broadcast, lines.line
        self._form, self._resource = watched.form, watched.form.resource
        self._namespace, self._selector, self._options = watched.namespace, watched.selector, options
        self._seen = 0
        self._header = True

    async def serve(self, response: web.StreamResponse) -> None:
        """Send events until the time is over, the client is gone or too slow, or the server stops."""
        ends = time.monotonic() + (self._options.timeout or random.uniform(1800, 3600))
        try:
            await self._catch_up(response)
        except errors.APIError as refusal:
            await _send(response, failure(refusal.status()))
            return
        with self._broadcast.watching(self._resource.storage) as watcher:
            await _send(response, self._lines(self._broadcast.since(self._resource.storage, self._seen) or []))
            await self._follow(response, watcher, ends)

    async def _catch_up(self, response: web.StreamResponse) -> None:
        """Everything up to what memory holds: a list, and the changes that only the store has."""
        if self._begins_with_list:
            await _send(response, self._list())
        else:
            self._seen = self._options.version or self._store.version
            self._check_definition()
        while self._seen < self._broadcast.oldest:
            await _send(response, self._stored())

    def _check_definition(self) -> None:
        """Raises the 410 of a version before the definition changed: what has been seen then may look otherwise now."""
        form = self._resource.stored_form
        if form is not None and self._seen < form.since:
            raise errors.expired(f"too old resource version: {self._seen} ({form.since})")

    def _stored(self) -> bytes:
        """The next changes from the store; raises the 410 of those that it has forgotten."""
        history, latest = self._store.history, self._store.version
        if self._seen < history.compacted:
            raise errors.expired(f"too old resource version: {self._seen} ({history.compacted})")
        changes = history.since(self._resource.storage, self._seen, _STORED_AT_ONCE)
        lines = self._lines(changes)
        if len(changes) < _STORED_AT_ONCE:
            self._seen = latest
        return lines

    @property
    def _begins_with_list(self) -> bool:
        if self._options.initial_events is None:
            return not self._options.version
        return self._options.initial_events

    def _list(self) -> bytes:
        wanted = ListOptions(self._options.version)
        page = list_page(self._store, self._resource, self._namespace, self._selector, wanted)
        self._seen = self._store.version
        lines = [self._line("ADDED", item) for item in page.items]
        if self._options.initial_events and self._options.bookmarks:
            lines.append(bookmark(self._seen, self._form, initial_end=True))
        return b"".join(lines)

    async def _follow(self, response: web.StreamResponse, watcher: Watcher, ends: float) -> None:
        mark = _next_bookmark(ends)
        while not watcher.is_closed and (left := ends - time.monotonic()) > 0:
            changes = await watcher.next(min(left, max(mark - time.monotonic(), 0)))
            lines = self._lines(changes)
            if self._options.bookmarks and time.monotonic() >= mark and not watcher.is_closed:
                lines += bookmark(self._store.version, self._form)
            if time.monotonic() >= mark:
                mark = _next_bookmark(ends)
            if lines:
                await _send(response, lines)
                await asyncio.sleep(_SEND_EVERY)

    def _lines(self, changes: list[Change]) -> bytes:
        return b"".join(line for change in changes for line in self._events(change))

    def _events(self, change: Change) -> Iterator[bytes]:
        """The events of one change: an object may enter or leave what is selected."""
        if change.version <= self._seen:
            return
        self._seen = change.version
        if self._namespace and change.key.namespace != self._namespace:
            return
        before = shown(self._resource, change.previous, change.replaced, self._selector) if change.previous else None
        if change.type == "DELETED":
            if before is not None:
                yield self._line("DELETED", _at_version(before, change.version))
            return
        after = shown(self._resource, change.body, change.version, self._selector)
        if after is not None:
            yield self._line("ADDED" if before is None else "MODIFIED", after)
        elif before is not None:
            yield self._line("DELETED", _at_version(before, change.version))

    def _line(self, kind: str, body: bytes) -> bytes:
        header, self._header = self._header, False
        return self._line_of(kind, body, self._form, header=header)


def _at_version(body: bytes, version: int) -> bytes:
    obj = decode(body)
    obj["metadata"]["resourceVersion"] = str(version)
    return encode(obj)


def _next_bookmark(ends: float) -> float:
    """Every minute, and once more shortly before the end."""
    now = time.monotonic()
    last = ends - _BOOKMARK_BEFORE_END
    return min(now + BOOKMARK_EVERY, last) if last > now else ends + 1


async def _send(response: web.StreamResponse, data: bytes) -> None:
    """Raises TimeoutError for a client that takes nothing for SEND_TIMEOUT seconds."""
    if data:
        async with asyncio.timeout(SEND_TIMEOUT):
            await response.write(data)
