"""Windows and partitions against plain Python: runs that break off anywhere, and late rows, end with exactly the source's rows."""

from __future__ import annotations

import os
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.database.conftest import Place
from tests.database.engine import Engine
from tests.database.test_windows import History, breaks_at, day

EXAMPLES = 300 if os.environ.get("SYNCSOURCE_TEST_SOAK") else 4
KINDS = {"id": "integer", "name": "text", "amount": "integer", "changed": "text"}

days = st.integers(0, 340).map(lambda number: number / 10)
changes = st.lists(st.tuples(st.integers(0, 9), days), max_size=12)
rounds = st.lists(st.tuples(changes, st.none() | st.integers(1, 9), st.booleans()), min_size=1, max_size=4)


@pytest.mark.timeout(600)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(rounds=rounds, size=st.sampled_from([12, 20, 100]), values=st.sampled_from([None, ["a", "b"]]))
def test_whatever_breaks_off_every_row_arrives(
    sqlite: Place, rounds: list[tuple[list[tuple[int, float]], int | None, bool]], size: int, values: list[str] | None
) -> None:
    """Each change is the newest of all, and after the first run none comes later than a window's size; the last run goes through."""
    table = f"t{uuid4().hex[:12]}"
    sqlite.sql(f"CREATE TABLE {table} (id integer PRIMARY KEY, name text, amount integer, changed varchar(40), note text)")
    engine, history, held = _engine(sqlite, table, f"{size}d", values), History([]), dict[int, dict[str, Any]]()
    latest = 0.0
    for number, (changed, breaks, full) in enumerate(rounds):
        for key, when in changed:
            latest = max(latest, when)
            held[key] = {"id": key, "name": f"n{number}", "amount": number, "changed": day(latest)}
        history.records, history.asked = list(held.values()), []
        history.meanwhile = breaks_at(breaks) if breaks else lambda window: None
        outcome = engine.run(lambda: history, full=full)
        assert outcome.result == ("Failed" if breaks and breaks <= len(history.asked) else "Succeeded")
        latest = max(latest, 35.01 - size)
    history.meanwhile = lambda window: None
    assert engine.run(lambda: history).result == "Succeeded"
    found = sqlite.sql(f"SELECT id, name, amount, changed FROM {table} ORDER BY id")
    assert found == [tuple(held[key].values()) for key in sorted(held)]


def _engine(place: Place, table: str, size: str, values: list[str] | None) -> Engine:
    window = {"size": size, "start": day(0)}
    fields = [{"name": name, "type": kind} for name, kind in KINDS.items()]
    partitions = {"partitions": {"values": values}} if values else {}
    return Engine(place, table, incremental={"cursor": "changed", "param": "since", "window": window}, fields=fields, **partitions)
