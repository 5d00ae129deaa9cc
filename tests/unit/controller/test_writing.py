"""Status writes: retried until they are true."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from syncsource.controller import writing
from syncsource.controller.core.fleet import Fleet
from syncsource.controller.core.happening import Happening, ObjectSeen, Write
from syncsource.controller.core.observed import Observed, Ref, observe
from syncsource.controller.core.packed import unpack
from syncsource.controller.kube.failures import ApiError, Away, Conflict, Gone, Rejected
from syncsource.controller.writing import StatusWriter
from tests.unit.controller.world import START, World


class FakeApi:
    """One object; fails as told before it answers."""

    def __init__(self, held: dict[str, Any]) -> None:
        self.held = held
        self.failures: list[ApiError] = []
        self.written: list[dict[str, Any]] = []

    async def object(self, ref: Ref) -> Observed:
        self._fail()
        return observe(copy.deepcopy(self.held))

    async def write_status(self, ref: Ref, packed: bytes, version: str) -> str:
        self._fail()
        if version != self.held["metadata"]["resourceVersion"]:
            raise Conflict("it changed")
        self.held["status"] = unpack(packed)
        self.held["metadata"]["resourceVersion"] = str(int(version) + 1)
        self.written.append(self.held["status"])
        return str(self.held["metadata"]["resourceVersion"])

    def _fail(self) -> None:
        if self.failures:
            raise self.failures.pop(0)


class Desk:
    """A writer, the core that it writes for, and the API that it writes to."""

    def __init__(self) -> None:
        world = World()
        world.create("a")
        self.api = FakeApi(copy.deepcopy(world.objects["a"]))
        self.fleet = Fleet(slots=1, new_id=lambda now: "id")
        self.writer = StatusWriter(self.api, self.fleet.source, self.feed)
        self.see()

    def feed(self, happening: Happening) -> None:
        for decision in self.fleet.on(happening, START):
            if isinstance(decision, Write):
                self.writer.mark(decision.ref.key)

    def see(self) -> None:
        self.feed(ObjectSeen(observe(copy.deepcopy(self.api.held))))

    @property
    def dirty(self) -> bool:
        return any(source.dirty for source in self.fleet.sources)


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setattr(writing, "Backoffs", lambda: [0.0] * 100)
    return Desk()


@asynccontextmanager
async def at_work(desk: Desk) -> AsyncIterator[None]:
    task = asyncio.create_task(desk.writer.run())
    try:
        async with asyncio.timeout(10):
            await desk.writer.flush()
            yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_what_differs_is_written_once(desk: Desk) -> None:
    async with at_work(desk):
        assert len(desk.api.written) == 1
        assert not desk.dirty
        desk.see()
        await desk.writer.flush()
        assert len(desk.api.written) == 1


@pytest.mark.parametrize("failures", [[Away("x")], [Away("x")] * 30])
async def test_it_is_tried_until_the_api_server_is_back(desk: Desk, failures: list[ApiError]) -> None:
    desk.api.failures = list(failures)
    async with at_work(desk):
        assert len(desk.api.written) == 1
        assert not desk.dirty


async def test_a_conflict_is_read_again_and_written_over_what_is_there(desk: Desk) -> None:
    desk.api.held["metadata"].update(resourceVersion="77", labels={"touched": "1"})
    async with at_work(desk):
        assert len(desk.api.written) == 1
        assert desk.api.held["metadata"]["resourceVersion"] == "78"


async def test_reading_again_may_fail_too(desk: Desk) -> None:
    desk.api.failures = [Conflict("x"), Away("x"), Conflict("x"), Away("x")]
    async with at_work(desk):
        assert len(desk.api.written) == 1


@pytest.mark.parametrize("failures", [[Gone("x")], [Conflict("x"), Gone("x")]])
async def test_an_object_that_is_gone_is_forgotten(desk: Desk, failures: list[ApiError]) -> None:
    desk.api.failures = failures
    async with at_work(desk):
        assert list(desk.fleet.sources) == []
        assert desk.api.written == []


async def test_what_the_api_server_refuses_waits_for_the_next_change(desk: Desk) -> None:
    desk.api.failures = [Rejected("not valid", 422)]
    async with at_work(desk):
        assert desk.api.written == []
        desk.api.held["metadata"].update(resourceVersion="9", labels={"touched": "1"})
        desk.see()
        await desk.writer.flush()
        assert len(desk.api.written) == 1
