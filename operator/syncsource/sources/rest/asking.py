"""What is asked of an upstream: one request as a value."""

from __future__ import annotations

from dataclasses import dataclass

import httpx


@dataclass(frozen=True, slots=True)
class Ask:
    """A request before credentials. Equal for equal requests, so that a read that goes in circles is seen."""

    url: httpx.URL
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    """Names in lower case. Those that carry credentials are the client's."""
    body: bytes | None = None
