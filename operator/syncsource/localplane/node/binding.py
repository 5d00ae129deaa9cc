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
        why = obstacle(pod, self._images, self._labels)
        try:
            await (self._refuse(pod, why) if why else self._bind(pod))
        except ApiFailed as failed:
            if not failed.is_final:
                raise

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
    spec, phase = pod["spec"], (pod.get("status") or {}).get("phase", "Pending")
    ours = spec.get("schedulerName", SCHEDULER) == SCHEDULER and not spec.get("schedulingGates")
    return ours and not spec.get("nodeName") and phase == "Pending" and not pod["metadata"].get("deletionTimestamp")


def _path(pod: Object) -> str:
    return f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}"
