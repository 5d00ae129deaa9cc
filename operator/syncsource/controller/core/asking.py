"""SyncRuns: whose turn it is, which are refused, what becomes of them. The rules of runs are the fleet's, which asks here what to begin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from syncsource.controller.core import askedstatus, messages
from syncsource.controller.core.agenda import PATIENCE
from syncsource.controller.core.asked import Asked, SeenRun, Stage, acknowledged_run, asked_of, pack_run_status, refreshed_run
from syncsource.controller.core.askedlist import AskedList
from syncsource.controller.core.due import UNWANTED
from syncsource.controller.core.happening import (
    Act,
    ActionAbandoned,
    ActionBegan,
    ActionEnded,
    Cancel,
    Decision,
    Expire,
    Find,
    RunDeleted,
    RunSeen,
    RunsKnown,
    RunWritten,
    SettleAction,
    SourceMissing,
    WriteRun,
)
from syncsource.controller.core.judging import announced, counted, left_behind, refusal
from syncsource.controller.core.observed import Ref
from syncsource.controller.core.slots import Slots
from syncsource.controller.core.source import Source
from syncsource.controller.core.takeover import MARGIN
from syncsource.controller.core.versions import older
from syncsource.engine.plan import Outcome
from syncsource.engine.recording import recorded
from syncsource.resource import conditions, runstatus

LOOKED_FOR = timedelta(seconds=5)
"""After so much time a SyncSource that nobody has seen is looked for: it may come with its SyncRun, or be listed after it."""

Happened = RunSeen | RunsKnown | RunDeleted | RunWritten | SourceMissing | ActionBegan | ActionAbandoned | ActionEnded


class Asking:
    """Of one fleet. ``new_id``: a new run's id at a time; ids sort as their times do."""

    def __init__(self, fleet: Slots, new_id: Callable[[datetime], str]) -> None:
        self._fleet = fleet
        self._new_id = new_id
        self._list = AskedList()
        self._untold: set[str] = set()
        """Keys of those that were seen and may have to wait."""
        self._held = self._stopping = False

    def hold(self) -> None:
        """Nothing begins before :class:`RunsKnown`: which is the first is known when all were seen."""
        self._held = True

    @property
    def is_stopping(self) -> bool:
        """Whether the operator stops."""
        return self._stopping

    @property
    def next_wake(self) -> datetime | None:
        """When to call :meth:`look`."""
        return self._list.next_wake

    @property
    def refs(self) -> list[Ref]:
        """All that are known."""
        return [asked.ref for asked in self._list.all]

    def get(self, key: str) -> Asked | None:
        """The SyncRun of that ``namespace/name``, if known."""
        return self._list.get(key)

    def first(self, source: str) -> str:
        """Key of the SyncRun whose turn it is with that source; empty: there is none."""
        found = None if self._stopping or self._held else self._list.first(source)
        return found.ref.key if found is not None else ""

    def on(self, happened: Happened, now: datetime) -> list[Decision]:
        """What to do now that this happened."""
        match happened:
            case RunSeen(seen):
                return self._see(seen, now)
            case RunsKnown():
                self._held = False
                return [decision for key in list(self._list.sources) for decision in self._fleet.replan(key, now)]
            case RunDeleted(ref):
                return self._delete(ref, now)
            case RunWritten(ref=ref, packed=packed, version=version):
                return self._written(ref, packed, version)
            case SourceMissing(key):
                return self._missing(key, now)
            case ActionBegan():
                return self._begun(happened, now)
            case ActionAbandoned():
                return self._abandoned(happened, now)
            case ActionEnded():
                return self._ended(happened, now)

    # SyncRuns

    def _see(self, seen: SeenRun, now: datetime) -> list[Decision]:
        old, replaced = self._list.get(seen.ref.key), list[Decision]()
        if old is not None and old.ref.uid != seen.ref.uid:
            replaced, old = self._delete(old.ref, now), None
        if old is not None and older(seen.version, than=old.version):
            return []
        asked = asked_of(seen) if old is None else refreshed_run(old, seen)
        self._list.put(asked)
        if old is None or asked.stage is not old.stage:
            self._plan(asked, now)
        lost = old is not None and old.stage is Stage.TAKEN and asked.stage is not Stage.TAKEN
        stopped = self._fleet.cancel_run(asked, conditions.TAKEN_OVER) if lost else []
        judged = self._judge(asked, self._fleet.source(asked.source), now)
        return [*replaced, *stopped, *judged, *self._fleet.replan(asked.source, now)]

    def _plan(self, asked: Asked, now: datetime) -> None:
        """When to look at it again, as it is now."""
        key = asked.ref.key
        if asked.expires is not None:
            self._list.wake(key, max(asked.expires, now))
        elif asked.stage is Stage.ELSEWHERE:
            self._list.wake(key, self._presumed_over(asked))
        elif asked.stage in (Stage.WAITING, Stage.LEFT):
            self._untold.add(key)
            if self._fleet.source(asked.source) is None:
                self._list.wake(key, now + LOOKED_FOR)

    def _presumed_over(self, asked: Asked) -> datetime:
        """When what another operator does must have ended, had that operator lived."""
        source = self._fleet.source(asked.source)
        longest = source.intent.timeout if source is not None else timedelta(minutes=10)
        return (asked.status.started_at or asked.order[0]) + longest + MARGIN

    def _delete(self, ref: Ref, now: datetime) -> list[Decision]:
        asked = self._list.of_ref(ref)
        if asked is None:
            return []
        self._list.drop(asked)
        if asked.stage is Stage.TAKEN:
            return self._fleet.cancel_run(asked, UNWANTED)
        return self._fleet.replan(asked.source, now)

    def _written(self, ref: Ref, packed: bytes, version: str) -> list[Decision]:
        asked = self._list.of_ref(ref)
        if asked is not None:
            self._list.put(acknowledged_run(asked, packed, version))
        return []

    def look(self, now: datetime) -> list[Decision]:
        """What to do where time has passed."""
        return [decision for asked in list(self._list.woken(now)) for decision in self._look(asked, now)]

    def _look(self, asked: Asked, now: datetime) -> list[Decision]:
        if asked.expires is not None and asked.expires <= now:
            if not asked.dirty:
                return [Expire(ref=asked.ref)]
            self._list.wake(asked.ref.key, now + PATIENCE)
        if asked.stage is Stage.ELSEWHERE and self._presumed_over(asked) <= now:
            self._wait_again(replace(asked, stage=Stage.LEFT), now)
            return self.judge(asked.source, now)
        if asked.stage in (Stage.WAITING, Stage.LEFT) and self._fleet.source(asked.source) is None:
            namespace, _, name = asked.source.partition("/")
            return [Find(namespace=namespace, name=name)]
        return []

    def tell(self, now: datetime) -> list[Decision]:
        """Status tells of those that must wait, once what can begin has."""
        decisions: list[Decision] = []
        for key in () if self._held else self._untold:
            asked = self._list.get(key)
            if asked is None or asked.stage is not Stage.WAITING:
                continue
            if asked.status.phase is None:
                asked = asked.holding(askedstatus.pending(asked, self._waits_for(asked), now))
                self._list.put(asked)
            decisions += [WriteRun(ref=asked.ref)] if asked.dirty else []
        if not self._held:
            self._untold.clear()
        return decisions

    def _waits_for(self, asked: Asked) -> str:
        source = self._fleet.source(asked.source)
        if source is None:
            return runstatus.WAITING_FOR_SOURCE
        if self._list.head(asked.source) != asked:
            return runstatus.WAITING_FOR_TURN
        if self._fleet.is_busy(asked.source) or source.status.current_run is not None:
            return runstatus.WAITING_FOR_RUN
        return conditions.WAITING_FOR_SLOT

    # Sources

    def judge(self, key: str, now: datetime) -> list[Decision]:
        """The source or one of its SyncRuns is not as it was: which are refused, and which can be settled."""
        waiting, source = self._list.of(key), self._fleet.source(key)
        if not waiting:
            return []
        judged = [decision for asked in waiting for decision in self._judge(asked, source, now)]
        return [*judged, *self._fleet.replan(key, now)]

    def _judge(self, asked: Asked, source: Source | None, now: datetime) -> list[Decision]:
        if asked.stage is Stage.LEFT and source is not None:
            return self._settle(asked, source, now)
        if asked.stage is Stage.WAITING and (no := refusal(asked, source)) is not None:
            return self._over(asked, no, now)
        return []

    def _missing(self, key: str, now: datetime) -> list[Decision]:
        if self._fleet.source(key) is not None:
            return []
        decisions: list[Decision] = []
        for asked in self._list.of(key):
            told = messages.NO_SOURCE.format(key.partition("/")[2])
            if asked.stage is Stage.WAITING:
                decisions += self._over(asked, askedstatus.refused(asked, runstatus.SOURCE_NOT_FOUND, told), now)
            elif asked.stage is Stage.LEFT:
                decisions += self._over(asked, left_behind(asked), now)
        return decisions

    def source_deleted(self, key: str, now: datetime) -> list[Decision]:
        """What is done with the source is stopped; what waits is refused, unless it comes back at once."""
        decisions: list[Decision] = []
        for asked in self._list.of(key):
            if asked.stage is Stage.TAKEN:
                decisions += self._cancel(asked, runstatus.SOURCE_NOT_FOUND)
            elif asked.stage is Stage.WAITING:
                self._list.wake(asked.ref.key, now + LOOKED_FOR)
        return decisions

    def _settle(self, asked: Asked, source: Source, now: datetime) -> list[Decision]:
        """What a gone operator left: of a run the source knows, of other actions the ledger, if at all."""
        run = asked.status.run or ""
        asked = replace(asked, run=run, claimed=True)
        if asked.is_run:
            return self._settle_run(asked, source, now)
        if asked.spec is None or not run or not recorded(asked.spec) or source.intent.problem:
            return self._over(asked, left_behind(asked), now)
        self._list.put(replace(asked, stage=Stage.SETTLING))
        if not self._fleet.is_busy(source.ref.key):
            self._fleet.occupy(source.ref.key, run)
        return [SettleAction(asked=asked.ref, source=source.ref, run=run)]

    def _settle_run(self, asked: Asked, source: Source, now: datetime) -> list[Decision]:
        if source.run is not None and source.run.id == asked.run:
            self._list.put(replace(asked, stage=Stage.TAKEN))  # it is settled with its source
            return []
        entry = next((entry for entry in source.status.history if entry.id == asked.run), None)
        told = askedstatus.as_recorded(entry) if entry is not None else askedstatus.interrupted(asked, messages.ACTION_LEFT)
        return self._over(asked, told, now)

    # Beginning and ending

    def start(self, key: str, source: Source, now: datetime) -> Decision:
        """Its turn has come."""
        asked = self._list.get(key)
        assert asked is not None
        asked = replace(asked, stage=Stage.TAKEN, run=asked.run or self._new_id(now), cancelled="")
        self._list.put(asked)
        self._fleet.occupy(source.ref.key, asked.run)
        if asked.claimed:
            return self._fleet.start_run(asked, source, now)
        return Act(asked=asked.ref, source=source.ref, run=asked.run)

    def wanted(self, key: str, run: str) -> Asked | None:
        """The SyncRun that is to be done as that run, unless it is gone or was called off."""
        asked = self._list.get(key)
        mine = asked is not None and asked.stage is Stage.TAKEN and asked.run == run and not asked.cancelled
        return asked if mine and not self._stopping else None

    def begun_status(self, key: str, run: str, now: datetime) -> bytes | None:
        """The status to write for its beginning; None: it must not begin."""
        asked = self.wanted(key, run)
        source = self._fleet.source(asked.source) if asked is not None else None
        if asked is None or source is None or refusal(asked, source) is not None or source.status.current_run is not None:
            return None
        return pack_run_status(askedstatus.begun(asked, source.generation, now))

    def _begun(self, began: ActionBegan, now: datetime) -> list[Decision]:
        asked, source = self._list.get(began.asked), self._fleet.source(began.source)
        if asked is None or asked.run != began.run or asked.stage is not Stage.TAKEN:
            return self._fleet.release(began.source, began.run, now)
        asked = replace(acknowledged_run(asked, began.packed, began.version), packed_status=began.packed, claimed=True)
        self._list.put(asked)
        if not asked.is_run:
            return []
        if source is not None and not asked.cancelled and not self._stopping:
            return [self._fleet.start_run(asked, source, now)]
        return [
            *self._over(asked, askedstatus.interrupted(asked, messages.ACTION_LEFT), now),
            *self._fleet.release(began.source, began.run, now),
        ]

    def _abandoned(self, abandoned: ActionAbandoned, now: datetime) -> list[Decision]:
        asked = self._list.get(abandoned.asked)
        if asked is not None and asked.run == abandoned.run and asked.stage is Stage.TAKEN:
            self._wait_again(replace(asked, stage=Stage.WAITING, run=""), now)
        return [*self._fleet.release(abandoned.source, abandoned.run, now), *self.judge(abandoned.source, now)]

    def _ended(self, ended: ActionEnded, now: datetime) -> list[Decision]:
        asked, decisions = self._list.get(ended.asked), list[Decision]()
        source = self._fleet.source(ended.source)
        if asked is not None and asked.run == ended.run and asked.stage in (Stage.TAKEN, Stage.SETTLING):
            decisions = self._over(asked, ended.outcome, now)
            if source is not None:
                decisions += announced(asked, source, ended.outcome)
                self._fleet.count(ended.source, counted(asked, ended.outcome), now)
        return [*decisions, *self._fleet.release(ended.source, ended.run, now)]

    def run_ended(self, run: str, outcome: Outcome, now: datetime) -> list[Decision]:
        """The run of a source ended, whatever it was for."""
        asked = self._list.of_run(run)
        return self._over(asked, outcome, now) if asked is not None and asked.stage is Stage.TAKEN else []

    def run_abandoned(self, run: str, now: datetime) -> None:
        """The run of a source could not begin: it is begun anew, or refused."""
        asked = self._list.of_run(run)
        if asked is not None and asked.stage is Stage.TAKEN:
            self._wait_again(replace(asked, stage=Stage.WAITING), now)

    def _wait_again(self, asked: Asked, now: datetime) -> None:
        asked = replace(asked, cancelled="")
        self._list.put(asked)
        self._plan(asked, now)

    def _over(self, asked: Asked, outcome: Outcome, now: datetime) -> list[Decision]:
        if self._stopping and outcome.result == "Interrupted" and not asked.is_run:
            outcome = askedstatus.interrupted(asked, messages.OPERATOR_STOPPED)
        asked = replace(asked.holding(askedstatus.ended(asked, outcome, now)), stage=Stage.OVER)
        self._list.put(asked)
        self._plan(asked, now)
        return [WriteRun(ref=asked.ref)]

    def _cancel(self, asked: Asked, reason: str) -> list[Decision]:
        if asked.cancelled:
            return []
        self._list.put(replace(asked, cancelled=reason))
        return [Cancel(run=asked.run)]

    def stop(self) -> list[Decision]:
        """The operator stops: nothing begins, and actions stop where they can."""
        self._stopping = True
        return [Cancel(run=asked.run) for asked in self._list.all if asked.stage is Stage.TAKEN and not asked.is_run]
