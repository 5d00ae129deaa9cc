"""Puts the operator together: log in, watch, schedule, stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime
from typing import Any

from syncsource.controller.core.asked import observe_run
from syncsource.controller.core.fleet import Fleet
from syncsource.controller.core.happening import ObjectDeleted, ObjectSeen, RunDeleted, RunSeen, RunsKnown, SecretSeen
from syncsource.controller.core.observed import observe
from syncsource.controller.health import NOT_SERVED, Health, become_ready
from syncsource.controller.identifying import run_id
from syncsource.controller.kube.api import Api
from syncsource.controller.kube.failures import ApiError, Gone, Rejected
from syncsource.controller.kube.login import Login
from syncsource.controller.kube.waiting import FIRST, Backoffs
from syncsource.controller.kube.watch import SECRETS, Watch
from syncsource.controller.metrics import Metrics
from syncsource.controller.runs import Runner
from syncsource.controller.scheduler import Scheduler
from syncsource.controller.writing import until_there
from syncsource.resource import api as names

GRACE = 20.0
"""Seconds that runs have to stop at a batch: less than the 30 that a Pod has to end."""

UNIDENTIFIED = "unidentified"
"""The cluster's identity where the uid of kube-system may not be read. Such an operator must not share its database with one of another
cluster that has SyncSources of the same namespace and name; grant `get` on the namespace kube-system, or name the cluster."""

_log = logging.getLogger(__name__)


def utc_now() -> datetime:
    """The time."""
    return datetime.now(UTC)


async def operate(
    *,
    runner: Runner,
    namespaces: Sequence[str] | None,
    kubeconfig: str | None,
    context: str | None,
    stop: asyncio.Event,
    cluster: str | None = None,
    grace: float = GRACE,
    clock: Callable[[], datetime] = utc_now,
    health: Health | None = None,
    metrics: Metrics | None = None,
) -> None:
    """Run SyncSources of the namespaces (None: of all) until ``stop`` is set.

    Then runs have ``grace`` seconds to stop at their next batch, and their statuses a few more to be written. ``cluster`` names the cluster in the
    ledger; None: the uid of the namespace kube-system. ``health`` is kept true for probes, ``metrics`` are told what happens. Raises kubernetes.aio.config.ConfigException where there is no way to log in.
    """
    login = Login(kubeconfig=kubeconfig, context=context)
    api = Api(await login.configuration())
    try:
        identity = cluster or await _stoppable(until_there(lambda: _identity(api)), stop)
        if identity is not None:
            await runner.start()
            fleet = Fleet(slots=runner.slots, new_id=run_id)
            _log.info(
                "looking after the SyncSources of %s; the ledger knows this cluster as %s",
                ", ".join(namespaces or ["all namespaces"]),
                identity,
            )
            told = metrics or Metrics()
            told.fleet = fleet
            scheduler = Scheduler(fleet=fleet, api=api, runner=runner, clock=clock, cluster=identity, saw=told.saw)
            operation = _Operation(fleet=fleet, scheduler=scheduler, api=api, login=login, namespaces=namespaces)
            await operation.run(stop, grace, health or Health())
    finally:
        await api.close()


class _Operation:
    """An operator at work."""

    def __init__(self, *, fleet: Fleet, scheduler: Scheduler, api: Api, login: Login, namespaces: Sequence[str] | None) -> None:
        self._fleet = fleet
        self._scheduler = scheduler
        self._api = api
        self._namespaces = namespaces
        self._loop = asyncio.get_running_loop()
        self._watch = Watch(login=login, namespaces=namespaces, handle=self._seen_elsewhere)
        self._relisted = asyncio.Event()

    async def run(self, stop: asyncio.Event, grace: float, health: Health) -> None:
        """Work until ``stop`` is set, then end in good order."""
        working = asyncio.create_task(self._scheduler.run())
        self._fleet.asking.hold()
        watching = [asyncio.create_task(self._supervise()), asyncio.create_task(self._reconcile())]
        listing = asyncio.create_task(self._await_runs())
        stopping = asyncio.create_task(stop.wait())
        knowing = asyncio.create_task(become_ready(health, self._api, self._fleet, self._namespaces))
        try:
            ended, _ = await asyncio.wait((stopping, working, *watching), return_when=asyncio.FIRST_COMPLETED)
        finally:
            await _cancelled(knowing)
            health.waits_for = "nothing: it is stopping"
            await asyncio.gather(_cancelled(stopping, listing, *watching), self._scheduler.stop(grace))
            await _cancelled(working)
        for task in ended:
            task.result()  # what ends by itself ends with an error

    async def _supervise(self) -> None:
        """kopf ends by faults of the API server. The heap is not its: it is started again, and all is listed anew."""
        waits = iter(Backoffs())
        while True:
            await self._until_served()
            started = self._loop.time()
            try:
                await self._watch.run()
            except Exception as error:
                _log.warning("the watch ended and is started again: %s: %s", type(error).__name__, error)
            if self._loop.time() - started > 60:
                waits = iter(Backoffs())
            await asyncio.sleep(next(waits))
            self._relisted.set()

    async def _until_served(self) -> None:
        """kopf looks once at what is defined: it never sees what comes later."""
        for wait in Backoffs(longest=2.0):
            if await until_there(self._api.is_served):
                return
            if wait == FIRST:
                _log.warning("%s", NOT_SERVED)
            await asyncio.sleep(wait)

    async def _await_runs(self) -> None:
        """kopf does not tell when it has told of all that there is, and SyncRuns are done in the order of their creation."""
        for wait in Backoffs(longest=2.0):
            try:
                if not [ref async for ref in self._api.refs(self._namespaces, names.RUN_PLURAL) if self._fleet.asking.get(ref.key) is None]:
                    break
            except ApiError as error:
                _log.debug("SyncRuns can't be listed yet: %s", error)
            await asyncio.sleep(wait)
        self._scheduler.feed(RunsKnown())

    async def _reconcile(self) -> None:
        """kopf never tells of an object that was deleted while nobody watched: after each list anew, we look for ourselves."""
        while True:
            await self._relisted.wait()
            await asyncio.sleep(1)  # a list comes as many events
            self._relisted.clear()
            await until_there(self._forget_deleted)

    async def _forget_deleted(self) -> None:
        sources, runs = [source.ref for source in self._fleet.sources], self._fleet.asking.refs
        try:
            listed = {
                (plural, ref) for plural in (names.PLURAL, names.RUN_PLURAL) async for ref in self._api.refs(self._namespaces, plural)
            }
        except (Gone, Rejected) as error:
            _log.warning("SyncSources and SyncRuns can't be listed: %s", error)
            return
        for ref in sources:
            if (names.PLURAL, ref) not in listed:
                self._scheduler.feed(ObjectDeleted(ref))
        for ref in runs:
            if (names.RUN_PLURAL, ref) not in listed:
                self._scheduler.feed(RunDeleted(ref))

    def _seen_elsewhere(self, kind: str, event: str | None, manifest: Any) -> None:
        with contextlib.suppress(RuntimeError):  # our loop is closed: we are gone
            self._loop.call_soon_threadsafe(self._seen, kind, event, manifest)

    def _seen(self, kind: str, event: str | None, manifest: Any) -> None:
        if kind == SECRETS:
            metadata = manifest["metadata"]
            version = metadata["resourceVersion"]
            seen = SecretSeen(namespace=metadata["namespace"], name=metadata["name"], version=version, listed=event is None)
            self._scheduler.feed(seen)
            return
        if kind == names.RUN_PLURAL:
            run = observe_run(manifest, listed=event is None)
            self._scheduler.feed(RunDeleted(run.ref) if event == "DELETED" else RunSeen(run))
            return
        observed = observe(manifest)
        if event == "DELETED":
            self._scheduler.feed(ObjectDeleted(observed.ref))
            return
        if event is None and self._fleet.source(observed.ref.key) is not None:
            self._relisted.set()
        self._scheduler.feed(ObjectSeen(observed))


async def _identity(api: Api) -> str:
    try:
        return await api.cluster()
    except (Rejected, Gone) as error:
        _log.warning("the uid of the namespace kube-system can't be read, the ledger knows this cluster as %r: %s", UNIDENTIFIED, error)
        return UNIDENTIFIED


async def _stoppable(work: Coroutine[Any, Any, str], stop: asyncio.Event) -> str | None:
    """What the work returns; None: ``stop`` was set before."""
    working, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
    await _cancelled(stopping)
    if working.done():
        return working.result()
    await _cancelled(working)
    return None


async def _cancelled(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
