"""Ports on 127.0.0.1 that stay over a restart where they can."""

from __future__ import annotations

import socket


def bound(port: int, last: int = 0) -> socket.socket:
    """A socket at `port`; where that is 0, at the port of last time if it is free, else at any. Raises OSError."""
    if port or not last:
        return _at(port)
    try:
        return _at(last)
    except OSError:
        return _at(0)


def _at(port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind(("127.0.0.1", port))
    except OSError:
        made.close()
        raise
    return made
