"""The watch may end at any time, and things happen while nobody watches."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import kopf
import pytest

from tests.e2e.controller.plane import PATIENCE, ScriptedRunner, Stage, reason, source, status

EVERY = {"every": "1h"}


class Breakable:
    """kopf's operator, which ends with an error when told to, and begins again when told to."""

    def __init__(self) -> None:
        self.begun = 0
        self._operator = kopf.operator
        self._broken = threading.Event()
        self._allowed = threading.Event()
        self._allowed.set()

    async def operator(self, **options: Any) -> None:
        await asyncio.to_thread(self._allowed.wait, PATIENCE)
        self._broken.clear()
        self.begun += 1
        working = asyncio.ensure_future(self._operator(**options))
        breaking = asyncio.ensure_future(asyncio.to_thread(self._broken.wait))
        await asyncio.wait((working, breaking), return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            self._broken.set()
            await breaking
            return working.result()
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        raise RuntimeError("Error in the watch-stream: 500")

    def fail(self, *, again: bool) -> None:
        if not again:
            self._allowed.clear()
        self._broken.set()

    def allow(self) -> None:
        self._allowed.set()


@pytest.fixture
def breakable(monkeypatch: pytest.MonkeyPatch) -> Breakable:
    breakable = Breakable()
    monkeypatch.setattr(kopf, "operator", breakable.operator)
    return breakable


async def test_a_watch_that_ends_is_started_again_and_runs_go_on(stage: Stage, breakable: Breakable) -> None:
    runner = ScriptedRunner(held=True)
    async with stage.operator(runner):
        await stage.client.create(source("a", schedule=EVERY))
        first = await runner.started(1)
        breakable.fail(again=True)
        await stage.client.create(source("b", schedule=EVERY))
        second = await runner.started(2)
        for plan in (first, second):
            runner.end(plan)
        held = await stage.client.until("a", lambda held: reason(held, "Ready") == "Succeeded")
        assert [entry.result for entry in status(held).history] == ["Succeeded"]
        await stage.client.until("b", lambda held: reason(held, "Ready") == "Succeeded")
    assert breakable.begun == 2


async def test_what_is_deleted_while_nobody_watches_is_forgotten(stage: Stage, breakable: Breakable) -> None:
    runner = ScriptedRunner(held=True)
    async with stage.operator(runner):
        await stage.client.create(source("a", schedule=EVERY))
        first = await runner.started(1)
        breakable.fail(again=False)
        await stage.client.delete("a")
        breakable.allow()
        await asyncio.wait_for(runner.ended(first), PATIENCE)
        assert runner.cancelled == [first.run]
