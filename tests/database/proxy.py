"""Stands between us and a PostgreSQL server, and cuts one connection at its COMMIT."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Literal
from urllib.parse import parse_qs, urlsplit

Moment = Literal["before", "after"]


class Proxy:
    """Forwards bytes. ``cut``: what happens to the first connection whose next COMMIT follows the check of a fence: it is cut
    before the server gets it, or after the server did it and before we know. ``for_good``: and so are all others then, and no more are taken."""

    def __init__(self, server: str, cut: Moment, *, for_good: bool) -> None:
        self._server, self._cut, self._for_good = server, cut, for_good
        self._pairs: list[_Pair] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.done = threading.Event()
        """Set when it has cut."""

    def serve(self) -> None:
        """Until it is closed."""
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._server)
                self._pairs.append(_Pair(self, client, server))
                self._pairs[-1].start()

    def close(self) -> None:
        """No new connections."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def has_cut(self) -> None:
        """Called once one is."""
        self.done.set()
        if self._for_good:
            self.close()
            for pair in self._pairs:
                pair.cut_idle()

    def moment(self) -> Moment | None:
        """What happens to a COMMIT now."""
        return None if self.done.is_set() else self._cut


class _Pair:
    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy, self._client, self._server = proxy, client, server
        self._fenced = self._doomed = False

    def start(self) -> None:
        for work in (self._up, self._down):
            threading.Thread(target=work, daemon=True).start()

    def _up(self) -> None:
        with suppress(OSError):
            while said := self._client.recv(65536):
                self._fenced |= b"FOR SHARE" in said
                moment = self._proxy.moment() if self._fenced and b"COMMIT" in said else None
                if moment is not None:
                    self._doomed = True
                    self._proxy.has_cut()
                if moment == "before":
                    break
                self._server.sendall(said)
        if not self._doomed or moment == "before":
            self._close()

    def _down(self) -> None:
        with suppress(OSError):
            while (said := self._server.recv(65536)) and not self._doomed:
                self._client.sendall(said)
        self._close()

    def cut_idle(self) -> None:
        """Unless it is to be cut at its own time."""
        if not self._doomed:
            self._close()

    def _close(self) -> None:
        for end in (self._client, self._server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


@contextmanager
def cutting(url: str, cut: Moment, *, for_good: bool = False) -> Iterator[str]:
    """The URL of the same database behind a proxy."""
    parts = urlsplit(url)
    [folder] = parse_qs(parts.query)["host"]
    proxy = Proxy(f"{folder}/.s.PGSQL.5432", cut, for_good=for_good)
    threading.Thread(target=proxy.serve, daemon=True).start()
    options = "&".join(one for one in parts.query.split("&") if not one.startswith("host="))
    try:
        yield f"postgresql://postgres@127.0.0.1:{proxy.port}{parts.path}?sslmode=disable&gssencmode=disable&{options}"
    finally:
        proxy.close()
    assert proxy.done.is_set(), "no COMMIT came through"
