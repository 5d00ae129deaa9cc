"""SyncRuns that are done here: they begin, are called off, end; and those that a gone operator left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from syncsource.controller.core import askedstatus, messages
from syncsource.controller.core.asked import Asked, Stage, acknowledged_run, pack_run_status
from syncsource.controller.core.askedlist import AskedList
from syncsource.controller.core.happening import (
    Act,
    ActionAbandoned,
    ActionBegan,
    ActionEnded,
    Cancel,
    Decision,
    SettleAction,
    WriteRun,
)
from syncsource.controller.core.judging import announced, counted, left_behind, refusal
from syncsource.controller.core.slots import Slots
from syncsource.controller.core.source import Source
from syncsource.engine.plan import Outcome
from syncsource.engine.recording import recorded


class UnderWay:
    """Of one fleet. ``asked``: its SyncRuns. ``new_id``: a new run's id at a time; ids sort as their times do."""

    def __init__(self, asked: AskedList, fleet: Slots, new_id: Callable[[datetime], str]) -> None:
        self._list = asked
        self._fleet = fleet
        self._new_id = new_id
        self._stopping = False

    @property
    def is_stopping(self) -> bool:
        """Whether the operator stops."""
        return self._stopping

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

    def begun(self, began: ActionBegan, now: datetime) -> list[Decision]:
        """Its beginning was written. A run of the source starts then, unless it was called off meanwhile."""
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
            *self.over(asked, askedstatus.interrupted(asked, messages.ACTION_LEFT), now),
            *self._fleet.release(began.source, began.run, now),
        ]

    def abandoned(self, abandoned: ActionAbandoned, now: datetime) -> list[Decision]:
        """It could not begin: it waits for its turn again."""
        asked = self._list.get(abandoned.asked)
        if asked is not None and asked.run == abandoned.run and asked.stage is Stage.TAKEN:
            self.wait_again(replace(asked, stage=Stage.WAITING, run=""), now)
        return self._fleet.release(abandoned.source, abandoned.run, now)

    def ended(self, ended: ActionEnded, now: datetime) -> list[Decision]:
        """An action ended, or it is known what became of it. Its slot is free, whoever it belongs to by now."""
        asked, decisions = self._list.get(ended.asked), list[Decision]()
        source = self._fleet.source(ended.source)
        if asked is not None and asked.run == ended.run and asked.stage in (Stage.TAKEN, Stage.SETTLING):
            decisions = self.over(asked, ended.outcome, now)
            if source is not None:
                decisions += announced(asked, source, ended.outcome)
                self._fleet.count(ended.source, counted(asked, ended.outcome), now)
        return [*decisions, *self._fleet.release(ended.source, ended.run, now)]

    def run_ended(self, run: str, outcome: Outcome, now: datetime) -> list[Decision]:
        """The run of a source ended, whatever it was for."""
        asked = self._list.of_run(run)
        return self.over(asked, outcome, now) if asked is not None and asked.stage is Stage.TAKEN else []

    def run_abandoned(self, run: str, now: datetime) -> None:
        """The run of a source could not begin: it is begun anew, or refused."""
        asked = self._list.of_run(run)
        if asked is not None and asked.stage is Stage.TAKEN:
            self.wait_again(replace(asked, stage=Stage.WAITING), now)

    def wait_again(self, asked: Asked, now: datetime) -> None:
        """It is kept as it is given, which is not under way any more."""
        asked = replace(asked, cancelled="")
        self._list.put(asked)
        self._list.plan(asked, self._fleet.source(asked.source), now)

    def over(self, asked: Asked, outcome: Outcome, now: datetime) -> list[Decision]:
        """It ends so, whether it was under way or refused."""
        if self._stopping and outcome.result == "Interrupted" and not asked.is_run:
            outcome = askedstatus.interrupted(asked, messages.OPERATOR_STOPPED)
        asked = replace(asked.holding(askedstatus.ended(asked, outcome, now)), stage=Stage.OVER)
        self._list.put(asked)
        self._list.plan(asked, self._fleet.source(asked.source), now)
        return [WriteRun(ref=asked.ref)]

    def cancel(self, asked: Asked, reason: str) -> list[Decision]:
        """It is told to stop, once."""
        if asked.cancelled:
            return []
        self._list.put(replace(asked, cancelled=reason))
        return [Cancel(run=asked.run)]

    def stop(self) -> list[Decision]:
        """The operator stops: nothing begins, and actions stop where they can."""
        self._stopping = True
        return [Cancel(run=asked.run) for asked in self._list.all if asked.stage is Stage.TAKEN and not asked.is_run]

    # What a gone operator left

    def settle(self, asked: Asked, source: Source, now: datetime) -> list[Decision]:
        """What became of it: of a run the source knows, of other actions the ledger, if at all."""
        run = asked.status.run or ""
        asked = replace(asked, run=run, claimed=True)
        if asked.is_run:
            return self._settle_run(asked, source, now)
        if asked.spec is None or not run or not recorded(asked.spec) or source.intent.problem:
            return self.over(asked, left_behind(asked), now)
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
        return self.over(asked, told, now)
