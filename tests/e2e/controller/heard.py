"""Log lines as events that a test waits for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from tests.e2e.controller.plane import PATIENCE


class Heard(logging.Handler):
    """Waits for log lines."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self._loop, self._came = asyncio.get_running_loop(), asyncio.Event()

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())
        self._loop.call_soon_threadsafe(self._came.set)

    async def line(self, text: str, *, whole: bool = False) -> str:
        """The first line with that text, or of that text and nothing else."""
        async with asyncio.timeout(PATIENCE):
            while True:
                for line in self.lines:
                    if line == text if whole else text in line:
                        return line
                self._came.clear()
                await self._came.wait()


@contextmanager
def heard() -> Iterator[Heard]:
    """What is logged in the block."""
    handler, root = Heard(), logging.getLogger()
    root.addHandler(handler)
    try:
        yield handler
    finally:
        root.removeHandler(handler)
