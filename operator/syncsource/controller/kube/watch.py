"""The watch: kopf in a thread and an event loop of its own, with a registry of its own.

Of its own, because kopf cancels every task of its loop when it ends, and takes the process's signals when it is in the main thread.
It is read only: no posting, no finalizers, no patches.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any

import kopf

from syncsource.controller.kube.login import Login
from syncsource.controller.kube.retelling import retell
from syncsource.controller.kube.waiting import Backoffs
from syncsource.resource import api

_log = logging.getLogger(__name__)
_CHATTY = logging.getLogger("kopf.objects")
"""kopf tells of every event of every object that it was handled."""

Handle = Callable[[str, "str | None", Any], None]
"""Takes a kind (a plural), a watch event's type (None: listed) and an object. Called in kopf's thread."""

SECRETS = "secrets"
_IDENTITY: Any = "syncsource"
"""kopf's name for itself, which nobody sees: without one it wants the user's, and a container's user has none."""
_CLOSING = 0.2
"""Seconds that TLS connections take to end after aiohttp closed them; a loop that ends before leaks them."""


class Watch:
    """Watches SyncSources, SyncRuns and Secrets of the namespaces, or of all."""

    def __init__(self, *, login: Login, namespaces: Sequence[str] | None, handle: Handle) -> None:
        self._login = login
        self._namespaces = namespaces
        self._handle = handle

    async def run(self) -> None:
        """Watch until cancelled. Raises what ended kopf, if something else did: the caller starts it again."""
        _CHATTY.setLevel(max(_CHATTY.level, logging.WARNING))
        retell()
        loop, stop = asyncio.get_running_loop(), _Stop()
        ended: asyncio.Future[None] = loop.create_future()
        thread = threading.Thread(target=self._thread, args=(stop, loop, ended), name="watch", daemon=True)
        thread.start()
        try:
            await asyncio.shield(ended)
        finally:
            stop.set()
            await asyncio.to_thread(thread.join, 5)

    def _thread(self, stop: _Stop, loop: asyncio.AbstractEventLoop, ended: asyncio.Future[None]) -> None:
        error: Exception | None = None
        try:
            asyncio.run(self._kopf(stop))
        except Exception as raised:
            error = raised
        if not loop.is_closed():
            loop.call_soon_threadsafe(_settle, ended, error)

    async def _kopf(self, stop: _Stop) -> None:
        everywhere = self._namespaces is None
        try:
            await kopf.operator(
                registry=self._registry(),
                settings=_settings(),
                standalone=True,
                identity=_IDENTITY,
                clusterwide=everywhere,
                namespaces=() if everywhere else tuple(self._namespaces or ()),
                stop_flag=stop.enter(),
            )
        finally:
            await asyncio.sleep(_CLOSING)

    def _registry(self) -> kopf.OperatorRegistry:
        registry = kopf.OperatorRegistry()

        @kopf.on.login(registry=registry)
        async def login(**_: Any) -> kopf.ConnectionInfo:
            return await self._login.connection()

        @kopf.on.event(api.GROUP, api.VERSION, api.PLURAL, registry=registry)
        async def syncsource(event: Any, **_: Any) -> None:
            self._handle(api.PLURAL, event["type"], event["object"])

        @kopf.on.event(api.GROUP, api.VERSION, api.RUN_PLURAL, registry=registry)
        async def syncrun(event: Any, **_: Any) -> None:
            self._handle(api.RUN_PLURAL, event["type"], event["object"])

        @kopf.on.event("", "v1", SECRETS, registry=registry)
        async def secret(event: Any, **_: Any) -> None:
            self._handle(SECRETS, event["type"], event["object"])

        return registry


class _Stop:
    """A flag of kopf's loop that another thread can raise, be it before that loop runs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._raised = False
        self._inside: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None

    def enter(self) -> asyncio.Event:
        """The flag, for the loop that runs now."""
        with self._lock:
            event = asyncio.Event()
            self._inside = asyncio.get_running_loop(), event
            if self._raised:
                event.set()
            return event

    def set(self) -> None:
        """Raise the flag."""
        with self._lock:
            self._raised = True
            if self._inside is not None and not self._inside[0].is_closed():
                self._inside[0].call_soon_threadsafe(self._inside[1].set)


def _settings() -> kopf.OperatorSettings:
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.scanning.disabled = True  # it would need rights on all namespaces and definitions, and wait for them without end
    settings.watching.chunk_size = 100  # with the next: an eighth of the memory for ten thousand objects
    settings.queueing.idle_timeout = 0.1
    settings.networking.error_backoffs = Backoffs()
    settings.process.ultimate_exiting_timeout = None  # it would kill the process after an API server's fault
    return settings


def _settle(ended: asyncio.Future[None], error: Exception | None) -> None:
    if ended.done():
        return
    if error is None:
        ended.set_result(None)
    else:
        ended.set_exception(error)
