"""One SyncSource under torture: its upstream, its table, the people who edit it, and what must be true of all of them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from tests.e2e.api import Api, source
from tests.e2e.cluster import Cluster, Object, condition, history, ready, secret, steady
from tests.e2e.databases import Warehouse
from tests.e2e.scene import counts
from tests.e2e.torture.stock import PAGE, Pages, Row, Stock

FIELDS = [
    {"name": "id", "type": "integer"},
    {"name": "version", "type": "integer"},
    {"name": "total", "type": "decimal(18,2)"},
    {"name": "modified", "type": "timestamp"},
]
TYPED_IN = 1_000_000
"""Ids from here on are of rows that people typed in."""

COUNTS = ("read", "inserted", "updated", "unchanged", "skipped", "quarantined", "deleted", "conflicts")
SOON = {"backoff": "1s", "maxBackoff": "1s", "limit": 100}


@dataclass(frozen=True, slots=True)
class State:
    """What a database holds of a SyncSource at one instant."""

    rows: Counter[Row]
    cursor: str | None


@dataclass
class Subject:
    """One SyncSource. ``incremental``: whether it keeps a cursor; one that does not has a schedule, which comes due when all is over."""

    name: str
    incremental: bool
    warehouse: Warehouse
    api: Api
    stock: Stock
    notes: dict[int, str] = field(default_factory=dict)
    """What people wrote into a column that is not mapped, by id."""

    @property
    def table(self) -> str:
        return self.name.replace("-", "_")

    def apply(self, cluster: Cluster) -> None:
        """Its Secret and itself."""
        self.api.routes[f"/{self.name}"] = self.stock
        kind = {"incremental": {"cursor": "modified", "param": "since"}} if self.incremental else {"schedule": {"every": "12h"}}
        http = {"pagination": {"page": {"sizeParam": "size", "size": PAGE}}}
        wanted = {"http": http, "fields": FIELDS, "retry": SOON, **kind}
        cluster.apply(
            secret(f"{self.name}-db", url=self.warehouse.url),
            source(self.name, self.api, f"/{self.name}", secret=f"{self.name}-db", table=self.table, **wanted),
        )

    def begin(self, cluster: Cluster) -> None:
        """Applied, run once, and its table opened to people."""
        self.apply(cluster)
        self.finish(cluster, "first")
        self.warehouse.sql(f"ALTER TABLE {self.table} ADD COLUMN note TEXT")

    def finish(self, cluster: Cluster, token: str) -> Object:
        """Asks for a run: the object when it is at rest and Ready. So it is not stuck."""
        cluster.annotate(self.name, requestedAt=token)
        return self.rest(cluster, token)

    def rest(self, cluster: Cluster, token: str) -> Object:
        """The object when it is at rest and Ready, and that request was taken."""
        return cluster.wait(self.name, lambda source: resting(source) and source["status"].get("lastHandledRequestAt") == token)

    # What changes

    def change(self, rng: random.Random) -> None:
        """Records come and change; people write notes and type rows in."""
        self.stock.change(rng, rng.randint(1, 40))
        self.stock.add(rng.randint(0, 3))
        self.edit(rng)

    def edit(self, rng: random.Random) -> None:
        """People at work in the table."""
        known = [number for (number,) in self.warehouse.sql(f"SELECT id FROM {self.table}")]
        for number in rng.sample(known, min(2, len(known))):
            self.notes[number] = f"call {rng.random():.6f}"
            self.warehouse.sql(f"UPDATE {self.table} SET note = '{self.notes[number]}' WHERE id = {number}")
        number = TYPED_IN + len(self.notes)
        self.notes[number] = "typed in"
        self.warehouse.sql(f"INSERT INTO {self.table} (id, note) VALUES ({number}, 'typed in')")

    # What is

    @property
    def pages(self) -> int:
        """How many a full read takes."""
        return -(-len(self.stock.versions) // PAGE)

    def state(self) -> State:
        """Rows and cursor at one instant."""
        text = "CHAR" if self.warehouse.kind == "mariadb" else "TEXT"
        with _snapshot(self.warehouse) as connection:
            found = connection.exec_driver_sql(
                f"SELECT id, version, CAST(total AS {text}), modified FROM {self.table} WHERE id < {TYPED_IN}"
            ).fetchall()
            cursors = connection.exec_driver_sql('SELECT identity, "cursor" FROM syncsource_cursors').fetchall()
        rows = Counter((number, version, total, _instant(modified)) for number, version, total, modified in found)
        return State(rows, next((cursor for identity, cursor in cursors if identity.endswith(f"/{self.name}")), None))

    def ledger(self) -> list[Object]:
        """Its runs as the ledger has them, newest first."""
        names = ("run", "trigger", "result", "reason", "message", *COUNTS)
        columns = ", ".join(f'"{name}"' for name in names)
        where = f"identity LIKE '%/{self.name}' ORDER BY fence DESC, run DESC"
        return [dict(zip(names, row, strict=True)) for row in self.warehouse.sql(f"SELECT {columns} FROM syncsource_runs WHERE {where}")]

    # What must be true

    def check_whole(self, before: State, after: State) -> None:
        """A run that did not end has left nothing, one that did has left all; the cursor is never ahead of the rows."""
        now = self.state()
        assert now in (before, after), f"{self.name} holds a part of a run: {_difference(before, now, after)}"
        if now.cursor is not None:
            have = {number: version for number, version, *_ in now.rows}
            ahead = {number for number, version in self.stock.as_of(now.cursor).items() if have.get(number, 0) < version}
            assert not ahead, f"{self.name}: the cursor is ahead of these rows: {ahead}"

    def wanted(self) -> State:
        """What the database holds once everything was read."""
        return State(Counter(self.stock.rows), self.stock.cursor if self.incremental else None)

    def check_rows(self) -> None:
        """The rows equal the source, each once; what people wrote is as they wrote it."""
        now, wanted = self.state(), self.wanted()
        assert now == wanted, f"{self.name}: {_difference(now, wanted)}"
        noted = dict(self.warehouse.sql(f"SELECT id, note FROM {self.table} WHERE note IS NOT NULL"))
        assert noted == self.notes
        assert len(self.warehouse.sql(f"SELECT id FROM {self.table}")) == len(wanted.rows) + sum(n >= TYPED_IN for n in self.notes)

    def check_status(self, source: Object) -> None:
        """Status tells what the ledger has and the table shows."""
        self._check_conditions(source)
        runs, told = self.ledger(), history(source)
        known = {run["run"]: run for run in runs}
        for entry in told:
            run = known.get(entry["id"])
            if run is None:
                assert entry["result"] in ("Interrupted", "Failed"), f"{self.name}: the ledger knows nothing of {entry}"
                continue
            results = (entry["result"], run["result"])
            assert results[0] == results[1] or results == ("Failed", "Interrupted"), f"{self.name}: {entry}, and the ledger {run}"
            assert entry["trigger"] == run["trigger"]
            assert counts(entry) == {name: run[name] for name in counts(entry)} or entry["result"] == "Interrupted"
        oldest = min(entry["id"] for entry in told)
        recent = [(run["run"], run["result"]) for run in runs if run["run"] >= oldest]
        assert recent == [(entry["id"], known[entry["id"]]["result"]) for entry in told if entry["id"] in known], f"{self.name}: {told}"
        assert [run["run"] for run in runs if run["result"] == "Running"] == []
        assert sum(run["inserted"] for run in runs) == len(self.stock.rows), f"{self.name}: what the runs inserted is not what there is"

    def _check_conditions(self, source: Object) -> None:
        status, last = source["status"], history(source)[0]
        generation = source["metadata"]["generation"]
        shown = {one["type"]: (one["status"], one["reason"], one["observedGeneration"]) for one in status["conditions"]}
        rest = "Manual" if self.incremental else "WaitingForSchedule"
        assert shown == {"Ready": ("True", "Succeeded", generation), "Syncing": ("False", rest, generation)}, f"{self.name}: {status}"
        assert ("nextRunTime" in status) != self.incremental
        assert steady(condition(source, "Ready")["message"]) == steady(last["message"])
        assert status["observedGeneration"] == generation
        assert last["result"] == "Succeeded"
        assert status["lastRun"] == {"id": last["id"], "changed": last["inserted"] + last["updated"], **counts(last)}
        assert status.get("cursor") == self.state().cursor
        assert status["consecutiveFailures"] == 0
        assert "nextRetryTime" not in status
        if last["full"]:
            assert last["read"] == len(self.stock.rows) == last["inserted"] + last["updated"] + last["unchanged"]


def resting(source: Object) -> bool:
    """Whether the last run succeeded, and no other is under way or planned."""
    return ready(source) and "nextRetryTime" not in source["status"] and bool(history(source))


def subjects(warehouses: list[Warehouse], api: Api, kinds: list[tuple[str, bool]], prefix: str = "", records: int = 90) -> list[Subject]:
    """A SyncSource of each kind (a name, and whether it is incremental) in each database, whose pages are counted together."""
    made, pages = [], Pages()
    for warehouse in warehouses:
        for kind, incremental in kinds:
            made.append(Subject(f"{prefix}{kind}-{warehouse.kind}", incremental, warehouse, api, Stock(pages)))
            made[-1].stock.add(records)
    return made


_BEGIN = {
    "postgresql": "BEGIN ISOLATION LEVEL REPEATABLE READ",
    "mariadb": "START TRANSACTION WITH CONSISTENT SNAPSHOT",
    "sqlite": "BEGIN",
}


@contextmanager
def _snapshot(warehouse: Warehouse) -> Iterator[Connection]:
    """A connection all of whose queries see the same instant."""
    with warehouse.engine.connect() as connection:
        connection.exec_driver_sql(_BEGIN[warehouse.kind])
        try:
            yield connection
        finally:
            connection.exec_driver_sql("ROLLBACK")


def _instant(value: Any) -> datetime:
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _difference(*states: State) -> str:
    """How states differ, in few words."""
    common = states[0].rows
    for state in states[1:]:
        common &= state.rows
    return "; ".join(f"cursor {state.cursor}, {sorted((state.rows - common).elements())[:6]}" for state in states)
