"""All SyncSources: what happens goes in, decisions come out.

The rules that span SyncSources are here: how many runs at a time, and who is next. The rules of one are in ``steps``, those of SyncRuns in ``asking``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime

from syncsource.controller.core import steps, verification
from syncsource.controller.core.agenda import PATIENCE, Agenda
from syncsource.controller.core.asked import Asked
from syncsource.controller.core.asking import Asking
from syncsource.controller.core.change import Counted
from syncsource.controller.core.due import AT_ONCE, Due, next_run
from syncsource.controller.core.happening import (
    ActionAbandoned,
    ActionBegan,
    ActionEnded,
    Cancel,
    Decision,
    Happening,
    ObjectDeleted,
    ObjectSeen,
    RunAbandoned,
    RunDeleted,
    RunEnded,
    RunProgressed,
    RunSeen,
    RunsKnown,
    RunStarted,
    RunWritten,
    SecretSeen,
    SourceMissing,
    Start,
    StatusWritten,
    Stopping,
    TimePassed,
    VerificationEnded,
    Verify,
    Write,
)
from syncsource.controller.core.observed import Observed, Ref
from syncsource.controller.core.packed import pack_status
from syncsource.controller.core.secret_use import SecretUse
from syncsource.controller.core.source import Run, Source, acknowledged
from syncsource.controller.core.takeover import presumed_over
from syncsource.controller.core.verifying import next_work
from syncsource.controller.core.versions import older


class Fleet:
    """``slots``: runs, verifications and actions at a time. ``new_id``: a new run's id at a time; ids sort as their times do."""

    def __init__(self, *, slots: int, new_id: Callable[[datetime], str]) -> None:
        self._slots = slots
        self._new_id = new_id
        self._sources: dict[str, Source] = {}
        self._active: dict[str, str] = {}
        """Key to run, of the runs, verifications and actions that hold a slot: longer than their sources are known, where those are deleted."""
        self._agenda = Agenda()
        self._secrets = SecretUse()
        self.asking = Asking(self, new_id)
        """The SyncRuns."""
        self._stopping = False

    @property
    def next_wake(self) -> datetime | None:
        """When to feed :class:`TimePassed`; None: only when something else happens."""
        return min((at for at in (self._agenda.next_wake, self.asking.next_wake) if at is not None), default=None)

    @property
    def sources(self) -> Iterable[Source]:
        """All that are known."""
        return self._sources.values()

    def source(self, key: str) -> Source | None:
        """The SyncSource of that ``namespace/name``, if known."""
        return self._sources.get(key)

    def start_status(self, key: str, run: str, now: datetime) -> bytes | None:
        """The status to write for the run's start, which takes the requests that came until now; None: it must not start, since its object is gone, changed or suspended, or another operator does what it was for."""
        source = self._of_run(key, run)
        if source is None or source.run is None or source.run.cancelled or source.run.generation != source.generation:
            return None
        if not self._still_due(source, source.run, now):
            return None
        self._sources[key] = source = steps.take_requests(source)
        return pack_status(steps.begun(source, now))

    def _still_due(self, source: Source, run: Run, now: datetime) -> bool:
        if run.asked:
            free = source.intent.runnable and source.status.current_run is None
            return free and self.asking.under_way.wanted(run.asked, run.id) is not None
        due = next_run(replace(source, run=None))
        return due is not None and due.at <= now

    def on(self, happening: Happening, now: datetime) -> list[Decision]:
        """What to do now that this happened."""
        decisions = [*self._take(happening, now), *self._fill_slots(now), *self.asking.tell(now)]
        starting = {decision.ref.key for decision in decisions if isinstance(decision, Start)}
        return [decision for decision in decisions if not (isinstance(decision, Write) and decision.ref.key in starting)]

    def _take(self, happening: Happening, now: datetime) -> list[Decision]:
        match happening:
            case ObjectSeen(seen):
                return self._see(seen, now)
            case ObjectDeleted(ref):
                return self._delete(ref, now)
            case SecretSeen():
                return self._secret(happening, now)
            case TimePassed():
                decisions = [decision for key in list(self._agenda.woken(now)) for decision in self._look(key, now)]
                return [*decisions, *self.asking.look(now)]
            case RunStarted():
                return self._begin(happening, now)
            case RunAbandoned(key=key, run=run):
                return self._abandon(key, run, now)
            case RunProgressed(key=key, run=run, read=read):
                return self._progress(key, run, read)
            case RunEnded():
                return self._end(happening, now)
            case VerificationEnded():
                return self._end_verification(happening, now)
            case StatusWritten():
                return self._written(happening)
            case Stopping():
                return self._stop()
            case (
                RunSeen() | RunsKnown() | RunDeleted() | RunWritten() | SourceMissing() | ActionBegan() | ActionAbandoned() | ActionEnded()
            ):
                return self.asking.on(happening, now)

    # Objects and Secrets

    def _see(self, seen: Observed, now: datetime) -> list[Decision]:
        old = self._sources.get(seen.ref.key)
        replaced: list[Decision] = []
        if old is not None and old.ref.uid != seen.ref.uid:
            replaced, old = self._delete(old.ref, now), None
        if old is not None and older(seen.version, than=old.version):
            return []
        source, decisions = steps.see(old, seen, now, self._new_id(now))
        source, waved = verification.make_way(source)
        self._secrets.rename(seen.ref, old.intent.secrets if old else frozenset(), source.intent.secrets)
        if old is None and source.run is not None:
            self._active[seen.ref.key] = source.run.id
        if (over := presumed_over(source)) is not None:
            self._agenda.wake(seen.ref.key, over)
        return [*replaced, *decisions, *waved, *self._hold(source, now), *self.asking.judge(seen.ref.key, now)]

    def _delete(self, ref: Ref, now: datetime) -> list[Decision]:
        source = self._sources.get(ref.key)
        if source is None or source.ref.uid != ref.uid:
            return []
        del self._sources[ref.key]
        self._agenda.forget(ref.key)
        self._secrets.rename(ref, source.intent.secrets, frozenset())
        stopped = [Cancel(run=one.id) for one in (source.run, source.verifying) if one is not None]
        return [*stopped, *self.asking.source_deleted(ref.key, now)]

    def _secret(self, seen: SecretSeen, now: datetime) -> list[Decision]:
        decisions: list[Decision] = []
        for key in self._secrets.users_of_changed(seen):
            decisions += self._hold(steps.secret_changed(self._sources[key], now), now)
        return decisions

    def _written(self, written: StatusWritten) -> list[Decision]:
        source = self._sources.get(written.ref.key)
        if source is not None and source.ref.uid == written.ref.uid:
            self._sources[written.ref.key] = acknowledged(source, written.packed, written.version)
        return []

    def _hold(self, source: Source, now: datetime) -> list[Decision]:
        """Keep the source, plan what is next, and have its status written where that differs."""
        self._sources[source.ref.key] = source
        self._plan(source, now)
        return [Write(ref=source.ref)] if source.dirty and not source.starting else []

    def _plan(self, source: Source, now: datetime) -> None:
        key = source.ref.key
        self._agenda.plan(key, None if key in self._active else next_work(source, now, self.asking.first(key)), now)

    def _look(self, key: str, now: datetime) -> list[Decision]:
        source = self._sources.get(key)
        if source is None:
            return []
        if source.run is not None:
            return self._look_at_run(source, source.run, now)
        if (over := presumed_over(source)) is not None and over <= now and key not in self._active:
            return self._settle_late(source, now)
        self._plan(source, now)  # a run that came due goes before a verification that waits
        if not source.waiting and self._agenda.long_ready(key, now):
            return self._hold(steps.wait(source, now), now)
        return []

    def _settle_late(self, source: Source, now: datetime) -> list[Decision]:
        source, decisions = steps.settled_late(source, now)
        if source.run is not None:
            self._active[source.ref.key] = source.run.id
        return [*decisions, *self._hold(source, now)]

    # Runs

    def _fill_slots(self, now: datetime) -> list[Decision]:
        decisions: list[Decision] = []
        while not self._stopping and len(self._active) < self._slots and (taken := self._agenda.take()) is not None:
            decisions.append(self._start(*taken, now=now))
        return decisions

    def _start(self, key: str, due: Due, now: datetime) -> Decision:
        if due.verify:
            return self._start_verification(key, due, now)
        if due.asked:
            return self.asking.under_way.start(due.asked, self._sources[key], now)
        return self._start_run(key, due, self._new_id(now))

    def _start_run(self, key: str, due: Due, id_: str) -> Start:
        source = steps.prepare(self._sources[key], due, id_)
        assert source.run is not None
        self._sources[key] = source
        self._active[key] = source.run.id
        return Start(ref=source.ref, run=source.run)

    def _of_run(self, key: str, run: str) -> Source | None:
        """The source that this run belongs to, unless it is gone or another took its place."""
        source = self._sources.get(key)
        return source if source is not None and source.run is not None and source.run.id == run else None

    def _begin(self, started: RunStarted, now: datetime) -> list[Decision]:
        source = self._of_run(started.key, started.run)
        if source is None:
            return []
        self._agenda.wake(started.key, now + PATIENCE)
        return self._hold(steps.begin(source, started), now)

    def _look_at_run(self, source: Source, run: Run, now: datetime) -> list[Decision]:
        if run.told is None or now - run.told < PATIENCE:
            return []
        self._agenda.wake(source.ref.key, now + PATIENCE)
        return self._hold(steps.move(source, now), now)

    def _progress(self, key: str, run: str, read: int) -> list[Decision]:
        source = self._of_run(key, run)
        if source is not None and source.run is not None:
            self._sources[key] = replace(source, run=replace(source.run, read=read))
        return []

    def _abandon(self, key: str, run: str, now: datetime) -> list[Decision]:
        self.asking.under_way.run_abandoned(run, now)
        source = self._of_run(key, run)
        freed = self._free(key, run, now) if source is None else self._release(steps.abandon(source, now), run, now)
        return [*freed, *self.asking.judge(key, now)]

    def _end(self, ended: RunEnded, now: datetime) -> list[Decision]:
        asked, source = self.asking.under_way.run_ended(ended.run, ended.outcome, now), self._of_run(ended.key, ended.run)
        if source is None:
            return [*asked, *self._free(ended.key, ended.run, now)]
        source, decisions = steps.end(source, ended, now)
        return [*asked, *decisions, *self._release(source, ended.run, now)]

    def _release(self, source: Source, run: str, now: datetime) -> list[Decision]:
        self._sources[source.ref.key] = source
        return self._free(source.ref.key, run, now)

    def _free(self, key: str, run: str, now: datetime) -> list[Decision]:
        """The run's slot is free; what took the place of its source may run now."""
        if self._active.get(key) == run:
            del self._active[key]
        source = self._sources.get(key)
        return [] if source is None else self._hold(source, now)

    # SyncRuns

    def is_busy(self, key: str) -> bool:
        """Whether anything is done with that source here."""
        return key in self._active

    def occupy(self, key: str, run: str) -> None:
        """An action takes the source and a slot."""
        self._active[key] = run
        self._agenda.forget(key)

    def release(self, key: str, run: str, now: datetime) -> list[Decision]:
        """An action is over: its slot is free."""
        return self._free(key, run, now)

    def replan(self, key: str, now: datetime) -> list[Decision]:
        """Another SyncRun may be next. A verification stops for it."""
        source = self._sources.get(key)
        if source is None:
            return []
        if self.asking.first(key):
            source, waved = verification.cancel(source, verification.REQUESTED)
            return [*waved, *self._hold(source, now)]
        return self._hold(source, now)

    def start_run(self, asked: Asked, source: Source, now: datetime) -> Start:
        """A SyncRun that is a run of its source begins it."""
        assert asked.spec is not None
        full = asked.spec.action == "FullRefresh" or source.requests.pending_full(source.status)
        return self._start_run(source.ref.key, Due(at=AT_ONCE, trigger="Request", full=full, asked=asked.ref.key), asked.run)

    def cancel_run(self, asked: Asked, reason: str) -> list[Decision]:
        """What is done for a SyncRun is told to stop."""
        source = self._of_run(asked.source, asked.run)
        if source is None:
            return [Cancel(run=asked.run)]
        self._sources[asked.source], decisions = steps.cancel(source, reason)
        return list(decisions)

    def count(self, key: str, counted: Counted, now: datetime) -> None:
        """Status tells what an action left in quarantine and of conflicts."""
        self._sources[key] = steps.changed(self._sources[key], counted, now)

    # Verifications

    def _start_verification(self, key: str, due: Due, now: datetime) -> Verify:
        source, run = verification.begin(self._sources[key], due, self._new_id(now), now)
        self._sources[key] = source
        self._active[key] = run.id
        return Verify(ref=source.ref, run=run)

    def _end_verification(self, ended: VerificationEnded, now: datetime) -> list[Decision]:
        source = self._sources.get(ended.key)
        if source is None or source.verifying is None or source.verifying.id != ended.run:
            return self._free(ended.key, ended.run, now)
        source, decisions = verification.end(source, ended, now)
        if (over := presumed_over(source)) is not None:
            self._agenda.wake(ended.key, over)
        return [*decisions, *self._release(source, ended.run, now)]

    def _stop(self) -> list[Decision]:
        self._stopping = True
        decisions: list[Decision] = self.asking.under_way.stop()
        for key, source in list(self._sources.items()):
            source, cancelled = steps.cancel(source, steps.STOPPING)
            self._sources[key], waved = verification.cancel(source, steps.STOPPING)
            decisions += [*cancelled, *waved]
        return decisions
