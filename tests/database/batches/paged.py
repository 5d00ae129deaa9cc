"""An upstream whose pages can be gone on from, and an engine that commits batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from syncsource import ledger
from syncsource.engine.position import Position
from syncsource.errors import RetryableError, SyncError
from syncsource.records.cursors import meaning
from syncsource.sources.base import Page, Slice
from tests.database.conftest import Place
from tests.database.engine import IDENTITY, Engine
from tests.database.model import Record

NOW = datetime.now(UTC).replace(microsecond=0)
CREATE = "CREATE TABLE {} (id integer PRIMARY KEY, name varchar(40), amount integer, changed {}, note varchar(40))"
BROKEN = RetryableError("the upstream broke off", reason="ConnectionLost")


class Paged:
    """Records in their order, ``size`` to a page. ``meanwhile`` is called before each page with its number in this read, counted from 1."""

    waits = True

    def __init__(self, records: Sequence[Record], *, size: int = 2, resumes: bool = True, served_at: datetime | None = None) -> None:
        self.records, self._size, self._resumes, self._served_at = list(records), size, resumes, served_at
        self.asked: list[Slice] = []
        self.served: list[int] = []
        """Ids, in the order in which they were sent."""
        self.meanwhile: Callable[[int], None] = lambda number: None
        self.state: str | None = None
        self.unchanged, self.billed = False, 0
        self.known: Sequence[str] = ()

    def pages(self, part: Slice) -> Iterator[Page]:
        """What is within the slice, from the place on that an earlier read is to be gone on from."""
        self.asked.append(part)
        found = [one for one in self.records if _within(str(one["changed"]), part)]
        for number, start in enumerate(range(int(part.resume or 0), len(found), self._size), 1):
            self.meanwhile(number)
            end = start + self._size
            self.served += [one["id"] for one in found[start:end]]
            following = str(end) if self._resumes and end < len(found) else None
            yield Page([dict(one) for one in found[start:end]], self._served_at, resume=following)

    def close(self) -> None:
        """Nothing to give back."""


def _within(changed: str, part: Slice) -> bool:
    here = meaning(changed)
    return (part.since is None or here >= meaning(part.since)) and (part.until is None or here < meaning(part.until))


def breaks_at(page: int, error: SyncError = BROKEN) -> Callable[[int], None]:
    """In place of this page."""

    def meanwhile(number: int) -> None:
        if number == page:
            raise error

    return meanwhile


def rows(count: int, **more: Any) -> list[Record]:
    """Records 1 to ``count``, in the order of their changes."""
    return [{"id": number, "name": "a", "amount": number, "changed": number, **more} for number in range(1, count + 1)]


def batched(place: Place, table: str = "t", *, kind: str = "integer", safety: dict[str, Any] | None = None, **spec: Any) -> Engine:
    """Batches of at least three rows, so that two pages of two make one. ``kind``: of the cursor's column."""
    place.sql(CREATE.format(table, "varchar(40)" if kind == "text" else kind))
    kinds = {"id": "integer", "name": "text", "amount": "integer", "changed": kind}
    fields = [{"name": name, "type": kind} for name, kind in kinds.items()]
    chosen = {"transaction": "Batch", "batchRows": 3, **(safety or {})}
    return Engine(place, table, safety=chosen, **{"fields": fields, **spec})


def position(engine: Engine, partition: str = "") -> Position | None:
    """Where the next run goes on."""
    kept = engine.kept(partition)
    return Position.parse(kept.position) if kept else None


def resume(engine: Engine) -> str | None:
    """The source's own place to go on from; None: it begins again."""
    left = position(engine)
    return left.resume if left else None


def cursor(engine: Engine) -> str | None:
    """The cursor that the ledger has, as its text."""
    kept = engine.kept()
    return kept.text if kept else None


def ids(engine: Engine) -> list[int]:
    """What the table has."""
    return [number for (number,) in engine.place.sql(f"SELECT id FROM {engine.table} ORDER BY id")]


def history(engine: Engine) -> list[ledger.RunRecord]:
    """Newest first."""
    return ledger.history(engine.place.database.engine, f"{IDENTITY}/{engine.table}")
