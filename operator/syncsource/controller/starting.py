"""The life of one run, from the decision to its outcome: Secrets, the write of its start, the runner."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from syncsource.controller.core import messages
from syncsource.controller.core.fleet import Fleet
from syncsource.controller.core.happening import Happening, RunAbandoned, RunEnded, RunProgressed, RunStarted, Settle, Start
from syncsource.controller.core.observed import Observed
from syncsource.controller.core.source import Run
from syncsource.controller.kube.failures import Conflict, Gone, Rejected
from syncsource.controller.preparing import prepare
from syncsource.controller.runs import Runner
from syncsource.controller.writing import StatusApi, StatusWriter, until_there
from syncsource.engine.plan import Next, Outcome, Progress, RunPlan
from syncsource.errors import RetryableError, StalledError, SyncError

_log = logging.getLogger(__name__)


class RunApi(StatusApi[Observed], Protocol):
    """What a run needs of the API server."""

    async def secret(self, namespace: str, name: str) -> dict[str, str]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """Carries out decisions to start. ``feed`` tells the core what became of it; ``cluster`` is the cluster's identity."""

    api: RunApi
    runner: Runner
    writer: StatusWriter[Observed]
    fleet: Fleet
    feed: Callable[[Happening], None]
    clock: Callable[[], datetime]
    cluster: str

    async def live(self, start: Start) -> None:
        """Prepare the run, write its start, run it, tell how it ended."""
        key, run = start.ref.key, start.run.id
        told = {"source": key, "run": run}
        try:
            plan = await self._prepared(start)
            if plan is None or not await self._begun(start):
                _log.debug("run abandoned: the object changed", extra=told)
                self.feed(RunAbandoned(key=key, run=run))
                return
            _log.info("%s run started", start.run.trigger, extra=told)
            outcome = await self._executed(start, plan)
        except asyncio.CancelledError:
            self._cut_off(start)
            raise
        except SyncError as error:
            outcome = failure(start.run, error)
        except Exception as error:
            _log.exception("run failed for a fault of the operator", extra=told)
            outcome = failure(start.run, RetryableError(f"the operator failed: {type(error).__name__}", reason="InternalError"))
        _log.info("%s: %s", outcome.reason or outcome.result, messages.result(outcome), extra=told)
        self.feed(RunEnded(key=key, run=run, outcome=outcome))

    async def settle(self, left: Settle) -> None:
        """Find out what became of a run whose operator is gone, and tell it."""
        key, run = left.ref.key, left.run
        source = self.fleet.source(key)
        outcome = Outcome(run=run.id, result="Interrupted", next=Next.RETRY, reason="Interrupted", message=messages.LEFT_BEHIND)
        try:
            if source is not None:
                spec = source.spec
                plan = await until_there(lambda: prepare(left.ref, run, spec, cluster=self.cluster, read=self.api.secret))
                outcome = await self.runner.settle(plan)
        except SyncError as error:
            _log.warning("the ledger can't be asked what became of the run: %s", error.message, extra={"source": key, "run": run.id})
        self.feed(RunEnded(key=key, run=run.id, outcome=outcome))

    async def _prepared(self, start: Start) -> RunPlan | None:
        """The plan; None: the spec is not the one that the run was decided for."""
        source = self.fleet.source(start.ref.key)
        if source is None or source.ref != start.ref or source.generation != start.run.generation:
            return None
        spec = source.spec
        return await until_there(lambda: prepare(start.ref, start.run, spec, cluster=self.cluster, read=self.api.secret))

    async def _begun(self, start: Start) -> bool:
        async with self.writer.lock(start.ref.key):
            return await until_there(lambda: self._begin(start))

    async def _begin(self, start: Start) -> bool:
        """Write the start. False: the object is gone, or not as it was; the core has been told, and decides anew."""
        key, run, now = start.ref.key, start.run.id, self.clock()
        source, packed = self.fleet.source(key), self.fleet.start_status(key, run, now)
        if source is None or packed is None:
            return False
        try:
            version = await self.api.write_status(start.ref, packed, source.version)
        except (Conflict, Gone):
            seen = await self.writer.look_again(start.ref)
            current = seen.status.current_run if seen else None
            if seen is None or current is None or current.id != run:
                return False
            version, now = seen.version, current.started_at  # an earlier try was taken, and its answer lost
        except Rejected as error:
            raise RetryableError(f"the API server does not take the status: {error}", reason="StatusRejected") from error
        self.feed(RunStarted(key=key, run=run, at=now, packed=packed, version=version))
        return True

    async def _executed(self, start: Start, plan: RunPlan) -> Outcome:
        """What became of the run. One that was called off while its start was written never reaches the runner."""
        key, run = start.ref.key, start.run.id
        source = self.fleet.source(key)
        if source is None or source.run is None or source.run.id != run or source.run.cancelled:
            return Outcome(run=run, result="Interrupted", next=Next.RETRY, reason="Cancelled", message="called off before it began")
        return await self.runner.run(plan, lambda progress: self._progress(key, run, progress))

    def _progress(self, key: str, run: str, progress: Progress) -> None:
        self.feed(RunProgressed(key=key, run=run, read=progress.read))

    def _cut_off(self, start: Start) -> None:
        """The operator ends before the run does."""
        source = self.fleet.source(start.ref.key)
        if source is None or source.starting:
            self.feed(RunAbandoned(key=start.ref.key, run=start.run.id))
            return
        message = "the operator stopped and did not wait any longer; the next run goes on from the cursor"
        outcome = Outcome(run=start.run.id, result="Interrupted", next=Next.RETRY, reason="OperatorStopped", message=message)
        self.feed(RunEnded(key=start.ref.key, run=start.run.id, outcome=outcome))


def failure(run: Run, error: SyncError) -> Outcome:
    """The outcome of a run that could not be handed to the runner."""
    following = Next.STALL if isinstance(error, StalledError) else Next.RETRY
    return Outcome(run=run.id, result="Failed", next=following, reason=error.reason, message=error.message, full=run.full)
