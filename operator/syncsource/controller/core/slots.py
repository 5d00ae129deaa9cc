"""The fleet as SyncRuns see it: SyncSources, and slots for what is done with them."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from syncsource.controller.core.asked import Asked
from syncsource.controller.core.change import Counted
from syncsource.controller.core.happening import Decision
from syncsource.controller.core.source import Source


class Slots(Protocol):
    """What :class:`syncsource.controller.core.fleet.Fleet` does for SyncRuns; it says what each is."""

    def source(self, key: str) -> Source | None: ...

    def is_busy(self, key: str) -> bool: ...

    def occupy(self, key: str, run: str) -> None: ...

    def release(self, key: str, run: str, now: datetime) -> list[Decision]: ...

    def replan(self, key: str, now: datetime) -> list[Decision]: ...

    def start_run(self, asked: Asked, source: Source, now: datetime) -> Decision: ...

    def cancel_run(self, asked: Asked, reason: str) -> list[Decision]: ...

    def count(self, key: str, counted: Counted, now: datetime) -> None: ...
