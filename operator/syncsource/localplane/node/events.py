"""Events about what the node did, written beside the work: one that can't be written is dropped."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections import OrderedDict
from dataclasses import dataclass

from syncsource.localplane.node.api import MERGE_PATCH, Api, ApiFailed, Object
from syncsource.localplane.node.clock import stamp

_KNOWN = 1000
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Happening:
    """What is to be told of an object; `component` is who tells it."""

    obj: Object
    component: str
    reason: str
    message: str
    type: str = "Normal"


class Recorder:
    """Writes Events; the same again within a while is counted."""

    def __init__(self, api: Api, host: str) -> None:
        self._api, self._host = api, host
        self._queue: asyncio.Queue[Happening] = asyncio.Queue(_KNOWN)
        self._known: OrderedDict[tuple[str, str, str], tuple[str, int]] = OrderedDict()

    def tell(self, obj: Object, component: str, reason: str, message: str, *, warning: bool = False) -> None:
        """Soon an Event."""
        with contextlib.suppress(asyncio.QueueFull):
            self._queue.put_nowait(Happening(obj, component, reason, message[:1000], "Warning" if warning else "Normal"))

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            happening = await self._queue.get()
            try:
                await self._write(happening)
            except ApiFailed as failed:
                _log.debug("an Event was not written: %s", failed)

    async def _write(self, happening: Happening) -> None:
        key = (happening.obj["metadata"]["uid"], happening.reason, happening.message)
        path = f"/api/v1/namespaces/{happening.obj['metadata'].get('namespace', 'default')}/events"
        name, count = self._known.pop(key, ("", 0))
        if name and not await self._count(f"{path}/{name}", count + 1):
            name = ""
        if not name:
            made = await self._api.send("POST", path, self._event(happening))
            name, count = made["metadata"]["name"], 0
        self._known[key] = name, count + 1
        while len(self._known) > _KNOWN:
            self._known.popitem(last=False)

    async def _count(self, path: str, count: int) -> bool:
        try:
            await self._api.send("PATCH", path, {"count": count, "lastTimestamp": stamp()}, kind=MERGE_PATCH)
        except ApiFailed as failed:
            if failed.code != 404:
                raise
            return False
        return True

    def _event(self, happening: Happening) -> Object:
        obj, now = happening.obj, stamp()
        metadata = obj["metadata"]
        involved = {"kind": obj["kind"], "apiVersion": obj["apiVersion"], "name": metadata["name"], "uid": metadata["uid"]}
        if "namespace" in metadata:
            involved["namespace"] = metadata["namespace"]
        return {
            "metadata": {"name": f"{metadata['name'][:230]}.{secrets.token_hex(8)}"},
            "involvedObject": involved,
            "reason": happening.reason,
            "message": happening.message,
            "type": happening.type,
            "count": 1,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "source": {"component": happening.component, "host": self._host},
            "reportingComponent": happening.component,
            "reportingInstance": self._host,
        }
