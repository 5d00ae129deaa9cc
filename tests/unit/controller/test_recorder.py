"""Events: counted where they repeat, and never more than what the API server can take."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from syncsource.controller.core.happening import Announce
from syncsource.controller.core.observed import Ref
from syncsource.controller.kube import recorder as module
from syncsource.controller.kube.failures import ApiError, Away, Gone, Rejected
from syncsource.controller.kube.recorder import Recorder
from tests.unit.controller.world import START

REF = Ref(namespace="rental", name="bookings", uid="u")


def told(message: str = "no answer") -> Announce:
    return Announce(ref=REF, type="Warning", reason="Failed", message=message)


class FakeEvents:
    def __init__(self) -> None:
        self.created: list[dict[str, Any]] = []
        self.counts: list[int] = []
        self.failures: list[ApiError] = []

    async def create_event(self, namespace: str, event: dict[str, Any]) -> None:
        self._fail()
        self.created.append(event)

    async def patch_event(self, namespace: str, name: str, patch: dict[str, Any]) -> None:
        self._fail()
        self.counts.append(patch["count"])

    def _fail(self) -> None:
        if self.failures:
            raise self.failures.pop(0)


async def post(events: FakeEvents, *announced: Announce) -> None:
    recorder = Recorder(events, lambda: START)
    for announce in announced:
        recorder.record(announce)
    task = asyncio.create_task(recorder.run())
    try:
        await asyncio.wait_for(recorder.flush(), 10)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_an_event_names_its_object_so_that_kubectl_finds_it() -> None:
    events = FakeEvents()
    await post(events, told())
    (event,) = events.created
    assert event["involvedObject"] == {
        "apiVersion": "syncsource.dev/v1alpha1",
        "kind": "SyncSource",
        "namespace": "rental",
        "name": "bookings",
        "uid": "u",
    }
    assert (event["type"], event["reason"], event["message"], event["count"]) == ("Warning", "Failed", "no answer", 1)
    assert event["firstTimestamp"] == event["lastTimestamp"] == "2026-01-01T12:00:00Z"
    assert event["metadata"]["namespace"] == "rental"


async def test_the_same_text_is_counted() -> None:
    events = FakeEvents()
    await post(events, told(), told(), told("other"), told())
    assert [event["message"] for event in events.created] == ["no answer", "other"]
    assert events.counts == [2, 3]


async def test_one_that_has_expired_is_created_again() -> None:
    events = FakeEvents()
    recorder = Recorder(events, lambda: START)
    task = asyncio.create_task(recorder.run())
    recorder.record(told())
    await recorder.flush()
    events.failures = [Gone("expired")]
    recorder.record(told())
    await recorder.flush()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert len(events.created) == 2


async def test_it_waits_for_the_api_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "Backoffs", lambda: [0.0] * 9)
    events = FakeEvents()
    events.failures = [Away("x"), Away("x")]
    await post(events, told())
    assert len(events.created) == 1


async def test_one_that_is_refused_stops_no_other() -> None:
    events = FakeEvents()
    events.failures = [Rejected("no permission", 403)]
    await post(events, told("first"), told("second"))
    assert [event["message"] for event in events.created] == ["second"]


async def test_a_full_queue_drops() -> None:
    events = FakeEvents()
    await post(events, *(told(str(number)) for number in range(2100)))
    assert len(events.created) == 2000
