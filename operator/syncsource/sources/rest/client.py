"""One request and its answer."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import math
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import TypeVar

import httpx

from syncsource import __version__
from syncsource.errors import PermanentError, RetryableError
from syncsource.sources.hosts import Hosts
from syncsource.sources.rest import reasons
from syncsource.sources.rest.answers import Call, Received
from syncsource.sources.rest.asking import Ask
from syncsource.sources.rest.auth import Credentials
from syncsource.sources.rest.dates import retry_after
from syncsource.sources.rest.failures import in_trouble, translated
from syncsource.sources.rest.incoming import Incoming, pieces
from syncsource.sources.rest.network import Watch, WatchedTransport
from syncsource.sources.rest.quotas import TOLD_LATER, mentioned, pause, spent
from syncsource.sources.rest.redaction import Redaction
from syncsource.sources.rest.terms import Terms
from syncsource.sources.rest.urls import port, resolve

T = TypeVar("T")
EXCERPT = 16 * 1024
"""Bytes that are read of the body of a refusal."""
IMPATIENT = timedelta(seconds=5)
"""A shorter timeout that is over tells more of the spec than of the host."""
MOST_REDIRECTS = 5
NOT_MODIFIED, UNAUTHORIZED, FORBIDDEN = 304, 401, 403

# Both log URLs and headers, and so API keys.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


class Client:
    """Sends the requests of one source, of whatever kind, one at a time, to the origin of its terms only.

    Each counts with the table of hosts, is bounded and cancelled as the terms and ``cancelled`` say, and carries the credentials.
    """

    def __init__(self, terms: Terms, credentials: Credentials, redaction: Redaction, *, hosts: Hosts, cancelled: threading.Event) -> None:
        self._terms = terms
        self._base = terms.base
        self._credentials = credentials
        self._redaction = redaction
        self._hosts = hosts
        self._watch = Watch(cancelled)
        self._client = _client(self._watch, terms, hosts.link_local)

    def fetch(self, ask: Ask, conditions: Mapping[str, str] = MappingProxyType({})) -> Received:
        """The complete answer; with ``conditions`` (headers) it may be one of status 304, without a body.

        Raises RetryableError, PermanentError, AbortedError.
        """
        return self.take(ask, Incoming.whole, conditions)

    def take(self, ask: Ask, taken: Callable[[Incoming], T], conditions: Mapping[str, str] = MappingProxyType({})) -> T:
        """What ``taken`` makes of the answer, as soon as its headers are there. Raises as :meth:`fetch` does."""
        renewed = False
        for _ in range(MOST_REDIRECTS + 1):
            signed = self._credentials.sign(ask)
            call = self._call(signed)
            with self._visit():
                self._watch.begin(self._terms.timeout.total_seconds())
                with translated(call):
                    answer = self._exchange(call, signed, conditions, renewing=not renewed)
                if isinstance(answer, Incoming):
                    return taken(answer)
            renewed = renewed or answer is None
            ask = ask if answer is None else dataclasses.replace(ask, url=answer)
        raise PermanentError(f"{call}: more than {MOST_REDIRECTS} redirects in a row", reason=reasons.REDIRECT_REFUSED)

    def resolve(self, current: httpx.URL, target: str) -> httpx.URL | None:
        """What ``target`` means on the page ``current``; None where it leaves the origin of baseURL."""
        return resolve(current, target, self._base)

    @property
    def longest(self) -> float:
        """Seconds that a request may take, a pause of the host before it included."""
        return (self._terms.patience + self._terms.timeout).total_seconds()

    def close(self) -> None:
        """Give connections back. May be called twice."""
        self._client.close()
        self._credentials.close()

    def _call(self, ask: Ask) -> Call:
        terms = self._terms
        return Call(
            ask.method,
            ask.url,
            terms.timeout,
            self._redaction,
            field=terms.field,
            address=terms.address,
            authorities=terms.authorities,
            connect_timeout=terms.connect_timeout,
            read_timeout=terms.read_timeout,
        )

    def _visit(self) -> AbstractContextManager[None]:
        patience, lease = self._terms.patience.total_seconds(), self._terms.timeout.total_seconds()
        return self._hosts.visit(self._base.host, port(self._base), patience=patience, lease=lease, failing=self._trouble)

    def _trouble(self, error: BaseException) -> str | None:
        """See :meth:`Hosts.visit`: this source's own proxy and impatience say nothing of the host, which others ask, too."""
        terms, reason = self._terms, in_trouble(error)
        if reason == reasons.CONNECTION_FAILED and terms.proxy is not None:
            return None
        limits = [limit for limit in (terms.timeout, terms.connect_timeout, terms.read_timeout) if limit is not None]
        return None if reason == reasons.TIMEOUT and min(limits) < IMPATIENT else reason

    def _exchange(self, call: Call, ask: Ask, conditions: Mapping[str, str], *, renewing: bool) -> Incoming | httpx.URL | None:
        """The answer, or where it redirects to; None: to be asked again, with other credentials."""
        request = self._client.build_request(call.method, call.url, content=ask.body, headers={**dict(ask.headers), **conditions})
        response = self._client.send(request, stream=True)
        self._heed(response)
        if response.is_success or (conditions and response.status_code == NOT_MODIFIED):
            return Incoming(call, response, self._watch, self._terms.largest_body, self._terms.too_large)
        try:
            if response.has_redirect_location:
                return self._redirected(call, response)
            if response.status_code == UNAUTHORIZED and renewing and self._credentials.renew():
                return None
            raise self._refused(call, response)
        finally:
            response.close()

    def _heed(self, response: httpx.Response) -> None:
        """A pause that the host asks for counts for all runs."""
        if response.status_code not in TOLD_LATER and not mentioned(response.headers):
            return
        if asked := pause(response.status_code, response.headers, datetime.now(UTC)):
            self._hosts.pause(self._base.host, port(self._base), asked)

    def _refused(self, call: Call, response: httpx.Response) -> Exception:
        excerpt = _excerpt(response)
        now = datetime.now(UTC)
        after = pause(response.status_code, response.headers, now) or retry_after(response.headers, now)
        if response.status_code == FORBIDDEN and spent(response.headers):
            return RetryableError(
                f"{call} answered {FORBIDDEN}, since no request is left to its rate limit", reason=reasons.RATE_LIMITED, after=after
            )
        said = excerpt.decode("utf-8", "replace")
        return self._terms.refusal(call, response.status_code, said, after, self._credentials.secret)

    def _redirected(self, call: Call, response: httpx.Response) -> httpx.URL:
        target, status = response.headers["location"], response.status_code
        if call.method != "GET" and status not in (307, 308):
            raise PermanentError(
                f"{call} answered {status}, a redirect that turns POST into GET; put the address it leads to into {call.field}",
                reason=reasons.REDIRECT_REFUSED,
            )
        url = self.resolve(call.url, target)
        if url is None:
            raise PermanentError(
                f"{call} answered {status}, a redirect away from the origin of {call.address}, to {self._redaction.text(target)}; "
                f"nothing was sent there; if that is where the API is, put it into {call.address.rpartition('.')[2]}",
                reason=reasons.FOREIGN_HOST,
            )
        return url


def _client(watch: Watch, terms: Terms, link_local: bool) -> httpx.Client:
    """A client that asks the watch for its timeouts, and the environment for nothing."""
    headers = {"user-agent": f"syncsource/{__version__}", "accept": terms.accept}
    watch.limit(connect=_seconds(terms.connect_timeout), read=_seconds(terms.read_timeout))
    transport = WatchedTransport(watch, terms.tls() if terms.base.scheme == "https" else None, terms.proxy, link_local=link_local)
    return httpx.Client(transport=transport, headers=headers, timeout=None, trust_env=False, follow_redirects=False)


def _excerpt(response: httpx.Response) -> bytes:
    """The beginning of a refusal's body, as far as it came: what the refusal means its status says."""
    found = bytearray()
    with contextlib.suppress(httpx.NetworkError, httpx.ProtocolError, httpx.DecodingError):
        for chunk in pieces(response):
            found += chunk
            if len(found) >= EXCERPT:
                break
    return bytes(found[:EXCERPT])


def _seconds(limit: timedelta | None) -> float:
    return math.inf if limit is None else limit.total_seconds()
