"""The pages of one read: where each begins, how large it is, and which state of the database it shows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import msgspec

from syncsource.errors import PermanentError
from syncsource.sources.firestore.answers import Answer
from syncsource.sources.firestore.client import Client, TooLarge
from syncsource.sources.firestore.query import Json, Query
from syncsource.sources.rest.reasons import ANSWER_TOO_LARGE, PAGINATION_STUCK

COMFORTABLE = 8 * 1024 * 1024
"""Bytes of an answer that are aimed at where documents are large: several pages are in memory at once."""
SNAPSHOT = 3000.0
"""Seconds for which a read goes on at one readTime: Firestore keeps old states for an hour."""


class Size:
    """How many documents to ask for at once."""

    def __init__(self, declared: int, comfortable: int) -> None:
        self._declared = declared
        self._comfortable = comfortable
        self.limit = declared

    def learn(self, answer: Answer) -> None:
        """A page came: the next one is smaller or larger, so that its bytes are about what is aimed at."""
        if answer.size > self._comfortable:
            self.limit = max(1, min(self.limit, len(answer.documents) * self._comfortable // answer.size))
        elif answer.size < self._comfortable // 4:
            self.limit = min(self._declared, self.limit * 2)

    def shrink(self) -> bool:
        """The page was too large to be held; False where there is no smaller one."""
        smaller = self.limit > 1
        self.limit = max(1, self.limit // 8)
        return smaller


class Reading:
    """One read of one query. ``clock``: seconds that never go back."""

    def __init__(
        self, client: Client, query: Query, size: Size, charge: Callable[[int], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._query = query
        self._size = size
        self._charge = charge
        self._clock = clock
        self._read_time: str | None = None
        self._until = 0.0
        self._positions: set[int] = set()

    def answers(self, start: Json | None, end: Json | None) -> Iterator[tuple[Answer, Json | None]]:
        """Every page, and where the next one begins; None after the last. Raises PermanentError (PaginationStuck, AnswerTooLarge) and what a query raises."""
        more = True
        while more:
            limit, answer = self._ask(start, end)
            more = len(answer.documents) >= limit
            start = self._query.after(answer.documents[-1]) if more else None
            yield answer, start
            if start is not None:
                self._check(start)
                self._size.learn(answer)

    def _ask(self, start: Json | None, end: Json | None) -> tuple[int, Answer]:
        while True:
            limit = self._size.limit
            try:
                answer = self._client.query(self._query.place.parent, self._body(limit, start, end))
            except TooLarge:
                self._charge(limit)  # at most: how many came is not known
                if not self._size.shrink():
                    raise _too_large() from None
                continue
            self._remember(answer)
            return limit, answer

    def _body(self, limit: int, start: Json | None, end: Json | None) -> Json:
        body: Json = {"structuredQuery": self._query.body(limit, start, end)}
        snapshot = self._read_time if self._clock() < self._until else None
        return body | {"readTime": snapshot} if snapshot else body

    def _remember(self, answer: Answer) -> None:
        if self._clock() >= self._until:
            self._read_time, self._until = answer.read_time, self._clock() + SNAPSHOT

    def _check(self, position: Json) -> None:
        """A page that ends where an earlier one did would never end."""
        mark = hash(msgspec.json.encode(position))
        if mark in self._positions:
            raise PermanentError(
                "spec.source.firestore: a page ends with the document that an earlier page ended with; does endpoint understand startAt?",
                reason=PAGINATION_STUCK,
            )
        self._positions.add(mark)


def _too_large() -> PermanentError:
    return PermanentError(
        "spec.source.firestore: one document is larger than any of Firestore can be; check endpoint, or ask for fewer fields in spec.fields",
        reason=ANSWER_TOO_LARGE,
    )
