"""The `log` subresource of Pods: one container's log, from where the client wants it, followed or not."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from aiohttp import web

from syncsource.localplane import errors, podlogs
from syncsource.localplane.admission import cause
from syncsource.localplane.admission.cause import Cause
from syncsource.localplane.registry.resource import Resource
from syncsource.localplane.serving.logfiles import LogFiles, LogForm
from syncsource.localplane.serving.requestinfo import RequestInfo, is_true
from syncsource.localplane.storage.broadcast import Broadcast
from syncsource.localplane.storage.encoding import decode
from syncsource.localplane.storage.store import Key, Store

POLL_SECONDS = 0.25
SEND_TIMEOUT = 30.0


@dataclass(frozen=True, slots=True)
class LogOptions:
    """PodLogOptions; `since` is in the form in which lines begin, None stands for no limit."""

    container: str
    follow: bool
    previous: bool
    timestamps: bool
    since: bytes
    tail: int | None
    limit: int | None


class PodLogs:
    """Serves the logs below a state folder."""

    def __init__(self, store: Store, broadcast: Broadcast, state_dir: Path) -> None:
        self.store, self.broadcast, self.state_dir = store, broadcast, state_dir

    async def get(self, request: web.Request, resource: Resource, info: RequestInfo) -> web.StreamResponse:
        """Raises the 404, 400 or 422 of what can't be shown."""
        stored = self.store.get(Key(resource.storage, info.namespace, info.name))
        if stored is None:
            raise errors.not_found(resource.group, resource.plural, info.name)
        pod, options = decode(stored), log_options(info.name, request.query, dt.datetime.now(dt.UTC))
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
        with contextlib.closing(LogFiles(path, options.tail)) as files, self.broadcast.watching("pods") as pods:
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
        stored = self.store.get(Key("pods", metadata["namespace"], metadata["name"]))
        now = decode(stored) if stored else None
        return now is None or now["metadata"]["uid"] != metadata["uid"] or "terminated" in _state(now, path.parent.name)


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


def log_options(pod: str, query: Mapping[str, str], now: dt.datetime) -> LogOptions:
    """The options in a query; raises the 400 of what is no number or instant, the 422 of what is out of bounds."""
    tail, limit, seconds = (_integer(query, name) for name in ("tailLines", "limitBytes", "sinceSeconds"))
    instant = _instant(query.get("sinceTime", ""))
    causes = list(_causes(tail, limit, seconds, instant))
    if causes:
        raise errors.invalid("", "PodLogOptions", pod, causes)
    since = instant if seconds is None else now - dt.timedelta(seconds=min(seconds, 10**9))
    return LogOptions(
        container=query.get("container", ""),
        follow=is_true(query.get("follow")),
        previous=is_true(query.get("previous")),
        timestamps=is_true(query.get("timestamps")),
        since=b"" if since is None else podlogs.instant(since),
        tail=tail,
        limit=limit,
    )


def _causes(tail: int | None, limit: int | None, seconds: int | None, instant: dt.datetime | None) -> Iterator[Cause]:
    if tail is not None and tail < 0:
        yield cause.invalid("tailLines", tail, "must be greater than or equal to 0")
    if limit is not None and limit < 1:
        yield cause.invalid("limitBytes", limit, "must be greater than 0")
    if seconds is not None and instant is not None:
        yield cause.forbidden("", "at most one of `sinceTime` or `sinceSeconds` may be specified")
    elif seconds is not None and seconds < 1:
        yield cause.invalid("sinceSeconds", seconds, "must be greater than 0")


def _integer(query: Mapping[str, str], name: str) -> int | None:
    text = query.get(name, "")
    if not text:
        return None
    if not re.fullmatch(r"[+-]?[0-9]{1,18}", text):
        raise errors.bad_request(f'{name}: strconv.ParseInt: parsing "{text[:100]}": invalid syntax')
    return int(text)


def _instant(text: str) -> dt.datetime | None:
    if not text:
        return None
    try:
        moment = dt.datetime.fromisoformat(text)
        return moment.astimezone(dt.UTC) if moment.tzinfo is not None and "T" in text else _not_an_instant(text)
    except (ValueError, OverflowError):
        return _not_an_instant(text)


def _not_an_instant(text: str) -> NoReturn:
    raise errors.bad_request(f"sinceTime: {text[:100]!r} is not an instant of RFC 3339, such as 2026-01-31T08:00:00Z")
