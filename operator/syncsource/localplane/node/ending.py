"""The end of a Pod, awaited by all its containers."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Any


class Ending:
    """Set once, with the seconds that containers have; they can be made fewer."""

    def __init__(self) -> None:
        self._kills_at: float | None = None
        self._changed = asyncio.Event()

    @property
    def is_set(self) -> bool:
        return self._kills_at is not None

    def begin(self, grace: float) -> None:
        """End within so many seconds, or within those left from an earlier call where they are fewer."""
        kills_at = time.monotonic() + grace
        if self._kills_at is None or kills_at < self._kills_at:
            self._kills_at = kills_at
            self._changed.set()
            self._changed = asyncio.Event()

    def left(self) -> float:
        """Seconds until what still runs is killed; infinite while nothing is to end."""
        return float("inf") if self._kills_at is None else max(self._kills_at - time.monotonic(), 0.0)

    async def change(self) -> None:
        """Until it begins, or the seconds become fewer."""
        await self._changed.wait()

    async def pause(self, seconds: float) -> bool:
        """Wait so long; whether the end came instead."""
        if not self.is_set:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.change(), seconds)
        return self.is_set


async def first(task: asyncio.Task[Any], ending: Ending, seconds: float | None) -> None:
    """Until the task is done, the ending has changed, or so many seconds have passed."""
    change = asyncio.create_task(ending.change())
    try:
        await asyncio.wait({task, change}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        change.cancel()
