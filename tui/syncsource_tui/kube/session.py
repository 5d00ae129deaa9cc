"""The one task that talks to the control plane about the fleet: list, watch, lose, try again, without an end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence

from syncsource_tui.core.connection import Connection
from syncsource_tui.core.failures import Away, Expired, Failure, Forbidden
from syncsource_tui.core.store import Store
from syncsource_tui.kube import paths
from syncsource_tui.kube.access import Access
from syncsource_tui.kube.client import DIAL, Client
from syncsource_tui.kube.rights import Rights
from syncsource_tui.kube.watching import changes, pages

_BEAT = 10.0
"""Seconds between two signs of life that are asked for: a connection that is cut without a word is noticed."""


class Session:
    """``namespaces``: those to watch; none: all, or the context's where not all may be listed. ``everywhere``: all or nothing.

    It writes to ``store`` and ``connection``, and reads nothing of the screens.
    """

    def __init__(self, access: Access, *, namespaces: Sequence[str] = (), everywhere: bool = False, now: Callable[[], float]) -> None:
        self.access, self.store, self.connection, self.rights = access, Store(), Connection(), Rights()
        self.scope: tuple[str | None, ...] = tuple(namespaces) or (None,)
        self.client: Client | None = None
        self._given = tuple(namespaces)
        self._everywhere = everywhere
        self._now = now
        self._poked = asyncio.Event()

    def poke(self) -> None:
        """Try again now; where it is live, read everything anew."""
        self._poked.set()

    def required(self) -> Client:
        """The client of now. Raises Away where there is none."""
        if self.client is None:
            raise Away("not connected")
        return self.client

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self._poked.clear()
            failure = await self._until_it_ends()
            if not isinstance(failure, Expired):
                wait = self.connection.lost(failure, self._now())
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._poked.wait(), wait)

    async def _until_it_ends(self) -> Failure:
        """Connect, list, and watch for as long as that works; returns what ended it."""
        try:
            async with self._opened() as client:
                await self._follow(client)
        except* Failure as failures:
            ended = _first(failures)
        return ended

    @contextlib.asynccontextmanager
    async def _opened(self) -> AsyncIterator[Client]:
        self.connection.listing()
        self.client = client = await self.access.open()
        try:
            yield client
        finally:
            self.client = None
            await client.close()

    async def _follow(self, client: Client) -> None:
        versions = await self._list(client)
        self.connection.live(self._now())
        async with asyncio.TaskGroup() as group:
            for namespace, version in zip(self.scope, versions, strict=True):
                group.create_task(self._watch(client, namespace, version))
            group.create_task(self._beat(client))
            group.create_task(self._poking())
            await self.rights.ask(client, {row.namespace for row in self.store.rows.values()})

    async def _list(self, client: Client) -> list[str]:
        self.scope = self._given or (None,)
        try:
            return await self._list_scope(client)
        except Forbidden:
            if self._given or self._everywhere:
                raise
        self.scope = (client.namespace,)
        return await self._list_scope(client)

    async def _list_scope(self, client: Client) -> list[str]:
        self.store.begin()
        loaded, versions = 0, []
        for namespace in self.scope:
            right = paths.right("list", paths.RESOURCE, namespace)
            async for page in pages(client, paths.sources(namespace), right=right):
                for item in page.items:
                    self.store.put(item)
                loaded += len(page.items)
                self.connection.page(loaded, loaded + page.left, self._now())
                await asyncio.sleep(0)  # the screen is painted between two pages
            versions.append(page.version)
        self.store.end()
        return versions

    async def _watch(self, client: Client, namespace: str | None, version: str) -> None:
        right = paths.right("watch", paths.RESOURCE, namespace)
        async for kind, found in changes(client, paths.sources(namespace), version, right=right, heard=self._heard):
            if kind == "DELETED":
                self.store.gone(found)
            else:
                self.store.put(found)

    async def _beat(self, client: Client) -> None:
        while True:
            await asyncio.sleep(_BEAT)
            with contextlib.suppress(Forbidden):
                await client.get(paths.VERSION, within=DIAL)
            self._heard()

    async def _poking(self) -> None:
        await self._poked.wait()
        raise Expired("asked for")

    def _heard(self) -> None:
        self.connection.heard(self._now())


def _first(failures: BaseExceptionGroup[Failure]) -> Failure:
    first = failures.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
