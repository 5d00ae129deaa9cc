"""The engine on a real database, with an upstream that is a list."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from uuid import uuid4

from syncsource import ledger
from syncsource.engine.executing import execute
from syncsource.engine.plan import Outcome, Progress, RunPlan
from syncsource.engine.stopping import Stop
from syncsource.errors import RetryableError
from syncsource.records.batch import Broken
from syncsource.records.cursors import meaning
from syncsource.resource.spec import SyncSourceSpec
from syncsource.sources.base import Page, Slice, Source
from syncsource.sources.hosts import local_hosts
from tests.database.conftest import Place
from tests.database.model import MAPPED, Record

IDENTITY = "test/ns/source"


class Upstream:
    """A list of records, served ``size`` to a page, that filters as an API with ``since`` does, and may break off."""

    def __init__(self, records: Sequence[Record | Broken], breaks_after: int | None = None, *, size: int = 2) -> None:
        self._records, self._breaks_after, self._size = records, breaks_after, size
        self.state: str | None = None
        self.unchanged, self.billed = False, 0
        self.known: Sequence[str] = ()
        self.waits = True

    def pages(self, part: Slice) -> Iterator[Page]:
        """Records at or after ``since``, and those without a cursor."""
        since = part.since
        found = [
            one
            for one in self._records
            if since is None or isinstance(one, Broken) or one["changed"] is None or meaning(str(one["changed"])) >= meaning(since)
        ]
        for number, start in enumerate(range(0, len(found), self._size)):
            if self._breaks_after == number:
                raise RetryableError("the upstream broke off", reason="ConnectionLost")
            yield Page([one if isinstance(one, Broken) else dict(one) for one in found[start : start + self._size]], None)
        if self._breaks_after is not None:
            raise RetryableError("the upstream broke off", reason="ConnectionLost")

    def close(self) -> None:
        """Nothing to give back."""


class Engine:
    """The engine on a real database."""

    def __init__(self, place: Place, table: str, **spec: Any) -> None:
        self.place, self.table, self.url = place, table, place.url
        self.progress: list[Progress] = []
        """What the runs told on their way."""
        self.spec = {
            "source": {"http": {"baseURL": "http://upstream"}},
            "incremental": {"cursor": "changed", "param": "since"},
            "fields": [{"name": name, "type": kind} for name, kind in zip(MAPPED, ("integer", "text", "integer", "integer"), strict=True)],
            "keys": [{"fields": ["id"]}],
            "destination": {"sql": {"urlFrom": {"secretKeyRef": {"name": "db", "key": "url"}}, "table": table}},
            **spec,
        }

    def plan(self, *, full: bool = False) -> RunPlan:
        """Of a new run."""
        return RunPlan(
            run=uuid4().hex,
            identity=f"{IDENTITY}/{self.table}",
            trigger="Request",
            full=full,
            spec=self.spec,
            secrets={"db": {"url": self.url}},
        )

    def run(self, upstream: Source | Callable[[], Source], *, full: bool = False, stop: Stop | None = None) -> Outcome:
        """One run; the source is the upstream given, or what it opens."""
        return self.execute(self.plan(full=full), upstream, stop)

    def execute(self, plan: RunPlan, upstream: Source | Callable[[], Source], stop: Stop | None = None) -> Outcome:
        """The run of a plan."""
        stop = stop or Stop()

        def opened(spec: SyncSourceSpec, secrets: Mapping[str, Mapping[str, str]]) -> Source:
            return upstream() if callable(upstream) else upstream

        return execute(plan, hosts=local_hosts(stop.event), stop=stop, progress=self.progress.append, opened=opened)

    def rows(self, *more: str) -> dict[int, dict[str, Any]]:
        """The table as it is: the mapped columns, note and ``more``, which are booleans."""
        names = (*MAPPED, "note", *more)
        found = self.place.sql(f"SELECT {', '.join(names)} FROM {self.table}")
        rows = {row[0]: {name: bool(value) if name in more else value for name, value in zip(names, row, strict=True)} for row in found}
        assert len(rows) == len(found), "a key stands there twice"
        return rows

    def cursor(self) -> int | None:
        """The cursor that the ledger has."""
        with self.place.database.engine.connect() as connection:
            kept = ledger.cursor(connection, f"{IDENTITY}/{self.table}")
        return int(kept.text) if kept and kept.text else None

    def kept(self, partition: str = "") -> ledger.Cursor | None:
        """What the ledger keeps of a partition."""
        with self.place.database.engine.connect() as connection:
            return ledger.cursor(connection, f"{IDENTITY}/{self.table}", partition)

    def quarantined(self) -> int:
        """Records in quarantine."""
        return sum(ledger.quarantine_counts(self.place.database.engine, f"{IDENTITY}/{self.table}").values())
