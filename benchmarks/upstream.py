"""Serves orders: nested JSON of about 330 bytes, in pages. ``python -m benchmarks.upstream ROWS`` prints its URL."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

PAGE = 1000


def order(number: int) -> str:
    """One order as JSON text."""
    return (
        f'{{"id":{number},"number":"SO-{number:08}","status":"processing","currency":"IDR","paid":{"true" if number % 3 else "false"},'
        f'"customer":{{"name":"Customer {number}","phone":"+62811{number:07}","email":"c{number}@example.com"}},'
        f'"amount":{{"total":{number % 90_000}.{number % 90 + 10},"tax":{number % 900}.5{number % 9 + 1}}},"items":{number % 9 + 1},"note":null,'
        f'"created":"2026-01-{number % 28 + 1:02}T{number % 24:02}:15:30Z","modified":"2026-02-{number % 28 + 1:02}T{number % 24:02}:45:10Z"}}'
    )


async def serve(rows: int) -> None:
    """Until standard input ends."""

    async def page(request: web.Request) -> web.Response:
        start = int(request.query.get("cursor", 0))
        body = ",".join(map(order, range(start, min(start + PAGE, rows))))
        following = f'"{start + PAGE}"' if start + PAGE < rows else "null"
        return web.Response(body=f'{{"data":[{body}],"next":{following}}}'.encode(), content_type="application/json")

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
