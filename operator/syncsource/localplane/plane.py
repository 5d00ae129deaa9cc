"""The server as a whole: state folder, store, application, and the tasks beside it."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from aiohttp import web

from syncsource.localplane import podlogs, ports, statefiles
from syncsource.localplane.access import Access
from syncsource.localplane.certificates import ensure_certificates
from syncsource.localplane.controllers import Controllers
from syncsource.localplane.definers import Definers
from syncsource.localplane.garbage import GarbageCollector
from syncsource.localplane.registry.builtin import builtin_resources
from syncsource.localplane.registry.registry import Registry
from syncsource.localplane.serving.app import make_app
from syncsource.localplane.storage.broadcast import Broadcast, Change
from syncsource.localplane.storage.encoding import decode
from syncsource.localplane.storage.schema import UnusableStore
from syncsource.localplane.storage.store import Store
from syncsource.localplane.storage.tidying import tidy_always
from syncsource.localplane.writing.writer import Writer

SHUTDOWN_SECONDS = 1.0


class LocalPlane:
    """An API server for `state_dir`, on 127.0.0.1 and `port` (0: the last one if it is free, else any free one).

    `start` raises AlreadyRunning where another process serves the folder, UnusableStore where its database can't be opened,
    WriteFailed where there is no room in it, OSError where the port is taken.
    """

    def __init__(self, state_dir: Path, *, port: int = 0) -> None:
        self.state_dir, self.port = Path(state_dir), port
        self.kubeconfig = self.state_dir / "kubeconfig"
        self._cleanup = contextlib.AsyncExitStack()

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    async def start(self) -> None:
        try:
            await self._start()
        except BaseException:
            await self._cleanup.aclose()
            raise

    async def stop(self) -> None:
        """End the watches, finish what is being answered, close the database."""
        await self._cleanup.aclose()

    async def _start(self) -> None:
        statefiles.open_folder(self.state_dir)
        lock: IO[bytes] = statefiles.take_lock(self.state_dir)
        self._cleanup.callback(lock.close)
        certificates = ensure_certificates(self.state_dir, dt.datetime.now(dt.UTC))
        token = statefiles.ensure_token(self.state_dir)
        self.writer = self._open_store()
        listening = ports.bound(self.port, statefiles.last_port(self.state_dir))
        self.port = listening.getsockname()[1]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates.certificate, certificates.key)
        access = Access.of(self.writer.store, self.state_dir, token)
        self.writer.listeners.append(access.authorizer.heard)
        await self._serve(make_app(self.writer, access, self.state_dir, f"127.0.0.1:{self.port}"), listening, context)
        statefiles.remember_port(self.state_dir, self.port)
        statefiles.write_kubeconfig(self.kubeconfig, self.url, certificates.authority.read_bytes(), token)

    def _open_store(self) -> Writer:
        path = self.state_dir / "objects.db"
        if statefiles.last_port(self.state_dir) and path.exists() and not path.stat().st_size:
            raise UnusableStore(f"{path} is empty, though there were objects in it: put back a copy of it, or remove it to begin anew")
        store = Store(path)
        self._cleanup.callback(store.close)
        writer = Writer(store, Broadcast(store.version), Registry(builtin_resources()))
        Definers(writer).establish()
        writer.listeners.append(_log_listener(self.state_dir))
        is_new = store.version == 1
        Controllers(writer).establish()
        if is_new:
            store.begin_here()
        podlogs.remove_other_logs(self.state_dir, {decode(stored.body)["metadata"]["uid"] for stored in store.objects("pods")})
        writer.broadcast = Broadcast(store.version)
        return writer

    async def _serve(self, app: web.Application, listening: socket.socket, context: ssl.SSLContext) -> None:
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
        await runner.setup()
        self._cleanup.push_async_callback(runner.cleanup)
        site = web.SockSite(runner, listening, ssl_context=context, backlog=128)
        await site.start()
        for work in (GarbageCollector(self.writer).run(), tidy_always(self.writer.store)):
            self._cleanup.push_async_callback(_cancel, asyncio.create_task(work))
        self._cleanup.callback(self.writer.broadcast.end)


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def _log_listener(state_dir: Path) -> Callable[[Change, dict[str, Any]], None]:
    """The logs of a Pod go with it."""

    def heard(change: Change, pod: dict[str, Any]) -> None:
        if change.key.resource == "pods" and change.type == "DELETED":
            podlogs.remove_logs(state_dir, namespace=change.key.namespace, pod=change.key.name, uid=pod["metadata"]["uid"])

    return heard
