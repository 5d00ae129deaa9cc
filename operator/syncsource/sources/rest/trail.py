"""Where a read has been, so that it can't go in circles, nor on for ever."""

from __future__ import annotations

from typing import Any

from syncsource.errors import PermanentError
from syncsource.sources.rest.answers import Answer
from syncsource.sources.rest.asking import Ask
from syncsource.sources.rest.reasons import PAGINATION_STUCK, TOO_MANY_PAGES

_ADVICE = "does the upstream know the parameters of paging that the spec names?"


class Trail:
    """The requests and pages of one read. Of each, hashes are kept: a long read has very many."""

    def __init__(self, most: int, pages: int = 0) -> None:
        self.pages = pages
        """Pages asked for so far, those of the read that this one goes on from among them."""
        self._most = most
        self._asked: dict[int, int] = {}
        self._bodies: dict[tuple[int, int], int] = {}
        self._edges: tuple[int, Any, Any] | None = None

    def visit(self, ask: Ask) -> None:
        """A page is asked for. Raises PermanentError (TooManyPages)."""
        if self.pages >= self._most:
            raise PermanentError(
                f"spec.source.http.pagination: there are more than {self._most} pages; are they endless? If not, raise maxPages or ask for larger pages",
                reason=TOO_MANY_PAGES,
            )
        self.pages += 1
        self._asked[hash(ask)] = self.pages

    def read(self, answer: Answer, records: list[Any], *, numbered: bool) -> None:
        """A page came. Raises PermanentError (PaginationStuck) where it is one that came before.

        ``numbered``: by page or offset, where two pages that begin and end with the same records are one, whatever is around them.
        """
        first = self._bodies.setdefault(answer.fingerprint, self.pages) if records else self.pages
        if first != self.pages:
            raise stuck(f"page {self.pages} ({answer.call}) has the same body as page {first}")
        edges = (len(records), records[0], records[-1]) if records else None
        if numbered and edges is not None and edges == self._edges:
            raise stuck(f"page {self.pages} ({answer.call}) has the same records as page {self.pages - 1}")
        self._edges = edges

    def check(self, ask: Ask | None, answer: Answer) -> None:
        """The next page is known. Raises PermanentError (PaginationStuck) where it was read before."""
        first = self._asked.get(hash(ask)) if ask is not None else None
        if first is not None:
            raise stuck(f"page {self.pages} ({answer.call}) names page {first} as the next one")


def stuck(what: str, advice: str = _ADVICE) -> PermanentError:
    """The error of a read that would not end."""
    return PermanentError(f"spec.source.http.pagination: {what}; {advice}", reason=PAGINATION_STUCK)
