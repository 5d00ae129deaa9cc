"""The store's housekeeping, between the requests: short steps, so that no write waits for it."""

from __future__ import annotations

import asyncio
import logging

from syncsource.localplane.storage.store import Store, WriteFailed

_EVERY_SECONDS = 5.0
_PAUSE_SECONDS = 0.05
_log = logging.getLogger(__name__)


async def tidy_always(store: Store) -> None:
    """Forget what is too old and give free pages back, until cancelled."""
    while True:
        pause = _PAUSE_SECONDS if _tidy(store) else _EVERY_SECONDS
        await asyncio.sleep(pause)


def _tidy(store: Store) -> bool:
    try:
        return store.tidy()
    except WriteFailed as failed:
        _log.warning("old changes are kept for now: %s", failed)
        return False
