"""One request and its answer."""

from __future__ import annotations

import functools
import logging
import ssl
import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import httpx
import msgspec

from syncsource import __version__
from syncsource.errors import PermanentError
from syncsource.resource.http import HttpSource
from syncsource.sources.hosts import Hosts
from syncsource.sources.rest import reasons
from syncsource.sources.rest.answers import Call, Received
from syncsource.sources.rest.auth import Credentials, check_headers
from syncsource.sources.rest.dates import retry_after
from syncsource.sources.rest.failures import in_trouble, refused, translated
from syncsource.sources.rest.network import Watch, WatchedTransport
from syncsource.sources.rest.redaction import Redaction
from syncsource.sources.rest.urls import base_url, port, resolve

LARGEST_BODY = 256 * 1024 * 1024
"""Bytes of a body, decompressed, that are held in memory. What is larger is refused."""
EXCERPT = 16 * 1024
"""Bytes that are read of the body of a refusal."""
MOST_REDIRECTS = 5
NOT_MODIFIED = 304

# Both log URLs and headers, and so API keys.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


class Client:
    """Sends the requests of one source, one at a time, to the origin of baseURL only."""

    def __init__(
        self,
        http: HttpSource,
        credentials: Credentials,
        redaction: Redaction,
        *,
        hosts: Hosts,
        cancelled: threading.Event,
        largest_body: int = LARGEST_BODY,
    ) -> None:
        self._http = http
        self._base = base_url(http.base_url)
        self._credentials = credentials
        self._redaction = redaction
        self._hosts = hosts
        self._largest_body = largest_body
        self._body = None if http.request.body is None else msgspec.json.encode(http.request.body)
        self._watch = Watch(cancelled)
        self._client = _client(self._watch, self._base.scheme, self._headers())

    def fetch(self, url: httpx.URL, conditions: Mapping[str, str] = MappingProxyType({})) -> Received:
        """The complete answer; with ``conditions`` (headers) it may be one of status 304, without a body.

        Raises RetryableError, PermanentError, AbortedError.
        """
        for _ in range(MOST_REDIRECTS + 1):
            call = Call(self._http.request.method, self._credentials.sign(url), self._http.timeout, self._redaction)
            with self._visit():
                self._watch.begin(self._http.timeout.total_seconds())
                with translated(call):
                    answer = self._exchange(call, conditions)
            if isinstance(answer, Received):
                return answer
            url = answer
        raise PermanentError(f"{call}: more than {MOST_REDIRECTS} redirects in a row", reason=reasons.REDIRECT_REFUSED)

    def resolve(self, current: httpx.URL, target: str) -> httpx.URL | None:
        """What ``target`` means on the page ``current``; None where it leaves the origin of baseURL."""
        return resolve(current, target, self._base)

    def close(self) -> None:
        self._client.close()

    def _visit(self) -> AbstractContextManager[None]:
        patience, lease = self._http.retry.max_backoff.total_seconds(), self._http.timeout.total_seconds()
        return self._hosts.visit(self._base.host, port(self._base), patience=patience, lease=lease, failing=in_trouble)

    def _exchange(self, call: Call, conditions: Mapping[str, str]) -> Received | httpx.URL:
        """The answer, or where it redirects to."""
        request = self._client.build_request(call.method, call.url, content=self._body, headers=conditions)
        response = self._client.send(request, stream=True)
        try:
            if response.has_redirect_location:
                return self._redirected(call, response)
            if not response.is_success and not (conditions and response.status_code == NOT_MODIFIED):
                raise self._refused(call, response)
            return Received(call, response.status_code, response.headers, self._read(call, response))
        finally:
            response.close()

    def _read(self, call: Call, response: httpx.Response) -> bytes:
        chunks, size = [], 0
        for chunk in response.iter_bytes():
            chunks.append(chunk)
            size += len(chunk)
            if size > self._largest_body:
                raise PermanentError(
                    f"{call}: the body is larger than {self._largest_body} bytes; ask for smaller pages in spec.source.http.pagination",
                    reason=reasons.ANSWER_TOO_LARGE,
                )
        return b"".join(chunks)

    def _refused(self, call: Call, response: httpx.Response) -> Exception:
        excerpt = bytearray()
        for chunk in response.iter_bytes():
            excerpt += chunk
            if len(excerpt) >= EXCERPT:
                break
        after = retry_after(response.headers, datetime.now(UTC))
        return refused(call, response.status_code, excerpt[:EXCERPT].decode("utf-8", "replace"), after, self._credentials.secret)

    def _redirected(self, call: Call, response: httpx.Response) -> httpx.URL:
        target, status = response.headers["location"], response.status_code
        if call.method != "GET" and status not in (307, 308):
            raise PermanentError(
                f"{call} answered {status}, a redirect that turns POST into GET; put the address it leads to into spec.source.http",
                reason=reasons.REDIRECT_REFUSED,
            )
        url = self.resolve(call.url, target)
        if url is None:
            raise PermanentError(
                f"{call} answered {status}, a redirect away from the origin of spec.source.http.baseURL, to {self._redaction.text(target)}; "
                "nothing was sent there; if that is where the API is, put it into baseURL",
                reason=reasons.FOREIGN_HOST,
            )
        return url

    def _headers(self) -> dict[str, str]:
        """Of every request: those of the spec go before the defaults, credentials before those."""
        defaults = {"user-agent": f"syncsource/{__version__}", "accept": "application/json"}
        if self._body is not None:
            defaults["content-type"] = "application/json"
        layers: list[Any] = [defaults, check_headers(self._http.request.headers), self._credentials.headers]
        return {name.lower(): value for layer in layers for name, value in layer.items()}


def _client(watch: Watch, scheme: str, headers: dict[str, str]) -> httpx.Client:
    """A client that asks the watch for its timeouts, and the environment for nothing."""
    transport = WatchedTransport(watch, _tls() if scheme == "https" else None)
    return httpx.Client(transport=transport, headers=headers, timeout=None, trust_env=False, follow_redirects=False)


@functools.cache
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context()
