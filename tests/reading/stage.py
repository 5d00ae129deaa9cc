"""The real engine between an upstream that misbehaves on demand and a SQLite file."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from syncsource.engine.plan import Outcome, RunPlan
from syncsource.engine.stopping import Stop
from syncsource.runner.here import run_here
from tests.upstream import Collection, Kind, Record, Reply, Upstream, serving

COLUMNS = {"id": "integer", "name": "text", "amount": "decimal(18,2)", "changed": "text", "born": "timestamp"}
COMPARED = ("id", "name", "amount", "changed")
SIZE = 2
IDENTITY = "test/ns/source"


def record(number: int, second: int, **other: Any) -> Record:
    """One that was changed in this second."""
    return {
        "id": number,
        "name": f"n{number}",
        "amount": f"{number}.50",
        "changed": f"2024-03-01T00:00:{second:02}Z",
        "born": "1990-05-17T00:00:00Z",
        **other,
    }


BEFORE = [record(1, 1), record(2, 2), record(3, 3)]
SINCE = [record(1, 5, name="edited"), record(4, 4), record(5, 4), record(6, 5), record(7, 5), record(8, 6)]
"""With record 3, whose cursor is the last one, four pages; ties stand on two pages."""
PAGES = 4


@dataclass
class Rows:
    """One SyncSource and its database, whatever the upstream."""

    file: Path
    incremental: Mapping[str, Any] | None = field(default_factory=lambda: {"cursor": "changed", "param": "since"})
    spec: Mapping[str, Any] = field(default_factory=dict)
    """Fields of spec that differ."""
    secrets: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def run(self, http: Mapping[str, Any], *, full: bool = False) -> Outcome:
        """One run of ``source.http``, one try of each request unless it says otherwise."""
        spec = {
            "source": {"http": {"retry": {"attempts": 1}, **http}},
            "fields": [{"name": name, "type": kind} for name, kind in COLUMNS.items()],
            "keys": [{"fields": ["id"]}],
            "destination": {"sql": {"urlFrom": {"secretKeyRef": {"name": "db", "key": "url"}}, "table": "t", "createTable": True}},
            **({"incremental": self.incremental} if self.incremental else {}),
            **self.spec,
        }
        secrets = {"db": {"url": f"sqlite:///{self.file}"}, **{name: dict(keys) for name, keys in self.secrets.items()}}
        plan = RunPlan(run=uuid4().hex, identity=IDENTITY, trigger="Request", full=full, spec=spec, secrets=secrets)
        return run_here(plan, Stop(), lambda progress: None)

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        """What somebody else finds or does."""
        with closing(sqlite3.connect(self.file, isolation_level=None)) as connection:
            return connection.execute(statement).fetchall()

    def rows(self) -> list[tuple[Any, ...]]:
        """The table, in the order of its keys."""
        return self.sql(f"SELECT {', '.join(COMPARED)} FROM t ORDER BY id")

    @staticmethod
    def compared(records: list[Record]) -> list[tuple[Any, ...]]:
        """What the rows of these records hold."""
        return [tuple(one[name] for name in COMPARED) for one in records]

    def cursor(self) -> str | None:
        """As the ledger has it."""
        found = self.sql("SELECT cursor FROM syncsource_cursors")
        return str(found[0][0]) if found else None

    def quarantined(self) -> list[tuple[Any, ...]]:
        """Reason and field of the records in quarantine."""
        return self.sql("SELECT reason, field FROM syncsource_quarantine ORDER BY record")

    def state(self) -> tuple[Any, ...]:
        """All that a run which fails must leave as it is."""
        return self.rows(), self.sql("SELECT cursor, state, config_hash FROM syncsource_cursors"), self.quarantined()


@dataclass
class Play:
    """One SyncSource, its upstream and its database."""

    upstream: Upstream
    collection: Collection
    table: Rows

    @property
    def kind(self) -> Kind:
        """The kind of pagination."""
        return self.collection.kind

    def run(self, *, full: bool = False, **http: Any) -> Outcome:
        """One run; ``http`` adds to source.http."""
        self.upstream.script = self.collection
        self.collection.begin()
        records = {"records": self.kind.records} if self.kind.records else {}
        request = {"path": "/orders"}
        source = {"baseURL": self.upstream.url, "request": request, "pagination": self.kind.pagination, **self.kind.http, **records, **http}
        return self.table.run(source, full=full)

    def wanted(self) -> list[tuple[Any, ...]]:
        """What the table should hold: exactly the source's rows."""
        return sorted(self.table.compared(self.collection.records))


class Theatre:
    """Plays that begin after a first run, with changes upstream that no run has seen."""

    def __init__(self, upstream: Upstream, folder: Path) -> None:
        self.upstream, self.folder = upstream, folder
        self._begun: dict[str, Path] = {}

    def play(self, kind: Kind, records: list[Record] | None = None, **spec: Any) -> Play:
        """One whose table does not exist yet."""
        table = Rows(self.folder / f"{uuid4().hex}.db", spec=spec)
        return Play(self.upstream, Collection(kind, SIZE, list(records or [])), table)

    def begun(self, kind: Kind) -> Play:
        """One with the records of :data:`BEFORE` in the table, and those of :data:`SINCE` upstream."""
        play = self.play(kind)
        if kind.name not in self._begun:
            first = self.play(kind, BEFORE)
            assert first.run().result == "Succeeded"
            self._begun[kind.name] = first.table.file
        shutil.copy(self._begun[kind.name], play.table.file)
        play.collection.records = [BEFORE[1], BEFORE[2], *SINCE]
        return play


@contextmanager
def theatre(folder: Path) -> Iterator[Theatre]:
    """One server for all plays."""
    with serving(lambda asked: Reply([])) as upstream:
        yield Theatre(upstream, folder)
