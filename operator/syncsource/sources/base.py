"""What every source offers, whatever it reads from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """What of a source is read at once."""

    since: str | None = None
    """The cursor from which on records are wanted, in the source's own text, lookback already taken; None: everything."""
    until: str | None = None
    """The end of the window, in the source's own text; None: no end."""
    partition: str = ""
    """The partition's value; empty where there are no partitions."""
    state: str | None = None
    """:attr:`Source.state` after the last complete read of this partition; None: read whatever is there."""
    resume: str | None = None
    """:attr:`Page.resume` of an earlier read of this slice, which ended early: read what follows that page; None: from the beginning."""


@dataclass(frozen=True, slots=True)
class Page:
    """Records that arrived together."""

    records: Sequence[Any]
    """Decoded JSON, all of the page, in its order; a :class:`Broken` for what could not be decoded. Numbers are int or Decimal, never float.
    A list, or :class:`Cells`."""
    served_at: datetime | None = None
    """The upstream's clock when it answered, in UTC; None where it did not say."""
    place: str = ""
    """Where the records stand, for people: ``page 3``, ``orders.csv``. Holds no secret."""
    positions: Sequence[int] | None = None
    """Where each record stands in that place, such as its line; None: counted from 1."""
    resume: str | None = None
    """What a later read of the slice is to be given, so that it goes on after this page. Opaque text, without secrets; None: from here none can,
    or nothing follows."""


PAUSE = Page(())
"""No page: the next one takes a while, and nobody should wait for it with something open."""


class Source(Protocol):
    """An upstream that is read page by page, by one thread at a time. One instance reads one slice after another."""

    state: str | None
    """After a complete read: what the next one is to be given, so that it can tell whether anything is new. Opaque text, without secrets."""
    unchanged: bool
    """After a read: the upstream has nothing new since ``Slice.state``. Then no page came, and nothing is to be written."""
    billed: int
    """Document reads that the upstream bills, so far."""
    known: Sequence[str]
    """After a read: names of what was read before, and left out now since nothing in it changed."""

    @property
    def waits(self) -> bool:
        """Whether reading waits for somebody else's answers: then writing may go on meanwhile."""

    def pages(self, part: Slice) -> Iterator[Page]:
        """All pages of the slice.

        Pages are asked for as the iterator advances. Whatever it raises is a SyncError; after one the read is not complete.
        """

    def close(self) -> None:
        """Give connections back. May be called twice."""
