"""What every source offers, whatever it reads from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Page:
    """Records that arrived together."""

    records: list[Any]
    """Decoded JSON, all of the page, in its order. Numbers are int or Decimal, never float."""
    served_at: datetime | None
    """The upstream's clock when it answered, in UTC; None where it did not say."""


class Source(Protocol):
    """An upstream that is read page by page, by one thread at a time."""

    def pages(self, since: str | None) -> Iterator[Page]:
        """All pages from the cursor ``since`` on (lookback already taken); None: everything.

        Pages are asked for as the iterator advances. Whatever it raises is a SyncError; after one the read is not complete.
        """

    def close(self) -> None:
        """Give connections back. May be called twice."""
