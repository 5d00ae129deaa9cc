"""Where the next page is. Each kind of pagination is a function of the page just read; none keeps a state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

import httpx

from syncsource.errors import PermanentError, SchemaMismatch
from syncsource.records.cursors import cursor_text
from syncsource.records.paths import finder
from syncsource.resource.pagination import CursorPagination, NextUrlPagination, OffsetPagination, PagePagination, Pagination
from syncsource.sources.rest import reasons
from syncsource.sources.rest.answers import Answer
from syncsource.sources.rest.decoding import kind, look_up
from syncsource.sources.rest.links import next_link
from syncsource.sources.rest.urls import merged

Resolve = Callable[[httpx.URL, str], httpx.URL | None]


@dataclass(frozen=True, slots=True)
class Reading:
    """How far a read has come."""

    url: httpx.URL
    """The request's URL without parameters of paging."""
    answer: Answer
    """The page just read."""
    count: int
    """Its records."""
    pages: int
    """Pages read so far, this one included."""
    total: int
    """Records read so far, this page's included."""


class Paging(Protocol):
    """A kind of pagination."""

    def first(self, url: httpx.URL) -> httpx.URL:
        """The first page, from the request's URL."""
        ...

    def following(self, reading: Reading) -> httpx.URL | None:
        """The page after the one just read; None after the last. Raises PermanentError."""
        ...


def paging(pagination: Pagination, resolve: Resolve) -> Paging:
    """The kind that ``spec.source.http.pagination`` chooses. ``resolve`` says what a URL on a page means; None: don't follow."""
    if pagination.page:
        return PageNumbers(pagination.page)
    if pagination.offset:
        return Offsets(pagination.offset)
    if pagination.cursor:
        return Tokens(pagination.cursor)
    if pagination.next_url:
        return NextUrls(pagination.next_url, resolve)
    return Links(resolve) if pagination.link else OnePage()


class OnePage:
    """One request has all."""

    def first(self, url: httpx.URL) -> httpx.URL:
        return url

    def following(self, reading: Reading) -> httpx.URL | None:
        return None


class PageNumbers:
    """Until the announced number of pages; where none is announced, until an empty page. A short page means nothing: servers cap sizes."""

    def __init__(self, model: PagePagination) -> None:
        self._model = model

    def first(self, url: httpx.URL) -> httpx.URL:
        return self._after(url, 0)

    def following(self, reading: Reading) -> httpx.URL | None:
        last = _announced(reading.answer.headers.get(self._model.total_pages_header))
        if reading.count == 0 if last is None else reading.pages >= last:
            return None
        return self._after(reading.url, reading.pages)

    def _after(self, url: httpx.URL, pages: int) -> httpx.URL:
        model = self._model
        size = {model.size_param: str(model.size)} if model.size_param else {}
        return merged(url, {model.param: str(model.start + pages), **size})


class Offsets:
    """Until an empty page. The offset grows by what came, not by what was asked for."""

    def __init__(self, model: OffsetPagination) -> None:
        self._model = model

    def first(self, url: httpx.URL) -> httpx.URL:
        return self._from(url, 0)

    def following(self, reading: Reading) -> httpx.URL | None:
        return self._from(reading.url, reading.total) if reading.count else None

    def _from(self, url: httpx.URL, offset: int) -> httpx.URL:
        return merged(url, {self._model.param: str(offset), self._model.limit_param: str(self._model.limit)})


class Tokens(OnePage):
    """Until the body names no token. An empty page that names one is not the last."""

    def __init__(self, model: CursorPagination) -> None:
        self._model = model
        self._search = finder(model.path)

    def following(self, reading: Reading) -> httpx.URL | None:
        token = look_up(self._search, reading.answer, "spec.source.http.pagination.cursor.path")
        if token is None or token == "":
            return None
        if isinstance(token, bool) or not isinstance(token, str | int | Decimal):
            raise _unreadable("cursor", "a text or a number", token, reading)
        return merged(reading.url, {self._model.param: cursor_text(token)})


class NextUrls(OnePage):
    """Until the body names no URL."""

    def __init__(self, model: NextUrlPagination, resolve: Resolve) -> None:
        self._search = finder(model.path)
        self._resolve = resolve

    def following(self, reading: Reading) -> httpx.URL | None:
        target = look_up(self._search, reading.answer, "spec.source.http.pagination.nextURL.path")
        if target is None or target == "":
            return None
        if not isinstance(target, str):
            raise _unreadable("nextURL", "a text", target, reading)
        return _resolved(self._resolve, target, reading)


class Links(OnePage):
    """Until no Link header has rel=next (RFC 8288)."""

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve

    def following(self, reading: Reading) -> httpx.URL | None:
        target = next_link(reading.answer.headers.get("link", ""))
        return None if target is None else _resolved(self._resolve, target, reading)


def _announced(header: str | None) -> int | None:
    """The number of pages; None where none is announced, or none that makes sense."""
    text = (header or "").strip()
    return (int(text) or None) if text.isascii() and text.isdigit() and len(text) < 16 else None


def _resolved(resolve: Resolve, target: str, reading: Reading) -> httpx.URL:
    url = resolve(reading.answer.url, target)
    if url is None:
        call = reading.answer.call
        raise PermanentError(
            f"spec.source.http.pagination: page {reading.pages} ({call}) names {call.redaction.text(target)!r} as the next page, "
            "which is not on the origin of spec.source.http.baseURL; nothing was sent there",
            reason=reasons.FOREIGN_HOST,
        )
    return url


def _unreadable(name: str, wanted: str, found: Any, reading: Reading) -> SchemaMismatch:
    advice = "; where it means the last page, write the path as `next || null`" if found is False else ""
    return SchemaMismatch(
        f"spec.source.http.pagination.{name}.path: page {reading.pages} ({reading.answer.call}) holds {kind(found)} there, not {wanted}{advice}",
        reason=reasons.PAGINATION_UNREADABLE,
    )
