"""The floor of the control plane: aiohttp and SQLite with nothing of Kubernetes around them. ``python -m benchmarks.plane_floor --child --dir DIR``.

It takes the same requests over TLS, commits each write to a WAL with synchronous=FULL before it answers, and tells watches. It checks nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import json
import sqlite3
import ssl
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web

from syncsource.localplane import statefiles
from syncsource.localplane.certificates import ensure_certificates
from syncsource.localplane.parent import when_parent_ends


class Floor:
    """Objects by name in one table."""

    def __init__(self, path: Path) -> None:
        self.database = sqlite3.connect(path, isolation_level=None)
        for line in (
            "PRAGMA journal_mode=WAL",
            "PRAGMA synchronous=FULL",
            "CREATE TABLE objects (name TEXT PRIMARY KEY, body BLOB) WITHOUT ROWID",
        ):
            self.database.execute(line)
        self.version = 1
        self.watches: set[asyncio.Queue[bytes]] = set()

    def store(self, kind: str, obj: dict[str, Any]) -> bytes:
        """Commit, then tell."""
        self.version += 1
        obj["metadata"]["resourceVersion"] = str(self.version)
        body = msgspec.json.encode(obj)
        self.database.execute("BEGIN IMMEDIATE")
        self.database.execute("INSERT OR REPLACE INTO objects VALUES (?,?)", (obj["metadata"]["name"], body))
        self.database.execute("COMMIT")
        for watch in self.watches:
            watch.put_nowait(b'{"type":"%s","object":%s}\n' % (kind.encode(), body))
        return body

    async def create(self, request: web.Request) -> web.Response:
        """A new object."""
        return _answer(self.store("ADDED", msgspec.json.decode(await request.read())), 201)

    async def patch(self, request: web.Request) -> web.Response:
        """A merge patch, one level deep."""
        (body,) = self.database.execute("SELECT body FROM objects WHERE name = ?", (request.match_info["name"],)).fetchone()
        return _answer(self.store("MODIFIED", {**msgspec.json.decode(body), **msgspec.json.decode(await request.read())}))

    async def read(self, request: web.Request) -> web.StreamResponse:
        """A list or a watch."""
        if request.query.get("watch"):
            return await self.watch(request)
        items = [
            body for (body,) in self.database.execute("SELECT body FROM objects ORDER BY name LIMIT ?", (request.query.get("limit", -1),))
        ]
        label, _, value = request.query.get("labelSelector", "").partition("=")
        if label:
            items = [body for body in items if msgspec.json.decode(body)["metadata"]["labels"].get(label) == value]
        name = request.query.get("fieldSelector", "").partition("=")[2]
        if name:
            items = [body for (body,) in self.database.execute("SELECT body FROM objects WHERE name = ?", (name,))]
        return _answer(b'{"items":[%s],"metadata":{"resourceVersion":"%d"}}' % (b",".join(items), self.version))

    async def watch(self, request: web.Request) -> web.StreamResponse:
        """Every write from now on."""
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        queue: asyncio.Queue[bytes] = asyncio.Queue()
        self.watches.add(queue)
        try:
            while True:
                await response.write(await queue.get())
        finally:
            self.watches.discard(queue)


def _answer(body: bytes, status: int = 200) -> web.Response:
    return web.Response(body=body, status=status, content_type="application/json")


async def _defined(request: web.Request) -> web.Response:
    """There are no definitions here."""
    return _answer(b"{}", 201)


async def serve(folder: Path) -> None:
    """Until it is killed, or its parent ends."""
    statefiles.open_folder(folder)
    certificates, token = ensure_certificates(folder, dt.datetime.now(dt.UTC)), statefiles.ensure_token(folder)
    floor = Floor(folder / "objects.db")
    application = web.Application()
    application.router.add_post("/apis/apiextensions.k8s.io/{rest:.*}", _defined)
    application.router.add_post("/{path:.*}", floor.create)
    application.router.add_patch("/{path:.*}/{name}/status", floor.patch)
    application.router.add_get("/{path:.*}", floor.read)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.certificate, certificates.key)
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    address: Any = runner.addresses[0]
    url = f"https://127.0.0.1:{address[1]}"
    statefiles.write_kubeconfig(folder / "kubeconfig", url, certificates.authority.read_bytes(), token)
    print(json.dumps({"url": url, "kubeconfig": str(folder / "kubeconfig")}), flush=True)
    ended = asyncio.Event()
    when_parent_ends(ended.set)
    await ended.wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--child", action="store_true", required=True)
    asyncio.run(serve(parser.parse_args().dir))
