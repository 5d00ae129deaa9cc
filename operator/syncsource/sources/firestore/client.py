"""One query and its answer."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import httpx
import msgspec

from syncsource import __version__
from syncsource.errors import PermanentError, RetryableError
from syncsource.resource.firestore import FirestoreSource
from syncsource.sources.firestore.answers import Answer, QueryFailed, Status, decoded, page
from syncsource.sources.firestore.failures import Unauthenticated, refused
from syncsource.sources.firestore.signing import EMULATOR, Account
from syncsource.sources.hosts import Hosts
from syncsource.sources.rest import reasons
from syncsource.sources.rest.answers import Call
from syncsource.sources.rest.dates import parse_http_date, retry_after
from syncsource.sources.rest.failures import in_trouble, translated
from syncsource.sources.rest.incoming import pieces
from syncsource.sources.rest.network import Watch, WatchedTransport
from syncsource.sources.rest.redaction import Redaction
from syncsource.sources.rest.retrying import Retrying
from syncsource.sources.rest.terms import trusted
from syncsource.sources.rest.urls import port

LARGEST = 64 * 1024 * 1024
"""Bytes of an answer, decompressed, that are held in memory. A document has at most 1 MiB, of which JSON may make six."""

_FIELD = "spec.source.firestore"


class TooLarge(Exception):
    """The answer is larger than memory should hold: ask for fewer documents."""


class Client:
    """Sends the queries of one source, one at a time."""

    def __init__(
        self,
        source: FirestoreSource,
        account: Account | None,
        hidden: tuple[str, ...],
        *,
        hosts: Hosts,
        cancelled: threading.Event,
        charge: Callable[[int], None],
        largest: int = LARGEST,
    ) -> None:
        """``charge`` is told of document reads as they are billed; ``hidden``: what no message may show."""
        self._source = source
        self._account = account
        self._hidden = hidden
        self._hosts = hosts
        self._charge = charge
        self._largest = largest
        self._base = httpx.URL(source.base)
        self._watch = Watch(cancelled)
        self._retrying = Retrying(source.retry, cancelled, field=_FIELD)
        headers = {"user-agent": f"syncsource/{__version__} (gzip)", "accept": "application/json", "content-type": "application/json"}
        transport = WatchedTransport(self._watch, trusted() if self._base.scheme == "https" else None)
        self._client = httpx.Client(transport=transport, headers=headers, timeout=None, trust_env=False, follow_redirects=False)

    def query(self, parent: str, body: Mapping[str, Any]) -> Answer:
        """A page, tried again as spec.source.firestore.retry says. Raises TooLarge, RetryableError, PermanentError, AbortedError.

        Each document that comes is billed as a read, and a query that finds none as one.
        """
        answer = self._retrying.run(functools.partial(self._try, parent, msgspec.json.encode(body)))
        self._charge(max(1, len(answer.documents)))
        return answer

    def close(self) -> None:
        """Give the connection back. May be called twice."""
        self._client.close()

    def _try(self, parent: str, body: bytes) -> Answer:
        """With another token where the first one is not taken, once."""
        try:
            return self._send(parent, body, self._token())
        except Unauthenticated:
            if self._account is None:
                raise
            return self._send(parent, body, self._token())

    def _token(self) -> str:
        return self._account.token(self._hosts) if self._account else EMULATOR

    def _send(self, parent: str, body: bytes, token: str) -> Answer:
        redaction = Redaction(self._hidden, (token,) if self._account else ())
        call = Call(
            "POST",
            self._base.join(f"/v1/{quote(parent, safe='/()')}:runQuery"),
            self._source.timeout,
            redaction,
            _FIELD,
            f"{_FIELD}.endpoint",
        )
        patience, lease = self._source.retry.max_backoff.total_seconds(), self._source.timeout.total_seconds()
        with self._hosts.visit(self._base.host, port(self._base), patience=patience, lease=lease, failing=in_trouble):
            self._watch.begin(lease)
            try:
                with translated(call):
                    return self._exchange(call, body, token)
            except Unauthenticated:
                if self._account:
                    self._hosts.refuse(self._account.cached_as, token)
                raise

    def _exchange(self, call: Call, body: bytes, token: str) -> Answer:
        request = self._client.build_request(call.method, call.url, content=body, headers={"authorization": f"Bearer {token}"})
        response = self._client.send(request, stream=True)
        try:
            content = self._read(response)
        finally:
            response.close()
        if not response.is_success:
            raise self._refused(call, response, Status.of(decoded(content), response.status_code) or _foreign(response, content))
        try:
            return page(call, content, response.headers.get("content-type", ""), parse_http_date(response.headers.get("date")))
        except QueryFailed as failed:
            self._charge(failed.documents)
            raise self._refused(call, response, failed.status) from None

    def _read(self, response: httpx.Response) -> bytes:
        chunks, size = [], 0
        for chunk in pieces(response):
            chunks.append(chunk)
            size += len(chunk)
            if size > self._largest:
                raise TooLarge
        return b"".join(chunks)

    def _refused(self, call: Call, response: httpx.Response, status: Status) -> Exception:
        if response.has_redirect_location:
            return PermanentError(
                f"{call} answered {response.status_code}, a redirect, which Firestore has none of; check spec.source.firestore.endpoint",
                reason=reasons.REDIRECT_REFUSED,
            )
        error = refused(call, status, retry_after(response.headers, datetime.now(UTC)), self._account.secret if self._account else None)
        if isinstance(error, RetryableError) and error.reason == reasons.RATE_LIMITED and error.after:
            self._hosts.pause(self._base.host, port(self._base), error.after)
        return error


def _foreign(response: httpx.Response, content: bytes) -> Status:
    return Status(response.status_code, "", content[:8192].decode("utf-8", "replace"))
