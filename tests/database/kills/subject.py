"""A source under a run that is killed, its table, the people who edit it, and what must be true of all of them."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import inspect

from syncsource import ledger
from syncsource.destinations import find_table
from syncsource.engine import undoing
from syncsource.engine.plan import Outcome
from syncsource.engine.stopping import Stop
from syncsource.resource.spec import SyncSourceSpec
from tests.database.conftest import Place
from tests.database.engine import Engine
from tests.database.model import MAPPED, Record

TYPED_IN = 1_000_000
"""Ids from here on are of rows that people typed in."""

CREATE = "CREATE TABLE {} (id integer PRIMARY KEY, name varchar(40), amount integer, changed integer, note varchar(40))"

Rows = list[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class State:
    """What a database holds of a source."""

    rows: Rows
    cursor: int | None
    bases: Rows
    """What the source last said, as the next run believes."""


class Subject:
    """A source of a few hundred records. ``merge``: people edit a column that the source fills, too."""

    def __init__(self, place: Place, name: str, *, merge: bool) -> None:
        place.sql(CREATE.format(name))
        self.merge, self.name = merge, name
        write = {"write": {"onExisting": "Merge"}} if merge else {}
        self.engine = Engine(place, name, safety={"undo": {"keep": "14d"}}, **write)
        self._records: dict[int, Record] = {}
        self._edits: dict[int, dict[str, Any]] = {}
        self._clock = 0

    @property
    def records(self) -> list[Record]:
        """What the source holds, by id."""
        return [record for _, record in sorted(self._records.items())]

    # What changes

    def change(self, rng: random.Random) -> None:
        """Records come and change, and people edit rows. A name that people may edit is one that the source leaves alone."""
        for number in rng.sample(sorted(self._records), min(len(self._records), rng.randint(1, 80))):
            self._say(number, rng.choice(("amount", "name")) if number % 3 else "amount", rng.randint(1, 10**6))
        for number in range(len(self._records) + 1, len(self._records) + (rng.randint(1, 20) if self._records else 400)):
            self._say(number, "amount", number)
        there = [number for (number,) in self.engine.place.sql(f"SELECT id FROM {self.name} WHERE id < {TYPED_IN}")]
        for number in rng.sample(there, min(len(there), 3)):
            self._edit(number, "name" if self.merge and number % 3 == 0 else "note", f"mine {rng.randint(1, 10**6)}")
        self._type_in()

    def _say(self, number: int, column: str, value: int) -> None:
        self._clock += 1
        known = self._records.get(number, {"id": number, "name": f"name {number}"})
        self._records[number] = {**known, column: value if column == "amount" else f"name {value}", "changed": self._clock}

    def _edit(self, number: int, column: str, value: str) -> None:
        self._edits.setdefault(number, {})[column] = value
        self.engine.place.sql(f"UPDATE {self.name} SET {column} = '{value}' WHERE id = {number}")

    def _type_in(self) -> None:
        number = TYPED_IN + len(self._edits)
        self._edits[number] = {"note": "typed in"}
        self.engine.place.sql(f"INSERT INTO {self.name} (id, note) VALUES ({number}, 'typed in')")

    # What is

    def state(self) -> State:
        """Rows, cursor and bases, where no run is under way."""
        place, columns = self.engine.place, ", ".join(MAPPED)
        spec = SyncSourceSpec.model_validate(self.engine.spec)
        table = find_table(place.database, spec.destination.sql, spec.fields, spec.keys, spec.write)
        bases = table.bases.name if table and table.bases else None
        return State(
            place.sql(f"SELECT {columns}, note FROM {self.name} ORDER BY id"),
            self.engine.cursor(),
            place.sql(f"SELECT {columns} FROM {bases} ORDER BY id") if bases else [],
        )

    def wanted(self) -> State:
        """The same, once everything was read."""
        said = {number: dict.fromkeys(MAPPED) | record for number, record in self._records.items()}
        rows = {number: {**said.get(number, dict.fromkeys(MAPPED)), "id": number, "note": None} for number in {**said, **self._edits}}
        for number, edits in self._edits.items():
            rows[number] |= edits
        bases = [tuple(record[name] for name in MAPPED) for _, record in sorted(said.items())] if self.merge else []
        return State([tuple(row[name] for name in (*MAPPED, "note")) for _, row in sorted(rows.items())], self._clock or None, bases)

    # What must be true

    def check_whole(self, before: State, run: str, outcome: Outcome) -> bool:
        """Whether the run is there: with all that belongs to it, or else nothing of it is. The ledger knows, and says what was told."""
        now, record = self.state(), next((one for one in self._ledger() if one.run == run), None)
        there = now == self.wanted()
        assert there or now == before, (
            f"{self.name} holds a part of run {run}: {_difference(before, now)}; {_difference(now, self.wanted())}"
        )
        assert there == (record is not None and record.result == "Succeeded"), f"{self.name}: {there}, but the ledger has {record}"
        assert there == (run in self._undoable()), f"{self.name}: {there}, but what can be undone is {self._undoable()}"
        assert there == (outcome.result == "Succeeded") or "is not known" in outcome.message, (
            f"{self.name}: {there}, but told was {outcome}"
        )
        assert record is None or not there or record.inserted + record.updated == outcome.counts.changed or outcome.result != "Succeeded"
        return there

    def check_done(self, outcome: Outcome, *, idle: bool) -> None:
        """After a run that nobody killed: everything is as the source and people have it. ``idle``: there was nothing to do."""
        assert outcome.result == "Succeeded", outcome
        assert (outcome.counts.inserted + outcome.counts.updated == 0) == idle, outcome
        now, wanted = self.state(), self.wanted()
        assert now == wanted, f"{self.name}: {_difference(now, wanted)}"
        assert [run for run in self._ledger() if run.result == "Running"] == []

    def check_undo(self, before: State) -> None:
        """What the last run did is undone to the last row and base."""
        last = next(one for one in undoing.listed(self.engine.plan()) if one.undone_by is None)
        outcome, done = undoing.undo(self.engine.plan(), last.record.run, Stop(), rewind=True)
        assert done is not None, outcome
        assert (done.restored, done.removed, done.reinserted, done.left) == (last.record.updated, last.record.inserted, 0, 0)
        now, wanted = self.state(), replace(before, cursor=int(last.record.cursor_before) if last.record.cursor_before else None)
        assert now == wanted, f"{self.name}: {_difference(now, wanted)}"

    def _ledger(self) -> list[ledger.RunRecord]:
        return ledger.history(self.engine.place.database.engine, self.engine.plan().identity, 1000)

    def _undoable(self) -> set[str]:
        return {one.record.run for one in undoing.listed(self.engine.plan())}


def check_images(place: Place) -> None:
    """No transaction's images are there that the ledger does not know, nor the other way round."""
    tables = [name for name in inspect(place.plain).get_table_names() if name.startswith("syncsource_undo_")]
    there = {batch for table in tables for (batch,) in place.sql(f"SELECT DISTINCT syncsource_batch FROM {table}")}
    assert there == {batch for (batch,) in place.sql("SELECT batch FROM syncsource_images")}


def _difference(one: State, other: State) -> str:
    """How states differ, in few words."""
    rows = sorted(map(str, {*one.rows, *one.bases} ^ {*other.rows, *other.bases}))
    return f"cursors {one.cursor} and {other.cursor}, {len(rows)} rows: {rows[:6]}"
