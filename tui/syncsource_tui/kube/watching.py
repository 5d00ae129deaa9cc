"""One watch of one kind in one place: list in pages, then every change."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from syncsource_tui.core.failures import Away, Expired, Missing
from syncsource_tui.core.reading import Object, number, part, parts, raw
from syncsource_tui.kube.client import Client

PAGE = 500
"""Objects asked for at a time."""
_WATCH_SECONDS = 290
"""How long one watch lasts; the next goes on where it ended."""
_SILENCE = 320.0


@dataclass(frozen=True, slots=True)
class Page:
    """Some objects of a list. ``left``: how many are still to come. ``version``: where to watch from after the last page."""

    items: list[Object]
    left: int
    version: str


async def pages(client: Client, path: str, *, right: str, query: Mapping[str, str] | None = None) -> AsyncIterator[Page]:
    """At least one. Raises Expired where the list is too old to go on."""
    position = ""
    while True:
        more = {"continue": position} if position else {}
        page = await client.get(path, {**(query or {}), "limit": str(PAGE), **more}, right=right)
        metadata = part(page, "metadata")
        position = raw(metadata, "continue")
        yield Page(parts(page, "items"), number(metadata, "remainingItemCount") or 0, raw(metadata, "resourceVersion"))
        if not position:
            return


async def changes(
    client: Client, path: str, version: str, *, right: str, query: Mapping[str, str] | None = None, heard: Callable[[], Any] = lambda: None
) -> AsyncIterator[tuple[str, Object]]:
    """ADDED, MODIFIED and DELETED with their objects, for ever. ``heard`` is called for each sign of life. Raises Expired, Away, …"""
    while True:
        asked = {
            **(query or {}),
            "watch": "1",
            "resourceVersion": version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(_WATCH_SECONDS),
        }
        async for line in client.lines(path, asked, right=right, silence=_SILENCE):
            kind, found = _event(line)
            heard()
            version = raw(part(found, "metadata"), "resourceVersion") or version
            if kind != "BOOKMARK":
                yield kind, found


def _event(line: bytes) -> tuple[str, Object]:
    try:
        event = json.loads(line)
        kind, found = event["type"], event["object"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Away("the watch was cut off") from None
    if kind == "ERROR":
        raise _told(part(found))
    return str(kind), part(found)


def _told(status: Object) -> Exception:
    code, message = number(status, "code"), str(status.get("message") or "the watch ended")
    if code == 410:
        return Expired(message)
    return Missing(message) if code == 404 else Away(message)
