"""A server on 127.0.0.1 that answers as a test says, and remembers what it was asked."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Asked:
    """A request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    raw: str = ""
    """The request's target as it was written."""

    @property
    def target(self) -> str:
        return self.path + ("?" + "&".join(f"{name}={value}" for name, value in self.query.items()) if self.query else "")


@dataclass(frozen=True)
class Reply:
    """An answer. ``body``: bytes as they are, an iterator of bytes written one by one, or anything else as JSON."""

    body: Any = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    framed: bool = True
    """Whether Content-Length is sent. Without, the end of the connection ends the body."""
    length: int | None = None
    """A Content-Length that is not the body's."""
    bare: bool = False
    """Whether the body is all that is sent, without a status or headers."""
    reset: bool = False
    """Whether the connection is reset after the body, instead of closed."""

    @property
    def content(self) -> bytes | None:
        """The body; None where it comes piece by piece."""
        if isinstance(self.body, Iterator):
            return None
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


Script = Callable[[Asked], Reply]


@dataclass
class Upstream:
    """A running server."""

    script: Script
    asked: list[Asked] = field(default_factory=list)
    port: int = 0
    scheme: str = "http"
    arrived: threading.Event = field(default_factory=threading.Event)
    """Set when a request came in."""
    sent: threading.Event = field(default_factory=threading.Event)
    """Set when the pieces of a :func:`hanging` body went out."""
    over: threading.Event = field(default_factory=threading.Event)
    """Set when the test is over; replies that hang wait for it."""

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    @property
    def targets(self) -> list[str]:
        return [asked.target for asked in self.asked]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    upstream: Upstream

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(self.command, parts.path, query, headers, body, self.path)
        self.upstream.asked.append(asked)
        self.upstream.arrived.set()
        self._send(self.upstream.script(asked))

    do_GET = do_POST = _answer

    def _send(self, reply: Reply) -> None:
        pieces = iter([reply.content]) if reply.content is not None else reply.body
        first = next(pieces, b"")
        if reply.bare:
            self.wfile.write(first)
        else:
            self._send_head(reply, first)
        for piece in pieces:
            self.wfile.write(piece)
        self.close_connection = not reply.framed or reply.length is not None or reply.bare or reply.reset
        if reply.reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def _send_head(self, reply: Reply, first: bytes) -> None:
        self.send_response_only(reply.status)
        headers = {"Date": self.date_time_string(), "Content-Type": "application/json"} | reply.headers
        if reply.framed:
            headers["Content-Length"] = str(len(first) if reply.length is None else reply.length)
        for name, value in headers.items():
            self.send_header(name, value)
        self._headers_buffer.append(b"\r\n" + first)  # type: ignore[attr-defined]
        self.flush_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are what many tests are about."""


@contextlib.contextmanager
def serving(script: Script, context: ssl.SSLContext | None = None, *, port: int = 0) -> Iterator[Upstream]:
    """A server for the time of a test. ``port`` 0: any that is free."""
    upstream = Upstream(script)
    server = _Server(("127.0.0.1", port), type("Handler", (_Handler,), {"upstream": upstream}))
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        upstream.scheme = "https"
    upstream.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield upstream
    finally:
        upstream.over.set()
        server.shutdown()
        server.server_close()
        thread.join()


@contextlib.contextmanager
def listening() -> Iterator[tuple[socket.socket, str]]:
    """A socket that speaks no HTTP by itself, and its URL."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        yield sock, f"http://127.0.0.1:{sock.getsockname()[1]}"


def in_turn(*replies: Reply) -> Script:
    """One reply after the other; the last one for ever."""
    left = list(replies)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


def hanging(upstream: Upstream, *pieces: bytes) -> Iterator[bytes]:
    """A body that begins with these pieces and then says nothing more until the test is over. Then ``sent`` is set."""
    yield from pieces
    upstream.sent.set()
    upstream.over.wait()
