"""The CronJob controller: makes the Jobs that are due, and keeps the last ones (`pkg/controller/cronjob/cronjob_controllerv2.go`)."""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Iterator, Sequence

from syncsource.localplane.node import clock, jobplan
from syncsource.localplane.node.api import JSON_PATCH, Api, ApiFailed, Object
from syncsource.localplane.node.events import Recorder
from syncsource.localplane.node.schedules import NoSchedule, due
from syncsource.localplane.node.watching import DELETED
from syncsource.localplane.node.working import Key, Queue

CONTROLLER = "cronjob-controller"
_LONGEST = 300.0
"""Seconds until a CronJob is looked at again at the latest: a machine that slept does not know how long."""


class CronJobController:
    """Hears of all CronJobs and Jobs."""

    def __init__(self, api: Api, recorder: Recorder) -> None:
        self._api, self._recorder = api, recorder
        self.queue = Queue("the CronJob controller", self._sync)

    def heard(self, kind: str, cron: Object) -> None:
        """A CronJob has changed."""
        if kind != DELETED:
            self.queue.add((cron["metadata"]["namespace"], cron["metadata"]["name"]))

    def heard_job(self, kind: str, job: Object) -> None:
        """A Job has changed."""
        owner = _owner(job)
        if owner:
            self.queue.add((job["metadata"]["namespace"], owner["name"]))

    async def _sync(self, key: Key) -> None:
        namespace, name = key
        path = f"/apis/batch/v1/namespaces/{namespace}/cronjobs/{name}"
        try:
            cron = await self._api.send("GET", path)
        except ApiFailed as failed:
            if failed.code != 404:
                raise
            return
        if cron["metadata"].get("deletionTimestamp"):
            return
        jobs = await self._jobs(cron)
        status = self._look_back(cron, jobs)
        await self._forget(cron, jobs)
        await self._look_ahead(key, cron, jobs, status)
        if status != (cron.get("status") or {}):
            await self._write(path, cron, status)

    async def _jobs(self, cron: Object) -> list[Object]:
        listed = await self._api.send("GET", f"/apis/batch/v1/namespaces/{cron['metadata']['namespace']}/jobs")
        return [job for job in listed.get("items") or [] if _owner(job).get("uid") == cron["metadata"]["uid"]]

    # -- what has happened

    def _look_back(self, cron: Object, jobs: Sequence[Object]) -> Object:
        """The status by the Jobs that there are: those that run, and when the last one succeeded."""
        status = copy.deepcopy(cron.get("status") or {})
        known = {one["uid"] for one in status.get("active") or ()}
        running = [job for job in jobs if not jobplan.finished(job)]
        for job in jobs:
            ended, uid = jobplan.finished(job), job["metadata"]["uid"]
            if ended and uid in known:
                message = f"Saw completed job: {job['metadata']['name']}, condition: {ended['type']}"
                self._recorder.tell(cron, CONTROLLER, "SawCompletedJob", message)
            elif not ended and uid not in known:
                message = f"Saw a job that the controller did not create or forgot: {job['metadata']['name']}"
                self._recorder.tell(cron, CONTROLLER, "UnexpectedJob", message, warning=True)
        _set(status, "active", [_reference(job) for job in running if job["metadata"]["uid"] in known])
        ends = (job["status"].get("completionTime") for job in jobs if jobplan.condition(job.get("status") or {}, jobplan.COMPLETE))
        _set(status, "lastSuccessfulTime", max([*filter(None, ends), status.get("lastSuccessfulTime") or ""]))
        return status

    async def _forget(self, cron: Object, jobs: Sequence[Object]) -> None:
        """Delete the Jobs that have ended, but for the last ones."""
        spec = cron["spec"]
        for kind, limit in (
            (jobplan.COMPLETE, spec.get("successfulJobsHistoryLimit")),
            (jobplan.FAILED, spec.get("failedJobsHistoryLimit")),
        ):
            ended = [job for job in jobs if jobplan.condition(job.get("status") or {}, kind)]
            ended.sort(key=lambda job: str((job.get("status") or {}).get("startTime") or job["metadata"]["creationTimestamp"]))
            for job in ended[: max(len(ended) - limit, 0)] if limit is not None else ():
                await self._delete(cron, job)

    # -- what is due

    async def _look_ahead(self, key: Key, cron: Object, jobs: Sequence[Object], status: Object) -> None:
        spec, now = cron["spec"], clock.now()
        if spec.get("suspend"):
            return
        since = clock.read(status.get("lastScheduleTime") or cron["metadata"]["creationTimestamp"])
        try:
            times = due(spec["schedule"], spec.get("timeZone"), since, now)
        except NoSchedule as wrong:
            self._recorder.tell(cron, CONTROLLER, "UnParseableCronJobSchedule", str(wrong), warning=True)
            return
        if times.next is not None:
            self.queue.add(key, min(max((times.next - now).total_seconds(), 0.0) + 0.01, _LONGEST))
        if times.last is not None and await self._may_start(cron, jobs, status, times.last, now):
            await self._start(cron, status, times.last)

    async def _may_start(self, cron: Object, jobs: Sequence[Object], status: Object, at: dt.datetime, now: dt.datetime) -> bool:
        spec, deadline = cron["spec"], cron["spec"].get("startingDeadlineSeconds")
        if deadline is not None and (now - at).total_seconds() > deadline:
            self._recorder.tell(cron, CONTROLLER, "MissSchedule", f"Missed scheduled time to start a job: {at}", warning=True)
            return False
        active = {one["uid"] for one in status.get("active") or ()}
        if active and spec.get("concurrencyPolicy") == "Forbid":
            message = "Not starting job because prior execution is running and concurrency policy is Forbid"
            self._recorder.tell(cron, CONTROLLER, "JobAlreadyActive", message)
            return False
        if spec.get("concurrencyPolicy") == "Replace":
            for job in jobs:
                if job["metadata"]["uid"] in active:
                    await self._delete(cron, job)
            status.pop("active", None)
        return True

    async def _start(self, cron: Object, status: Object, at: dt.datetime) -> None:
        """One Job for each time: its name says which, so that it is made once."""
        path = f"/apis/batch/v1/namespaces/{cron['metadata']['namespace']}/jobs"
        try:
            made = await self._api.send("POST", path, new_job(cron, at))
        except ApiFailed as failed:
            if failed.reason == "AlreadyExists":
                made = await self._api.send("GET", f"{path}/{job_name(cron, at)}")
                if _owner(made).get("uid") != cron["metadata"]["uid"]:
                    self._recorder.tell(cron, CONTROLLER, "FailedCreate", f"Error creating job: {failed}", warning=True)
                    return
            else:
                if failed.code:
                    self._recorder.tell(cron, CONTROLLER, "FailedCreate", f"Error creating job: {failed}", warning=True)
                raise
        else:
            self._recorder.tell(cron, CONTROLLER, "SuccessfulCreate", f"Created job {made['metadata']['name']}")
        if not jobplan.finished(made):
            status["active"] = [*(status.get("active") or ()), _reference(made)]
        status["lastScheduleTime"] = clock.stamp(at)

    async def _delete(self, cron: Object, job: Object) -> None:
        metadata = job["metadata"]
        path = f"/apis/batch/v1/namespaces/{metadata['namespace']}/jobs/{metadata['name']}"
        try:
            await self._api.send("DELETE", path, {"propagationPolicy": "Background", "preconditions": {"uid": metadata["uid"]}})
        except ApiFailed as failed:
            if not failed.is_final:
                raise
        else:
            self._recorder.tell(cron, CONTROLLER, "SuccessfulDelete", f"Deleted job {metadata['name']}")

    async def _write(self, path: str, cron: Object, status: Object) -> None:
        """Refused, and tried again, where somebody else has written since it was read."""
        patch = [
            {"op": "test", "path": "/metadata/uid", "value": cron["metadata"]["uid"]},
            {"op": "test", "path": "/metadata/resourceVersion", "value": cron["metadata"]["resourceVersion"]},
            {"op": "add", "path": "/status", "value": status},
        ]
        await self._api.send("PATCH", f"{path}/status", patch, kind=JSON_PATCH)


def job_name(cron: Object, at: dt.datetime) -> str:
    """The name of the Job of a time: its minute."""
    return f"{cron['metadata']['name']}-{int(at.timestamp()) // 60}"


def new_job(cron: Object, at: dt.datetime) -> Object:
    """The Job of a time."""
    metadata, template = cron["metadata"], copy.deepcopy(cron["spec"]["jobTemplate"])
    given = template.get("metadata") or {}
    owner = {"apiVersion": "batch/v1", "kind": "CronJob", "name": metadata["name"], "uid": metadata["uid"]}
    stamp = at.isoformat().replace("+00:00", "Z")
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": job_name(cron, at),
            "labels": given.get("labels") or {},
            "annotations": {**(given.get("annotations") or {}), "batch.kubernetes.io/cronjob-scheduled-timestamp": stamp},
            "ownerReferences": [{**owner, "controller": True, "blockOwnerDeletion": True}],
        },
        "spec": template["spec"],
    }


def _owner(job: Object) -> Object:
    return next(_owners(job), {})


def _owners(job: Object) -> Iterator[Object]:
    return (one for one in job["metadata"].get("ownerReferences") or () if one.get("controller") and one.get("kind") == "CronJob")


def _reference(job: Object) -> Object:
    metadata = job["metadata"]
    found = {"kind": "Job", "apiVersion": "batch/v1", "name": metadata["name"], "namespace": metadata["namespace"], "uid": metadata["uid"]}
    return {**found, "resourceVersion": metadata["resourceVersion"]}


def _set(status: Object, field: str, value: object) -> None:
    if value:
        status[field] = value
    else:
        status.pop(field, None)
