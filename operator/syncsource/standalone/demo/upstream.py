"""A small shop with three REST APIs that changes a few rows by itself. ``python -m syncsource.standalone.demo.upstream``.

/wp-json/shop/v1/orders   HTTP basic auth; page and per_page; X-WP-Total headers; modified_after; local times without a zone
/stores                   an API key in X-API-Key; offset and limit; records under data.items
/products                 a bearer token; the next page's cursor in the body
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import signal
from pathlib import Path
from typing import Any

from aiohttp import encode_basic_auth, web

from syncsource.localplane.parent import when_parent_ends
from syncsource.localplane.ports import bound
from syncsource.standalone.demo.shop import Shop

CHANGE_EVERY = 5.0
"""Seconds between two rounds of changes."""


class Upstream:
    """The three APIs over one shop."""

    def __init__(self, shop: Shop, credentials: dict[str, str]) -> None:
        self._shop, self._credentials = shop, credentials

    def application(self) -> web.Application:
        """The server's routes."""
        application = web.Application()
        application.router.add_get("/wp-json/shop/v1/orders", self.orders)
        application.router.add_get("/stores", self.stores)
        application.router.add_get("/products", self.products)
        return application

    async def orders(self, request: web.Request) -> web.Response:
        """Orders changed at or after ``modified_after``, oldest change first."""
        wanted = encode_basic_auth(self._credentials["username"], self._credentials["password"])
        if request.headers.get("Authorization") != wanted:
            return _refused()
        page, size = int(request.query.get("page", 1)), min(int(request.query.get("per_page", 10)), 100)
        found = self._shop.orders_since(request.query.get("modified_after", ""))
        pages = -(-len(found) // size)
        if page > max(pages, 1):
            return web.json_response({"code": "rest_post_invalid_page_number", "data": {"status": 400}}, status=400)
        headers = {"X-WP-Total": str(len(found)), "X-WP-TotalPages": str(pages)}
        return web.json_response(found[(page - 1) * size : page * size], headers=headers)

    async def stores(self, request: web.Request) -> web.Response:
        """Stores, from ``offset``."""
        if request.headers.get("X-API-Key") != self._credentials["apiKey"]:
            return _refused()
        offset, limit = int(request.query.get("offset", 0)), int(request.query.get("limit", 10))
        items = self._shop.stores[offset : offset + limit]
        return web.json_response({"data": {"items": items, "total": len(self._shop.stores)}})

    async def products(self, request: web.Request) -> web.Response:
        """Products after ``cursor``."""
        if request.headers.get("Authorization") != f"Bearer {self._credentials['token']}":
            return _refused()
        start, size = int(request.query.get("cursor", 0)), 50
        items = self._shop.products[start : start + size]
        return web.json_response({"products": items, "next": str(start + size) if start + size < len(self._shop.products) else None})


def _refused() -> web.Response:
    return web.json_response({"message": "unauthorized"}, status=401)


async def serve(port: int, shop: Shop, credentials: dict[str, str], *, child: bool) -> None:
    """Until SIGTERM or SIGINT. Prints one JSON line when it is ready."""
    stop = asyncio.Event()
    runner = web.AppRunner(Upstream(shop, credentials).application(), access_log=None)
    await runner.setup()
    await web.SockSite(runner, bound(port, shop.port)).start()  # a spec that names it stays true
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    if child:
        when_parent_ends(stop.set)
    address: Any = runner.addresses[0]
    shop.port = address[1]
    shop.save()
    print(json.dumps({"ready": True, "url": f"http://127.0.0.1:{shop.port}"}), flush=True)
    while not stop.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), CHANGE_EVERY)
        shop.change()
    await runner.cleanup()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--credentials", type=Path, required=True, help="JSON file with username, password, apiKey and token")
    parser.add_argument("--state", type=Path, required=True, help="file that keeps the shop's rows")
    parser.add_argument("--child", action="store_true", help="also end when standard input does: when the parent process is gone")
    options = parser.parse_args()
    asyncio.run(serve(options.port, Shop(options.state), json.loads(options.credentials.read_text()), child=options.child))


if __name__ == "__main__":
    main()
