"""The world with SyncRuns: what people ask for, what the operator does about it, and what a dead operator left."""

from __future__ import annotations

import copy
from typing import Any

from syncsource.controller.core.asked import observe_run
from syncsource.controller.core.happening import (
    Act,
    ActionAbandoned,
    ActionBegan,
    ActionEnded,
    Expire,
    Find,
    Happening,
    ObjectSeen,
    RunDeleted,
    RunSeen,
    RunWritten,
    SettleAction,
    SourceMissing,
    WriteRun,
)
from syncsource.controller.core.observed import Ref, observe
from syncsource.controller.core.packed import unpack
from syncsource.engine.plan import Outcome
from syncsource.resource.runstatus import SyncRunStatus
from tests.unit.controller.world import World

DONE: dict[str, Any] = {"result": "Succeeded", "message": "done", "seconds": 1.0, "found": {"counts": {"updated": 2}}}
STOPPED: dict[str, Any] = {"result": "Interrupted", "reason": "Cancelled", "message": "the run was cancelled"}


class RunWorld(World):
    """Actions begin when all settles, and end when told to."""

    def __init__(self, slots: int = 2) -> None:
        self.runs: dict[str, dict[str, Any]] = {}
        self.expired: list[str] = []
        self.run_writes = 0
        super().__init__(slots)

    def restart(self) -> None:
        self.to_begin: dict[str, Act] = {}
        self.acting: dict[str, Act] = {}
        self.left_actions: dict[str, SettleAction] = {}
        self.dirty_runs: dict[str, Ref] = {}
        self.sought: list[Find] = []
        super().restart()
        self.watch += [RunSeen(observe_run(copy.deepcopy(manifest), listed=True)) for manifest in self.runs.values()]

    def feed(self, happening: Happening) -> None:
        decisions, fleet_on = [], self.fleet.on

        def kept(happened: Happening, now: Any) -> Any:
            decisions.extend(made := fleet_on(happened, now))
            return made

        self.fleet.on = kept  # type: ignore[method-assign]
        try:
            super().feed(happening)
        finally:
            self.fleet.on = fleet_on  # type: ignore[method-assign]
        for decision in decisions:
            match decision:
                case Act(run=run):
                    self.to_begin[run] = decision
                case SettleAction(run=run):
                    self.left_actions[run] = decision
                case WriteRun(ref=ref):
                    self.dirty_runs[ref.key] = ref
                case Find():
                    self.sought.append(decision)
                case Expire(ref=ref):
                    self.expired.append(ref.name)
                    self.delete_run(ref.name)

    # People

    def ask(self, name: str, action: str, source: str = "a", **more: Any) -> None:
        """Somebody creates a SyncRun."""
        metadata = {
            "name": name,
            "namespace": "default",
            "uid": f"uid-{next(self._ids)}",
            "generation": 1,
            "creationTimestamp": self.now.isoformat(),
        }
        self.runs[name] = {"metadata": metadata, "spec": {"source": source, "action": action, "ttl": "1h", **more}}
        self._run_changed(name)

    def delete_run(self, name: str) -> None:
        """Somebody deletes a SyncRun."""
        self.watch.append(RunDeleted(observe_run(self.runs.pop(name)).ref))

    def put_run_status(self, name: str, **status: Any) -> None:
        """Another operator writes the status."""
        self.runs[name]["status"] = status
        self._run_changed(name)

    def _run_changed(self, name: str) -> None:
        self.runs[name]["metadata"]["resourceVersion"] = str(next(self._versions))
        self.watch.append(RunSeen(observe_run(copy.deepcopy(self.runs[name]))))

    # The operator

    def begin_action(self, run: str) -> None:
        """Its beginning is written, or it is abandoned."""
        act = self.to_begin.pop(run)
        key, source = act.asked.key, act.source.key
        asked, packed = self.fleet.asking.get(key), self.fleet.asking.under_way.begun_status(key, run, self.now)
        version = self._patch_run(act.asked, packed, asked.version) if packed and asked else ""
        if not version or packed is None:
            self.feed(ActionAbandoned(asked=key, source=source, run=run))
            return
        asked = self.fleet.asking.get(key)
        if asked is not None and not asked.is_run:
            self.acting[run] = act
        self.feed(ActionBegan(asked=key, source=source, run=run, packed=packed, version=version))

    def end_action(self, outcome: dict[str, Any], run: str = "") -> None:
        """That action ends so, or the one that is under way, and all that follows happens."""
        act = self.acting.pop(run or next(iter(self.acting)))
        self.feed(ActionEnded(asked=act.asked.key, source=act.source.key, run=act.run, outcome=Outcome(run=act.run, **outcome)))
        self.settle()

    def find_out_action(self, outcome: dict[str, Any]) -> None:
        """The ledger tells what became of the action that a dead operator left."""
        (run,) = self.left_actions
        left = self.left_actions.pop(run)
        self.feed(ActionEnded(asked=left.asked.key, source=left.source.key, run=run, outcome=Outcome(run=run, **outcome)))
        self.settle()

    def _patch_run(self, ref: Ref, packed: bytes, version: str) -> str:
        held = self.runs.get(ref.name)
        if held is None or held["metadata"]["uid"] != ref.uid:
            self.feed(RunDeleted(ref))
            return ""
        if held["metadata"]["resourceVersion"] != version:
            self.feed(RunSeen(observe_run(copy.deepcopy(held))))
            return ""
        self.run_writes += 1
        held["status"] = unpack(packed)
        self._run_changed(ref.name)
        return str(held["metadata"]["resourceVersion"])

    def _write_run(self, key: str) -> None:
        ref = self.dirty_runs.pop(key)
        asked = self.fleet.asking.get(key)
        if asked is None or not asked.dirty or asked.starting or asked.ref != ref:
            return
        packed = asked.packed_status
        version = self._patch_run(ref, packed, asked.version)
        if version:
            self.feed(RunWritten(ref=ref, packed=packed, version=version))
        elif self.fleet.asking.get(key) is not None:
            self.dirty_runs[key] = ref

    def _seek(self, sought: Find) -> None:
        held = self.objects.get(sought.name)
        found = ObjectSeen(observe(copy.deepcopy(held))) if held else SourceMissing(f"{sought.namespace}/{sought.name}")
        self.feed(found)

    def settle(self) -> None:
        super().settle()
        while self.to_begin or self.dirty_runs or self.sought:
            for run in list(self.to_begin):
                self.begin_action(run)
            for key in list(self.dirty_runs):
                self._write_run(key)
            while self.sought:
                self._seek(self.sought.pop(0))
            super().settle()

    def settle_until_a_run_starts(self) -> None:
        """What leads to a run of a source happens; the run's start is not yet written."""
        while not self.starting:
            if self.watch:
                self.deliver()
            for run in list(self.to_begin):
                self.begin_action(run)

    # What tests look at

    def told_run(self, name: str) -> SyncRunStatus:
        """The SyncRun's status at the API server."""
        return SyncRunStatus.model_validate(self.runs[name].get("status") or {})

    def phase(self, name: str) -> tuple[str | None, str]:
        """Its phase and reason."""
        status = self.told_run(name)
        return status.phase, status.reason

    @property
    def under_way(self) -> list[str]:
        """Names of the SyncRuns whose actions are under way, in the order in which they began."""
        return [act.asked.name for act in self.acting.values()]
