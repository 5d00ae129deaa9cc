"""Pages of a REST API, one after the other."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import httpx
import msgspec

from syncsource.errors import PermanentError
from syncsource.resource.http import HttpSource
from syncsource.resource.spec import SyncSourceSpec
from syncsource.sources.base import Page, Slice
from syncsource.sources.hosts import Hosts
from syncsource.sources.rest.answers import Answer
from syncsource.sources.rest.asking import Ask
from syncsource.sources.rest.auth import Credentials, Secrets, check_headers, credentials
from syncsource.sources.rest.client import NOT_MODIFIED, Client
from syncsource.sources.rest.decoding import decoded, records_at
from syncsource.sources.rest.paging import Paging, Reading, paging
from syncsource.sources.rest.reasons import PAGINATION_STUCK
from syncsource.sources.rest.redaction import Redaction
from syncsource.sources.rest.remembering import Remembered
from syncsource.sources.rest.retrying import Retrying
from syncsource.sources.rest.terms import http_terms
from syncsource.sources.rest.urls import merged, request_url


class RestSource:
    """``spec.source.http``. Made by :meth:`open`."""

    def __init__(
        self, ask: Ask, param: str | None, records: str | None, pages: Paging, client: Client, retrying: Retrying, conditional: bool
    ) -> None:
        self._ask = ask
        self._param = param
        self._records = records_at(records)
        self._paging = pages
        self._client = client
        self._retrying = retrying
        self._conditional = conditional
        self.state: str | None = None
        self.unchanged = False
        self.billed = 0

    @classmethod
    def open(
        cls,
        spec: SyncSourceSpec,
        secrets: Secrets,
        *,
        hosts: Hosts,
        cancelled: threading.Event,
    ) -> RestSource:
        """See :func:`syncsource.sources.open_source`."""
        http = spec.source.http
        assert http is not None
        granted = credentials(http.auth, secrets)
        client = Client(http_terms(http), granted, _redaction(secrets, granted), hosts=hosts, cancelled=cancelled)
        pages = paging(http.pagination, client.resolve)
        param = spec.incremental.param if spec.incremental else None
        return cls(_ask(http), param, http.records, pages, client, Retrying(http.retry, cancelled), http.request.method == "GET")

    def pages(self, part: Slice) -> Iterator[Page]:
        """See :class:`syncsource.sources.Source`."""
        since = part.since
        start = merged(self._ask.url, {self._param: since}) if self._param and since is not None else self._ask.url
        first = self._paging.first(start)
        self.state, self.unchanged = None, False
        before = Remembered.read(part.state, first)
        trail, total = Trail(), 0
        url: httpx.URL | None = first
        while url is not None:
            trail.visit(url)
            answer, seen = self._retrying.run(partial(self._fetch, url, before, trail.pages))
            if answer is None:
                self.state, self.unchanged = part.state, True
                return
            records = self._records(answer)
            trail.read(answer, len(records))
            total += len(records)
            url = self._paging.following(Reading(start, answer, len(records), trail.pages, total))
            trail.check(url, answer)
            if url is None and seen is not None and self._is_known(seen, before):
                return
            page = Page(records, answer.served_at, f"page {trail.pages}")
            del answer, records
            yield page
            del page  # So that a page that the reader is done with does not stay while the next one is read.

    def close(self) -> None:
        """See :class:`syncsource.sources.Source`."""
        self._client.close()

    def _fetch(self, url: httpx.URL, before: Remembered | None, page: int) -> tuple[Answer | None, Remembered | None]:
        """The answer, and what to remember of the first; no answer where it is still the one of ``before``."""
        if page > 1:
            return decoded(self._client.fetch(replace(self._ask, url=url))), None
        received = self._client.fetch(replace(self._ask, url=url), before.conditions if before and self._conditional else {})
        if received.status == NOT_MODIFIED:
            return None, None
        return decoded(received), Remembered.of(url, received)

    def _is_known(self, seen: Remembered, before: Remembered | None) -> bool:
        """Everything is on one page: whether it is the one of last time."""
        self.state = seen.text
        self.unchanged = before is not None and before.body == seen.body
        return self.unchanged


class Trail:
    """Where a read has been, so that it can't go in circles."""

    def __init__(self) -> None:
        self.pages = 0
        """Pages read so far."""
        self._asked: dict[httpx.URL, int] = {}
        self._bodies: dict[tuple[int, int], int] = {}

    def visit(self, url: httpx.URL) -> None:
        """A page is asked for."""
        self.pages += 1
        self._asked[url] = self.pages

    def read(self, answer: Answer, count: int) -> None:
        """A page came, with so many records. Raises PermanentError (PaginationStuck) where it is one that came before."""
        first = self._bodies.setdefault(answer.fingerprint, self.pages) if count else self.pages
        if first != self.pages:
            raise _stuck(f"page {self.pages} ({answer.call}) has the same body as page {first}")

    def check(self, url: httpx.URL | None, answer: Answer) -> None:
        """The next page is known. Raises PermanentError (PaginationStuck) where it was read before."""
        first = self._asked.get(url) if url is not None else None
        if first is not None:
            raise _stuck(f"page {self.pages} ({answer.call}) names page {first} as the next one")


def _stuck(what: str) -> PermanentError:
    return PermanentError(
        f"spec.source.http.pagination: {what}; does the upstream know the parameters of paging that the spec names?",
        reason=PAGINATION_STUCK,
    )


def _ask(http: HttpSource) -> Ask:
    body = None if http.request.body is None else msgspec.json.encode(http.request.body)
    kind = {} if body is None else {"content-type": "application/json"}
    headers = {**kind, **{name.lower(): value for name, value in check_headers(http.request.headers).items()}}
    return Ask(request_url(http), http.request.method, tuple(headers.items()), body)


def _redaction(secrets: Secrets, granted: Credentials) -> Redaction:
    values = [value for secret in secrets.values() for value in secret.values()]
    return Redaction(values, granted.hidden, granted.query[0] if granted.query else None)
