"""The Pods of this node: each has a worker that runs its containers, writes its status and, once it is deleted, lets it go."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from functools import partial

from syncsource.localplane.node import clock, room
from syncsource.localplane.node.api import JSON_PATCH, Api, ApiFailed, Object
from syncsource.localplane.node.containers import Container, Settings, creating
from syncsource.localplane.node.ending import Ending
from syncsource.localplane.node.events import Recorder
from syncsource.localplane.node.images import Images
from syncsource.localplane.node.statuses import Verdict, pod_status
from syncsource.localplane.node.watching import DELETED

KUBELET = "kubelet"
MIRROR = "kubernetes.io/config.mirror"
"""The annotation of a Pod that is only shown: something else runs it."""
STOP_SECONDS = 3.0
"""How long containers have to end when the node ends."""
_SHORTEST, _LONGEST = 0.1, 10.0
_log = logging.getLogger(__name__)


class PodWorker:
    """Runs one Pod, from where an earlier node left it."""

    def __init__(self, api: Api, recorder: Recorder, pod: Object, images: Images, settings: Settings) -> None:
        self._api, self._recorder, self.pod = api, recorder, pod
        self._room = room.Room(api, settings.state, pod, images)
        self._ending, self._verdict = Ending(), Verdict()
        self._changed, self._is_final, self.is_gone, self._stops = asyncio.Event(), False, False, False
        self._started = clock.stamp()
        policy = pod["spec"].get("restartPolicy", "Always")
        make = partial(Container, self._room, settings=settings, changed=self._changed.set, tell=self._tell)
        first_policy = "Never" if policy == "Never" else "OnFailure"
        self._initial = [make(spec=spec, policy=first_policy, initial=True) for spec in pod["spec"].get("initContainers") or ()]
        self._containers = [make(spec=spec, policy=policy, initial=False) for spec in pod["spec"]["containers"]]

    def seen(self, pod: Object) -> None:
        """The Pod as it is now."""
        self.pod = self._room.pod = pod
        metadata = pod["metadata"]
        if metadata.get("deletionTimestamp"):
            self._verdict = Verdict(self._verdict.phase, self._verdict.reason, self._verdict.message, is_over=True)
            self._ending.begin(float(metadata.get("deletionGracePeriodSeconds") or 0))

    def gone(self) -> None:
        """The Pod was deleted without waiting for this node."""
        self.is_gone = True
        self._ending.begin(0)

    def stop(self) -> None:
        """The node ends."""
        self._stops = True
        self._ending.begin(STOP_SECONDS)

    async def run(self) -> None:
        """Until the Pod is at rest, and gone where it was deleted."""
        publishing, renewing = asyncio.create_task(self._publish()), asyncio.create_task(self._room.account.keep())
        deadline = self._watch_deadline()
        try:
            if not has_ended(self.pod):
                await self._live()
        finally:
            renewing.cancel()
            if deadline is not None:
                deadline.cancel()
            self._is_final = True
            self._changed.set()
        await publishing
        if self.pod["metadata"].get("deletionTimestamp") and not self.is_gone and not self._stops:
            await self._let_go()

    # -- containers

    async def _live(self) -> None:
        self._recover()
        self.seen(self.pod)
        while True:
            try:
                self._room.prepare()
                break
            except OSError as failed:
                _log.warning("no folders for Pod %s: %s", self._room.title, failed.strerror)
                if await self._ending.pause(_LONGEST):
                    return
        for container in self._initial:
            await container.live(self._ending)
            if self._ending.is_set or not container.state.succeeded:
                return
        await asyncio.gather(*(container.live(self._ending) for container in self._containers))

    def _recover(self) -> None:
        status = self.pod.get("status") or {}
        known = {one["name"]: one for field in ("initContainerStatuses", "containerStatuses") for one in status.get(field) or ()}
        for container in (*self._initial, *self._containers):
            container.state.state = creating(bool(self._initial))
            container.recover(known.get(container.name))
        if any(container.state.ended for container in (*self._initial, *self._containers)):
            self._changed.set()

    def _watch_deadline(self) -> asyncio.TimerHandle | None:
        seconds = self.pod["spec"].get("activeDeadlineSeconds")
        if seconds is None:
            return None
        left = seconds - clock.since((self.pod.get("status") or {}).get("startTime"))
        return asyncio.get_running_loop().call_later(max(left, 0), self._exceed)

    def _exceed(self) -> None:
        message = "Pod was active on the node longer than the specified deadline"
        self._verdict = Verdict("Failed", "DeadlineExceeded", message, is_over=True)
        self._tell("DeadlineExceeded", message)
        self._ending.begin(float(self.pod["spec"].get("terminationGracePeriodSeconds") or 0))
        self._changed.set()

    # -- the API

    async def _publish(self) -> None:
        """Write the status whenever it changes, the last one too, however often the API server goes away."""
        wait = _SHORTEST
        while True:
            await self._changed.wait()
            self._changed.clear()
            is_final = self._is_final
            try:
                if not self.is_gone and (not is_final or not has_ended(self.pod)):
                    await self._write()
                wait = _SHORTEST
            except ApiFailed as failed:
                if not await self._is_there(failed, wait):
                    return
                wait = min(wait * 2, _LONGEST)
                self._changed.set()
                is_final = self._stops and self._is_final
            if is_final:
                return

    async def _is_there(self, failed: ApiFailed, wait: float) -> bool:
        """After a refusal: whether there is still a Pod to write the status of."""
        if failed.code == 404 or self.is_gone:
            return False
        if failed.code:
            _log.warning("the status of Pod %s was refused: %s", self._room.title, failed)
        await asyncio.sleep(wait)
        return True

    async def _write(self) -> None:
        status = self._status()
        known = {name: value for name, value in (self.pod.get("status") or {}).items() if name in status}
        if known == status:
            return
        patch = [{"op": "test", "path": "/metadata/uid", "value": self._room.uid}, {"op": "add", "path": "/status", "value": status}]
        written = await self._api.send("PATCH", f"{path_of(self.pod)}/status", patch, kind=JSON_PATCH)
        self.pod = {**self.pod, "status": written.get("status") or status}

    def _status(self) -> Object:
        initial, containers = ([one.state for one in each] for each in (self._initial, self._containers))
        return pod_status(self.pod, initial, containers, self._started, self._verdict)

    async def _let_go(self) -> None:
        """The Pod's end in the API, which waits for its node."""
        wait = _SHORTEST
        while not self.is_gone:
            options = {"gracePeriodSeconds": 0, "preconditions": {"uid": self._room.uid}}
            try:
                await self._api.send("DELETE", path_of(self.pod), options)
            except ApiFailed as failed:
                if not failed.is_final:
                    await asyncio.sleep(wait)
                    wait = min(wait * 2, _LONGEST)
                    continue
            return

    def _tell(self, reason: str, message: str, *, warning: bool = False) -> None:
        self._recorder.tell(self.pod, KUBELET, reason, message, warning=warning)


class Pods:
    """Hears of all Pods, and has those of this node run."""

    def __init__(self, node: str, worker: Callable[[Object], PodWorker], settings: Settings) -> None:
        self._node, self._make, self._settings = node, worker, settings
        self._workers: dict[str, PodWorker] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._stops = False

    def heard(self, kind: str, pod: Object) -> None:
        """A Pod has changed."""
        uid = pod["metadata"]["uid"]
        if pod["spec"].get("nodeName") != self._node or MIRROR in (pod["metadata"].get("annotations") or {}):
            return
        worker = self._workers.get(uid)
        if worker is not None:
            worker.gone() if kind == DELETED else worker.seen(pod)
        elif kind == DELETED:
            room.remove(self._settings.state, pod)
        elif not self._stops and (not has_ended(pod) or pod["metadata"].get("deletionGracePeriodSeconds")):
            self._workers[uid] = worker = self._make(pod)
            self._tasks[uid] = asyncio.create_task(self._run(worker, uid))

    def tidy(self, pods: list[Object]) -> None:
        """Delete what Pods left that are not among these."""
        room.remove_others(self._settings.state, {pod["metadata"]["uid"] for pod in pods})

    async def stop(self) -> None:
        """End every container, and tell how they ended while the API server answers."""
        self._stops = True
        for worker in self._workers.values():
            worker.stop()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS + 2):
                await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _run(self, worker: PodWorker, uid: str) -> None:
        try:
            await worker.run()
        except Exception:
            _log.exception("Pod %s", uid)
        finally:
            del self._workers[uid], self._tasks[uid]
            if worker.is_gone:
                room.remove(self._settings.state, worker.pod)


def has_ended(pod: Object) -> bool:
    """Whether nothing of it will run any more."""
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")


def path_of(pod: Object) -> str:
    """Where the API has it."""
    return f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}"
