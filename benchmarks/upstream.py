"""Serves orders: nested JSON of about 330 bytes, in pages. ``python -m benchmarks.upstream ROWS`` prints its URL."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

PAGE = 1000
_PLACE = "#####"


def order(number: int) -> str:
    """One order as JSON text."""
    return _template(number % PAGE).replace(_PLACE, f"{number // PAGE:05}")


def _template(place: int) -> str:
    """An order by its place in a page, with a mark where the page's number goes."""
    number = f"{_PLACE}{place:03}"
    return (
        f'{{"id":1{number},"number":"SO-{number}","status":"processing","currency":"IDR","paid":{"true" if place % 3 else "false"},'
        f'"customer":{{"name":"Customer {number}","phone":"+62811{number}","email":"c{number}@example.com"}},'
        f'"amount":{{"total":{place * 89}.{place % 90 + 10},"tax":{place % 900}.5{place % 9 + 1}}},"items":{place % 9 + 1},"note":null,'
        f'"created":"2026-01-{place % 28 + 1:02}T{place % 24:02}:15:30Z","modified":"2026-02-{place % 28 + 1:02}T{place % 24:02}:45:10Z"}}'
    )


def page_of(template: str, start: int, rows: int) -> str:
    """The page that begins with order ``start`` as JSON text, of so many in all. It costs next to nothing: the upstream is not what is measured."""
    whole = start % PAGE == 0 and start + PAGE <= rows
    data = template.replace(_PLACE, f"{start // PAGE:05}") if whole else ",".join(map(order, range(start, min(start + PAGE, rows))))
    following = f'"{start + PAGE}"' if start + PAGE < rows else "null"
    return f'{{"data":[{data}],"next":{following}}}'


async def serve(rows: int) -> None:
    """Until standard input ends."""
    template = ",".join(map(_template, range(PAGE)))

    async def page(request: web.Request) -> web.Response:
        start = int(request.query.get("cursor", 0))
        return web.Response(body=page_of(template, start, rows).encode(), content_type="application/json")

    await listening(page)


async def listening(page: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> None:
    """Serve ``/orders`` until standard input ends; prints the URL."""
    application = web.Application()
    application.router.add_get("/orders", page)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    address: Any = runner.addresses[0]
    print(f"http://127.0.0.1:{address[1]}", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
