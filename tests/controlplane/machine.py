"""A node process beside a server, and Pods and Jobs for it."""

from __future__ import annotations

import base64
import json
import select
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.controlplane.conftest import Server

Object = dict[str, Any]
NODE = "here"
START_SECONDS = 20.0
_PATHS = {
    "Pod": "/api/v1/namespaces/{}/pods",
    "Job": "/apis/batch/v1/namespaces/{}/jobs",
    "CronJob": "/apis/batch/v1/namespaces/{}/cronjobs",
}


@dataclass
class Machine:
    """A server, a node beside it whose image `tool` is this Python, and a client."""

    server: Server
    http: httpx.Client
    options: tuple[str, ...] = ("--container-backoff", "0.1", "--job-backoff", "0.1")
    namespace: str = "default"
    process: subprocess.Popen[str] | None = None
    names: list[str] = field(default_factory=list)

    def start(self) -> None:
        """The node, once it says that it is ready."""
        command = [sys.executable, "-m", "syncsource.localplane.node", "--kubeconfig", str(self.server.kubeconfig), "--name", NODE]
        command += ["--state", str(self.server.folder), "--image", f"tool={sys.executable}", *self.options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], START_SECONDS)
        line = self.process.stdout.readline() if ready else ""
        if not line:
            self.process.kill()
            raise AssertionError(f"the node did not start: {self.process.communicate()[1]}")
        assert json.loads(line) == {"ready": True, "node": NODE}

    def stop(self, number: int = signal.SIGTERM) -> str:
        """End it; what it said on standard error."""
        assert self.process is not None
        self.process.send_signal(number)
        with self.process:
            said = self.process.communicate(timeout=15)[1]
        assert self.process.returncode == (0 if number == signal.SIGTERM else -number), said
        return said

    # -- objects

    def create(self, kind: str, spec: Object, **metadata: Any) -> str:
        """A new object; its name."""
        name = metadata.pop("name", f"x{uuid.uuid4().hex[:10]}")
        api = "v1" if kind == "Pod" else "batch/v1"
        made = self.http.post(self.path(kind), json={"apiVersion": api, "kind": kind, "metadata": {"name": name, **metadata}, "spec": spec})
        assert made.status_code == 201, made.text
        return name

    def pod(
        self, script: str = "", *, policy: str = "Never", metadata: Object | None = None, pod: Object | None = None, **container: Any
    ) -> str:
        """A Pod that runs a script of Python."""
        spec = {"restartPolicy": policy, "containers": [python(script, **container)], **(pod or {})}
        return self.create("Pod", spec, **(metadata or {}))

    def job(self, script: str, *, policy: str = "Never", pod: Object | None = None, container: Object | None = None, **spec: Any) -> str:
        """A Job that runs a script of Python."""
        template = {"spec": {"restartPolicy": policy, "containers": [python(script, **(container or {}))], **(pod or {})}}
        return self.create("Job", {"template": template, **spec})

    def path(self, kind: str, name: str = "") -> str:
        return _PATHS[kind].format(self.namespace) + (f"/{name}" if name else "")

    def get(self, name: str, kind: str = "Pod") -> Object:
        got = self.http.get(self.path(kind, name))
        assert got.status_code == 200, got.text
        return got.json()

    def patch(self, name: str, change: Object, kind: str = "Pod") -> None:
        merge = {"Content-Type": "application/merge-patch+json"}
        got = self.http.patch(self.path(kind, name), json=change, headers=merge)
        assert got.status_code == 200, got.text

    def delete(self, name: str, kind: str = "Pod", **options: Any) -> None:
        got = self.http.request("DELETE", self.path(kind, name), json=options)
        assert got.status_code == 200, got.text

    def log(self, pod: str, **options: str) -> str:
        got = self.http.get(f"{self.path('Pod', pod)}/log", params=options)
        assert got.status_code == 200, got.text
        return got.text

    def pods(self, job: str) -> list[Object]:
        """The Pods of a Job, in the order of their making."""
        listed = self.http.get(self.path("Pod"), params={"labelSelector": f"batch.kubernetes.io/job-name={job}"}).json()["items"]
        return sorted(listed, key=lambda pod: int(pod["metadata"]["resourceVersion"]))

    def events(self, name: str) -> list[tuple[str, str]]:
        """Reason and message of what was told of an object."""
        path = f"/api/v1/namespaces/{self.namespace}/events"
        listed = self.http.get(path, params={"fieldSelector": f"involvedObject.name={name}"}).json()["items"]
        return [(event["reason"], event["message"]) for event in listed]

    # -- waiting

    def wait(self, name: str, until: Callable[[Object], Any], *, kind: str = "Pod", seconds: float = 15) -> Object:
        """The object as soon as it is as wanted. AssertionError where it never is."""
        seen: Object = {}
        for event in self._watched(kind, f"metadata.name={name}", seconds):
            seen = event["object"]
            if event["type"] in ("ADDED", "MODIFIED") and until(seen):
                return seen
        raise AssertionError(f"{name} did not come to what was awaited: {json.dumps(seen.get('status'), indent=1)}")

    def wait_gone(self, name: str, *, kind: str = "Pod", seconds: float = 15) -> None:
        for event in self._watched(kind, f"metadata.name={name}", seconds, sendInitialEvents="true", resourceVersionMatch="NotOlderThan"):
            if event["type"] == "DELETED" or (event["type"] == "BOOKMARK" and self.http.get(self.path(kind, name)).status_code == 404):
                return
        raise AssertionError(f"{name} did not go")

    def wait_tidy(self, uid: str, *, seconds: float = 15) -> None:
        """Until nothing of a Pod is left on this machine: its folder goes a moment after the Pod."""
        end = time.monotonic() + seconds
        while left := list(self.server.folder.glob(f"*/*{uid}*")):
            assert time.monotonic() < end, f"{left} did not go"
            time.sleep(0.01)

    def wait_event(self, name: str, reason: str, *, seconds: float = 15) -> str:
        """The message of the Event with that reason about an object."""
        path = f"/api/v1/namespaces/{self.namespace}/events"
        for event in self._stream(path, {"fieldSelector": f"involvedObject.name={name}"}, seconds):
            if event["object"].get("reason") == reason:
                return event["object"]["message"]
        raise AssertionError(f"no Event {reason}: {self.events(name)}")

    def wait_log(self, pod: str, text: str) -> None:
        """Until a line of the log holds the text."""
        self.wait(pod, lambda found: found.get("status", {}).get("containerStatuses", [{}])[0].get("state", {}).keys() - {"waiting"})
        with self.http.stream("GET", f"{self.path('Pod', pod)}/log", params={"follow": "true"}, timeout=15) as answer:
            assert any(text in line for line in answer.iter_lines()), f"the log of {pod} ended without {text!r}"

    def _watched(self, kind: str, selector: str, seconds: float, **more: str) -> Iterator[Object]:
        params = {"fieldSelector": selector, "allowWatchBookmarks": "true", **more}
        return self._stream(self.path(kind), params, seconds)

    def _stream(self, path: str, params: dict[str, str], seconds: float) -> Iterator[Object]:
        ends = time.monotonic() + seconds
        while (left := ends - time.monotonic()) > 0:
            query = {**params, "watch": "true", "timeoutSeconds": str(max(int(left), 1))}
            try:
                with self.http.stream("GET", path, params=query, timeout=left + 5) as answer:
                    yield from (json.loads(line) for line in answer.iter_lines())
            except httpx.TransportError:
                continue


def python(script: str, **container: Any) -> Object:
    """A container that runs a script of Python."""
    return {"name": "main", "image": "registry.example:5000/team/tool:v1", **({"args": ["-c", script]} if script else {}), **container}


@contextmanager
def machine(server: Server, *options: str) -> Iterator[Machine]:
    """A node that is stopped with the block."""
    with server.client() as http:
        made = Machine(server, http)
        made.options = options or made.options
        made.start()
        try:
            yield made
        finally:
            if made.process is not None and made.process.poll() is None:
                made.stop()


# -- what is awaited


def phase(*wanted: str) -> Callable[[Object], bool]:
    return lambda pod: pod.get("status", {}).get("phase") in wanted


def container(pod: Object, field: str = "containerStatuses", at: int = 0) -> Object:
    """A container's status; empty where it has none."""
    found = pod.get("status", {}).get(field) or []
    return found[at] if len(found) > at else {}


def waiting(reason: str) -> Callable[[Object], bool]:
    return lambda pod: container(pod).get("state", {}).get("waiting", {}).get("reason") == reason


def condition(obj: Object, kind: str) -> Object:
    return next((one for one in obj.get("status", {}).get("conditions") or [] if one["type"] == kind), {})


def is_true(kind: str) -> Callable[[Object], bool]:
    return lambda obj: condition(obj, kind).get("status") == "True"


def ended(pod: Object, at: int = 0) -> Object:
    """How a container ended."""
    return container(pod, at=at)["state"]["terminated"]


def alive(pattern: Path) -> bool:
    """Whether the process whose id is in a file lives."""
    number = int(pattern.read_text())
    try:
        state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def secret(here: Machine, data: dict[str, str], plural: str = "secrets", name: str = "") -> str:
    name = name or f"s{uuid.uuid4().hex[:10]}"
    values = {key: base64.b64encode(text.encode()).decode() for key, text in data.items()} if plural == "secrets" else data
    made = here.http.post(f"/api/v1/namespaces/default/{plural}", json={"metadata": {"name": name}, "data": values})
    assert made.status_code == 201, made.text
    return name
