"""Whether the page just read is the last: ``spec.source.http.pagination.stop``. And whether totals hold still meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from syncsource.resource.pagination import Pagination, Stop, Told
from syncsource.sources.rest.answers import Answer
from syncsource.sources.rest.asking import Ask
from syncsource.sources.rest.telling import Telling, number, told, truth


@dataclass(frozen=True, slots=True)
class Reading:
    """How far a read has come."""

    asked: Ask
    answer: Answer
    """To that."""
    records: list[Any]
    """Of the answer; of a stream, its last."""
    count: int
    """The answer's records."""
    pages: int
    """Answers read so far, this one included."""
    total: int
    """Records read so far, this answer's included."""


class Shifted(Exception):
    """Rows moved while they were read, so that some may have been missed. Its text says what was seen."""


class Stops:
    """The rules that a spec declares, and totals."""

    def __init__(self, pagination: Pagination) -> None:
        self._stop = pagination.stop or Stop()
        self._size = pagination.size
        pages = self._stop.total_pages
        if pages is None and pagination.page:
            pages = Told(header=pagination.page.total_pages_header)
        self._pages = told(pages, "totalPages")
        self._records = told(self._stop.total_records, "totalRecords")
        self._more, self._last = told(self._stop.more, "more"), told(self._stop.last, "last")

    def verdict(self, reading: Reading) -> bool | None:
        """True: it is the last; False: another is told to follow; None: nothing is told."""
        if self._cut(reading) or self._said(self._last, reading) is True or self._said(self._more, reading) is False or self._poor(reading):
            return True
        pages, records = (None if of is None else of > done for of, done in self._progress(reading))
        if pages is False or records is False:
            return True
        return False if pages or (records and reading.count) or self.insists(reading) else None

    def insists(self, reading: Reading) -> bool:
        """Whether the answer itself says that another follows."""
        return self._said(self._more, reading) is True or (
            self._last is not None and self._last(reading.answer) is not None and self._said(self._last, reading) is False
        )

    def totals(self, reading: Reading) -> list[int | None]:
        """The numbers of pages and of records, where they are told."""
        return [of for of, _ in self._progress(reading)]

    def incomplete(self, reading: Reading) -> bool:
        """Whether fewer records came than were told, of a read that ended by itself."""
        of = self.totals(reading)[1]
        return of is not None and reading.total < of and not self._cut(reading)

    def _cut(self, reading: Reading) -> bool:
        return self._stop.after_pages is not None and reading.pages >= self._stop.after_pages

    def _poor(self, reading: Reading) -> bool:
        short = self._stop.short_page and self._size is not None and reading.count < self._size
        return short or (self._stop.empty_page and reading.count == 0)

    def _said(self, where: Telling | None, reading: Reading) -> bool | None:
        return None if where is None else truth(where(reading.answer))

    def _progress(self, reading: Reading) -> tuple[tuple[int | None, int], tuple[int | None, int]]:
        """What is told, and what of it is done. A total of 0 beside records makes no sense."""
        pages = _total(self._pages, reading.answer) or None
        records = _total(self._records, reading.answer)
        return (pages, reading.pages), (None if records == 0 and reading.total else records, reading.total)


class Stillness:
    """Watches the totals of one read: one that falls says that rows were taken away before those that are still to be read."""

    def __init__(self, stops: Stops, *, watched: bool) -> None:
        """``watched``: whether the pages are numbered; others can't shift."""
        self._stops, self._watched = stops, watched
        self._before: list[int | None] = [None, None]

    def check(self, reading: Reading, ended: bool) -> None:
        """Raises Shifted. A total that grows is no harm: rows that came meanwhile only make others come twice."""
        if not self._watched:
            return
        totals = self._stops.totals(reading)
        for before, now, what in zip(self._before, totals, ("pages", "records"), strict=True):
            if before is not None and now is not None and now < before:
                raise Shifted(f"with page {reading.pages} the total fell from {before} to {now} {what}")
        if ended and self._stops.incomplete(reading):
            raise Shifted(f"the pages ended after {reading.total} of {totals[1]} records")
        self._before = totals


def _total(where: Telling | None, answer: Answer) -> int | None:
    return None if where is None else number(where(answer))
