"""Makes a planned change, object by object, and says what the control plane answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from syncsource_tui.core.failures import Changed, Failure, Missing
from syncsource_tui.core.plans import Change, Target, patch
from syncsource_tui.core.reading import Object, part, raw
from syncsource_tui.core.requests import Request
from syncsource_tui.core.store import Store
from syncsource_tui.kube import paths
from syncsource_tui.kube.client import Client

_AT_ONCE = 8
_TRIES = 3


async def send(client: Client, requests: Sequence[Request], store: Store, now: Callable[[], float]) -> None:
    """Send them all, a few at a time. Each request tells what became of it; nothing is raised."""
    permits = asyncio.Semaphore(_AT_ONCE)

    async def one(request: Request) -> None:
        async with permits:
            try:
                await _send(client, request, store)
            except Failure as failure:
                request.fail(failure.message, now())

    await asyncio.gather(*map(one, requests))


async def _send(client: Client, request: Request, store: Store) -> None:
    for attempt in range(_TRIES):
        before = await live_object(client, request.target)
        _check(request, before)
        version = raw(part(before, "metadata"), "resourceVersion") if request.plan.change in (Change.PAUSE, Change.RESUME) else ""
        try:
            after = await client.merge_patch(
                paths.sources(request.target.namespace, request.target.name),
                patch(request.plan, request.target.uid, version),
                right=paths.right("patch", paths.RESOURCE, request.target.namespace),
            )
        except Changed:
            if attempt == _TRIES - 1:
                raise
        else:
            request.sent(before, after)
            store.put(after)
            return


async def live_object(client: Client, target: Target) -> Object:
    """The object as it is now. Raises Changed where another took its place, Missing where there is none."""
    right = paths.right("get", paths.RESOURCE, target.namespace)
    try:
        found = await client.get(paths.sources(target.namespace, target.name), right=right)
    except Missing:
        raise Missing(f"{target.key} was deleted; nothing was changed") from None
    if raw(part(found, "metadata"), "uid") != target.uid:
        raise Changed(f"{target.key} was deleted and created again; nothing was changed")
    return found


def _check(request: Request, before: Object) -> None:
    """A toggle holds for what was shown only."""
    if request.plan.change not in (Change.PAUSE, Change.RESUME):
        return
    suspended = part(before, "spec").get("suspend") is True
    if suspended != request.target.suspended:
        raise Changed(f"somebody {'paused' if suspended else 'resumed'} it meanwhile; nothing was changed")
