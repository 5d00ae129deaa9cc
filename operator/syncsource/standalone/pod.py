"""The operator's process as a Pod of the control plane, so that ``kubectl logs`` and the TUI read its log as they would in a cluster.

It is a mirror of something that this process runs: the node leaves it alone. Who deletes it has the operator started anew.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from syncsource import __version__
from syncsource.client.api import Api, ApiFailed
from syncsource.client.requests import apply
from syncsource.localplane.node.api import Api as Watching
from syncsource.localplane.node.pods import MIRROR
from syncsource.localplane.node.watching import DELETED, Watched
from syncsource.localplane.podlogs import ContainerLog

NAMESPACE, NAME, CONTAINER = "syncsource", "syncsource-operator", "operator"
_NAMESPACE_PATH = f"/api/v1/namespaces/{NAMESPACE}"
_PATH = f"{_NAMESPACE_PATH}/pods/{NAME}"
NODE = "syncsource"
"""The name of the node that is this machine."""
_AGAIN = 1.0
"""Seconds until a status is written again while the control plane is away."""


class OperatorPod:
    """Tells the control plane how the operator fares, and keeps its log. ``show`` also gets each line."""

    def __init__(self, api: Api, state: Path, show: Callable[[bytes], None]) -> None:
        self._api, self._state, self._show = api, state, show
        self._log: ContainerLog | None = None
        self._uid = ""
        self._restarts = -1
        self._last: dict[str, Any] = {}
        self._state_now: dict[str, Any] = {}
        self._created = self._started = _now()
        self._changed = asyncio.Event()
        self._is_leaving = False
        self.when_deleted: Callable[[float], object] = lambda seconds: None
        """Called with the seconds that the process has to end, once somebody deletes the Pod."""

    def heard(self, kind: str, pod: dict[str, Any]) -> None:
        """The Pod has changed."""
        metadata = pod["metadata"]
        if metadata["uid"] != self._uid or self._is_leaving or not (kind == DELETED or metadata.get("deletionTimestamp")):
            return
        self._is_leaving = True
        self.when_deleted(0 if kind == DELETED else metadata.get("deletionGracePeriodSeconds") or 0)

    async def starting(self) -> None:
        """A process is about to start."""
        if not self._uid or self._is_leaving:
            self._take_over(await asyncio.to_thread(_created, self._api))
            self._is_leaving = False
        self._restarts += 1
        self._started = _now()
        self._open_log()
        self._tell({"running": {"startedAt": self._started}})

    def said(self, line: bytes) -> None:
        """It wrote a line."""
        with contextlib.suppress(OSError):  # a full disk costs the log, not the operator
            if self._log is not None:
                self._log.write("stderr", line)
        self._show(line)

    async def ended(self, code: int, again_in: float) -> None:
        """It ended before its time."""
        self._last = {"terminated": {"exitCode": code, "reason": "Error", "startedAt": self._started, "finishedAt": _now()}}
        if code < 0:
            self._last["terminated"] |= {"exitCode": 128 - code, "signal": -code}
        message = f"back-off {again_in:g}s restarting failed container={CONTAINER} pod={NAME}_{NAMESPACE}({self._uid})"
        self._tell({"waiting": {"reason": "CrashLoopBackOff", "message": message}})

    async def publish(self) -> None:
        """Write the status whenever it changes, until cancelled; again where the control plane was away or the Pod was deleted."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            try:
                await asyncio.to_thread(self._write)
            except ApiFailed as error:
                if error.code == 404:
                    self._uid = ""
                await asyncio.sleep(_AGAIN)
                self._changed.set()

    def close(self) -> None:
        """The log ends."""
        log, self._log = self._log, None
        if log is not None:
            log.close()

    def _write(self) -> None:
        if self._is_leaving:
            return
        if not self._uid:
            self._take_over(_created(self._api))
            self._restarts = max(self._restarts, 0)
            self._open_log()
        self._api.send("PATCH", f"{_PATH}/status", merge_patch={"status": self._status()})

    def _take_over(self, pod: dict[str, Any]) -> None:
        """Goes on where the process before this one left the Pod."""
        self._uid = pod["metadata"]["uid"]
        containers = pod.get("status", {}).get("containerStatuses") or []
        self._restarts = containers[0]["restartCount"] if containers else -1

    def _open_log(self) -> None:
        self.close()
        with contextlib.suppress(OSError):
            self._log = ContainerLog(self._state, namespace=NAMESPACE, pod=NAME, uid=self._uid, container=CONTAINER, restart=self._restarts)

    def _tell(self, state: dict[str, Any]) -> None:
        self._state_now = state
        self._changed.set()

    def _status(self) -> dict[str, Any]:
        running = "running" in self._state_now
        container = {
            "name": CONTAINER,
            "image": _image(),
            "imageID": "",
            "ready": running,
            "started": running,
            "restartCount": self._restarts,
            "state": self._state_now,
            "lastState": self._last,
        }
        ready = {"status": "True" if running else "False", "lastTransitionTime": _now()}
        began = {"status": "True", "lastTransitionTime": self._created}
        return {
            "phase": "Running",
            "hostIP": "127.0.0.1",
            "podIP": "127.0.0.1",
            "podIPs": [{"ip": "127.0.0.1"}],
            "startTime": self._created,
            "conditions": [
                *({"type": kind, **ready} for kind in ("Ready", "ContainersReady")),
                *({"type": kind, **began} for kind in ("Initialized", "PodScheduled")),
            ],
            "containerStatuses": [container],
        }


@asynccontextmanager
async def operator_pod(api: Api, kubeconfig: Path, state: Path, show: Callable[[bytes], None]) -> AsyncIterator[OperatorPod]:
    """The Pod, its status kept true until the block is left."""
    pod, watching = OperatorPod(api, state, show), Watching.of(kubeconfig)
    watched = Watched(watching, f"{_NAMESPACE_PATH}/pods", pod.heard, fieldSelector=f"metadata.name={NAME}")
    tasks = [asyncio.create_task(pod.publish()), asyncio.create_task(watched.run())]
    try:
        yield pod
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await watching.close()
        pod.close()


def _created(api: Api) -> dict[str, Any]:
    """The Pod as it is, created where it is not there, or is about to go. Raises ApiFailed."""
    apply(api, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}, _NAMESPACE_PATH)
    found = _found(api)
    if found and (found["metadata"].get("deletionTimestamp") or found["spec"].get("nodeName") != NODE):
        api.send("DELETE", _PATH, query={"gracePeriodSeconds": "0"})
    apply(api, _manifest(), _PATH)
    return api.send("GET", _PATH)


def _found(api: Api) -> dict[str, Any] | None:
    try:
        return api.send("GET", _PATH)
    except ApiFailed as error:
        if error.code != 404:
            raise
        return None


def _manifest() -> dict[str, Any]:
    labels = {"app.kubernetes.io/name": "syncsource", "app.kubernetes.io/component": "operator", "app.kubernetes.io/version": __version__}
    container = {"name": CONTAINER, "image": _image(), "args": ["operator", "--all-namespaces"]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": NAME, "namespace": NAMESPACE, "labels": labels, "annotations": {MIRROR: "syncsource"}},
        "spec": {"containers": [container], "restartPolicy": "Always", "nodeName": NODE},
    }


def _image() -> str:
    return f"syncsource:{__version__}"


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
