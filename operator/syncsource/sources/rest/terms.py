"""How one upstream is spoken to, whatever kind of source asks."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import httpcore
import httpx

from syncsource.errors import SyncError
from syncsource.resource.connection import ProxyServer
from syncsource.resource.http import HttpSource
from syncsource.sources.rest.answers import Call
from syncsource.sources.rest.auth import Secrets, secret_values
from syncsource.sources.rest.certificates import tls
from syncsource.sources.rest.certificates import trusted as trusted
from syncsource.sources.rest.failures import refused
from syncsource.sources.rest.urls import base_url

Refusal = Callable[[Call, int, str, float | None, str | None], SyncError]

LARGEST_BODY = 64 * 1024 * 1024
"""Bytes of a body, decompressed, that are held in memory. What is larger is refused."""


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
    too_large: str = ""
    """What to do about a larger one, for messages."""
    accept: str = "application/json"
    tls: Callable[[], ssl.SSLContext] = trusted
    """Called for https only."""
    authorities: str = "SSL_CERT_FILE"
    """The name that messages give to what adds authorities."""
    proxy: httpcore.Proxy | None = None
    refusal: Refusal = refused
    """What a status that is no success means."""


def http_terms(http: HttpSource, secrets: Secrets) -> Terms:
    """What ``spec.source.http`` says. Raises StalledError: SecretNotFound, SecretInvalid, InvalidSpec."""
    return Terms(
        base=base_url(http.base_url),
        timeout=http.timeout,
        connect_timeout=http.connect_timeout,
        read_timeout=http.read_timeout,
        patience=http.retry.max_backoff,
        tls=tls(http.tls, secrets),
        authorities="spec.source.http.tls.authority",
        proxy=_proxy(http.proxy, secrets),
        largest_body=http.max_page_bytes,
        too_large="; ask for smaller pages in spec.source.http.pagination, or allow more in spec.source.http.maxPageBytes",
        accept=_ACCEPT[http.format],
    )


_ACCEPT = {"JSON": "application/json", "NDJSON": "application/x-ndjson, application/json;q=0.5", None: "application/json"}


def _proxy(declared: ProxyServer | None, secrets: Secrets) -> httpcore.Proxy | None:
    if declared is None:
        return None
    url = base_url(declared.url, "spec.source.http.proxy.url")
    context = trusted() if url.scheme == "https" else None
    if declared.secret_ref is None:
        return httpcore.Proxy(str(url), ssl_context=context)
    values = secret_values(declared.secret_ref.name, ["username", "password"], "spec.source.http.proxy", secrets)
    return httpcore.Proxy(str(url), auth=(values["username"], values["password"]), ssl_context=context)
