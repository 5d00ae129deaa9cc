"""Logs of this node's containers for a kube-apiserver, as a kubelet serves them: `/containerLogs/NAMESPACE/POD/CONTAINER`.

Only who shows a certificate of the one authority is answered; the folder of certificates is the API server's and this one's.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aiohttp import web

from syncsource.localplane.errors import APIError
from syncsource.localplane.node.api import Api, ApiFailed, Object
from syncsource.localplane.node.environment import NODE_ADDRESS
from syncsource.localplane.node.watching import Watched
from syncsource.localplane.serving.logs import LogServer

_SHUTDOWN_SECONDS = 1.0


class NodeLogs:
    """An HTTPS server on a free port, from `start` to `stop`."""

    def __init__(self, api: Api, pods: Watched, state: Path, certificates: Path) -> None:
        self._api = api
        self._logs = LogServer(_Pods(pods), state)
        self._trust = _context(certificates)
        self._runner: web.AppRunner | None = None

    async def start(self) -> int:
        """The port. Raises OSError."""
        app = web.Application()
        app.router.add_get("/containerLogs/{namespace}/{pod}/{container}", self._get)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
        await self._runner.setup()
        site = web.TCPSite(self._runner, NODE_ADDRESS, 0, ssl_context=self._trust)
        await site.start()
        port: int = self._runner.addresses[0][1]
        return port

    async def stop(self) -> None:
        """End what is being followed."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _get(self, request: web.Request) -> web.StreamResponse:
        place = request.match_info
        try:
            pod = await self._api.send("GET", f"/api/v1/namespaces/{quote(place['namespace'], '')}/pods/{quote(place['pod'], '')}")
        except ApiFailed as failed:
            missing = failed.code == 404
            return web.Response(status=404 if missing else 503, text=f'pod "{place["pod"]}" not found' if missing else str(failed))
        try:
            return await self._logs.serve(request, pod, {**request.query, "container": place["container"]})
        except APIError as refusal:
            return web.Response(status=refusal.code, text=refusal.message)


class _Pods:
    def __init__(self, pods: Watched) -> None:
        self._pods = pods

    def find(self, namespace: str, name: str) -> Object | None:
        return self._pods.objects.get((namespace, name))

    @contextlib.contextmanager
    def watching(self) -> Iterator[Any]:
        yield _Pauses()


class _Pauses:
    """The files are looked at again after each pause; they tell more than the Pods."""

    is_closed = False

    async def next(self, wait: float) -> None:
        await asyncio.sleep(wait)


def _context(folder: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.crt", folder / "server.key")
    context.load_verify_locations(folder / "ca.crt")
    context.verify_mode = ssl.CERT_REQUIRED
    return context
