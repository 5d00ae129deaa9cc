"""One pass over the pages of a slice, from the first to the last."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from dataclasses import replace
from typing import Any

from syncsource.sources.base import Page
from syncsource.sources.rest.asking import Ask, Draft
from syncsource.sources.rest.bounds import bounded
from syncsource.sources.rest.fetching import Fetched, Fetching
from syncsource.sources.rest.paging import Resolve, pager
from syncsource.sources.rest.recipe import Recipe
from syncsource.sources.rest.remembering import Remembered
from syncsource.sources.rest.resuming import Stopped
from syncsource.sources.rest.stops import Reading, Stillness, Stops
from syncsource.sources.rest.trail import Trail
from syncsource.sources.rest.values import Values


class Pass:
    """Of one read. Iterate over :meth:`pages` to the end, then look at ``state`` and ``unchanged``."""

    def __init__(self, fetching: Fetching, recipe: Recipe, values: Values, resolve: Resolve) -> None:
        pagination = fetching.http.pagination
        stops = Stops(pagination)
        self._fetching, self._recipe, self._values = fetching, recipe, values
        self._pager = pager(pagination, stops, self._draft, resolve)
        self._numbered = bool(pagination.page or pagination.offset)
        self._stopped = Stopped.read(values.part.resume)
        self._trail, self._still = Trail(pagination.max_pages, self._stopped.pages), Stillness(stops, watched=self._numbered)
        self._total = self._stopped.total
        self._longest = fetching.http.max_record_bytes
        self._validated = not pagination.heeds_headers
        self.state: str | None = None
        self.unchanged = False

    def pages(self) -> Iterator[Page]:
        """Raises SyncError, and Shifted where rows moved."""
        ask: Ask | None = self._first()
        assert ask is not None
        before = Remembered.read(self._values.part.state, ask)
        while ask is not None:
            self._trail.visit(ask)
            fetched = self._fetching.fetch(ask, before, first=self._trail.pages == 1)
            if fetched.stream is not None:
                ask = yield from self._lines(ask, fetched)
            elif fetched.answer is not None:
                page, ask = self._page(ask, fetched, before)
                del fetched
                if page is not None:
                    yield page
                del page  # So that a page that the reader is done with does not stay while the next one is read.
            else:
                self.state, self.unchanged, ask = self._values.part.state, True, None

    def _page(self, ask: Ask, fetched: Fetched, before: Remembered | None) -> tuple[Page | None, Ask | None]:
        """The page, unless it is all there is and known, and what to ask for next."""
        answer = fetched.answer
        assert answer is not None
        records = self._fetching.records(answer)
        self._trail.read(answer, records, numbered=self._numbered)
        records = self._pager.taken(records)
        self._total += len(records)
        following = self._after(Reading(ask, answer, records, len(records), self._trail.pages, self._total))
        if following is None and fetched.seen is not None and self._is_known(fetched.seen, before):
            return None, None
        shown = bounded(records, self._longest, answer.fingerprint[0])
        return Page(shown, answer.served_at, self._place, resume=self._resume(following)), following

    def _lines(self, ask: Ask, fetched: Fetched) -> Generator[Page, None, Ask | None]:
        """The pages of a stream. Returns what to ask for next."""
        stream, records, count = fetched.stream, list[Any](), 0
        assert stream is not None
        page: Page | None = None
        for lines in stream:
            if page is not None:
                yield page
            records, count = lines.records, count + len(lines.records)
            page = Page(records, stream.served_at, self._place, lines.positions)
        answer = stream.answer
        self._trail.read(answer, records, numbered=False)
        self._total += count
        following = self._after(Reading(ask, answer, records, count, self._trail.pages, self._total))
        if following is None and fetched.seen is not None and fetched.seen.conditions and self._validated:
            self.state = fetched.seen.text
        if page is not None:  # the last one, which knows what follows
            yield replace(page, resume=self._resume(following))
        return following

    def _first(self) -> Ask:
        place = self._stopped.place
        return self._pager.first() if place is None else self._pager.again(place)

    def _resume(self, following: Ask | None) -> str | None:
        return None if following is None else Stopped(self._trail.pages, self._total, self._pager.place).text

    def _after(self, reading: Reading) -> Ask | None:
        following = self._pager.following(reading)
        self._still.check(reading, following is None)
        self._trail.check(following, reading.answer)
        return following

    def _is_known(self, seen: Remembered, before: Remembered | None) -> bool:
        """Everything is on one page: whether it is the one of last time."""
        self.state = (seen if self._validated else seen.of_body).text
        self.unchanged = before is not None and before.body == seen.body
        return self.unchanged

    @property
    def _place(self) -> str:
        return f"page {self._trail.pages}"

    def _draft(self, last: Mapping[str, Any]) -> Draft:
        return self._recipe.draft(replace(self._values, last=last) if last else self._values)
