"""The life of one run, where its start meets trouble."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from syncsource.controller import writing
from syncsource.controller.core.fleet import Fleet
from syncsource.controller.core.happening import Happening, ObjectDeleted, ObjectSeen, Start, Stopping
from syncsource.controller.core.observed import Ref, observe
from syncsource.controller.kube.failures import ApiError, Away, Gone, Rejected
from syncsource.controller.starting import Runs
from syncsource.controller.writing import StatusWriter
from syncsource.engine.plan import Outcome, Progress, RunPlan
from syncsource.resource.status import SyncSourceStatus
from syncsource.resource.syncrun import SyncRunSpec
from tests.unit.controller.test_writing import FakeApi
from tests.unit.controller.world import EVERY, START, World


class OneShot:
    """A runner of runs that succeed."""

    slots = 1

    def __init__(self) -> None:
        self.plans: list[RunPlan] = []

    async def start(self) -> None: ...

    async def run(self, plan: RunPlan, progress: Callable[[Progress], None]) -> Outcome:
        self.plans.append(plan)
        progress(Progress(read=1, pages=1, phase="Reading"))
        return Outcome(run=plan.run, result="Succeeded")

    async def verify(self, plan: RunPlan) -> Outcome:
        raise AssertionError("nothing was to be verified")

    async def act(self, plan: RunPlan, asked: SyncRunSpec) -> Outcome:
        raise AssertionError("nothing was to be done for a SyncRun")

    async def settle(self, plan: RunPlan) -> Outcome:
        raise AssertionError("nothing was left behind")

    def cancel(self, run: str) -> None: ...

    async def stop(self, grace: float) -> None: ...


class RunApi(FakeApi):
    """Besides: a Secret, and answers that get lost after a write was taken."""

    lost_answers = 0
    before_answer: Callable[[], None] = staticmethod(lambda: None)

    async def write_status(self, ref: Ref, packed: bytes, version: str) -> str:
        written = await super().write_status(ref, packed, version)
        self.before_answer()
        if self.lost_answers:
            self.lost_answers -= 1
            raise Away("the answer got lost")
        return written

    async def secret(self, namespace: str, name: str) -> dict[str, str]:
        self._fail()
        return {"url": "sqlite://"}


class Stand:
    """One source that is due at once, and all that its run meets."""

    def __init__(self) -> None:
        world = World()
        world.create("a", schedule=EVERY)
        self.api = RunApi(world.objects["a"])
        self.runner = OneShot()
        self.fleet = Fleet(slots=1, new_id=lambda now: "run1")
        writer = StatusWriter(self.api, self.fleet.source, self.feed)
        self.runs = Runs(
            api=self.api, runner=self.runner, writer=writer, fleet=self.fleet, feed=self.feed, clock=lambda: START, cluster="c"
        )
        self.starts: list[Start] = []
        self.feed(ObjectSeen(observe(self.api.held)))

    def feed(self, happening: Happening) -> None:
        self.starts += [decision for decision in self.fleet.on(happening, START) if isinstance(decision, Start)]

    async def live(self) -> None:
        await self.runs.live(self.starts[0])

    @property
    def status(self) -> SyncSourceStatus:
        source = self.fleet.source("default/a")
        assert source is not None
        return source.status


@pytest.fixture
def stand(monkeypatch: pytest.MonkeyPatch) -> Stand:
    monkeypatch.setattr(writing, "Backoffs", lambda: [0.0] * 100)
    return Stand()


def results(stand: Stand) -> list[tuple[str, str]]:
    return [(entry.result, entry.reason) for entry in stand.status.history]


async def test_all_is_well(stand: Stand) -> None:
    await stand.live()
    assert [plan.run for plan in stand.runner.plans] == ["run1"]
    assert results(stand) == [("Succeeded", "Succeeded")]
    assert stand.api.written[0]["currentRun"]["id"] == "run1"


@pytest.mark.parametrize("failures", [[Away("x")] * 3, [Away("x"), Away("x")]])
async def test_it_waits_for_the_api_server(stand: Stand, failures: list[ApiError]) -> None:
    stand.api.failures = failures
    await stand.live()
    assert results(stand) == [("Succeeded", "Succeeded")]


async def test_a_start_that_was_taken_though_its_answer_got_lost_is_one(stand: Stand) -> None:
    stand.api.lost_answers = 1
    await stand.live()
    assert len(stand.runner.plans) == 1
    assert len(stand.api.written) == 1
    assert results(stand) == [("Succeeded", "Succeeded")]


async def test_an_object_that_changed_is_decided_upon_anew(stand: Stand) -> None:
    stand.api.held["metadata"]["resourceVersion"] = "99"
    stand.api.held["spec"]["suspend"] = True
    stand.api.held["metadata"]["generation"] = 2
    await stand.live()
    assert stand.runner.plans == []
    assert len(stand.starts) == 1
    assert stand.status.history == []


async def test_a_run_never_starts_for_an_object_that_is_gone(stand: Stand) -> None:
    stand.api.held["metadata"]["resourceVersion"] = "99"

    async def gone(ref: Ref) -> Any:
        raise Gone("404")

    stand.api.object = gone  # type: ignore[method-assign]
    await stand.live()
    assert stand.runner.plans == []
    assert list(stand.fleet.sources) == []


async def test_a_run_that_is_called_off_while_its_start_is_written_never_runs(stand: Stand) -> None:
    stand.api.before_answer = lambda: stand.feed(Stopping())
    await stand.live()
    assert stand.runner.plans == []
    assert results(stand) == [("Interrupted", "OperatorStopped")]


async def test_an_object_that_is_deleted_while_its_start_is_written_does_not_run(stand: Stand) -> None:
    stand.api.before_answer = lambda: stand.feed(ObjectDeleted(observe(stand.api.held).ref))
    await stand.live()
    assert stand.runner.plans == []


async def test_a_status_that_is_refused_is_a_failure_with_backoff(stand: Stand) -> None:
    async def refuse(ref: Ref, packed: bytes, version: str) -> str:
        raise Rejected("not valid", 422)

    stand.api.write_status = refuse  # type: ignore[method-assign]
    await stand.live()
    assert results(stand) == [("Failed", "StatusRejected")]
    assert stand.status.next_retry_time is not None
