"""Matching by several keys against a model in plain Python: whatever records come and whatever people do, each finds the row that it should."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from itertools import count
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.database.conftest import Place
from tests.database.engine import Engine, Upstream

EXAMPLES = 300 if os.environ.get("SYNCSOURCE_TEST_SOAK") else 20
NAMES = ("booking", "phone", "person", "total")
KEYS = [
    {"fields": ["booking"]},
    {"fields": ["phone", "person"], "normalize": {"phone": "digits", "person": "fold"}},
    {"fields": ["person"], "normalize": {"person": "fold"}},
]
NUMBERED = {"postgresql": "bigserial", "mariadb": "bigint AUTO_INCREMENT", "sqlite": "integer"}
Record = dict[str, Any]
Digest = tuple[str, ...] | None

bookings = st.sampled_from(["B1", "B2", "B3", None, None])
phones = st.sampled_from(["1", "(1)", "2", None])
persons = st.sampled_from(["Ana", "ána ", "Bo", "Bo", None])
values = {"booking": bookings, "phone": phones, "person": persons}
runs = st.tuples(st.just("run"), st.lists(st.fixed_dictionaries(values), max_size=5))
edits = st.tuples(
    st.just("edit"), st.integers(0, 5), st.sampled_from(["booking", "phone", "person"]).flatmap(lambda n: st.tuples(st.just(n), values[n]))
)
typed = st.tuples(st.just("type"), st.fixed_dictionaries(values))
deletes = st.tuples(st.just("delete"), st.integers(0, 5))
steps = st.lists(runs | runs | runs | edits | typed | deletes, min_size=2, max_size=7)


def digest(rank: int, row: Record) -> Digest:
    """What a key makes of a row; None where it is not complete."""
    phone = "".join(one for one in row["phone"] or "" if one.isdigit())
    person = (row["person"] or "").lower().replace("á", "a").strip()
    parts = ((row["booking"] or "",), (phone, person), (person,))[rank]
    return parts if all(parts) else None


class Model:
    """The table, and what the source said of its rows."""

    def __init__(self) -> None:
        self.rows: dict[int, Record] = {}
        self.said: dict[int, dict[int, Digest]] = defaultdict(dict)
        self.quarantined = self.skipped = 0
        self._ids = count()

    def insert(self, row: Record) -> int:
        """A row of its own."""
        number = next(self._ids)
        self.rows[number] = dict(row)
        return number

    def run(self, records: Sequence[Record]) -> None:
        """Each record takes its row, or a new one."""
        self.quarantined = self.skipped = 0
        left = self._alone(list(enumerate(records)))
        placed: dict[int, int] = {}
        found = {number: dict(row) for number, row in self.rows.items()}
        for rank in range(len(KEYS)):
            wanted: dict[int, list[int]] = defaultdict(list)
            free = [number for number in found if number not in placed.values()]
            for seq, record in list(left):
                if seq in placed:
                    continue
                rows = [number for number in free if self._finds(rank, record, number, found[number])]
                if len(rows) > 1:
                    self.quarantined += 1
                    left.remove((seq, record))
                elif rows:
                    wanted[rows[0]].append(seq)
            placed |= {min(seqs): number for number, seqs in wanted.items()}
        for seq, record in left:
            number = placed[seq] if seq in placed else self.insert(record)
            self.rows[number] = dict(record)
            self.said[number] |= {rank: made for rank in range(len(KEYS)) if (made := digest(rank, record)) is not None}

    def _finds(self, rank: int, record: Record, number: int, row: Record) -> bool:
        made = digest(rank, record)
        alike = made is not None and made in (digest(rank, row), self.said[number].get(rank))
        return alike and not any(digest(one, record) and (digest(one, row) or self.said[number].get(one)) for one in range(rank))

    def _alone(self, records: list[tuple[int, Record]]) -> list[tuple[int, Record]]:
        """One of each record: the newest; none where it is not clear which it is."""
        keyed = [one for one in records if _best(one[1]) is not None]
        self.quarantined += len(records) - len(keyed)
        last = {(_best(record), digest(_best(record) or 0, record)): seq for seq, record in keyed}
        left = [one for one in keyed if one[0] in last.values()]
        for rank in range(1, len(KEYS)):
            left = self._weaker(rank, left)
        self.skipped = len(records) - len(left) - self.quarantined
        return left

    def _weaker(self, rank: int, records: list[tuple[int, Record]]) -> list[tuple[int, Record]]:
        gone = set()
        for seq, record in records:
            if _best(record) != rank:
                continue
            alike = digest(rank, record)
            strong = [other for other, one in records if digest(rank, one) == alike and (_best(one) or 0) < rank]
            self.quarantined += len(strong) > 1
            gone |= {seq} if strong else set()
        return [one for one in records if one[0] not in gone]


def _best(record: Record) -> int | None:
    return next((rank for rank in range(len(KEYS)) if digest(rank, record) is not None), None)


@pytest.mark.soak
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=steps)
def test_each_record_finds_the_row_that_it_should(place: Place, steps: list[Any]) -> None:
    table, model, totals = f"t{uuid4().hex[:12]}", Model(), count(1)
    place.sql(
        f"CREATE TABLE {table} (id {NUMBERED[place.kind]} PRIMARY KEY, booking varchar(9), phone varchar(9), person varchar(9), total bigint)"
    )
    fields = [{"name": name, "type": "integer" if name == "total" else "text"} for name in NAMES]
    engine = Engine(place, table, fields=fields, keys=KEYS, incremental=None)
    for kind, *what in steps:
        if kind == "run":
            records = [{**record, "total": next(totals), "changed": None} for record in what[0]]
            outcome = engine.run(Upstream(records))
            model.run([{name: record[name] for name in NAMES} for record in records])
            assert (outcome.result, outcome.counts.quarantined, outcome.counts.skipped) == ("Succeeded", model.quarantined, model.skipped)
        else:
            _by_people(place, table, model, totals, kind, what)
        assert _sorted(place.sql(f"SELECT {', '.join(NAMES)} FROM {table}")) == _sorted(
            tuple(row[name] for name in NAMES) for row in model.rows.values()
        )
    place.sql(f"DROP TABLE {table}")


def _by_people(place: Place, table: str, model: Model, totals: Any, kind: str, what: list[Any]) -> None:
    """A row's total tells which it is: no two have the same."""
    if kind == "type":
        row = {**what[0], "total": next(totals)}
        model.insert(row)
        place.sql(f"INSERT INTO {table} ({', '.join(NAMES)}) VALUES ({', '.join(map(_literal, (row[name] for name in NAMES)))})")
    elif model.rows:
        number = sorted(model.rows)[what[0] % len(model.rows)]
        chosen = f"WHERE total = {model.rows[number]['total']}"
        if kind == "edit":
            name, value = what[1]
            model.rows[number][name] = value
            place.sql(f"UPDATE {table} SET {name} = {_literal(value)} {chosen}")
        else:
            del model.rows[number]
            place.sql(f"DELETE FROM {table} {chosen}")


def _literal(value: Any) -> str:
    return "NULL" if value is None else str(value) if isinstance(value, int) else f"'{value}'"


def _sorted(rows: Any) -> list[tuple[Any, ...]]:
    return sorted(rows, key=lambda row: int(row[3]))
