"""Twenty people edit the rows that runs write, all at once: no edit is lost, no row stands twice, and the database ends nobody but us."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from typing import Any

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from tests.database.conftest import Place
from tests.database.engine import Engine, Upstream

PEOPLE, ROWS = 20, 60
SECONDS = 34.0 if os.environ.get("SYNCSOURCE_TEST_SOAK") else 2.2


class Crowd:
    """People, each of whom has some rows, and edits them in transactions of one row or of two."""

    def __init__(self, place: Place) -> None:
        self.place, self.over = place, threading.Event()
        self.edits: dict[int, str] = {}
        """The last edit of each row that was committed."""

    def work(self, number: int) -> int:
        """One person's edits, until the time is over; returns how many."""
        mine, chance, done = [key for key in range(ROWS) if key % PEOPLE == number], random.Random(number), 0
        with self.place.plain.connect() as connection:
            while not self.over.is_set():
                keys = sorted(chance.sample(mine, chance.choice([1, 1, 2])))
                self._edit(connection, keys, f"{number} {done}")
                done += 1
        return done

    def _edit(self, connection: Connection, keys: list[int], text: str) -> None:
        """SQLite has one writer at a time: who waits too long for it asks again, as an application does."""
        while True:
            with suppress(OperationalError) if self.place.kind == "sqlite" else nullcontext():
                connection.exec_driver_sql("BEGIN IMMEDIATE" if self.place.kind == "sqlite" else "BEGIN")
                for key in keys:
                    connection.exec_driver_sql(f"UPDATE t SET name = '{text}', note = '{text}' WHERE id = {key}")
                connection.exec_driver_sql("COMMIT")
                self.edits |= dict.fromkeys(keys, text)
                return


def _among(place: Place, act: Callable[[float], None]) -> Crowd:
    """Does something again and again while people work. Whatever ends one of them ends the test."""
    crowd = Crowd(place)
    with ThreadPoolExecutor(PEOPLE) as pool:
        people = [pool.submit(crowd.work, number) for number in range(PEOPLE)]
        try:
            end, times = time.monotonic() + SECONDS, 0
            while (time.monotonic() < end or times < 3) and not any(one.done() for one in people):
                act(end)
                times += 1
        finally:
            crowd.over.set()
        assert all(one.result() for one in people)
    return crowd


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "write", [{"onExisting": "Merge"}, {"onExisting": "Skip"}, {"protect": ["name"]}], ids=["Merge", "Skip", "protect"]
)
def test_no_edit_is_lost(place: Place, write: dict[str, Any]) -> None:
    place.sql("CREATE TABLE t (id integer PRIMARY KEY, name varchar(40), amount integer, changed integer, note varchar(40))")
    engine = Engine(place, "t", write=write, safety={"undo": {"keep": "1d", "maxRows": 5000}}, retry={"limit": 0})
    records = [{"id": key, "name": "a", "amount": 0, "changed": 1} for key in range(ROWS)]
    assert engine.run(Upstream(records, size=50)).result == "Succeeded"
    runs: list[str] = []

    def run(_: float) -> None:
        for record in random.sample(records, ROWS // 3):
            record["amount"] += 1
            record["name"] = f"theirs {len(runs)}"
        runs.append(engine.run(Upstream(records, size=50), full=True).reason)

    crowd = _among(place, run)
    assert (len(runs) > 1, set(runs)) == (True, {""})
    assert engine.run(Upstream(records, size=50), full=True).result == "Succeeded"
    found = engine.rows()
    assert {key: found[key]["note"] for key in crowd.edits} == crowd.edits
    assert {key: found[key]["name"] for key in crowd.edits} == crowd.edits
    assert len(found) == ROWS
    if write.get("onExisting") != "Skip":
        assert [found[key]["amount"] for key in range(ROWS)] == [record["amount"] for record in records]
