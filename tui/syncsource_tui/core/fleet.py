"""Which rows are shown in which order, where the cursor is, and what is marked.

The cursor is a uid, never a place. The order stands still for two seconds after a key was pressed, and moves once a second at most.
"""

from __future__ import annotations

from syncsource_tui.core.ordering import SORTS, Sort
from syncsource_tui.core.query import EVERYTHING, Query
from syncsource_tui.core.row import Row
from syncsource_tui.core.store import Delta, Store

FROZEN = 2.0
"""Seconds that the order stands still after a key press."""
_EVERY = 1.0


class Fleet:
    """The view of a store. Times are seconds of any clock that does not go back."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.query: Query = EVERYTHING
        self.problems = False
        self.sort: Sort = SORTS[0]
        self.keys: list[str] = []
        self.marks: set[str] = set()
        self._due = False
        self._frozen_until = self._arranged_at = float("-inf")

    def touched(self, now: float) -> None:
        """A key was pressed."""
        self._frozen_until = now + FROZEN

    def absorb(self, delta: Delta, now: float) -> bool:
        """Take changes of the store; whether ``keys`` is another list than before."""
        self._due = self._due or bool(delta.added) or bool(delta.changed and self._updates_matter)
        if delta.removed:
            self.marks -= delta.removed
            self.keys = [uid for uid in self.keys if uid not in delta.removed]
        return self._arrange_when_due(now) or bool(delta.removed)

    def choose(self, *, query: Query | None = None, problems: bool | None = None, sort: Sort | None = None) -> None:
        """Show other rows, or in another order: at once."""
        self.query = query if query is not None else self.query
        self.problems = problems if problems is not None else self.problems
        self.sort = sort or self.sort
        self.arrange()

    def arrange(self) -> None:
        """Filter and sort."""
        rows = [row for row in self.store.rows.values() if self.shows(row)]
        rows.sort(key=self.sort.key)
        self.keys = [row.uid for row in rows]
        self._due = False

    def shows(self, row: Row) -> bool:
        """Whether filter and problems let it through."""
        return (not self.problems or row.state.is_problem) and self.query.matches(row)

    def row(self, uid: str | None) -> Row | None:
        """The row of a uid, if it is there."""
        return self.store.rows.get(uid) if uid else None

    def mark(self, uid: str) -> None:
        """Mark, or take the mark off."""
        self.marks ^= {uid}

    def mark_all(self) -> None:
        """Mark every row shown; if all are, take the marks off."""
        shown = set(self.keys)
        self.marks = self.marks - shown if shown <= self.marks else self.marks | shown

    def chosen(self, cursor: str | None) -> list[Row]:
        """What a change would concern: the marked rows, or the cursor's, in the order of names."""
        rows = [row for row in map(self.row, self.marks or {cursor or ""}) if row is not None]
        return sorted(rows, key=SORTS[0].key)

    @property
    def _updates_matter(self) -> bool:
        return self.sort.moves or self.problems or bool(self.query.tests)

    def _arrange_when_due(self, now: float) -> bool:
        if not self._due or (self.keys and (now < self._frozen_until or now < self._arranged_at + _EVERY)):
            return False
        before, self._arranged_at = self.keys, now
        self.arrange()
        return before != self.keys
