"""A request as messages name it, and what came back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx

from syncsource.sources.rest.dates import parse_http_date
from syncsource.sources.rest.redaction import Redaction


@dataclass(frozen=True, slots=True)
class Call:
    """One request, as messages name it."""

    method: str
    url: httpx.URL
    timeout: timedelta
    redaction: Redaction
    field: str = "spec.source.http"
    """What messages name that is about it."""
    address: str = "spec.source.http.baseURL"
    """The field that has its URL."""
    authorities: str = "SSL_CERT_FILE"
    """What names authorities that this machine does not trust by itself."""
    connect_timeout: timedelta | None = None
    read_timeout: timedelta | None = None

    def __str__(self) -> str:
        return f"{self.method} {self.redaction.url(self.url)}"


@dataclass(frozen=True, slots=True)
class Received:
    """A complete answer with a status of success, its body as bytes (decompressed)."""

    call: Call
    status: int
    headers: httpx.Headers
    content: bytes

    @property
    def framed(self) -> bool:
        """Whether the body's end was marked. Without, it ends where the connection does, in RFC 9112 section 6.3, and a cut can't be told."""
        return "content-length" in self.headers or "transfer-encoding" in self.headers


@dataclass(frozen=True, slots=True)
class Answer:
    """A page as the upstream sent it, decoded."""

    call: Call
    status: int
    headers: httpx.Headers
    body: Any
    """None of a stream, whose records are handed on as they come."""
    fingerprint: tuple[int, int]
    """Length and hash of the bytes: equal for equal bodies, and practically only for those."""
    marked: Any = None
    """The body as :func:`duplicates.marked` has it, where an object in it names a member twice."""
    torn: Any = None
    """The body's other twin, as :mod:`torn` has them, where a text in it holds half of a surrogate pair."""

    @property
    def url(self) -> httpx.URL:
        """Where it came from, after redirects."""
        return self.call.url

    @property
    def served_at(self) -> datetime | None:
        """The Date header as an instant in UTC, or None."""
        return parse_http_date(self.headers.get("date"))
