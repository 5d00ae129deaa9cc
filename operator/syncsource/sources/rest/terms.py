"""How one upstream is spoken to, whatever kind of source asks."""

from __future__ import annotations

import functools
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import httpcore
import httpx

from syncsource.resource.http import HttpSource
from syncsource.sources.rest.urls import base_url

LARGEST_BODY = 256 * 1024 * 1024
"""Bytes of a body, decompressed, that are held in memory. What is larger is refused."""


@functools.cache
def trusted() -> ssl.SSLContext:
    """TLS with the authorities that every program of this machine trusts, and those of SSL_CERT_FILE and SSL_CERT_DIR."""
    return httpx.create_ssl_context()


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Of one origin. ``field`` and ``address`` are the names that messages give to the part of the spec and to its URL."""

    base: httpx.URL
    """Requests keep to its scheme, host and port."""
    field: str = "spec.source.http"
    address: str = "spec.source.http.baseURL"
    timeout: timedelta = timedelta(seconds=30)
    """Of a whole answer."""
    connect_timeout: timedelta | None = None
    """Of a connection, TLS included; None: only ``timeout`` counts."""
    read_timeout: timedelta | None = None
    """Between two pieces of an answer; None: only ``timeout`` counts."""
    patience: timedelta = timedelta(seconds=60)
    """The longest pause of the host to sit out."""
    largest_body: int = LARGEST_BODY
    accept: str = "application/json"
    tls: Callable[[], ssl.SSLContext] = trusted
    """Called for https only."""
    proxy: httpcore.Proxy | None = None


def http_terms(http: HttpSource) -> Terms:
    """What ``spec.source.http`` says. Raises StalledError (InvalidSpec)."""
    return Terms(
        base=base_url(http.base_url),
        timeout=http.timeout,
        patience=http.retry.max_backoff,
        largest_body=http.max_page_bytes,
        accept=_ACCEPT[http.format],
    )


_ACCEPT = {"JSON": "application/json", "NDJSON": "application/x-ndjson, application/json;q=0.5", None: "application/json"}
