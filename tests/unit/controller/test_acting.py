"""The life of one SyncRun, where its beginning and its end meet trouble."""

from __future__ import annotations

import asyncio
import copy
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from syncsource.controller import writing
from syncsource.controller.acting import Actions
from syncsource.controller.core.asked import SeenRun, observe_run
from syncsource.controller.core.fleet import Fleet
from syncsource.controller.core.happening import Act, Happening, ObjectSeen, RunDeleted, RunSeen, SettleAction, Stopping
from syncsource.controller.core.observed import Observed, Ref, observe
from syncsource.controller.core.packed import unpack
from syncsource.controller.kube.failures import ApiError, Away, Conflict, Gone, Rejected
from syncsource.controller.writing import RunStatusWriter
from syncsource.engine.plan import WORKER_DIED, Outcome, RunPlan
from syncsource.resource.runstatus import SyncRunStatus
from syncsource.resource.syncrun import SyncRunSpec
from tests.unit.controller.runworld import RunWorld
from tests.unit.controller.test_starting import OneShot
from tests.unit.controller.world import START

DONE = Outcome(run="run1", result="Succeeded", message="done")


class Doer(OneShot):
    """Actions end as told; until then they wait, where the test holds them."""

    def __init__(self) -> None:
        super().__init__()
        self.outcome = DONE
        self.settled: list[RunPlan] = []
        self.went_on = asyncio.Event()
        self.went_on.set()
        self.began = asyncio.Event()

    async def act(self, plan: RunPlan, asked: SyncRunSpec) -> Outcome:
        self.plans.append(plan)
        self.began.set()
        await self.went_on.wait()
        return self.outcome

    async def settle(self, plan: RunPlan) -> Outcome:
        self.settled.append(plan)
        return self.outcome


class FakeApi:
    """One SyncRun; fails as told before it answers, or after it wrote."""

    def __init__(self, held: dict[str, Any]) -> None:
        self.held: dict[str, Any] | None = held
        self.failures: list[ApiError] = []
        self.lost_answers = 0
        self.before_answer: Callable[[], None] = lambda: None
        self.deleted: list[str] = []

    async def object(self, ref: Ref) -> SeenRun:
        self._fail()
        if self.held is None:
            raise Gone("it is gone")
        return observe_run(copy.deepcopy(self.held))

    async def named(self, namespace: str, name: str) -> Observed:
        raise Gone("there is none")

    async def write_status(self, ref: Ref, packed: bytes, version: str) -> str:
        self._fail()
        if self.held is None:
            raise Gone("it is gone")
        if version != self.held["metadata"]["resourceVersion"]:
            raise Conflict("it changed")
        self.write(unpack(packed))
        self.before_answer()
        if self.lost_answers:
            self.lost_answers -= 1
            raise Away("the answer got lost")
        return str(self.held["metadata"]["resourceVersion"])

    def write(self, status: dict[str, Any]) -> None:
        assert self.held is not None
        self.held["status"] = status
        self.held["metadata"]["resourceVersion"] = str(int(self.held["metadata"]["resourceVersion"]) + 1)

    async def delete(self, ref: Ref) -> None:
        self._fail()
        self.deleted.append(ref.name)

    def _fail(self) -> None:
        if self.failures:
            raise self.failures.pop(0)


class Stand:
    """One source, one SyncRun whose turn it is, and all that it meets."""

    def __init__(self, action: str = "Undo", status: dict[str, Any] | None = None) -> None:
        world = RunWorld()
        world.create("a")
        world.ask("u", action)
        world.runs["u"]["status"] = status or {}
        self.api, self.runner = FakeApi(world.runs["u"]), Doer()
        self.fleet = Fleet(slots=1, new_id=lambda now: "run1")
        self.secrets: list[ApiError] = []
        self.acts: list[Act] = []
        self.left: list[SettleAction] = []
        self.actions = Actions(
            api=self.api,
            read=self.secret,
            runner=self.runner,
            writer=RunStatusWriter(self.api, self.fleet.asking.get, self.feed),
            fleet=self.fleet,
            feed=self.feed,
            clock=lambda: START,
            cluster="c",
            deleting=asyncio.Semaphore(1),
        )
        self.feed(ObjectSeen(observe(world.objects["a"])))
        self.feed(RunSeen(observe_run(copy.deepcopy(world.runs["u"]), listed=True)))

    async def secret(self, namespace: str, name: str) -> dict[str, str]:
        if self.secrets:
            raise self.secrets.pop(0)
        return {"url": "sqlite://"}

    def feed(self, happening: Happening) -> None:
        for decision in self.fleet.on(happening, START):
            if isinstance(decision, Act):
                self.acts.append(decision)
            if isinstance(decision, SettleAction):
                self.left.append(decision)

    async def live(self) -> None:
        await self.actions.live(self.acts[-1])

    @property
    def status(self) -> SyncRunStatus:
        asked = self.fleet.asking.get("default/u")
        assert asked is not None
        return asked.status

    @property
    def phase(self) -> tuple[str | None, str]:
        return self.status.phase, self.status.reason


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "Backoffs", lambda: [0.0] * 100)


async def test_all_is_well() -> None:
    stand = Stand()
    await stand.live()
    assert stand.phase == ("Succeeded", "Succeeded")
    assert [(plan.run, plan.trigger) for plan in stand.runner.plans] == [("run1", "Undo")]
    assert stand.api.held is not None
    assert stand.api.held["status"]["phase"] == "Running"
    assert not stand.fleet.is_busy("default/a")


@pytest.mark.parametrize("lost", [0, 1])
async def test_it_waits_for_the_api_server_and_begins_once(lost: int) -> None:
    stand = Stand()
    stand.api.failures, stand.api.lost_answers = [Away("x")] * 3, lost
    await stand.live()
    assert (stand.phase, len(stand.runner.plans)) == (("Succeeded", "Succeeded"), 1)


async def test_one_that_another_operator_took_first_is_left_to_it() -> None:
    stand = Stand()
    stand.api.write({"phase": "Running", "run": "theirs", "startedAt": START.isoformat()})
    await stand.live()
    assert (stand.runner.plans, stand.status.run, stand.fleet.is_busy("default/a")) == ([], "theirs", False)


async def test_one_that_is_gone_is_not_done() -> None:
    stand = Stand()
    stand.api.held = None
    await stand.live()
    assert (stand.runner.plans, stand.fleet.asking.get("default/u"), stand.fleet.is_busy("default/a")) == ([], None, False)


@pytest.mark.parametrize("action", ["Undo", "Sync"])
async def test_one_that_is_deleted_while_its_beginning_is_written_is_not_done(action: str) -> None:
    stand = Stand(action)
    stand.api.before_answer = lambda: stand.feed(RunDeleted(stand.acts[0].asked))
    await stand.live()
    assert (stand.runner.plans, stand.fleet.is_busy("default/a")) == ([], False)


async def test_a_secret_that_is_missing_is_told_without_a_beginning() -> None:
    stand = Stand()
    stand.secrets = [Gone("no such Secret")]
    await stand.live()
    assert (stand.phase, stand.status.started_at, stand.runner.plans) == (("Failed", "SecretNotFound"), None, [])


async def test_a_test_is_done_without_its_secrets() -> None:
    stand = Stand("TestConnection")
    stand.secrets = [Gone("no such Secret")]
    await stand.live()
    assert [plan.secrets for plan in stand.runner.plans] == [{"db": {}}]


async def test_a_status_that_is_refused_is_a_failure() -> None:
    stand = Stand()
    stand.api.failures = [Rejected("no such field", 422)]
    await stand.live()
    assert (stand.phase, stand.runner.plans) == (("Failed", "StatusRejected"), [])


async def test_a_fault_of_the_operator_is_told() -> None:
    stand = Stand()
    stand.api.before_answer = lambda: 1 // 0  # type: ignore[assignment,return-value]
    await stand.live()
    assert stand.phase == ("Failed", "InternalError")
    assert "ZeroDivisionError" in stand.status.message


@pytest.mark.parametrize(("action", "phase"), [("Undo", ("Running", "Running")), ("Verify", ("Failed", "Interrupted"))])
async def test_of_what_may_have_committed_the_next_operator_asks_the_ledger(action: str, phase: tuple[str, str]) -> None:
    """The worker is gone with the operator, which had no time to ask."""
    stand = Stand(action)
    stand.runner.went_on.clear()
    living = asyncio.create_task(stand.live())
    await stand.runner.began.wait()
    stand.feed(Stopping())
    stand.runner.outcome = Outcome(run="run1", result="Interrupted", reason=WORKER_DIED, message="gone")
    stand.runner.went_on.set()
    await living
    assert stand.phase == phase


@pytest.mark.parametrize(("action", "phase"), [("Undo", ("Running", "Running")), ("Verify", ("Failed", "Interrupted"))])
async def test_an_operator_that_waits_no_longer(action: str, phase: tuple[str, str]) -> None:
    stand = Stand(action)
    stand.runner.went_on.clear()
    living = asyncio.create_task(stand.live())
    await stand.runner.began.wait()
    stand.feed(Stopping())
    living.cancel()
    with pytest.raises(asyncio.CancelledError):
        await living
    assert stand.phase == phase


LEFT: dict[str, Any] = {"phase": "Running", "run": "old", "startedAt": START.isoformat()}


@pytest.mark.parametrize(
    ("outcome", "phase", "told"),
    [
        (Outcome(run="old", result="Succeeded", message="run r undone"), ("Succeeded", "Succeeded"), "run r undone"),
        (Outcome(run="old", result="Interrupted", message="the ledger knows"), ("Failed", "Interrupted"), "It is not done again by itself"),
        (
            Outcome(run="old", result="Interrupted", message="whether it had committed is not known, since"),
            ("Failed", "Interrupted"),
            "whether it was done is not known",
        ),
    ],
)
async def test_what_a_dead_operator_left_is_as_the_ledger_has_it(outcome: Outcome, phase: tuple[str, str], told: str) -> None:
    stand = Stand(status=LEFT)
    stand.runner.outcome = outcome
    await stand.actions.settle(stand.left[0])
    assert (stand.phase, told in stand.status.message) == (phase, True)
    assert [(plan.run, plan.trigger) for plan in stand.runner.settled] == [("old", "Undo")]
    assert (stand.runner.plans, stand.acts) == ([], [])


async def test_where_the_secret_is_gone_nobody_knows_what_became_of_it() -> None:
    stand = Stand(status=LEFT)
    stand.secrets = [Gone("no such Secret")]
    await stand.actions.settle(stand.left[0])
    assert (stand.phase, "whether it was done is not known" in stand.status.message) == (("Failed", "Interrupted"), True)


@pytest.mark.parametrize("failures", [[], [Away("x")], [Gone("x")], [Conflict("x")], [Rejected("x")]])
async def test_deleting_is_tried_until_there_is_an_answer(failures: list[ApiError]) -> None:
    stand = Stand()
    stand.api.failures = list(failures)
    await stand.actions.expire(stand.acts[0].asked)
    assert stand.api.deleted == ([] if failures and not isinstance(failures[0], Away) else ["u"])


def test_the_operator_that_hands_actions_on_does_not_load_what_does_them() -> None:
    """Its memory is that of one process for ten thousand SyncSources; workers have the engine."""
    look = "import sys, syncsource.controller, syncsource.runner.pool; print('syncsource.engine.executing' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True).stdout == "False\n"
