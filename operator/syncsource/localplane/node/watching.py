"""The objects of one path as they are now: listed, watched, and listed again where a watch can't go on."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable

from syncsource.localplane.node.api import Api, ApiFailed, Object

ADDED, MODIFIED, DELETED = "ADDED", "MODIFIED", "DELETED"
_SHORTEST, _LONGEST = 0.1, 5.0
"""Seconds between two attempts."""
_UNKNOWN = 30.0
"""Seconds until a kind that is not served is looked for again."""

_log = logging.getLogger(__name__)
Heard = Callable[[str, Object], None]


class Watched:
    """Tells `heard` of every change: ADDED, MODIFIED or DELETED, and the object as it is, or as it last was.

    `selectors` are fieldSelector and labelSelector.
    """

    def __init__(self, api: Api, path: str, heard: Heard, **selectors: str) -> None:
        self._api, self._path, self._heard, self._selectors = api, path, heard, selectors
        self._version = ""
        self.objects: dict[tuple[str, str], Object] = {}
        self.is_known = asyncio.Event()
        """Set from the first list on."""

    async def run(self) -> None:
        """Until cancelled; however often the API server goes away."""
        wait = _SHORTEST
        while True:
            try:
                if not self._version:
                    await self._list()
                await self._follow()
                wait = _SHORTEST
            except ApiFailed as failed:
                if failed.code:
                    self._version = ""
                if failed.code != 410:
                    wait = await self._pause(failed, wait)

    async def _pause(self, failed: ApiFailed, wait: float) -> float:
        """The next pause. A kind that is not served is awaited quietly: it may be defined later, or be of another version."""
        if failed.code == 404:
            wait = _UNKNOWN
        else:
            _log.log(logging.DEBUG if wait < 1 else logging.WARNING, "watching %s: %s; again in %.1f s", self._path, failed, wait)
        await asyncio.sleep(wait * random.uniform(0.8, 1.2))
        return min(wait * 2, _LONGEST)

    async def _list(self) -> None:
        listed = await self._api.send("GET", self._path, **self._selectors)
        kind, version = listed.get("kind", "").removesuffix("List"), listed.get("apiVersion", "")
        found = {_key(item): {"kind": kind, "apiVersion": version, **item} for item in listed.get("items") or []}
        for key in [key for key in self.objects if key not in found]:
            self._take(DELETED, self.objects[key])
        for obj in found.values():
            self._take(MODIFIED, obj)
        self._version = listed["metadata"]["resourceVersion"]
        self.is_known.set()

    async def _follow(self) -> None:
        async for event in self._api.watch(self._path, self._version, random.randrange(240, 360), **self._selectors):
            obj = event["object"]
            if event["type"] == "ERROR":
                raise ApiFailed(obj.get("code") or 500, obj.get("message") or "")
            self._version = obj["metadata"]["resourceVersion"]
            if event["type"] != "BOOKMARK":
                self._take(event["type"], obj)

    def _take(self, kind: str, obj: Object) -> None:
        """Whatever happened to an object of that name: another uid means that the one before is gone."""
        key = _key(obj)
        known = self.objects.get(key)
        if known is not None and kind != DELETED and known["metadata"]["uid"] != obj["metadata"]["uid"]:
            self._tell(DELETED, known)
            known = None
        if kind == DELETED:
            self.objects.pop(key, None)
        elif known is not None and known["metadata"]["resourceVersion"] == obj["metadata"]["resourceVersion"]:
            return
        else:
            self.objects[key] = obj
        self._tell(kind if kind == DELETED else MODIFIED if known else ADDED, obj)

    def _tell(self, kind: str, obj: Object) -> None:
        try:
            self._heard(kind, obj)
        except Exception:
            _log.exception("%s of %s %s", kind, self._path, obj["metadata"]["name"])


def _key(obj: Object) -> tuple[str, str]:
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]
