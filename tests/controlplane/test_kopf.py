"""Operators written with kopf, in the manner of its documentation, run unchanged: each is a process of its own."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
import yaml

from tests.controlplane.conftest import HERE, Server

PATIENCE = 20
DATA = HERE / "data"
TOYS = "/apis/workshop.example/v1/namespaces/{}/toys"
Line = dict[str, Any]


class Operator:
    """``kopf run``: the lines of JSON that it printed are awaited, the others are its log."""

    def __init__(self, server: Server, script: str, *options: str) -> None:
        env = {"KUBECONFIG": str(server.kubeconfig), "PATH": "", "HOME": str(server.folder), "PYTHONWARNINGS": "ignore"}
        command = [sys.executable, "-m", "kopf", "run", *options, str(DATA / script)]
        self._process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self._said: queue.Queue[Line | None] = queue.Queue()
        self.log: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def wait(self, **wanted: Any) -> Line:
        """The next line with all of these. AssertionError where it does not come."""
        ends = time.monotonic() + PATIENCE
        while True:
            try:
                line = self._said.get(timeout=max(ends - time.monotonic(), 0))
            except queue.Empty:
                line = None
            assert line is not None, f"the operator did not say {wanted}; its log:\n{''.join(self.log)}"
            if all(line.get(key) == value for key, value in wanted.items()):
                return line

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(PATIENCE)
        finally:
            self._process.kill()
            self._reader.join()
            assert self._process.stdout is not None
            self._process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("{"):
                self._said.put(json.loads(line))
            else:
                self.log.append(line)
                self._said.put({"log": True} | {word: True for word in ("Pausing", "Resuming") if word in line})
        self._said.put(None)


@contextmanager
def operating(server: Server, script: str, *options: str) -> Iterator[Operator]:
    operator = Operator(server, script, *options)
    try:
        yield operator
    finally:
        operator.stop()


@pytest.fixture(scope="module", autouse=True)
def definitions(http: httpx.Client) -> None:
    for document in yaml.safe_load_all((DATA / "toys.yaml").read_text()):
        made = http.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", json=document)
        assert made.status_code == 201, made.text


@pytest.fixture
def namespace(http: httpx.Client) -> str:
    name = f"n{uuid.uuid4().hex[:8]}"
    assert http.post("/api/v1/namespaces", json={"metadata": {"name": name}}).status_code == 201
    return name


@pytest.fixture
def new_toy(http: httpx.Client, namespace: str) -> Callable[..., str]:
    """Makes a toy, and gives its path."""

    def make(name: str, **spec: Any) -> str:
        body = {"apiVersion": "workshop.example/v1", "kind": "Toy", "metadata": {"name": name}, "spec": {"size": 1, **spec}}
        made = http.post(TOYS.format(namespace), json=body)
        assert made.status_code == 201, made.text
        return f"{TOYS.format(namespace)}/{name}"

    return make


def until(http: httpx.Client, path: str, wanted: Callable[[Line], Any]) -> Line:
    """The object as soon as it is as wanted."""
    for event in watched(http, path):
        if wanted(event["object"]):
            return dict(event["object"])
    raise AssertionError(f"{path} did not come to what was awaited: {http.get(path).text}")


def wait_gone(http: httpx.Client, path: str) -> None:
    """Until there is no such object."""
    seen = http.get(path)
    if seen.is_success:
        events = watched(http, path, resourceVersion=seen.json()["metadata"]["resourceVersion"])
        assert any(event["type"] == "DELETED" for event in events), f"it is not gone: {http.get(path).text}"


def watched(http: httpx.Client, path: str, **more: str) -> Iterator[Line]:
    collection, _, name = path.rpartition("/")
    params = {"watch": "1", "fieldSelector": f"metadata.name={name}", "timeoutSeconds": str(PATIENCE), **more}
    with http.stream("GET", collection, params=params, timeout=PATIENCE + 5) as answer:
        yield from map(json.loads, answer.iter_lines())


def resized(toy: Line) -> Line:
    """What the field handler left."""
    return dict(toy.get("status", {}).get("resize/spec.size", {}))


def patch(http: httpx.Client, path: str, **change: Any) -> None:
    headers = {"Content-Type": "application/merge-patch+json"}
    assert http.patch(path, content=json.dumps(change), headers=headers).status_code == 200


def test_a_toy_from_its_making_to_its_end(server: Server, kubectl: Any, http: httpx.Client, namespace: str, new_toy: Any) -> None:
    with operating(server, "workshop.py", "--standalone", "--namespace", namespace) as operator:
        red, blue = new_toy("red", colour="red", size=3), new_toy("blue", colour="blue")
        made = until(http, red, lambda toy: toy.get("status", {}).get("create"))
        assert made["status"]["create"] == {"size": 3, "retries": 2}
        assert made["metadata"]["finalizers"] == ["workshop.example/toy"]
        until(http, blue, lambda toy: toy.get("status", {}).get("create"))
        patch(http, red, spec={"size": 5, "colour": "green"})
        changed = until(http, red, lambda toy: resized(toy) == {"from": 3, "to": 5} and "update" in toy["status"])
        assert sorted(changed["status"]["update"]["diff"]) == [["change", "spec.colour"], ["change", "spec.size"]]
        assert changed["status"]["update"]["colours"] == {"blue": ["blue"], "green": ["red"]}
        until(http, red, lambda toy: toy["status"].get("ticks") == 3)
        http.delete(red)
        assert operator.wait(what="stopped", name="red")["deleted"]
        assert operator.wait(what="deleted", name="red")
        wait_gone(http, red)
    assert http.get(red).status_code == 404
    events = http.get(f"/api/v1/namespaces/{namespace}/events", params={"fieldSelector": "involvedObject.name=red"}).json()["items"]
    told = {(event["reason"], event["message"], event["type"]) for event in events}
    assert ("Built", "of size 3", "Normal") in told
    assert any("the glue is wet" in message for _, message, _ in told)
    assert "of size 1" in kubectl("describe", "toy", "blue", "-n", namespace).stdout
    listed = kubectl("events", "-n", namespace, "--for", "toy/blue").stdout
    assert any(line.split()[1:4] == ["Normal", "Built", "Toy/blue"] for line in listed.splitlines())


def test_what_is_there_at_a_restart_is_resumed(server: Server, http: httpx.Client, namespace: str, new_toy: Callable[..., str]) -> None:
    with operating(server, "workshop.py", "--standalone", "--namespace", namespace) as operator:
        toy = new_toy("ball")
        until(http, toy, lambda toy: toy.get("status", {}).get("create"))
        assert operator.wait(what="begun", name="ball")
    patch(http, toy, spec={"size": 2})
    with operating(server, "workshop.py", "--standalone", "--namespace", namespace) as operator:
        assert operator.wait(what="resumed", name="ball")
        until(http, toy, lambda toy: resized(toy) == {"from": 1, "to": 2})
        http.delete(toy)
        wait_gone(http, toy)


@pytest.mark.parametrize("kind", ["kopfpeerings", "clusterkopfpeerings"])
def test_the_operator_of_a_higher_priority_works_alone(server: Server, http: httpx.Client, namespace: str, new_toy: Any, kind: str) -> None:
    scope = f"/namespaces/{namespace}" if kind == "kopfpeerings" else ""
    peering = f"/apis/kopf.dev/v1{scope}/{kind}"
    kind_name = "KopfPeering" if scope else "ClusterKopfPeering"
    made = http.post(peering, json={"apiVersion": "kopf.dev/v1", "kind": kind_name, "metadata": {"name": "toys"}})
    assert made.status_code == 201, made.text
    where = ("--namespace", namespace) if scope else ("--all-namespaces",)
    with operating(server, "watchman.py", "--peering", "toys", "--priority", "1", *where) as low:
        new_toy("first")
        assert low.wait(what="toy", name="first")
        with operating(server, "watchman.py", "--peering", "toys", "--priority", "9", *where) as high:
            assert low.wait(Pausing=True)
            new_toy("second")
            assert high.wait(what="toy", name="second")
            peers = http.get(f"{peering}/toys").json()["status"]
            assert sorted(peer["priority"] for peer in peers.values()) == [1, 9]
        assert low.wait(Resuming=True)
        assert low.wait(what="toy", name="second", type=None)


def test_namespaces_that_come_and_go_are_served(server: Server, http: httpx.Client) -> None:
    with operating(server, "watchman.py", "--standalone", "--namespace", "team-*,!team-x*") as operator:
        for name in ("team-xa", "team-b"):
            assert http.post("/api/v1/namespaces", json={"metadata": {"name": name}}).status_code == 201
            body = {"apiVersion": "workshop.example/v1", "kind": "Toy", "metadata": {"name": f"of-{name}"}, "spec": {"size": 1}}
            assert http.post(TOYS.format(name), json=body).status_code == 201
        assert operator.wait(what="toy")["namespace"] == "team-b"
        http.delete(f"{TOYS.format('team-b')}/of-team-b")
        assert operator.wait(what="toy", name="of-team-b", type="DELETED")
        http.delete("/api/v1/namespaces/team-b")
        assert operator.wait(what="namespace", name="team-b", type="DELETED")
