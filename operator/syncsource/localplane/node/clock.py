"""Instants as the API writes them: whole seconds of UTC."""

from __future__ import annotations

import datetime as dt

_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def now() -> dt.datetime:
    """This instant."""
    return dt.datetime.now(dt.UTC)


def stamp(moment: dt.datetime | None = None) -> str:
    """An instant, this one where none is given, in words."""
    return (moment or now()).astimezone(dt.UTC).strftime(_FORMAT)


def read(text: str) -> dt.datetime:
    """Raises ValueError for what is no instant."""
    return dt.datetime.fromisoformat(text)


def since(text: str | None) -> float:
    """Seconds that have passed; 0 since no instant."""
    return (now() - read(text)).total_seconds() if text else 0.0
