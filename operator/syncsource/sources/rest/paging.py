"""Where the next page is. Each kind of pagination goes by the page just read; one object serves one read."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Protocol

import httpx

from syncsource.errors import PermanentError, SchemaMismatch
from syncsource.resource.pagination import (
    CursorPagination,
    LinkPagination,
    NextUrlPagination,
    OffsetPagination,
    PagePagination,
    Pagination,
)
from syncsource.sources.rest import reasons
from syncsource.sources.rest.asking import Ask, Draft
from syncsource.sources.rest.decoding import kind
from syncsource.sources.rest.links import next_link
from syncsource.sources.rest.recipe import Drafted
from syncsource.sources.rest.stops import Reading, Shifted, Stops
from syncsource.sources.rest.telling import telling

Resolve = Callable[[httpx.URL, str], httpx.URL | None]


class Pager(Protocol):
    """A kind of pagination, in one read."""

    place: Any
    """The page that :meth:`following` named, for :meth:`again`: JSON. None where only this read can ask for it."""

    def first(self) -> Ask:
        """The first page."""
        ...

    def again(self, place: Any) -> Ask:
        """The page that an earlier read would have asked for next."""
        ...

    def taken(self, records: list[Any]) -> list[Any]:
        """What of a page's records did not come before. Raises Shifted."""
        ...

    def following(self, reading: Reading) -> Ask | None:
        """The page after the one just read; None after the last. Raises PermanentError."""
        ...


def pager(pagination: Pagination, stops: Stops, drafted: Drafted, resolve: Resolve) -> Pager:
    """The kind that ``spec.source.http.pagination`` chooses. ``resolve`` says what a URL on a page means; None: don't follow."""
    if pagination.keyset:
        from syncsource.sources.rest.keyset import Keyset  # which knows this module

        return Keyset(pagination.keyset, stops, drafted)
    draft = drafted({})
    if pagination.page:
        return PageNumbers(pagination.page, stops, draft)
    if pagination.offset:
        return Offsets(pagination.offset, stops, draft)
    if pagination.cursor:
        return Tokens(pagination.cursor, stops, draft)
    if pagination.next_url:
        return NextUrls(pagination.next_url, stops, draft, resolve)
    return Links(pagination.link, stops, draft, resolve) if pagination.link else OnePage(draft)


class OnePage:
    """One request has all."""

    place: Any = None

    def __init__(self, draft: Draft) -> None:
        self._draft = draft

    def first(self) -> Ask:
        return self._draft.ask

    def again(self, place: Any) -> Ask:
        return self.first()

    def taken(self, records: list[Any]) -> list[Any]:
        return records

    def following(self, reading: Reading) -> Ask | None:
        return None


class PageNumbers(OnePage):
    """Until the announced number of pages; where nothing is announced, until an empty page. A short page means nothing unless the
    spec says so: servers cap sizes."""

    def __init__(self, model: PagePagination, stops: Stops, draft: Draft) -> None:
        super().__init__(draft)
        self._model, self._stops = model, stops

    def first(self) -> Ask:
        return self._after(0)

    def following(self, reading: Reading) -> Ask | None:
        verdict = self._stops.verdict(reading)
        last = reading.count == 0 if verdict is None else verdict
        return None if last else self._after(reading.pages)

    def _after(self, pages: int) -> Ask:
        model = self._model
        number = {} if model.omit_first and not pages else {model.param: model.start + pages}
        size = {model.size_param: model.size} if model.size_param else {}
        return self._draft.plus(model.send_in, {**number, **size}).ask


class Offsets(OnePage):
    """Until an empty page. The offset grows by what came, not by what was asked for."""

    def __init__(self, model: OffsetPagination, stops: Stops, draft: Draft) -> None:
        super().__init__(draft)
        self._model, self._stops = model, stops
        self._last: Any = None
        self._begun = False

    def first(self) -> Ask:
        return self._from(0)

    def taken(self, records: list[Any]) -> list[Any]:
        """Without the record that the last page ended with, which must still stand where it did."""
        if not self._model.overlap:
            return records
        if self._begun and (not records or records[0] != self._last):
            raise Shifted("a page does not begin with the record that the one before it ended with")
        new, self._begun = records[1:] if self._begun else records, bool(records)
        self._last = records[-1] if records else None
        return new

    def following(self, reading: Reading) -> Ask | None:
        last = reading.count == 0 or self._stops.verdict(reading) is True
        return None if last else self._from(reading.total - self._model.overlap)

    def _from(self, records: int) -> Ask:
        model = self._model
        place = {} if model.omit_first and not records else {model.param: model.start + records}
        return self._draft.plus(model.send_in, {**place, model.limit_param: model.limit}).ask


class Tokens(OnePage):
    """Until no token is named. An empty page that names one is not the last."""

    def __init__(self, model: CursorPagination, stops: Stops, draft: Draft) -> None:
        super().__init__(draft)
        self._model, self._stops = model, stops
        self._told = telling(_path(model.path, model.header), model.header, "spec.source.http.pagination.cursor.path")

    def first(self) -> Ask:
        return self._at(self._model.first)

    def again(self, place: Any) -> Ask:
        return self._at(place)

    def following(self, reading: Reading) -> Ask | None:
        if self._stops.verdict(reading) is True:
            return None
        token = self._told(reading.answer)
        if token is None or token == "":
            _check_end(self._stops, reading, "token")
            return None
        if isinstance(token, bool) or not isinstance(token, str | int | Decimal):
            raise _unreadable("cursor", "a text or a number", token, reading)
        self.place = token
        return self._at(token)

    def _at(self, token: Any) -> Ask:
        model = self._model
        size = {model.size_param: model.size} if model.size_param else {}
        return self._draft.plus(model.send_in, {**({} if token is None else {model.param: token}), **size}).ask


class NextUrls(OnePage):
    """Until no URL is named."""

    def __init__(self, model: NextUrlPagination, stops: Stops, draft: Draft, resolve: Resolve) -> None:
        super().__init__(draft)
        self._stops, self._resolve = stops, resolve
        self._told = telling(_path(model.path, model.header), model.header, "spec.source.http.pagination.nextURL.path")

    def following(self, reading: Reading) -> Ask | None:
        if self._stops.verdict(reading) is True:
            return None
        target = self._told(reading.answer)
        if target is None or target == "":
            _check_end(self._stops, reading, "URL")
            return None
        if not isinstance(target, str):
            raise _unreadable("nextURL", "a text", target, reading)
        return self._draft.at(_resolved(self._resolve, target, reading)).ask


class Links(OnePage):
    """Until no Link header has the relation (RFC 8288)."""

    def __init__(self, model: LinkPagination, stops: Stops, draft: Draft, resolve: Resolve) -> None:
        super().__init__(draft)
        self._model, self._stops, self._resolve = model, stops, resolve

    def following(self, reading: Reading) -> Ask | None:
        if self._stops.verdict(reading) is True:
            return None
        target = next_link(reading.answer.headers.get("link", ""), self._model.rel)
        if target is None:
            _check_end(self._stops, reading, "link")
            return None
        return self._draft.at(_resolved(self._resolve, target, reading)).ask


def _path(path: str | None, header: str | None) -> str | None:
    return path or (None if header else "next")


def _check_end(stops: Stops, reading: Reading, thing: str) -> None:
    """An answer without a way on is the last, unless it says otherwise itself."""
    if stops.insists(reading):
        raise SchemaMismatch(
            f"spec.source.http.pagination: page {reading.pages} ({reading.answer.call}) says that another page follows, but names no {thing} of it",
            reason=reasons.PAGINATION_UNREADABLE,
        )


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
