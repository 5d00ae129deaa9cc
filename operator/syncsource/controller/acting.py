"""The life of one SyncRun: Secrets, the write of its beginning, the runner, how it ended. One that is a run of its source goes on as that."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import msgspec

from syncsource.controller.core.asked import Asked, SeenRun
from syncsource.controller.core.fleet import Fleet
from syncsource.controller.core.happening import (
    Act,
    ActionAbandoned,
    ActionBegan,
    ActionEnded,
    Happening,
    ObjectSeen,
    SettleAction,
    SourceMissing,
)
from syncsource.controller.core.messages import ACTION_LEFT, ACTION_OPEN
from syncsource.controller.core.observed import Observed, Ref
from syncsource.controller.core.requests import Requests
from syncsource.controller.core.source import Run
from syncsource.controller.kube.failures import Conflict, Gone, Rejected
from syncsource.controller.preparing import ReadSecret, prepare
from syncsource.controller.runs import Runner
from syncsource.controller.starting import failure
from syncsource.controller.writing import StatusApi, StatusWriter, until_there
from syncsource.engine.plan import WORKER_DIED, Next, Outcome, RunPlan
from syncsource.engine.recording import left_open, recorded
from syncsource.errors import RetryableError, SyncError

DELETIONS = 4
"""Expired SyncRuns that are deleted at a time."""

_log = logging.getLogger(__name__)


class ActionApi(StatusApi[SeenRun], Protocol):
    """What SyncRuns need of the API server."""

    async def named(self, namespace: str, name: str) -> Observed: ...

    async def delete(self, ref: Ref) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Actions:
    """Carries out decisions about SyncRuns. ``feed`` tells the core what became of it; ``cluster`` is the cluster's identity."""

    api: ActionApi
    read: ReadSecret
    runner: Runner
    writer: StatusWriter[SeenRun]
    fleet: Fleet
    feed: Callable[[Happening], None]
    clock: Callable[[], datetime]
    cluster: str
    deleting: asyncio.Semaphore

    async def live(self, act: Act) -> None:
        """Prepare the action, write its beginning, carry it out, tell how it ended."""
        told = {"source": act.source.key, "run": act.run}
        try:
            outcome = await self._carried_out(act)
        except asyncio.CancelledError:
            if not self._may_have_committed(act):
                self._tell(act, _called_off(act.run))
            raise
        except SyncError as error:
            outcome = failure(_run(act.run, 1), error)
        except Exception as error:
            _log.exception("a SyncRun failed for a fault of the operator", extra=told)
            outcome = failure(_run(act.run, 1), RetryableError(f"the operator failed: {type(error).__name__}", reason="InternalError"))
        died = outcome is not None and outcome.reason == WORKER_DIED
        if died and self.fleet.asking.under_way.is_stopping and self._may_have_committed(act):
            return
        if outcome is not None:
            _log.info("SyncRun %s: %s: %s", act.asked.name, outcome.reason or outcome.result, outcome.message, extra=told)
            self._tell(act, outcome)

    async def settle(self, left: SettleAction) -> None:
        """Find out what became of an action whose operator is gone, and tell it."""
        asked, told = self.fleet.asking.get(left.asked.key), ACTION_OPEN
        outcome = None
        try:
            if asked is not None and (plan := await self._prepared(left.source, left.run, asked)) is not None:
                outcome = await self.runner.settle(plan)
                told = ACTION_OPEN if left_open(outcome) else ACTION_LEFT
        except SyncError as error:
            about = {"source": left.source.key, "run": left.run}
            _log.warning("the ledger can't be asked what became of SyncRun %s: %s", left.asked.name, error.message, extra=about)
        if outcome is None or outcome.result == "Interrupted":
            outcome = Outcome(run=left.run, result="Interrupted", next=Next.SCHEDULE, reason="Interrupted", message=told)
        self.feed(ActionEnded(asked=left.asked.key, source=left.source.key, run=left.run, outcome=outcome))

    async def find(self, namespace: str, name: str) -> None:
        """Look for a SyncSource that a SyncRun names and nobody has seen."""
        try:
            seen = await until_there(lambda: self.api.named(namespace, name))
        except (Gone, Rejected):
            self.feed(SourceMissing(f"{namespace}/{name}"))
        else:
            self.feed(ObjectSeen(seen))

    async def expire(self, ref: Ref) -> None:
        """Delete a SyncRun whose time is over, unless another took its place."""
        try:
            async with self.deleting:
                await until_there(lambda: self.api.delete(ref))
        except (Gone, Conflict):
            return
        except Rejected as error:
            _log.error("SyncRun %s, whose time is over, can't be deleted: %s", ref.name, error, extra={"source": ref.key})

    async def _carried_out(self, act: Act) -> Outcome | None:
        """How it ended; None: it has not begun, or goes on as a run."""
        asked = self._wanted(act)
        if asked is not None and asked.is_run:
            if not await self._begun(act):
                self._abandoned(act)
            return None
        plan = await self._prepared(act.source, act.run, asked) if asked is not None else None
        if asked is None or asked.spec is None or plan is None or not await self._begun(act):
            self._abandoned(act)
            return None
        if self._wanted(act) is None:
            return _called_off(act.run)
        _log.info("SyncRun %s: %s started", act.asked.name, asked.spec.action, extra={"source": act.source.key, "run": act.run})
        return await self.runner.act(plan, asked.spec)

    def _wanted(self, act: Act) -> Asked | None:
        return self.fleet.asking.under_way.wanted(act.asked.key, act.run)

    def _may_have_committed(self, act: Act) -> bool:
        """Whether the operator that stops leaves it to the next one to ask the ledger: status stays Running until then."""
        asked = self.fleet.asking.get(act.asked.key)
        return asked is not None and asked.claimed and asked.spec is not None and asked.spec.writes and not asked.is_run

    def _abandoned(self, act: Act) -> None:
        self.feed(ActionAbandoned(asked=act.asked.key, source=act.source.key, run=act.run))

    def _tell(self, act: Act, outcome: Outcome) -> None:
        self.feed(ActionEnded(asked=act.asked.key, source=act.source.key, run=act.run, outcome=outcome))

    async def _prepared(self, ref: Ref, id_: str, asked: Asked) -> RunPlan | None:
        """The plan; None: the source is gone."""
        source = self.fleet.source(ref.key)
        if source is None or source.ref != ref or asked.spec is None:
            return None
        run, spec, tests = _run(id_, source.generation), source.spec, asked.spec.action == "TestConnection"
        plan = await until_there(lambda: prepare(ref, run, spec, cluster=self.cluster, read=self.read, incomplete=tests))
        return msgspec.structs.replace(plan, trigger=recorded(asked.spec) or plan.trigger)

    async def _begun(self, act: Act) -> bool:
        async with self.writer.lock(act.asked.key):
            return await until_there(lambda: self._begin(act))

    async def _begin(self, act: Act) -> bool:
        """Write the beginning. False: it must not begin; the core has been told, and decides anew."""
        key = act.asked.key
        packed, asked = self.fleet.asking.under_way.begun_status(key, act.run, self.clock()), self.fleet.asking.get(key)
        if packed is None or asked is None:
            return False
        try:
            version = await self.api.write_status(act.asked, packed, asked.version)
        except (Conflict, Gone):
            seen = await self.writer.look_again(act.asked)
            if seen is None or seen.status.run != act.run:
                return False
            version = seen.version  # an earlier try was taken, and its answer lost
        except Rejected as error:
            raise RetryableError(f"the API server does not take the status: {error}", reason="StatusRejected") from error
        self.feed(ActionBegan(asked=key, source=act.source.key, run=act.run, packed=packed, version=version))
        return True


def _run(id_: str, generation: int) -> Run:
    return Run(id=id_, trigger="Request", generation=generation, digest="", full=False, requests=Requests())


def _called_off(run: str) -> Outcome:
    return Outcome(run=run, result="Interrupted", next=Next.SCHEDULE, reason="Cancelled", message="called off before it began")
