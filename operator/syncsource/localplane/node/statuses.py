"""A Pod's status from the states of its containers, as a kubelet writes it (`pkg/kubelet/kubelet_pods.go`, `status/generate.go`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from syncsource.localplane.node import clock
from syncsource.localplane.node.environment import NODE_ADDRESS

Object = dict[str, Any]


@dataclass(slots=True)
class ContainerState:
    """A container's place in the status. `state` and `last` are as the API has them; `restarts` counts starts after the first."""

    name: str
    image: str
    uid: str
    is_initial: bool = False
    state: Object = field(default_factory=lambda: {"waiting": {"reason": "PodInitializing"}})
    last: Object = field(default_factory=dict)
    restarts: int = 0

    @property
    def is_running(self) -> bool:
        return "running" in self.state

    @property
    def ended(self) -> Object | None:
        """How it ended, if it has, and is not about to start again."""
        found: Object | None = self.state.get("terminated")
        return found

    @property
    def succeeded(self) -> bool:
        return self.ended is not None and self.ended["exitCode"] == 0

    def status(self) -> Object:
        """The entry of containerStatuses."""
        ready = self.succeeded if self.is_initial else self.is_running
        began = self.is_running or bool(self.ended) or bool(self.last)
        return {
            "name": self.name,
            "image": self.image,
            "imageID": self.image,
            **({"containerID": f"process://{self.uid}.{self.name}.{self.restarts}"} if began else {}),
            "ready": ready,
            "started": self.is_running,
            "restartCount": self.restarts,
            "state": self.state,
            "lastState": self.last,
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """What ends a Pod before its containers do; `phase` is empty where they decide."""

    phase: str = ""
    reason: str = ""
    message: str = ""
    is_over: bool = False
    """Whether no container starts any more."""


def phase(policy: str, initial: Sequence[ContainerState], containers: Sequence[ContainerState], verdict: Verdict) -> str:
    """Pending, Running, Succeeded or Failed."""
    if verdict.phase and not any(one.is_running for one in (*initial, *containers)):
        return verdict.phase
    if not all(one.succeeded for one in initial):
        failed = any(one.ended and not one.succeeded for one in initial)
        return "Failed" if failed and (policy == "Never" or verdict.is_over) else "Pending"
    if all(one.ended for one in containers):
        return _phase_at_rest(policy, containers, verdict)
    if any(one.is_running or one.ended or one.last for one in containers):
        return "Failed" if verdict.is_over and not any(one.is_running for one in containers) else "Running"
    return "Failed" if verdict.is_over else "Pending"


def _phase_at_rest(policy: str, containers: Sequence[ContainerState], verdict: Verdict) -> str:
    succeeded = all(one.succeeded for one in containers)
    if verdict.is_over or policy == "Never" or (policy == "OnFailure" and succeeded):
        return "Succeeded" if succeeded else "Failed"
    return "Running"


def pod_status(
    pod: Object, initial: Sequence[ContainerState], containers: Sequence[ContainerState], started: str, verdict: Verdict
) -> Object:
    """The whole status; conditions keep the instant of their last change."""
    known = pod.get("status") or {}
    now_phase = phase(pod["spec"].get("restartPolicy", "Always"), initial, containers, verdict)
    previous = {one["type"]: one for one in known.get("conditions") or ()}
    told = list(_conditions(now_phase, initial, containers))
    found = {
        "phase": now_phase,
        "conditions": [_aged(condition, previous.get(condition["type"])) for condition in told],
        "hostIP": NODE_ADDRESS,
        "hostIPs": [{"ip": NODE_ADDRESS}],
        "podIP": NODE_ADDRESS,
        "podIPs": [{"ip": NODE_ADDRESS}],
        "startTime": known.get("startTime") or started,
        "containerStatuses": [one.status() for one in containers],
        "qosClass": known.get("qosClass") or qos_class(pod["spec"]),
    }
    if initial:
        found["initContainerStatuses"] = [one.status() for one in initial]
    if verdict.reason and now_phase == "Failed":
        found |= {"reason": verdict.reason, "message": verdict.message}
    return found


def _conditions(now_phase: str, initial: Sequence[ContainerState], containers: Sequence[ContainerState]) -> Iterator[Object]:
    at_rest = {"Succeeded": "PodCompleted", "Failed": "PodFailed"}.get(now_phase, "")
    unready = [one.name for one in containers if not one.is_running]
    incomplete = [one.name for one in initial if not one.succeeded]
    why = {"reason": "ContainersNotReady", "message": f"containers with unready status: [{' '.join(unready)}]"}
    yield _condition("PodReadyToStartContainers", not at_rest)
    missing = {"reason": "ContainersNotInitialized", "message": f"containers with incomplete status: [{' '.join(incomplete)}]"}
    completed = {"reason": at_rest} if now_phase == "Succeeded" else {}
    yield _condition("Initialized", not incomplete, missing if incomplete else completed)
    for kind in ("Ready", "ContainersReady"):
        yield _condition(kind, not unready and not incomplete, {"reason": at_rest} if at_rest else why if unready or incomplete else {})
    yield _condition("PodScheduled", True)


def _condition(kind: str, is_true: bool, more: Object | None = None) -> Object:
    return {"type": kind, "status": "True" if is_true else "False", **(more or {})}


def _aged(condition: Object, previous: Object | None) -> Object:
    same = previous is not None and previous["status"] == condition["status"]
    since = previous.get("lastTransitionTime") if same and previous else None
    return {**condition, "lastProbeTime": None, "lastTransitionTime": since or clock.stamp()}


def qos_class(spec: Object) -> str:
    """BestEffort, Burstable or Guaranteed, by requests and limits of cpu and memory."""
    resources = [one.get("resources") or {} for one in (*spec["containers"], *(spec.get("initContainers") or ()))]
    given = [(one.get("limits") or {}, one.get("requests") or {}) for one in resources]
    if not any(part.get(name) for pair in given for part in pair for name in ("cpu", "memory")):
        return "BestEffort"
    whole = all(
        limits.get(name) and requests.get(name, limits[name]) == limits[name] for limits, requests in given for name in ("cpu", "memory")
    )
    return "Guaranteed" if whole else "Burstable"
