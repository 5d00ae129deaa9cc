"""Deadline and cancellation of every wait on the network.

httpx bounds each read, so that a server that drips bytes holds a request for ever, and it bounds no name lookup. Here one
deadline covers a whole request, and a wait is cut into slices so that a cancellation ends it.
"""

from __future__ import annotations

import contextlib
import functools
import math
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Any, TypeVar

import httpcore
import httpx

from syncsource.errors import AbortedError
from syncsource.sources.noting import note
from syncsource.sources.rest.addresses import check_name, resolved
from syncsource.sources.rest.reasons import CANCELLED

T = TypeVar("T")
SLICE = 0.05
"""Seconds after which a wait looks for a cancellation."""


class Unconnected(httpcore.ConnectTimeout):
    """No connection came about in the time for that."""


class Silence(httpcore.ReadTimeout):
    """The next piece of an answer did not come in the time for that."""


class Watch:
    """How long the request under way may still wait. One request at a time."""

    def __init__(self, cancelled: threading.Event) -> None:
        self._cancelled = cancelled
        self._deadline = self._connected_by = math.inf
        self._connect = self.silence = math.inf

    def limit(self, *, connect: float, read: float) -> None:
        """The seconds that a connection, TLS included, and each piece of an answer may take; none at first."""
        self._connect, self.silence = connect, read

    def connecting(self) -> None:
        """A connection is made from now on."""
        self._connected_by = time.monotonic() + self._connect

    def begin(self, seconds: float) -> None:
        """A request begins, which may take so long. Raises AbortedError (Cancelled)."""
        self._deadline = time.monotonic() + seconds
        self.left()

    def left(self) -> float:
        """Seconds left, more than 0. Raises AbortedError (Cancelled) or httpcore.ReadTimeout."""
        if self._cancelled.is_set():
            raise AbortedError("cancelled while reading from the upstream", reason=CANCELLED)
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the time for the answer is over")
        return left

    def slice(self) -> float:
        """Seconds to wait before looking again; raises as :meth:`left` does."""
        return min(self.left(), SLICE)

    def call(self, work: Callable[[], httpcore.NetworkStream]) -> httpcore.NetworkStream:
        """The stream that ``work`` makes, in a thread of its own that is abandoned when the wait is over."""
        future: Future[httpcore.NetworkStream] = Future()
        threading.Thread(target=_fulfil, args=(future, work), name="connect", daemon=True).start()
        while True:
            try:
                return future.result(self.slice())
            except TimeoutError:
                if time.monotonic() < self._connected_by:
                    continue
                future.add_done_callback(_discard)
                raise Unconnected("the time for a connection is over") from None
            except (AbortedError, httpcore.ReadTimeout):
                future.add_done_callback(_discard)
                raise


class WatchedStream(httpcore.NetworkStream):
    """A connection whose waits the watch bounds. The timeouts that httpcore passes are not used."""

    def __init__(self, inner: httpcore.NetworkStream, watch: Watch) -> None:
        self._inner = inner
        self._watch = watch

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        silent_until = time.monotonic() + self._watch.silence
        while True:
            wait = self._watch.slice()
            with contextlib.suppress(httpcore.ReadTimeout):
                return self._inner.read(max_bytes, wait)
            if time.monotonic() >= silent_until:
                raise Silence("nothing came")

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Not sliced: what has gone out can't be told. A request fits into the socket's buffer, so it hardly waits."""
        self._inner.write(buffer, self._watch.left())

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        try:
            handshake = functools.partial(self._inner.start_tls, ssl_context, server_hostname, self._watch.left())
            secured = self._watch.call(handshake)
            note("TLS", lambda: _told_tls(secured.get_extra_info("ssl_object")))
            return WatchedStream(secured, self._watch)
        except BaseException:
            self.close()
            raise

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class WatchedBackend(httpcore.NetworkBackend):
    """Opens watched connections, and none to an address that is refused."""

    def __init__(self, watch: Watch, *, link_local: bool) -> None:
        self._watch = watch
        self._link_local = link_local
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        self._watch.connecting()
        left = self._watch.left()

        def connect() -> httpcore.NetworkStream:
            failed: Exception = httpcore.ConnectError(f"{host} has no address")
            for address in resolved(host, port, link_local=self._link_local):
                try:
                    return self._inner.connect_tcp(address, port, left, local_address, socket_options)
                except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                    failed = error
            raise failed

        connected = self._watch.call(connect)
        note("Connection", lambda: f"{host} answers at {connected.get_extra_info('server_addr')[0]}, port {port}")
        return WatchedStream(connected, self._watch)


class WatchedTransport(httpx.HTTPTransport):
    """httpx's transport over watched connections."""

    def __init__(
        self, watch: Watch, context: ssl.SSLContext | None, proxy: httpcore.Proxy | None = None, *, link_local: bool = False
    ) -> None:
        """``link_local``: whether link-local and cloud metadata addresses may be asked, through a ``proxy`` or without one."""
        self._by_proxy = proxy is not None and not link_local
        # httpx has no argument for the network backend of its pool.
        backend = WatchedBackend(watch, link_local=link_local)
        self._pool = httpcore.ConnectionPool(ssl_context=context, proxy=proxy, keepalive_expiry=5.0, network_backend=backend)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """A proxy looks names up by itself: what can be told of a name before is checked here."""
        if self._by_proxy:
            check_name(request.url.host)
        return super().handle_request(request)


def _told_tls(connection: ssl.SSLObject) -> str:
    """``TLSv1.3, the certificate is valid until Mar  5 11:22:33 2027 GMT``."""
    certificate = connection.getpeercert() or {}
    until = certificate.get("notAfter")
    return f"{connection.version()}" + (f", the certificate is valid until {until}" if until else "")


def _fulfil(future: Future[T], work: Callable[[], T]) -> None:
    try:
        future.set_result(work())
    except BaseException as error:
        future.set_exception(error)


def _discard(future: Future[httpcore.NetworkStream]) -> None:
    if future.exception() is None:
        future.result().close()
