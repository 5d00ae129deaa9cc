"""Posts Events: best effort, in order, one at a time. The same text about the same object is counted, not repeated.

An Event lost is no harm: status has it too. So the queue is bounded, and an Event that the API server does not take is dropped.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import uuid4

from syncsource.controller.core.happening import Announce
from syncsource.controller.kube.failures import ApiError, Away, Gone
from syncsource.controller.kube.waiting import Backoffs
from syncsource.resource import api
from syncsource.resource.status import format_time

COMPONENT = "syncsource"
_QUEUED = 2000
_REMEMBERED = 4096
_log = logging.getLogger(__name__)


class EventApi(Protocol):
    """Where Events go."""

    async def create_event(self, namespace: str, event: dict[str, Any]) -> None: ...

    async def patch_event(self, namespace: str, name: str, patch: dict[str, Any]) -> None: ...


@dataclass(slots=True)
class _Posted:
    """An Event that the API server holds."""

    name: str
    count: int


class Recorder:
    """``clock`` tells the time."""

    def __init__(self, events: EventApi, clock: Callable[[], datetime]) -> None:
        self._api = events
        self._clock = clock
        self._queue: asyncio.Queue[tuple[Announce, datetime]] = asyncio.Queue(_QUEUED)
        self._posted: OrderedDict[Announce, _Posted] = OrderedDict()

    def record(self, told: Announce) -> None:
        """Queue an Event; with a full queue, for hours of an API server's absence, it is dropped."""
        try:
            self._queue.put_nowait((told, self._clock()))
        except asyncio.QueueFull:
            _log.debug("an Event was dropped: %s", told.reason, extra={"source": told.ref.key})

    async def run(self) -> None:
        """Post until cancelled."""
        while True:
            told, at = await self._queue.get()
            try:
                await self._post(told, at)
            except ApiError as error:
                _log.warning("an Event could not be posted: %s", error, extra={"source": told.ref.key})
            finally:
                self._queue.task_done()

    async def flush(self) -> None:
        """Wait until all are posted."""
        await self._queue.join()

    async def _post(self, told: Announce, at: datetime) -> None:
        for wait in Backoffs():
            try:
                return await self._create_or_count(told, at)
            except Away:
                await asyncio.sleep(wait)
        return None

    async def _create_or_count(self, told: Announce, at: datetime) -> None:
        posted = self._posted.get(told)
        if posted is not None:
            try:
                await self._api.patch_event(told.ref.namespace, posted.name, {"count": posted.count + 1, "lastTimestamp": format_time(at)})
                posted.count += 1
                return
            except Gone:
                del self._posted[told]
        name = f"{told.ref.name}.{uuid4().hex[:16]}"
        await self._api.create_event(told.ref.namespace, event_of(told, name, at))
        self._remember(told, name)

    def _remember(self, told: Announce, name: str) -> None:
        self._posted[told] = _Posted(name, 1)
        if len(self._posted) > _REMEMBERED:
            self._posted.popitem(last=False)


def event_of(told: Announce, name: str, at: datetime) -> dict[str, Any]:
    """The v1 Event, as ``kubectl describe`` and ``kubectl events --for`` find it."""
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": name, "namespace": told.ref.namespace},
        "involvedObject": {
            "apiVersion": api.API_VERSION,
            "kind": api.KIND,
            "namespace": told.ref.namespace,
            "name": told.ref.name,
            "uid": told.ref.uid,
        },
        "type": told.type,
        "reason": told.reason,
        "message": told.message,
        "count": 1,
        "firstTimestamp": format_time(at),
        "lastTimestamp": format_time(at),
        "source": {"component": COMPONENT},
        "reportingComponent": COMPONENT,
        "reportingInstance": COMPONENT,
    }
