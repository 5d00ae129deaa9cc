"""SyncRuns: whose turn it is, and which are refused. The rules of runs are the fleet's, which asks here what to begin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from syncsource.controller.core import askedstatus, messages
from syncsource.controller.core.agenda import PATIENCE
from syncsource.controller.core.asked import Asked, SeenRun, Stage, acknowledged_run, asked_of, refreshed_run
from syncsource.controller.core.askedlist import LOOKED_FOR, AskedList, presumed_over
from syncsource.controller.core.due import UNWANTED
from syncsource.controller.core.happening import (
    ActionAbandoned,
    ActionBegan,
    ActionEnded,
    Decision,
    Expire,
    Find,
    RunDeleted,
    RunSeen,
    RunsKnown,
    RunWritten,
    SourceMissing,
    WriteRun,
)
from syncsource.controller.core.judging import left_behind, refusal
from syncsource.controller.core.observed import Ref
from syncsource.controller.core.slots import Slots
from syncsource.controller.core.source import Source
from syncsource.controller.core.underway import UnderWay
from syncsource.controller.core.versions import older
from syncsource.resource import conditions, runstatus

Happened = RunSeen | RunsKnown | RunDeleted | RunWritten | SourceMissing | ActionBegan | ActionAbandoned | ActionEnded


class Asking:
    """Of one fleet. ``new_id``: a new run's id at a time; ids sort as their times do."""

    def __init__(self, fleet: Slots, new_id: Callable[[datetime], str]) -> None:
        self._fleet = fleet
        self._list = AskedList()
        self.under_way = UnderWay(self._list, fleet, new_id)
        """Those whose turn has come."""
        self._held = False

    def hold(self) -> None:
        """Nothing begins before :class:`RunsKnown`: which is the first is known when all were seen."""
        self._held = True

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
        found = None if self.under_way.is_stopping or self._held else self._list.first(source)
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
                return self.under_way.begun(happened, now)
            case ActionAbandoned(source=source):
                return [*self.under_way.abandoned(happened, now), *self.judge(source, now)]
            case ActionEnded():
                return self.under_way.ended(happened, now)

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
            self._list.plan(asked, self._fleet.source(asked.source), now)
        lost = old is not None and old.stage is Stage.TAKEN and asked.stage is not Stage.TAKEN
        stopped = self._fleet.cancel_run(asked, conditions.TAKEN_OVER) if lost else []
        judged = self._judge(asked, self._fleet.source(asked.source), now)
        return [*replaced, *stopped, *judged, *self._fleet.replan(asked.source, now)]

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
        if asked.stage is Stage.ELSEWHERE and presumed_over(asked, self._fleet.source(asked.source)) <= now:
            self.under_way.wait_again(replace(asked, stage=Stage.LEFT), now)
            return self.judge(asked.source, now)
        if asked.stage in (Stage.WAITING, Stage.LEFT) and self._fleet.source(asked.source) is None:
            namespace, _, name = asked.source.partition("/")
            return [Find(namespace=namespace, name=name)]
        return []

    def tell(self, now: datetime) -> list[Decision]:
        """Status tells of those that must wait, once what can begin has."""
        decisions: list[Decision] = []
        for asked in () if self._held else self._list.take_untold():
            if asked.status.phase is None:
                asked = asked.holding(askedstatus.pending(asked, self._waits_for(asked), now))
                self._list.put(asked)
            decisions += [WriteRun(ref=asked.ref)] if asked.dirty else []
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
            return self.under_way.settle(asked, source, now)
        if asked.stage is Stage.WAITING and (no := refusal(asked, source)) is not None:
            return self.under_way.over(asked, no, now)
        return []

    def _missing(self, key: str, now: datetime) -> list[Decision]:
        if self._fleet.source(key) is not None:
            return []
        decisions: list[Decision] = []
        for asked in self._list.of(key):
            told = messages.NO_SOURCE.format(key.partition("/")[2])
            if asked.stage is Stage.WAITING:
                decisions += self.under_way.over(asked, askedstatus.refused(asked, runstatus.SOURCE_NOT_FOUND, told), now)
            elif asked.stage is Stage.LEFT:
                decisions += self.under_way.over(asked, left_behind(asked), now)
        return decisions

    def source_deleted(self, key: str, now: datetime) -> list[Decision]:
        """What is done with the source is stopped; what waits is refused, unless it comes back at once."""
        decisions: list[Decision] = []
        for asked in self._list.of(key):
            if asked.stage is Stage.TAKEN:
                decisions += self.under_way.cancel(asked, runstatus.SOURCE_NOT_FOUND)
            elif asked.stage is Stage.WAITING:
                self._list.wake(asked.ref.key, now + LOOKED_FOR)
        return decisions
