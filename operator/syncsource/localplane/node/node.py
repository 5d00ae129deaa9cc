"""The node as a whole: what it watches, what hears of it, and the tasks beside it."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from syncsource.localplane.node.api import Api, ApiFailed, Object
from syncsource.localplane.node.binding import Scheduler
from syncsource.localplane.node.containers import Settings
from syncsource.localplane.node.cronjobs import CronJobController
from syncsource.localplane.node.events import Recorder
from syncsource.localplane.node.images import Images
from syncsource.localplane.node.jobs import JobController
from syncsource.localplane.node.pods import Pods, PodWorker
from syncsource.localplane.node.registration import Registration, node_labels
from syncsource.localplane.node.watching import Watched

if TYPE_CHECKING:
    from syncsource.localplane.node.logserver import NodeLogs

_REGISTERED_WITHIN = 10.0


@dataclass(frozen=True, slots=True)
class Options:
    """`state` is the API server's folder where that serves the logs; `held` stays open as long as a container runs.

    The back-offs are in seconds. `certificates`: a folder; logs are served to who has one of them.
    """

    name: str
    state: Path
    images: Images
    held: int
    container_backoff: float = 10.0
    job_backoff: float = 10.0
    certificates: Path | None = None


class Node:
    """Runs until `stop`."""

    def __init__(self, api: Api, options: Options) -> None:
        self._api, self._options = api, options
        recorder = Recorder(api, options.name)
        settings = Settings(options.state, options.held, options.container_backoff)
        make = partial(PodWorker, api, recorder, images=options.images, settings=settings)
        self._registration = Registration(api, options.name, options.images)
        self._scheduler = Scheduler(api, recorder, options.images, options.name, node_labels(options.name))
        self._pods = Pods(options.name, make, settings)
        self._jobs = JobController(api, recorder, options.job_backoff)
        self._watched_pods = self._scheduler.pods = Watched(api, "/api/v1/pods", self._heard_pod)
        self._logs = _log_server(api, self._watched_pods, options)
        self._crons = CronJobController(api, recorder)
        watched_jobs = Watched(api, "/apis/batch/v1/jobs", self._heard_job)
        watched_crons = Watched(api, "/apis/batch/v1/cronjobs", self._crons.heard)
        self._runs = (
            recorder.run,
            self._registration.run,
            self._watched_pods.run,
            watched_jobs.run,
            watched_crons.run,
            self._scheduler.queue.run,
            self._jobs.queue.run,
            self._crons.queue.run,
            self._tidy,
        )
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin; returns once the Node is there, or the API server does not answer in time: it is awaited in the background."""
        if self._logs is not None:
            self._registration.log_port = await self._logs.start()
        with contextlib.suppress(ApiFailed, TimeoutError):
            await asyncio.wait_for(self._registration.register(), _REGISTERED_WITHIN)
        self._tasks = [asyncio.create_task(run()) for run in self._runs]

    async def stop(self) -> None:
        """End what runs here."""
        await self._pods.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._logs is not None:
            await self._logs.stop()
        await self._api.close()

    def _heard_pod(self, kind: str, pod: Object) -> None:
        self._scheduler.heard(kind, pod)
        self._pods.heard(kind, pod)
        self._jobs.heard_pod(kind, pod)

    def _heard_job(self, kind: str, job: Object) -> None:
        self._jobs.heard(kind, job)
        self._crons.heard_job(kind, job)

    async def _tidy(self) -> None:
        await self._watched_pods.is_known.wait()
        self._pods.tidy(list(self._watched_pods.objects.values()))


def _log_server(api: Api, pods: Watched, options: Options) -> NodeLogs | None:
    """Imported where it is wanted: it brings much of the API server with it."""
    if options.certificates is None:
        return None
    from syncsource.localplane.node.logserver import NodeLogs

    return NodeLogs(api, pods, options.state, options.certificates)
