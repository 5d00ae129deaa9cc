"""What probes are told: ``/healthz`` answers while the loop turns, ``/readyz`` with 200 once the operator knows its SyncSources."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from aiohttp import web

from syncsource.controller.core.fleet import Fleet
from syncsource.controller.kube.api import Api
from syncsource.controller.kube.failures import ApiError, Gone, Rejected
from syncsource.controller.kube.waiting import Backoffs
from syncsource.resource import api as names

NOT_SERVED = f"{names.PLURAL} and {names.RUN_PLURAL} of {names.GROUP} are not both defined in the cluster: run `syncsource crds | kubectl apply -f -`"
"""What is told while a CustomResourceDefinition is missing."""

_log = logging.getLogger(__name__)


class Health:
    """How the operator is. ``waits_for``: what must happen until it is ready; empty: it is."""

    def __init__(self) -> None:
        self.waits_for = "the control plane"


def serving(health: Health, host: str | None, port: int) -> AbstractAsyncContextManager[int]:
    """Answers probes until the block is left, as :func:`listening` does."""

    async def alive(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def ready(_: web.Request) -> web.Response:
        return web.Response(text=f"waiting for {health.waits_for}\n", status=503) if health.waits_for else web.Response(text="ok\n")

    return listening([web.get("/healthz", alive), web.get("/readyz", ready)], host, port)


@asynccontextmanager
async def listening(routes: Iterable[web.RouteDef], host: str | None, port: int) -> AsyncIterator[int]:
    """Answers on ``host`` (None: on all addresses) and ``port`` (0: any) until the block is left; the port. Raises OSError."""
    app = web.Application()
    app.add_routes(routes)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def become_ready(health: Health, api: Api, fleet: Fleet, namespaces: Sequence[str] | None) -> None:
    """Ready is who may read Secrets and has seen every SyncSource that there is."""
    for wait in Backoffs():
        lacking = await _lacking(api, fleet, namespaces)
        before, health.waits_for = health.waits_for, lacking
        if lacking != before:
            _log.info("not ready: waiting for %s" if lacking else "ready%s", lacking)
        if not lacking:
            return
        await asyncio.sleep(wait)


async def _lacking(api: Api, fleet: Fleet, namespaces: Sequence[str] | None) -> str:
    try:
        unseen = [ref async for ref in api.refs(namespaces) if fleet.source(ref.key) is None]
        runs = [ref async for ref in api.refs(namespaces, names.RUN_PLURAL) if fleet.asking.get(ref.key) is None]
        await api.look_at_secrets(namespaces)
    except Gone:
        return f"the definitions: {NOT_SERVED}"
    except Rejected as error:
        return f"a right: {error}"
    except ApiError as error:
        return f"the control plane: {error}"
    if unseen or runs:
        return f"the first event of {len(unseen)} SyncSources and {len(runs)} SyncRuns"
    return ""
