"""The pool of worker processes, as the operator sees it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable

import msgspec

from syncsource.engine.connecting import wanted
from syncsource.engine.plan import WORKER_DIED, Next, Outcome, Progress, RunPlan
from syncsource.engine.recording import recorded
from syncsource.resource.syncrun import SyncRunSpec
from syncsource.runner import wire
from syncsource.runner.connections import Connections
from syncsource.runner.limits import declare
from syncsource.runner.logs import relay
from syncsource.sources.files import NO_FILES, Files
from syncsource.sources.hosts import HostTable

RUNS_PER_WORKER = 8
CONNECTIONS = 32
"""To one database: as many as the runs of two workers need that have no partitions, and a third of what PostgreSQL takes unless it is told otherwise."""
_LINE_LIMIT = 64 * 2**20
"""The longest message in bytes; a plan holds a spec (at most 1.5 MB in an API server) and its Secrets."""

_DIED = "the worker process ended in mid-run; what it had not committed is gone, the next run goes on from the cursor"

_log = logging.getLogger(__name__)

Report = Callable[[Progress], None]


class _Member:
    """One worker process and the runs in its hands."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.runs: dict[str, tuple[asyncio.Future[Outcome | None], Report | None]] = {}

    @property
    def alive(self) -> bool:
        return self.process.returncode is None

    def send(self, message: wire.Message) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(wire.line(message))


class WorkerPool:
    """Runs plans in ``workers`` processes, ``runs_per_worker`` at a time in each. One event loop owns it.

    ``files``: those of this machine that their sources may read. ``link_local``: whether they may ask link-local and cloud
    metadata addresses. ``connections``: how many all of them together may have to one database.
    """

    def __init__(
        self,
        workers: int = 2,
        runs_per_worker: int = RUNS_PER_WORKER,
        files: Files = NO_FILES,
        *,
        link_local: bool = False,
        connections: int = CONNECTIONS,
    ) -> None:
        self.slots = workers * runs_per_worker
        """How many runs may be under way at a time; the caller keeps to it."""
        self._workers, self._files, self._link_local = workers, files, link_local
        self._members: list[_Member] = []
        self._hosts = HostTable()
        self._connections = Connections(connections)
        self._unhanded: set[str] = set()
        """Runs that wait for a worker to start."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._filling = asyncio.Lock()
        self._stopping = False

    @property
    def pids(self) -> list[int]:
        """The workers' process ids."""
        return [member.process.pid for member in self._members]

    async def start(self) -> None:
        """Start the workers."""
        await self._fill()

    async def run(self, plan: RunPlan, progress: Report) -> Outcome:
        """Execute the plan. A failed run is an outcome, and so is a worker that died: never an exception."""
        outcome = await self._give(plan, wire.Execute, progress)
        return outcome if outcome is not None else await self.settle(plan)

    async def verify(self, plan: RunPlan) -> Outcome:
        """Compare the plan's source with its table. A failed verification is an outcome, and so is a worker that died."""
        outcome = await self._give(plan, wire.Verify, None)
        return outcome if outcome is not None else died(plan, "the worker process ended while it verified")

    async def act(self, plan: RunPlan, asked: SyncRunSpec) -> Outcome:
        """Do what a SyncRun asks for. What fails is an outcome, and so is a worker that died: the ledger knows whether it had committed."""
        given = asked.model_dump(mode="json", by_alias=True, exclude_none=True)
        outcome = await self._give(plan, lambda allowed: wire.Act(allowed, given), None)
        if outcome is not None:
            return outcome
        return await self.settle(plan) if recorded(asked) else died(plan, "the worker process ended in mid-action")

    async def settle(self, plan: RunPlan) -> Outcome:
        """What became of a run that was left without its worker: the ledger knows whether it had committed."""
        for _ in range(self._workers + 1):  # all may have died at once, of which only one was noticed yet
            outcome = None if self._stopping else await self._hand(await self._least_busy(), wire.Settle(plan), plan, None)
            if outcome is not None:
                return outcome
        return died(plan)

    def cancel(self, run: str) -> None:
        """Stop the run at its next batch. Unknown runs are ignored."""
        self._unhanded.discard(run)
        self._connections.call_off(run)
        for member in list(self._members):
            if run in member.runs:
                member.send(wire.Cancel(run))

    async def stop(self, grace: float) -> None:
        """Cancel what runs, wait at most ``grace`` seconds for it, end the workers."""
        self._stopping = True
        self._connections.close()
        futures = [future for member in self._members for future, _ in member.runs.values()]
        for member in list(self._members):
            for run in member.runs:
                member.send(wire.Cancel(run))
        if futures:
            await asyncio.wait(futures, timeout=grace)
        for member in list(self._members):
            await self._end(member)
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _give(self, plan: RunPlan, message: Callable[[RunPlan], wire.Message], progress: Report | None) -> Outcome | None:
        """Give the plan to a worker, once there are connections for it, and wait for its answer. None: the worker died over it."""
        declare(self._hosts, plan)
        need = wanted(plan, self._connections.most)
        async with self._connections.held(plan.run, need.by_place) as granted:
            if not granted:
                return _called_off(plan)
            allowed = msgspec.structs.replace(plan, lanes=need.lanes, files=self._files, link_local=self._link_local)
            return await self._hand_over(message(allowed), plan, progress)

    async def _hand_over(self, message: wire.Message, plan: RunPlan, progress: Report | None) -> Outcome | None:
        """Give a message to the worker with the least to do, once there is one, unless the run is called off meanwhile."""
        self._unhanded.add(plan.run)
        member = await self._least_busy()
        if plan.run not in self._unhanded:
            return _called_off(plan)
        self._unhanded.discard(plan.run)
        return await self._hand(member, message, plan, progress)

    async def _hand(self, member: _Member, message: wire.Message, plan: RunPlan, progress: Report | None) -> Outcome | None:
        """Give a message to a worker and wait for its answer. None: it died over it."""
        future: asyncio.Future[Outcome | None] = asyncio.get_running_loop().create_future()
        member.runs[plan.run] = future, progress
        member.send(message)
        try:
            return await future
        finally:
            member.runs.pop(plan.run, None)

    async def _least_busy(self) -> _Member:
        while not (alive := [member for member in self._members if member.alive]):
            await self._fill()
        return min(alive, key=lambda member: len(member.runs))

    async def _fill(self) -> None:
        """Start the workers that are missing: each run of those that died asks for them, and so does the end of each."""
        async with self._filling:
            missing = self._workers - sum(member.alive for member in self._members)
            await asyncio.gather(*(self._spawn() for _ in range(missing)))

    async def _spawn(self) -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "syncsource.runner.worker", str(_log.getEffectiveLevel()), stdin=PIPE, stdout=PIPE, limit=_LINE_LIMIT
        )
        member = _Member(process)
        self._members.append(member)
        self._keep(asyncio.create_task(self._listen(member)))

    async def _listen(self, member: _Member) -> None:
        assert member.process.stdout is not None
        try:
            async for line in member.process.stdout:
                self._take(member, wire.from_worker.decode(line))
        except (msgspec.MsgspecError, ValueError):  # the latter for a line that is too long
            _log.error(
                "a worker said what can't be understood, and is ended: its runs would wait for ever", extra={"worker": member.process.pid}
            )
            with contextlib.suppress(ProcessLookupError):
                member.process.kill()
            while await member.process.stdout.read(2**16):  # its end is noticed only after all that it said
                pass
        await member.process.wait()
        self._members.remove(member)
        for future, _ in list(member.runs.values()):
            if not future.done():
                future.set_result(None)
        if not self._stopping:
            ended = {"worker": member.process.pid}
            _log.warning("a worker ended with code %s; another takes its place", member.process.returncode, extra=ended)
            await self._fill()

    def _take(self, member: _Member, message: wire.FromWorker) -> None:
        match message:
            case wire.Ended(outcome):
                if outcome.run in member.runs and not member.runs[outcome.run][0].done():
                    member.runs[outcome.run][0].set_result(outcome)
            case wire.Moved(run, progress):
                if run in member.runs and (report := member.runs[run][1]) is not None:
                    report(progress)
            case wire.Logged():
                relay(message, member.process.pid)
            case wire.Ask(number, question):
                answer = self._hosts.ask(question)
                if member.alive:
                    member.send(wire.Reply(number, answer))
            case wire.Tell(note):
                self._hosts.tell(note)

    async def _end(self, member: _Member) -> None:
        assert member.process.stdin is not None
        member.process.stdin.close()
        try:
            await asyncio.wait_for(member.process.wait(), timeout=2)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                member.process.kill()

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _called_off(plan: RunPlan) -> Outcome:
    return Outcome(run=plan.run, result="Interrupted", next=Next.RETRY, reason="Cancelled", message="called off before it began")


def died(plan: RunPlan, message: str = _DIED) -> Outcome:
    """The outcome of a run whose worker is gone and of which the ledger could not be asked."""
    return Outcome(run=plan.run, result="Interrupted", next=Next.RETRY, reason=WORKER_DIED, message=message)
