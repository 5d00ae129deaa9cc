"""Whatever happens in whatever order, the promises about runs, requests and writes hold."""

from __future__ import annotations

import os
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from syncsource.controller.core.happening import ObjectSeen
from syncsource.controller.core.observed import observe
from syncsource.resource.status import HISTORY_LENGTH
from tests.unit.controller.world import ACCURATE, CRON, EVERY, INTERRUPTED, MISMATCH, NO_SECRET, SUCCESS, TIMEOUT, UNAUTHORIZED, World

SLOTS = 2
names = st.sampled_from(["a", "b", "c"])
schedules = st.sampled_from([EVERY, CRON, {"cron": "H * * * *"}, {"every": "1s"}, {"cron": "61 * * * *"}, None])
outcomes = st.sampled_from([SUCCESS, TIMEOUT, {**TIMEOUT, "retry_after": 400.0}, MISMATCH, UNAUTHORIZED, NO_SECRET, INTERRUPTED])
verifications = st.sampled_from([{}, {"verify": {"every": "1m"}}, {"verify": {"every": "1d"}}])
fields = st.sampled_from([[{"name": "id", "type": "integer"}], [{"name": "id", "type": "text"}]])


def schedule_of(schedule: dict[str, str] | None) -> dict[str, Any]:
    return {"schedule": schedule} if schedule else {}


class Promises(RuleBasedStateMachine):
    """One operator at a time, which may die; watch events and writes that come late; people who do what they like."""

    @initialize()
    def begin(self) -> None:
        self.world = World(slots=SLOTS)
        self.tokens = 0
        self.suspended_tokens: set[tuple[str, str]] = set()

    # People

    @rule(name=names, schedule=schedules, suspend=st.booleans(), safety=verifications)
    def create(self, name: str, schedule: dict[str, str] | None, suspend: bool, safety: dict[str, Any]) -> None:
        if name not in self.world.objects:
            self.world.create(name, suspend=suspend, safety=safety, **schedule_of(schedule))

    @rule(name=names, safety=verifications)
    def edit_verify(self, name: str, safety: dict[str, Any]) -> None:
        if name in self.world.objects:
            self.world.edit(name, safety=safety)

    @rule(name=names)
    def request_verification(self, name: str) -> None:
        if name in self.world.objects:
            self.tokens += 1
            self.world.annotate(name, verify=f"t{self.tokens}")

    @rule(name=names, seen=st.booleans())
    def delete(self, name: str, seen: bool) -> None:
        if name in self.world.objects:
            self.world.delete(name, seen=seen)

    @rule(name=names, new=fields)
    def edit_fields(self, name: str, new: list[dict[str, str]]) -> None:
        if name in self.world.objects:
            self.world.edit(name, fields=new)

    @rule(name=names, schedule=schedules)
    def edit_schedule(self, name: str, schedule: dict[str, str] | None) -> None:
        if name in self.world.objects:
            self.world.edit(name, schedule=schedule)

    @rule(name=names, suspend=st.booleans())
    def suspend(self, name: str, suspend: bool) -> None:
        if name in self.world.objects:
            self.world.edit(name, suspend=suspend)

    @rule(name=names, full=st.booleans())
    def request(self, name: str, full: bool) -> None:
        if name in self.world.objects:
            self.tokens += 1
            self.world.annotate(name, requested=f"t{self.tokens}", full=f"t{self.tokens}" if full else None)

    @rule(name=names)
    def request_while_suspended(self, name: str) -> None:
        if name not in self.world.objects:
            return
        self.world.edit(name, suspend=True)
        self.world.settle()
        self.tokens += 1
        self.suspended_tokens.add((self.world.objects[name]["metadata"]["uid"], f"t{self.tokens}"))
        self.world.annotate(name, requested=f"t{self.tokens}")
        self.world.settle()
        status = self.world.status(name)
        assert status.last_handled_request_at == f"t{self.tokens}"
        assert status.history[0].result == "Refused"
        assert self.world.events[-1].reason == "Suspended"

    @rule(listed=st.booleans())
    def secret(self, listed: bool) -> None:
        self.world.secret(listed=listed)

    # The world

    @precondition(lambda self: self.world.watch)
    @rule()
    def deliver(self) -> None:
        self.world.deliver()

    @precondition(lambda self: self.world.starting)
    @rule(data=st.data())
    def start(self, data: st.DataObject) -> None:
        self.world.begin(data.draw(st.sampled_from(sorted(self.world.starting))))

    @precondition(lambda self: self.world.starting)
    @rule(data=st.data())
    def fail_to_start(self, data: st.DataObject) -> None:
        self.world.fail_start(data.draw(st.sampled_from(sorted(self.world.starting))), NO_SECRET)

    @precondition(lambda self: self.world.dirty)
    @rule(data=st.data())
    def write(self, data: st.DataObject) -> None:
        self.world.write(data.draw(st.sampled_from(sorted(self.world.dirty))))

    @precondition(lambda self: self.world.running)
    @rule(data=st.data(), outcome=outcomes)
    def end(self, data: st.DataObject, outcome: dict[str, Any]) -> None:
        self.world.end(data.draw(st.sampled_from(sorted(self.world.running))), outcome)

    @precondition(lambda self: self.world.verifying)
    @rule(data=st.data(), outcome=st.sampled_from([ACCURATE, TIMEOUT, MISMATCH, NO_SECRET, INTERRUPTED]))
    def end_verification(self, data: st.DataObject, outcome: dict[str, Any]) -> None:
        self.world.end_verification(data.draw(st.sampled_from(sorted(self.world.verifying))), outcome)

    @precondition(lambda self: self.world.left)
    @rule(data=st.data(), committed=st.booleans())
    def find_out(self, data: st.DataObject, committed: bool) -> None:
        self.world.find_out(data.draw(st.sampled_from(sorted(self.world.left))), SUCCESS if committed else INTERRUPTED)

    @rule(seconds=st.sampled_from([0.3, 1, 14, 16, 31, 301, 3601, 90000]))
    def pass_time(self, seconds: float) -> None:
        self.world.wait(seconds=seconds)

    @rule()
    def settle(self) -> None:
        self.world.settle()

    @rule()
    def die(self) -> None:
        self.world.restart()

    # Promises

    @invariant()
    def at_most_one_run_each_and_no_more_than_slots(self) -> None:
        world = self.world
        under_way = Counter(one.ref.key for one in [*world.running.values(), *world.starting.values(), *world.verifying.values()])
        assert all(number == 1 for number in under_way.values())
        assert sum(under_way.values()) <= SLOTS

    @invariant()
    def a_request_starts_one_run(self) -> None:
        taken = [
            (start.ref.uid, start.run.requests.run, start.run.full) for _, start in self.world.started if start.run.trigger == "Request"
        ]
        assert max(Counter(taken).values(), default=1) == 1

    @invariant()
    def a_refused_request_never_runs(self) -> None:
        taken = {(start.ref.uid, start.run.requests.run) for _, start in self.world.started if start.run.trigger == "Request"}
        assert not taken & self.suspended_tokens

    @invariant()
    def history_is_short_and_names_each_run_once(self) -> None:
        for name in self.world.objects:
            ids = [entry.id for entry in self.world.status(name).history]
            assert len(ids) == len(set(ids)) <= HISTORY_LENGTH

    def teardown(self) -> None:
        """All that was asked for is answered in the end; what is at rest is left alone; and it is what the status says."""
        if not hasattr(self, "world"):
            return
        self._finish()
        for name, held in self.world.objects.items():
            status = self.world.status(name)
            asked = held["metadata"]["annotations"].get("syncsource.dev/requestedAt")
            assert asked is None or status.last_handled_request_at == asked
            verify = held["metadata"]["annotations"].get("syncsource.dev/verifyRequestedAt")
            assert verify is None or status.last_handled_verify_at == verify
            assert status.observed_generation == held["metadata"]["generation"]
            assert status.current_run is None
        self._see_everything_again()

    def _finish(self) -> None:
        self.world.settle()
        for _ in range(50):
            if self.world.verifying:
                self.world.end_verification(min(self.world.verifying), ACCURATE)
            elif self.world.running:
                self.world.end(min(self.world.running), SUCCESS)
            else:
                break
            self.world.settle()
        busy = [name for name in self.world.objects if self.world.objects[name]["spec"].get("schedule") == {"every": "1s"}]
        assert not self.world.running or busy

    def _see_everything_again(self) -> None:
        writes, started = self.world.writes, len(self.world.started)
        for held in list(self.world.objects.values()):
            self.world.feed(ObjectSeen(observe(held)))
        assert not self.world.dirty
        assert (self.world.writes, len(self.world.started)) == (writes, started)


pytestmark = [pytest.mark.soak, pytest.mark.timeout(3600)]
SOAK = bool(os.environ.get("SYNCSOURCE_TEST_SOAK"))
TestPromises = Promises.TestCase
TestPromises.settings = settings(
    max_examples=600 if SOAK else 60,
    stateful_step_count=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
