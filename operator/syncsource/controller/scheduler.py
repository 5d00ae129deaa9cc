"""The loop between the core and the world: feeds what happens to the core, carries out what it decides, wakes it when it asked for that.

Everything happens in one event loop. At rest there is no task per SyncSource, and nothing is asked of the API server.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any, Protocol

from syncsource.controller.acting import DELETIONS, ActionApi, Actions
from syncsource.controller.core.fleet import Fleet
from syncsource.controller.core.happening import (
    Act,
    Announce,
    Cancel,
    Decision,
    Expire,
    Find,
    Happening,
    Settle,
    SettleAction,
    Start,
    Stopping,
    TimePassed,
    Verify,
    Write,
    WriteRun,
)
from syncsource.controller.kube.recorder import EventApi, Recorder
from syncsource.controller.runs import Runner
from syncsource.controller.starting import RunApi, Runs
from syncsource.controller.verifying import Verifications
from syncsource.controller.writing import RunStatusWriter, StatusWriter

_LONGEST_SLEEP = 60.0
"""Seconds after which the clock is looked at again, whatever was planned: a machine that was suspended has another time."""

_LAST_WORDS = 5.0
"""Seconds for the last statuses and Events, once all runs have ended."""

_log = logging.getLogger(__name__)


class ControllerApi(RunApi, EventApi, Protocol):
    """What the controller needs of the API server."""

    @property
    def syncruns(self) -> ActionApi:
        """The same for SyncRuns."""
        ...


class Scheduler:
    """One operator's scheduler. ``cluster``: the cluster's identity; ``saw`` is told what happened once all that follows is under way."""

    def __init__(
        self,
        *,
        fleet: Fleet,
        api: ControllerApi,
        runner: Runner,
        clock: Callable[[], datetime],
        cluster: str,
        saw: Callable[[Happening], None] = lambda _: None,
    ) -> None:
        self._fleet = fleet
        self._runner = runner
        self._clock = clock
        self._saw = saw
        self._recorder = Recorder(api, clock)
        self._writer = StatusWriter(api, fleet.source, self.feed)
        self._runs = Runs(api=api, runner=runner, writer=self._writer, fleet=fleet, feed=self.feed, clock=clock, cluster=cluster)
        self._verifications = Verifications(api=api, runner=runner, fleet=fleet, feed=self.feed, cluster=cluster)
        self._run_writer = RunStatusWriter(api.syncruns, fleet.asking.get, self.feed)
        self._actions = Actions(
            api=api.syncruns,
            read=api.secret,
            runner=runner,
            writer=self._run_writer,
            fleet=fleet,
            feed=self.feed,
            clock=clock,
            cluster=cluster,
            deleting=asyncio.Semaphore(DELETIONS),
        )
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None

    async def run(self) -> None:
        """Write statuses and Events until cancelled."""
        await asyncio.gather(self._writer.run(), self._run_writer.run(), self._recorder.run())

    def feed(self, happening: Happening) -> None:
        """Something happened. Call it in the loop's thread."""
        for decision in self._fleet.on(happening, self._clock()):
            self._carry_out(decision)
        self._saw(happening)
        self._arm()

    async def stop(self, grace: float) -> None:
        """Let runs stop at their next batch within ``grace`` seconds, and write what became of them."""
        self.feed(Stopping())
        if self._timer is not None:
            self._timer.cancel()
        await self._runner.stop(grace)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=1)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._flush(_LAST_WORDS)

    async def _flush(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._writer.flush()
                await self._run_writer.flush()
                await self._recorder.flush()
        except TimeoutError:
            _log.error("the API server was away for too long: some statuses are not written; the next start mends them")

    def _carry_out(self, decision: Decision) -> None:
        match decision:
            case Start():
                self._keep(self._runs.live(decision))
            case Verify():
                self._keep(self._verifications.live(decision))
            case Settle():
                self._keep(self._runs.settle(decision))
            case Act():
                self._keep(self._actions.live(decision))
            case SettleAction():
                self._keep(self._actions.settle(decision))
            case Find(namespace=namespace, name=name):
                self._keep(self._actions.find(namespace, name))
            case Expire(ref=ref):
                self._keep(self._actions.expire(ref))
            case WriteRun(ref=ref):
                self._run_writer.mark(ref.key)
            case Cancel(run=run):
                self._runner.cancel(run)
            case Write(ref=ref):
                self._writer.mark(ref.key)
            case Announce():
                self._recorder.record(decision)

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _arm(self) -> None:
        """One timer for the whole fleet."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        wake = self._fleet.next_wake
        if wake is not None:
            seconds = min(max((wake - self._clock()).total_seconds(), 0), _LONGEST_SLEEP)
            self._timer = asyncio.get_running_loop().call_later(seconds, self.feed, TimePassed())
