"""Records behind one kind of pagination: filtered by ``since``, in the order of their changes, a page at a time."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.upstream.kinds import Cut, Kind, Record, position
from tests.upstream.server import Asked, Reply

Spoil = Callable[[int, Reply, Asked], Reply]
"""From a page's number, counted from 1, and the honest reply, to the one that is sent."""


@dataclass
class Collection:
    """A script for :func:`tests.upstream.serving`. ``size``: records to a page."""

    kind: Kind
    size: int
    records: list[Record] = field(default_factory=list)
    spoil: Spoil | None = None
    asked: list[Asked] = field(default_factory=list)
    _starts: list[int] = field(default_factory=list)

    def begin(self) -> None:
        """Pages are numbered anew from the next request on."""
        self._starts.clear()

    def __call__(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        number, reply = self.honest(asked)
        return self.spoil(number, reply, asked) if self.spoil else reply

    def honest(self, asked: Asked) -> tuple[int, Reply]:
        """The page's number, by the order in which pages were asked for, and what an upstream answers that keeps its word."""
        found = self.found(asked.query.get("since"))
        size = self.size if self.kind.pages else max(len(found), 1)
        start = self.kind.start({**asked.query, **json.loads(asked.body or b"{}")}, size, found)
        if start not in self._starts:
            self._starts.append(start)
        rows = found[start : start + size]
        cut = Cut(rows, start, start + len(rows) < len(found), len(found), size)
        return self._starts.index(start) + 1, self.kind.answer(asked, cut)

    def found(self, since: str | None) -> list[Record]:
        """Records changed at or after ``since``, ties by id."""
        ordered = sorted(self.records, key=position)
        return [record for record in ordered if since is None or record["changed"] >= since]
