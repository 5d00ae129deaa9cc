"""What a Job needs next, from its status and its Pods (`pkg/controller/job/job_controller.go`). No I/O here."""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from syncsource.localplane.node import clock, indexes, jobpods
from syncsource.localplane.node.api import Object

LONGEST_BACKOFF = 600.0
COMPLETE, FAILED, CRITERIA, TARGET, SUSPENDED = "Complete", "Failed", "SuccessCriteriaMet", "FailureTarget", "Suspended"
_UNKNOWN = ("podFailurePolicy", "successPolicy", "backoffLimitPerIndex", "maxFailedIndexes")


@dataclass(slots=True)
class Plan:
    """The status to write, Pods to delete and to make, and in how many seconds to look again; None for never.

    `set_aside` Pods are deleted without being counted. `indexes` has one entry for each new Pod: None where Pods have no index.
    """

    status: Object
    delete: list[Object] = field(default_factory=list)
    set_aside: list[Object] = field(default_factory=list)
    indexes: list[int | None] = field(default_factory=list)
    again: float | None = None
    events: list[tuple[str, str, bool]] = field(default_factory=list)
    """Reason, message, whether it is a warning."""


def condition(status: Mapping[str, Any], kind: str) -> Object | None:
    """The condition of that type, if it is true."""
    return next((one for one in status.get("conditions") or () if one["type"] == kind and one["status"] == "True"), None)


def finished(job: Object) -> Object | None:
    """Complete or Failed, whichever holds."""
    status = job.get("status") or {}
    return condition(status, COMPLETE) or condition(status, FAILED)


def uncounted(job: Object, pods: Sequence[Object], vanished: Mapping[str, str]) -> Object:
    """uncountedTerminatedPods with those that have ended since. `vanished`: Pods that are gone, by uid: succeeded or failed."""
    known = (job.get("status") or {}).get("uncountedTerminatedPods") or {}
    found = {name: list(known.get(name) or ()) for name in ("succeeded", "failed")}
    taken = {*found["succeeded"], *found["failed"]}
    ended = {pod["metadata"]["uid"]: jobpods.phase(pod).lower() for pod in pods if jobpods.has_ended(pod) and not jobpods.is_counted(pod)}
    for uid, how in {**vanished, **ended}.items():
        if uid not in taken:
            found[how].append(uid)
    return {name: uids for name, uids in found.items() if uids}


def plan(job: Object, pods: Sequence[Object], now: dt.datetime, backoff: float) -> Plan:
    """`job` has its uncounted Pods in the status, all of them told apart by now; `pods` are all that it has."""
    made = Plan(_counted(job, pods))
    _judge(job, pods, now, made)
    if _ends(made.status):
        made.delete = [pod for pod in pods if jobpods.is_active(pod)]
        if not any(not jobpods.has_ended(pod) for pod in pods):
            _finish(made, now)
    elif job["spec"].get("suspend"):
        _suspend(pods, now, made)
    else:
        _resume(now, made)
        _manage(job, pods, now, backoff, made)
    _describe(pods, made)
    return made


def _counted(job: Object, pods: Sequence[Object]) -> Object:
    status = copy.deepcopy(job.get("status") or {})
    ended = status.pop("uncountedTerminatedPods", None) or {}
    for name in ("succeeded", "failed"):
        status[name] = (status.get(name) or 0) + len(ended.get(name) or ())
    if _is_indexed(job):
        done = indexes.parse(status.get("completedIndexes") or "")
        done |= {jobpods.index(pod) for pod in pods if jobpods.phase(pod) == "Succeeded"}
        done &= set(range(job["spec"].get("completions") or 0))
        status["completedIndexes"], status["succeeded"] = indexes.written(done), len(done)
    return status


def _judge(job: Object, pods: Sequence[Object], now: dt.datetime, made: Plan) -> None:
    """Whether it has succeeded or failed by now."""
    spec, status = job["spec"], made.status
    if _ends(status):
        return
    limit = spec.get("backoffLimit", 6)
    unknown = next((name for name in _UNKNOWN if spec.get(name) is not None), "")
    deadline = _left(job, now)
    if unknown:
        _fail(made, now, "NotSupported", f"spec.{unknown} is not supported by the Job controller of this node; leave it away")
    elif status["failed"] > limit or _restarted_too_often(spec, pods, limit):
        _fail(made, now, "BackoffLimitExceeded", "Job has reached the specified backoff limit")
    elif deadline is not None and deadline <= 0:
        _fail(made, now, "DeadlineExceeded", "Job was active longer than specified deadline")
    elif _is_complete(spec, status, pods):
        _set(status, CRITERIA, now, "CompletionsReached", "Reached expected number of succeeded pods")
    elif deadline is not None:
        made.again = deadline


def _restarted_too_often(spec: Object, pods: Sequence[Object], limit: int) -> bool:
    if spec["template"]["spec"].get("restartPolicy") != "OnFailure":
        return False
    count = sum(jobpods.restarts(pod) for pod in pods if not jobpods.has_ended(pod))
    return count > 0 if limit == 0 else count >= limit


def _is_complete(spec: Object, status: Object, pods: Sequence[Object]) -> bool:
    if spec.get("completions") is None:
        return status["succeeded"] > 0 and not any(jobpods.is_active(pod) for pod in pods)
    return bool(status["succeeded"] >= spec["completions"]) and not spec.get("suspend")


def _left(job: Object, now: dt.datetime) -> float | None:
    """Seconds that it still has; None for any number."""
    seconds, started = job["spec"].get("activeDeadlineSeconds"), (job.get("status") or {}).get("startTime")
    if seconds is None or not started or job["spec"].get("suspend"):
        return None
    return float(seconds - (now - clock.read(started)).total_seconds())


def _fail(made: Plan, now: dt.datetime, reason: str, message: str) -> None:
    made.status.setdefault("startTime", clock.stamp(now))
    _set(made.status, TARGET, now, reason, message)


def _ends(status: Object) -> Object | None:
    return condition(status, CRITERIA) or condition(status, TARGET)


def _finish(made: Plan, now: dt.datetime) -> None:
    status = made.status
    met = condition(status, CRITERIA)
    if met is not None:
        _set(status, COMPLETE, now, met["reason"], met["message"])
        status["completionTime"] = clock.stamp(now)
        made.events.append(("Completed", "Job completed", False))
    elif (target := condition(status, TARGET)) is not None:
        _set(status, FAILED, now, target["reason"], target["message"])
        made.events.append((target["reason"], target["message"], True))


def _suspend(pods: Sequence[Object], now: dt.datetime, made: Plan) -> None:
    made.set_aside = [pod for pod in pods if jobpods.is_active(pod)]
    made.again = None
    if condition(made.status, SUSPENDED) is None:
        made.status.pop("startTime", None)
        _set(made.status, SUSPENDED, now, "JobSuspended", "Job suspended")
        made.events.append(("Suspended", "Job suspended", False))


def _resume(now: dt.datetime, made: Plan) -> None:
    if condition(made.status, SUSPENDED) is not None:
        _set(made.status, SUSPENDED, now, "JobResumed", "Job resumed", holds=False)
        made.events.append(("Resumed", "Job resumed", False))
    made.status.setdefault("startTime", clock.stamp(now))


def _manage(job: Object, pods: Sequence[Object], now: dt.datetime, backoff: float, made: Plan) -> None:
    """As many Pods as are wanted now; new ones wait after a failure, each time longer."""
    spec, active = job["spec"], [pod for pod in pods if jobpods.is_active(pod)]
    wanted, parallelism = _wanted(spec, made.status, len(active)), spec.get("parallelism", 1)
    occupied = len(active)
    if spec.get("podReplacementPolicy") == "Failed":
        occupied += sum(jobpods.is_leaving(pod) for pod in pods)
    if len(active) > wanted:
        made.set_aside = sorted(active, key=jobpods.is_ready)[: len(active) - wanted]
    missing = min(wanted - occupied, parallelism)
    if missing <= 0:
        return
    count, last = jobpods.failures_in_a_row(pods)
    if last is not None:
        wait = min(backoff * 2 ** min(count - 1, 20), LONGEST_BACKOFF) - (now - last).total_seconds()
        if wait > 0:
            made.again = min(wait, made.again) if made.again is not None else wait
            return
    made.indexes = _free_indexes(job, made.status, active, missing) if _is_indexed(job) else [None] * missing


def _wanted(spec: Object, status: Object, active: int) -> int:
    parallelism = int(spec.get("parallelism", 1))
    if spec.get("completions") is None:
        return min(active, parallelism) if status["succeeded"] else parallelism
    return min(int(spec["completions"]) - int(status["succeeded"]), parallelism)


def _free_indexes(job: Object, status: Object, active: Sequence[Object], count: int) -> list[int | None]:
    taken = indexes.parse(status["completedIndexes"]) | {jobpods.index(pod) for pod in active}
    free: list[int | None] = [index for index in range(job["spec"].get("completions") or 0) if index not in taken]
    return free[:count]


def _describe(pods: Sequence[Object], made: Plan) -> None:
    leaving = {pod["metadata"]["uid"] for pod in (*made.delete, *made.set_aside)}
    active = [pod for pod in pods if jobpods.is_active(pod) and pod["metadata"]["uid"] not in leaving]
    counts = {
        "active": len(active),
        "ready": sum(jobpods.is_ready(pod) for pod in active),
        "terminating": sum(jobpods.is_leaving(pod) for pod in pods) + len(leaving),
    }
    made.status.update(counts)
    for name in ("active", "succeeded", "failed", "completedIndexes"):
        if not made.status.get(name):
            made.status.pop(name, None)


def _is_indexed(job: Object) -> bool:
    return bool(job["spec"].get("completionMode") == "Indexed")


def _set(status: Object, kind: str, now: dt.datetime, reason: str, message: str, *, holds: bool = True) -> None:
    at = clock.stamp(now)
    found = {"type": kind, "status": "True" if holds else "False", "reason": reason, "message": message}
    others = [one for one in status.get("conditions") or () if one["type"] != kind]
    status["conditions"] = [*others, {**found, "lastProbeTime": at, "lastTransitionTime": at}]
