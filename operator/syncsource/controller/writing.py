"""Status writes: each is retried until the API server has what the core says it should have, or the object is gone.

What is written is always the status as it is by then, so writes that pile up while the API server is away become one. Each expects the
object at the version that was seen last: on a conflict the object is read again, and the core looks at it first.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from typing import Generic, Protocol, TypeVar
from weakref import WeakValueDictionary

from syncsource.controller.core.asked import SeenRun
from syncsource.controller.core.happening import Happening, ObjectDeleted, ObjectSeen, RunDeleted, RunSeen, RunWritten, StatusWritten
from syncsource.controller.core.observed import Observed, Ref
from syncsource.controller.kube.failures import Away, Conflict, Gone, Rejected
from syncsource.controller.kube.waiting import Backoffs

WRITERS = 8
"""Status writes at a time, besides those of runs that start."""

_log = logging.getLogger(__name__)

Feed = Callable[[Happening], None]
_T = TypeVar("_T")
_S = TypeVar("_S", Observed, SeenRun)
_S_co = TypeVar("_S_co", Observed, SeenRun, covariant=True)


class StatusApi(Protocol[_S_co]):
    """Where the status of one kind goes."""

    async def object(self, ref: Ref) -> _S_co: ...

    async def write_status(self, ref: Ref, packed: bytes, version: str) -> str: ...


class Held(Protocol):
    """An object as the core has it: see :class:`syncsource.controller.core.source.Source`."""

    @property
    def ref(self) -> Ref: ...

    @property
    def version(self) -> str: ...

    @property
    def packed_status(self) -> bytes: ...

    @property
    def dirty(self) -> bool: ...

    @property
    def starting(self) -> bool: ...


class StatusWriter(Generic[_S]):
    """Of one kind. ``find``: the object of a key, as the core has it. ``feed``: tells the core what happened."""

    def __init__(self, api: StatusApi[_S], find: Callable[[str], Held | None], feed: Feed) -> None:
        self._api: StatusApi[_S] = api
        self._find = find
        self._feed = feed
        self._queue: asyncio.Queue[str] = asyncio.Queue()
        self._queued: set[str] = set()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def mark(self, key: str) -> None:
        """The status of that object is to be written."""
        if key not in self._queued:
            self._queued.add(key)
            self._queue.put_nowait(key)

    async def run(self) -> None:
        """Write until cancelled."""
        await asyncio.gather(*(self._work() for _ in range(WRITERS)))

    async def flush(self) -> None:
        """Wait until all is written."""
        await self._queue.join()

    def lock(self, key: str) -> asyncio.Lock:
        """Held while the status of that object is written."""
        return self._locks.setdefault(key, asyncio.Lock())

    async def _work(self) -> None:
        while True:
            key = await self._queue.get()
            self._queued.discard(key)
            try:
                async with self.lock(key):
                    await self._write(key)
            except Exception:  # one object must not keep the statuses of all others from being written
                _log.exception("the status could not be written", extra={"source": key})
            finally:
                self._queue.task_done()

    async def _write(self, key: str) -> None:
        waits = iter(Backoffs())
        while (held := self._find(key)) is not None and held.dirty and not held.starting:
            if not await self._try(held, waits):
                return

    async def _try(self, held: Held, waits: Iterator[float]) -> bool:
        """Whether to look again."""
        try:
            await self._write_once(held)
        except Away as error:
            _log.info("the status waits for the API server: %s", error, extra={"source": held.ref.key})
            await asyncio.sleep(next(waits))
        except Rejected as error:
            _log.error("the API server does not take the status: %s", error, extra={"source": held.ref.key})
            return False
        return True

    async def _write_once(self, held: Held) -> None:
        packed = held.packed_status
        try:
            version = await self._api.write_status(held.ref, packed, held.version)
        except Conflict:
            await self.look_again(held.ref)
        except Gone:
            self._feed(self._deleted(held.ref))
        else:
            self._feed(self._written(held.ref, packed, version))

    async def look_again(self, ref: Ref) -> _S | None:
        """Read the object and let the core see it. None: it is gone. Raises Away and Rejected."""
        try:
            seen: _S = await self._api.object(ref)
        except Gone:
            self._feed(self._deleted(ref))
            return None
        self._feed(self._seen(seen))
        return seen

    def _seen(self, seen: _S) -> Happening:
        return ObjectSeen(seen) if isinstance(seen, Observed) else RunSeen(seen)

    def _deleted(self, ref: Ref) -> Happening:
        return ObjectDeleted(ref)

    def _written(self, ref: Ref, packed: bytes, version: str) -> Happening:
        return StatusWritten(ref=ref, packed=packed, version=version)


class RunStatusWriter(StatusWriter[SeenRun]):
    """Of SyncRuns."""

    def _deleted(self, ref: Ref) -> Happening:
        return RunDeleted(ref)

    def _written(self, ref: Ref, packed: bytes, version: str) -> Happening:
        return RunWritten(ref=ref, packed=packed, version=version)


async def until_there(attempt: Callable[[], Awaitable[_T]]) -> _T:
    """What the attempt returns, made again while the API server is away."""
    for wait in Backoffs():
        try:
            return await attempt()
        except Away as error:
            _log.info("waiting for the API server: %s", error)
            await asyncio.sleep(wait)
    raise AssertionError("endless")
