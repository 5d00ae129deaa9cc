"""What a Job needs next, whatever its Pods do and wherever the controller stops: counts are exact, and no Pod is made too many."""

from __future__ import annotations

import copy
import datetime as dt
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from syncsource.localplane.node import jobplan, jobpods

Object = dict[str, Any]
NOW = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)


class World:
    """A Job, its Pods, and what has become of those that are gone."""

    def __init__(self, spec: Object) -> None:
        self.job: Object = {
            "metadata": {"name": "j", "uid": "u", "namespace": "n"},
            "spec": {"template": {"spec": {"containers": []}}, **spec},
        }
        self.pods: list[Object] = []
        self.vanished: dict[str, str] = {}
        self.ends = {"Succeeded": 0, "Failed": 0}
        self.made = 0

    @property
    def status(self) -> Object:
        return self.job.get("status") or {}

    def end(self, phase: str, at: int) -> None:
        """A Pod that still runs ends."""
        running = [pod for pod in self.pods if not jobpods.has_ended(pod)]
        if running:
            running[at % len(running)]["status"] = {"phase": phase}
            self.ends[phase] += 1

    def delete(self, at: int) -> None:
        """Somebody deletes a Pod by force; one that still ran has failed."""
        if not self.pods:
            return
        pod = self.pods.pop(at % len(self.pods))
        if not jobpods.has_ended(pod):
            self.ends["Failed"] += 1
        if not jobpods.is_counted(pod):
            self.vanished[pod["metadata"]["uid"]] = "succeeded" if jobpods.phase(pod) == "Succeeded" else "failed"

    def look(self, steps: int) -> None:
        """The controller looks, and stops after so many of its steps: 4 is all of them."""
        if jobplan.finished(self.job):
            return
        pods, vanished = copy.deepcopy(self.pods), dict(self.vanished)
        listed = jobplan.uncounted(self.job, pods, vanished)
        if steps < 1:
            return
        self.job["status"] = {**self.status, "uncountedTerminatedPods": listed}
        self.vanished.clear()
        job = copy.deepcopy(self.job)
        if steps < 2:
            return
        ended = {uid for uids in listed.values() for uid in uids}
        for pod in self.pods:
            if pod["metadata"]["uid"] in ended:
                pod["metadata"]["annotations"][jobpods.COUNTED] = "true"
        if steps < 3:
            return
        made = jobplan.plan(job, pods, NOW, 0.0)
        leaving = {pod["metadata"]["uid"] for pod in made.delete}
        assert not made.set_aside
        for pod in self.pods:
            if pod["metadata"]["uid"] in leaving:
                pod["status"] = {"phase": "Failed"}
                self.ends["Failed"] += 1
        self.job["status"] = made.status
        if steps >= 4:
            self.pods += [self._pod(index) for index in made.indexes]

    def _pod(self, index: int | None) -> Object:
        pod = jobpods.new_pod(self.job, index)
        self.made += 1
        pod["metadata"] |= {"uid": f"p{self.made}", "creationTimestamp": "2026-01-01T00:00:00Z"}
        return pod


SPECS = st.fixed_dictionaries(
    {
        "completions": st.integers(1, 6),
        "parallelism": st.integers(1, 4),
        "backoffLimit": st.integers(0, 3),
        "completionMode": st.sampled_from(["NonIndexed", "Indexed"]),
    }
)
EVENTS = st.one_of(
    st.tuples(st.just("end"), st.sampled_from(["Succeeded", "Failed"]), st.integers(0, 9)),
    st.tuples(st.just("delete"), st.integers(0, 9)),
    st.tuples(st.just("look"), st.integers(0, 4)),
)


@settings(max_examples=60, deadline=None)
@given(SPECS, st.lists(EVENTS, max_size=40))
def test_counts_are_exact_wherever_the_controller_stops(spec: Object, events: list[tuple[Any, ...]]) -> None:
    world = World(spec)
    for name, *arguments in [*events, ("look", 4)]:
        if jobplan.finished(world.job):
            break
        getattr(world, name)(*arguments)
        active = [pod for pod in world.pods if jobpods.is_active(pod)]
        assert len(active) <= spec["parallelism"]
        assert world.status.get("succeeded", 0) <= spec["completions"]
    for _ in range(40):
        if jobplan.finished(world.job):
            break
        world.end("Succeeded", 0)
        world.look(4)
    assert jobplan.finished(world.job)
    assert world.status.get("failed", 0) == world.ends["Failed"]
    if spec["completionMode"] == "NonIndexed":
        assert world.status.get("succeeded", 0) == world.ends["Succeeded"]
    complete = jobplan.condition(world.status, jobplan.COMPLETE)
    assert bool(complete) == (world.status.get("succeeded", 0) == spec["completions"])
