"""The Job controller: makes a Job's Pods, counts how they end, and ends the Job.

Every look asks the API server anew, so that nothing is decided on a picture that is old. A Pod that has ended is counted in three
steps, each of which may be the last one that this process does: it is listed as uncounted in the Job's status, it is marked, and
it goes from the list into the counts.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Sequence

from syncsource.localplane.node import clock, jobplan, jobpods
from syncsource.localplane.node.api import JSON_PATCH, MERGE_PATCH, Api, ApiFailed, Object
from syncsource.localplane.node.events import Recorder
from syncsource.localplane.node.jobpods import COUNTED
from syncsource.localplane.node.pods import path_of
from syncsource.localplane.node.watching import DELETED
from syncsource.localplane.node.working import Key, Queue

CONTROLLER = "job-controller"
_MANAGERS = (None, "kubernetes.io/job-controller")
_AT_ONCE = 100
"""Pods that are made in one go."""


class JobController:
    """Hears of all Jobs and Pods. `backoff`: seconds after a first failure."""

    def __init__(self, api: Api, recorder: Recorder, backoff: float) -> None:
        self._api, self._recorder, self._backoff = api, recorder, backoff
        self._vanished: dict[str, dict[str, str]] = {}
        self._pods_of: dict[Key, dict[str, Object]] = {}
        self.queue = Queue("the Job controller", self._sync)

    def heard(self, kind: str, job: Object) -> None:
        """A Job has changed."""
        if kind == DELETED:
            self._vanished.pop(job["metadata"]["uid"], None)
        self.queue.add((job["metadata"]["namespace"], job["metadata"]["name"]))

    def heard_pod(self, kind: str, pod: Object) -> None:
        """A Pod has changed."""
        owner, uid = jobpods.owner(pod), pod["metadata"]["uid"]
        if not owner:
            return
        key = pod["metadata"]["namespace"], owner["name"]
        if kind == DELETED:
            self._forget(key, uid)
            if not jobpods.is_counted(pod):
                how = "succeeded" if jobpods.phase(pod) == "Succeeded" else "failed"
                self._vanished.setdefault(owner["uid"], {})[uid] = how
        else:
            self._pods_of.setdefault(key, {})[uid] = pod
        self.queue.add(key)

    def _forget(self, key: Key, uid: str) -> None:
        known = self._pods_of.get(key, {})
        known.pop(uid, None)
        if not known:
            self._pods_of.pop(key, None)

    async def _sync(self, key: Key) -> None:
        namespace, name = key
        path = f"/apis/batch/v1/namespaces/{namespace}/jobs/{name}"
        try:
            job = await self._api.send("GET", path)
        except ApiFailed as failed:
            if failed.code != 404:
                raise
            await self._collect(key, "")
            return
        await self._collect(key, job["metadata"]["uid"])
        if job["metadata"].get("deletionTimestamp") or job["spec"].get("managedBy") not in _MANAGERS:
            return
        if jobplan.finished(job):
            await self._expire(key, path, job)
        else:
            await self._carry_on(key, path, job)

    async def _collect(self, key: Key, uid: str) -> None:
        """Delete the Pods of a Job of that name that is gone, unless they were let go of before it."""
        for pod in list(self._pods_of.get(key, {}).values()):
            if jobpods.owner(pod)["uid"] == uid:
                continue
            self._forget(key, pod["metadata"]["uid"])
            try:
                found = await self._api.send("GET", path_of(pod))
                if jobpods.owner(found).get("uid") == jobpods.owner(pod)["uid"] and not found["metadata"].get("deletionTimestamp"):
                    await self._delete(found)
            except ApiFailed as failed:
                if not failed.is_final:
                    self._pods_of.setdefault(key, {})[pod["metadata"]["uid"]] = pod
                    raise

    async def _expire(self, key: Key, path: str, job: Object) -> None:
        """Delete it when its time after the end is over."""
        ttl, ended = job["spec"].get("ttlSecondsAfterFinished"), jobplan.finished(job)
        if ttl is None or ended is None:
            return
        left = ttl - clock.since(ended.get("lastTransitionTime"))
        if left > 0:
            self.queue.add(key, left)
            return
        options = {"propagationPolicy": "Background", "preconditions": {"uid": job["metadata"]["uid"]}}
        await _unless_gone(self._api.send("DELETE", path, options))

    async def _carry_on(self, key: Key, path: str, job: Object) -> None:
        pods = await self._pods(job)
        vanished = dict(self._vanished.get(job["metadata"]["uid"], {}))
        job = await self._list_ended(path, job, pods, vanished)
        await self._mark(pods, job)
        made = jobplan.plan(job, pods, clock.now(), self._backoff)
        if leaving := [pod for pod in made.delete if not jobpods.is_counted(pod)]:
            job = await self._count_as_failed(path, job, made.status, leaving)
            made = jobplan.plan(job, pods, clock.now(), self._backoff)
        for pod in made.set_aside:
            await _unless_gone(self._annotate(pod))
        for pod in (*made.set_aside, *made.delete):
            await _unless_gone(self._delete(pod))
            self._recorder.tell(job, CONTROLLER, "SuccessfulDelete", f"Deleted pod: {pod['metadata']['name']}")
        if made.status != (job.get("status") or {}):
            await self._write(path, job, made.status)
        for reason, message, warning in made.events:
            self._recorder.tell(job, CONTROLLER, reason, message, warning=warning)
        await self._create(job, made.indexes[:_AT_ONCE])
        if made.again is not None:
            self.queue.add(key, max(made.again, 0.01))

    async def _pods(self, job: Object) -> list[Object]:
        labels = ((job["spec"].get("selector") or {}).get("matchLabels")) or {}
        selector = ",".join(f"{name}={value}" for name, value in labels.items())
        listed = await self._api.send("GET", f"/api/v1/namespaces/{job['metadata']['namespace']}/pods", labelSelector=selector)
        return [pod for pod in listed.get("items") or [] if jobpods.owner(pod).get("uid") == job["metadata"]["uid"]]

    async def _list_ended(self, path: str, job: Object, pods: Sequence[Object], vanished: dict[str, str]) -> Object:
        """The first step: what has ended is in the status, by uid."""
        found = jobplan.uncounted(job, pods, vanished)
        status = job.get("status") or {}
        if found != (status.get("uncountedTerminatedPods") or {}):
            job = await self._write_uncounted(path, job, status, found)
        known = self._vanished.get(job["metadata"]["uid"], {})
        for uid in vanished:
            known.pop(uid, None)
        return job

    async def _count_as_failed(self, path: str, job: Object, status: Object, pods: Sequence[Object]) -> Object:
        """Of Pods that are about to be deleted: one that never ran is gone at once, and the Job may end before that is heard."""
        job = await self._write_uncounted(path, job, status, {"failed": [pod["metadata"]["uid"] for pod in pods]})
        await self._mark(pods, job)
        return job

    async def _write_uncounted(self, path: str, job: Object, status: Object, found: Object) -> Object:
        job = await self._write(path, job, {**status, "uncountedTerminatedPods": found})
        job["status"]["uncountedTerminatedPods"] = found  # which Kubernetes before 1.22 does not keep
        return job

    async def _mark(self, pods: Iterable[Object], job: Object) -> None:
        """The second step: what is listed is marked."""
        ended = (job.get("status") or {}).get("uncountedTerminatedPods") or {}
        listed = {*(ended.get("succeeded") or ()), *(ended.get("failed") or ())}
        for pod in pods:
            if pod["metadata"]["uid"] in listed and not jobpods.is_counted(pod):
                await _unless_gone(self._annotate(pod))

    async def _annotate(self, pod: Object) -> Object:
        patch = {"metadata": {"uid": pod["metadata"]["uid"], "annotations": {COUNTED: "true"}}}
        return await self._api.send("PATCH", path_of(pod), patch, kind=MERGE_PATCH)

    async def _delete(self, pod: Object) -> Object:
        return await self._api.send("DELETE", path_of(pod), {"preconditions": {"uid": pod["metadata"]["uid"]}})

    async def _create(self, job: Object, indexes: Sequence[int | None]) -> None:
        path = f"/api/v1/namespaces/{job['metadata']['namespace']}/pods"
        for index in indexes:
            try:
                made = await self._api.send("POST", path, jobpods.new_pod(job, index))
            except ApiFailed as failed:
                if failed.code:
                    self._recorder.tell(job, CONTROLLER, "FailedCreate", f"Error creating: {failed}", warning=True)
                raise
            self._recorder.tell(job, CONTROLLER, "SuccessfulCreate", f"Created pod: {made['metadata']['name']}")

    async def _write(self, path: str, job: Object, status: Object) -> Object:
        patch = [
            {"op": "test", "path": "/metadata/uid", "value": job["metadata"]["uid"]},
            {"op": "add", "path": "/status", "value": status},
        ]
        return await self._api.send("PATCH", f"{path}/status", patch, kind=JSON_PATCH)


async def _unless_gone(request: Awaitable[Object]) -> None:
    """What is about an object that is gone need not be done."""
    try:
        await request
    except ApiFailed as failed:
        if not failed.is_final:
            raise
