"""Who gets connections when: all that a run needs or none, in the order of asking, and nobody waits for ever."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from syncsource.engine.connecting import LEAST, wanted
from syncsource.engine.plan import RunPlan
from syncsource.runner.connections import Connections


class Run:
    """One that holds what it got until it is told to end. ``granted``: None while it waits."""

    def __init__(self, connections: Connections, name: str, **want: int) -> None:
        self.granted: bool | None = None
        self._over = asyncio.Event()
        self.task = asyncio.create_task(self._live(connections, name, want))

    async def _live(self, connections: Connections, name: str, want: dict[str, int]) -> None:
        async with connections.held(name, want) as granted:
            self.granted = granted
            await self._over.wait()

    async def end(self) -> None:
        """It gives back what it has."""
        self._over.set()
        await self.task


async def _begun(connections: Connections, *wants: dict[str, int]) -> list[Run]:
    runs = [Run(connections, f"run{number}", **want) for number, want in enumerate(wants)]
    await _settled()
    return runs


async def _settled() -> None:
    """Until every task that can go on has: each turn of the loop takes all that are ready."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_runs_wait_in_their_order_and_one_that_wants_many_is_not_overtaken() -> None:
    runs = await _begun(Connections(4), {"a": 3}, {"a": 4}, {"a": 1})
    assert [run.granted for run in runs] == [True, None, None]
    await runs[0].end()
    await _settled()
    assert [run.granted for run in runs] == [True, True, None]
    await runs[1].end()
    await _settled()
    assert runs[2].granted
    await runs[2].end()


async def test_another_database_is_another_matter() -> None:
    runs = await _begun(Connections(4), {"a": 4}, {"a": 1}, {"b": 4}, {})
    assert [run.granted for run in runs] == [True, None, True, True]
    for run in runs:
        await run.end()


async def test_runs_that_want_two_databases_crosswise_both_end() -> None:
    runs = await _begun(Connections(4), {"a": 3, "b": 3}, {"b": 3, "a": 3}, {"a": 1}, {"b": 1})
    assert [run.granted for run in runs] == [True, None, None, None]
    for run in runs:
        await asyncio.wait_for(run.end(), 5)


async def test_one_that_is_called_off_or_cancelled_lets_the_next_go() -> None:
    connections = Connections(4)
    runs = await _begun(connections, {"a": 4}, {"a": 4}, {"a": 4}, {"a": 4})
    connections.call_off("run1")
    connections.call_off("nobody")
    runs[2].task.cancel()
    await _settled()
    assert [run.granted for run in runs] == [True, False, None, None]
    await runs[0].end()
    await _settled()
    assert runs[3].granted
    connections.call_off("run3")  # it has them already
    with pytest.raises(asyncio.CancelledError):
        await runs[2].task
    await runs[1].end()
    await runs[3].end()
    [last] = await _begun(connections, {"a": 4})
    assert last.granted
    await last.end()


async def test_one_that_is_cancelled_just_when_it_is_its_turn_gives_them_back() -> None:
    connections = Connections(4)
    async with connections.held("first", {"a": 4}):
        runs = await _begun(connections, {"a": 4}, {"a": 4})
    runs[0].task.cancel()
    await _settled()
    assert [run.granted for run in runs] == [None, True]
    await runs[1].end()


async def test_at_the_end_nobody_gets_any_more() -> None:
    connections = Connections(4)
    runs = await _begun(connections, {"a": 4}, {"a": 4}, {"a": 4})
    connections.close()
    await _settled()
    assert [run.granted for run in runs] == [True, False, False]
    for run in runs:
        await run.end()


POSTGRES, OTHER = "postgresql://u:secret@Host/name", "postgresql://v:other@host:5432/name"


def _plan(url: str, source: str | None = None, **spec: Any) -> RunPlan:
    read = {"sql": {"urlFrom": {"secretKeyRef": {"name": "db", "key": "source"}}, "table": "s"}}
    spec = {
        "source": read if source else {"http": {"baseURL": "http://upstream"}},
        "fields": [{"name": "id", "type": "integer"}],
        "keys": [{"fields": ["id"]}],
        "destination": {"sql": {"urlFrom": {"secretKeyRef": {"name": "db", "key": "url"}}, "table": "t"}},
        **spec,
    }
    return RunPlan(run="r", identity="i", trigger="Request", spec=spec, secrets={"db": {"url": url, "source": source or ""}})


SIDE = {"partitions": {"values": ["a", "b"], "parallelism": 5}}
FILED = {"safety": {"backup": {"mode": "File", "directory": "/backups"}}}
PLACE = "postgresql host:5432/name"


@pytest.mark.parametrize(
    ("plan", "most", "lanes", "by_place"),
    [
        (_plan(POSTGRES), 32, 1, {PLACE: 2}),
        (_plan(POSTGRES, **SIDE), 32, 10, {PLACE: 11}),
        (_plan(POSTGRES, **SIDE), 5, 4, {PLACE: 5}),
        (_plan(POSTGRES, OTHER, **SIDE), 32, 10, {PLACE: 21}),
        (_plan(POSTGRES, OTHER, **SIDE, **FILED), LEAST, 1, {PLACE: 4}),
        (_plan(POSTGRES, "mysql://u@h/s", **SIDE), 8, 7, {PLACE: 8, "mysql h:3306/s": 7}),
        (_plan("sqlite:////rows.db", **SIDE), 4, 10, {}),
        (_plan("no url", **SIDE), 4, 10, {}),
    ],
)
def test_what_a_run_needs(plan: RunPlan, most: int, lanes: int, by_place: dict[str, int]) -> None:
    found = wanted(plan, most)
    assert (found.lanes, found.by_place) == (lanes, by_place)
    assert "secret" not in str(found)
