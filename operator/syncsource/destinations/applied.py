"""What became of the rows that were staged."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field

from syncsource.destinations.session import Session
from syncsource.destinations.staging import refused_rows
from syncsource.destinations.table import Table
from syncsource.records.batch import Rejected
from syncsource.records.images import Taken

Guard = Callable[[int, Callable[[], int]], None]
"""Given how many rows are about to be written, and what counts the rows of the table, which is not empty; what it raises, ends the run."""


@dataclass(frozen=True)
class Refused(Collection[Rejected]):
    """The rows that the table did not take. Read from the database a page at a time, as long as the writer is open."""

    session: Session = field(repr=False)
    table: Table = field(repr=False)
    count: int

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Rejected]:
        return refused_rows(self.session, self.table) if self.count else iter(())

    def __contains__(self, item: object) -> bool:
        return any(item == one for one in self)


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of the rows staged: inserted + updated + unchanged + skipped + len(rejected) are as many."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: int = 0
    """Older rows of a key, and those that the policy leaves alone."""
    rejected: Collection[Rejected] = field(default_factory=tuple)
    conflicts: int = 0
    """Columns of rows that both sides changed, and that wait for people: those that did not wait before."""
    deleted: int = 0
    """Rows that the source has no more, deleted or marked."""
    held: str = ""
    """Why the database did not let some of them go; empty where it held none."""
    taken: Taken | None = None
    """The images that undo it."""
    unfound: int = 0
    """Rejected rows of which it is not known whether the table has them."""
