"""Scheduling: a Pod that can run here gets this node, another one is told why not."""

from __future__ import annotations

from syncsource.localplane.node import clock
from syncsource.localplane.node.api import STRATEGIC_PATCH, Api, ApiFailed, Object
from syncsource.localplane.node.events import Recorder
from syncsource.localplane.node.fitness import obstacle
from syncsource.localplane.node.images import Images
from syncsource.localplane.node.watching import DELETED, Watched
from syncsource.localplane.node.working import Key, Queue

SCHEDULER = "default-scheduler"
MOST_PODS = 110
_AGAIN = 2.0
"""Seconds after which a Pod is looked at again that did not find room."""


class Scheduler:
    """Hears of all Pods, and binds those that wait for a node."""

    def __init__(self, api: Api, recorder: Recorder, images: Images, node: str, labels: dict[str, str]) -> None:
        self._api, self._recorder, self._images, self._node, self._labels = api, recorder, images, node, labels
        self.queue = Queue("scheduling", self._schedule)
        self.pods: Watched

    def heard(self, kind: str, pod: Object) -> None:
        """A Pod has changed."""
        if kind != DELETED and _waits(pod):
            self.queue.add((pod["metadata"]["namespace"], pod["metadata"]["name"]))

    async def _schedule(self, key: Key) -> None:
        pod = self.pods.objects.get(key)
        if pod is None or not _waits(pod):
            return
        if self._crowd():
            self.queue.add(key, _AGAIN)
        why = obstacle(pod, self._images, self._labels) or self._crowd()
        try:
            await (self._refuse(pod, why) if why else self._bind(pod))
        except ApiFailed as failed:
            if not failed.is_final:
                raise

    def _crowd(self) -> str:
        running = sum(pod["spec"].get("nodeName") == self._node and not _has_ended(pod) for pod in self.pods.objects.values())
        return "" if running < MOST_PODS else f"it runs {running} Pods, and no more than {MOST_PODS} at once"

    async def _bind(self, pod: Object) -> None:
        metadata = pod["metadata"]
        body = {"metadata": {"name": metadata["name"], "uid": metadata["uid"]}, "target": {"kind": "Node", "name": self._node}}
        await self._api.send("POST", f"{_path(pod)}/binding", {"apiVersion": "v1", "kind": "Binding", **body})
        message = f"Successfully assigned {metadata['namespace']}/{metadata['name']} to {self._node}"
        self._recorder.tell(pod, SCHEDULER, "Scheduled", message)

    async def _refuse(self, pod: Object, why: str) -> None:
        message = f"0/1 nodes are available: 1 node {self._node} can't run it: {why}."
        known: Object = next((one for one in (pod.get("status") or {}).get("conditions") or () if one["type"] == "PodScheduled"), {})
        if (known.get("status"), known.get("message")) == ("False", message):
            return
        condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
        patch = {
            "metadata": {"uid": pod["metadata"]["uid"]},
            "status": {"conditions": [{**condition, "lastTransitionTime": clock.stamp()}]},
        }
        await self._api.send("PATCH", f"{_path(pod)}/status", patch, kind=STRATEGIC_PATCH)
        self._recorder.tell(pod, SCHEDULER, "FailedScheduling", message, warning=True)


def _waits(pod: Object) -> bool:
    spec = pod["spec"]
    ours = spec.get("schedulerName", SCHEDULER) == SCHEDULER and not spec.get("schedulingGates")
    return ours and not spec.get("nodeName") and not _has_ended(pod) and not pod["metadata"].get("deletionTimestamp")


def _has_ended(pod: Object) -> bool:
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")


def _path(pod: Object) -> str:
    return f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}"
