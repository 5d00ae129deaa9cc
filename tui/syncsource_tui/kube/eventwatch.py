"""The Events of one object, live."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from syncsource_tui.core.events import belongs
from syncsource_tui.core.failures import Expired, Failure, Forbidden
from syncsource_tui.core.reading import Object, part, raw
from syncsource_tui.kube import paths
from syncsource_tui.kube.client import Client
from syncsource_tui.kube.watching import changes, pages

_WAIT = 3.0
KEPT = 500


class EventWatch:
    """``events`` by uid; ``problem`` says why they may be out of date; ``version`` grows with each change."""

    def __init__(self, client: Callable[[], Client], namespace: str, uid: str) -> None:
        self._client, self._namespace, self._uid = client, namespace, uid
        self.events: dict[str, Object] = {}
        self.problem = ""
        self.version = 0

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self._follow()
            except Expired:
                continue
            except Failure as failure:
                self.problem = f"you may not {failure.right}" if isinstance(failure, Forbidden) else failure.message
                self.version += 1
            await asyncio.sleep(_WAIT)

    async def _follow(self) -> None:
        client, path = self._client(), paths.events(self._namespace)
        query = {"fieldSelector": f"involvedObject.uid={self._uid}"}
        found: dict[str, Object] = {}
        async for page in pages(client, path, query=query, right=paths.right("list", "events", self._namespace)):
            found |= {raw(part(item, "metadata"), "uid"): item for item in page.items if belongs(item, self._uid)}
        self.events, self.problem, self.version = found, "", self.version + 1
        async for kind, item in changes(client, path, page.version, query=query, right=paths.right("watch", "events", self._namespace)):
            self._take(kind, item)

    def _take(self, kind: str, item: Object) -> None:
        uid = raw(part(item, "metadata"), "uid")
        if kind == "DELETED":
            self.events.pop(uid, None)
        elif belongs(item, self._uid):
            self.events[uid] = item
            while len(self.events) > KEPT:
                del self.events[next(iter(self.events))]
        self.version += 1
