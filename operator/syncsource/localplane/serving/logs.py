"""The `log` subresource of Pods: one container's log, from where the client wants it, followed or not."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from aiohttp import web

from syncsource.localplane import errors, podlogs
from syncsource.localplane.registry.resource import Resource
from syncsource.localplane.serving.logfiles import LogFiles, LogForm
from syncsource.localplane.serving.logoptions import LogOptions, log_options
from syncsource.localplane.serving.requestinfo import RequestInfo
from syncsource.localplane.storage.broadcast import Broadcast
from syncsource.localplane.storage.encoding import decode
from syncsource.localplane.storage.store import Key, Store

POLL_SECONDS = 0.25
SEND_TIMEOUT = 30.0


class Changes(Protocol):
    """Something of the Pods has changed, or will: `next` returns then, or after so many seconds."""

    is_closed: bool

    async def next(self, wait: float) -> object: ...


class Pods(Protocol):
    """The Pods as they are now."""

    def find(self, namespace: str, name: str) -> Mapping[str, Any] | None: ...

    def watching(self) -> AbstractContextManager[Changes]: ...


class PodLogs:
    """The subresource of the server's own Pods."""

    def __init__(self, store: Store, broadcast: Broadcast, state_dir: Path) -> None:
        self._pods = _StoredPods(store, broadcast)
        self._logs = LogServer(self._pods, state_dir)

    async def get(self, request: web.Request, resource: Resource, info: RequestInfo) -> web.StreamResponse:
        """Raises the 404, 400 or 422 of what can't be shown."""
        pod = self._pods.find(info.namespace, info.name)
        if pod is None:
            raise errors.not_found(resource.group, resource.plural, info.name)
        return await self._logs.serve(request, pod, request.query)


class LogServer:
    """Serves the logs below a state folder."""

    def __init__(self, pods: Pods, state_dir: Path) -> None:
        self._pods, self.state_dir = pods, state_dir

    async def serve(self, request: web.Request, pod: Mapping[str, Any], query: Mapping[str, str]) -> web.StreamResponse:
        """One container's log. Raises the 400 or 422 of what can't be shown."""
        options = log_options(pod["metadata"]["name"], query, dt.datetime.now(dt.UTC))
        log = self._find(pod, options)
        response = web.StreamResponse(headers={"Content-Type": "text/plain", "Cache-Control": "no-cache, private"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        with contextlib.suppress(ConnectionError, TimeoutError):
            async for chunk in self._chunks(log, pod, options):
                async with asyncio.timeout(SEND_TIMEOUT):
                    await response.write(chunk)
        return response

    def _find(self, pod: Mapping[str, Any], options: LogOptions) -> Path | None:
        """The log's file; None where nothing was written yet."""
        container, metadata = _container(pod, options.container), pod["metadata"]
        place = {"namespace": metadata["namespace"], "pod": metadata["name"], "uid": metadata["uid"], "container": container}
        try:
            folder = podlogs.container_folder(self.state_dir, **place)
        except ValueError:
            return None
        known = podlogs.restarts(folder)
        if options.previous and len(known) < 2:
            raise errors.bad_request(f'previous terminated container "{container}" in pod "{metadata["name"]}" not found')
        if not known:
            _check_started(pod, container)
            return None
        return folder / f"{known[-2 if options.previous else -1]}.log"

    async def _chunks(self, path: Path | None, pod: Mapping[str, Any], options: LogOptions) -> AsyncIterator[bytes]:
        if path is None:
            return
        form = LogForm(since=options.since, timestamps=options.timestamps, limit=options.limit)
        with contextlib.closing(LogFiles(path, options.tail)) as files, self._pods.watching() as pods:
            is_over = False
            while not is_over:
                is_over = not options.follow or pods.is_closed or self._has_ended(path, pod)
                for block in files.blocks():
                    if text := form.shown(block):
                        yield text
                    if form.is_full:
                        return
                if not is_over:
                    await pods.next(POLL_SECONDS)

    def _has_ended(self, path: Path, pod: Mapping[str, Any]) -> bool:
        """Whether nothing more will be written: the container has ended or started again, or the Pod is gone."""
        if podlogs.restarts(path.parent)[-1:] != [int(path.stem)]:
            return True
        metadata = pod["metadata"]
        now = self._pods.find(metadata["namespace"], metadata["name"])
        return now is None or now["metadata"]["uid"] != metadata["uid"] or "terminated" in _state(now, path.parent.name)


class _StoredPods:
    def __init__(self, store: Store, broadcast: Broadcast) -> None:
        self._store, self._broadcast = store, broadcast

    def find(self, namespace: str, name: str) -> Mapping[str, Any] | None:
        stored = self._store.get(Key("pods", namespace, name))
        found: Mapping[str, Any] | None = decode(stored) if stored is not None else None
        return found

    def watching(self) -> AbstractContextManager[Changes]:
        return self._broadcast.watching("pods")


def _state(pod: Mapping[str, Any], container: str) -> dict[str, Any]:
    status = pod.get("status") or {}
    statuses = [one for field in ("containerStatuses", "initContainerStatuses") for one in status.get(field) or ()]
    return next((one.get("state") or {} for one in statuses if one.get("name") == container), {})


def _check_started(pod: Mapping[str, Any], container: str) -> None:
    state, name = _state(pod, container), pod["metadata"]["name"]
    waiting = state.get("waiting") if state or not pod["spec"].get("nodeName") else {"reason": "ContainerCreating"}
    if waiting:
        reason = waiting.get("reason") or ""
        raise errors.bad_request(f'container "{container}" in pod "{name}" is waiting to start: {reason}')


def _container(pod: Mapping[str, Any], wanted: str) -> str:
    """The chosen container, or the only one."""
    names, initial = ([one["name"] for one in pod["spec"].get(field) or []] for field in ("containers", "initContainers"))
    pod_name = pod["metadata"]["name"]
    if wanted in names or wanted in initial:
        return wanted
    if wanted:
        raise errors.bad_request(f"container {wanted} is not valid for pod {pod_name}")
    if len(names) == 1:
        return str(names[0])
    choice = f", choose one of: [{' '.join(names)}]" if names else ""
    if initial:
        choice += f" or one of the init containers: [{' '.join(initial)}]"
    raise errors.bad_request(f"a container name must be specified for pod {pod_name}{choice}")
