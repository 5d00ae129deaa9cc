"""kill -9 in the middle of writes, again and again: what was acknowledged stays, whole, and watches go on where they were.

What is drawn follows from the seed; four writers and three watches are at work at every kill.
"""

from __future__ import annotations

import os
import random
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.controlplane.conftest import HERE, WIDGETS, Server, define

KILLS = 50 if os.environ.get("SYNCSOURCE_TEST_SOAK") else 5
CONFIGMAPS, SECRETS = (f"/api/v1/namespaces/default/{plural}" for plural in ("configmaps", "secrets"))
MERGE, APPLY = ({"Content-Type": f"application/{kind}"} for kind in ("merge-patch+json", "apply-patch+yaml"))
NAMES = 6
LAST = "the-end"
Object = dict[str, Any]


def _filled(number: int) -> Object:
    """An annotation that is long and follows from the number: half of it would show."""
    return {"annotations": {"number": str(number), "filling": f"{number}," * 200}}


def _number(obj: Object) -> int:
    annotations = obj["metadata"]["annotations"]
    assert annotations["filling"] == f"{annotations['number']}," * 200
    condition = (obj.get("status") or {}).get("conditions", [{}])[0]
    return max(int(annotations["number"]), int(condition.get("message") or 0))


class Plane:
    """The server, which is killed and started again, and the signs by which others know."""

    def __init__(self, start: Callable[[], Server]) -> None:
        self._start = start
        self.server = start()
        self.is_up, self.is_over = threading.Event(), threading.Event()
        self.is_up.set()
        self._acknowledged = threading.Condition()
        self.writes = 0

    def count(self) -> None:
        with self._acknowledged:
            self.writes += 1
            self._acknowledged.notify_all()

    def kill_after(self, writes: int) -> None:
        """And start it again, on the same folder."""
        with self._acknowledged:
            wanted = self.writes + writes
            assert self._acknowledged.wait_for(lambda: self.writes >= wanted, 60)
        self.is_up.clear()
        self.server.process.send_signal(signal.SIGKILL)
        with self.server.process:
            self.server.process.wait(10)
        self.server = self._start()
        self.is_up.set()


@dataclass
class Worker:
    """A client in a thread, that is not told of the kills."""

    plane: Plane
    path: str
    http: httpx.Client
    failure: BaseException | None = None

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self._run, daemon=True)

    def join(self) -> None:
        self.thread.join(60)
        assert not self.thread.is_alive()
        assert self.failure is None

    def _run(self) -> None:
        try:
            while not self.is_done():
                try:
                    self.step()
                except httpx.TransportError:
                    self.plane.is_up.wait(60)
        except BaseException as failed:
            self.failure = failed

    def is_done(self) -> bool:
        return self.plane.is_over.is_set()

    def step(self) -> None:
        raise NotImplementedError


@dataclass
class Writer(Worker):
    """Owns some names. `known` is what each holds, None for nothing; `doubtful` is what a write that got no answer would have made."""

    seed: int = 0
    known: dict[str, int | None] = field(default_factory=dict)
    doubtful: dict[str, int | None] = field(default_factory=dict)
    acknowledged: list[int] = field(default_factory=list)
    numbers: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.rng = random.Random(self.seed)
        self.known = {f"w{self.seed}-{number}": None for number in range(NAMES)}

    def step(self) -> None:
        for name in list(self.doubtful):
            self.look(name)
        name = self.rng.choice(sorted(self.known))
        self.numbers += 1
        is_deletion = self.known[name] is not None and self.rng.random() < 0.2
        self.doubtful[name] = None if is_deletion else self.numbers
        response = self._delete(name) if is_deletion else self._write(name)
        assert response.status_code in (200, 201), response.text
        self.known[name] = self.doubtful.pop(name)
        if not is_deletion:
            self.acknowledged.append(int(response.json()["metadata"]["resourceVersion"]))
        self.plane.count()

    def look(self, name: str) -> None:
        """Which of the two it is, after no answer."""
        response = self.http.get(f"{self.path}/{name}")
        found = _number(response.json()) if response.status_code == 200 else None
        assert found in (self.known[name], self.doubtful[name]), (name, found, self.known[name], self.doubtful[name])
        self.known[name] = found
        del self.doubtful[name]

    def _write(self, name: str) -> httpx.Response:
        metadata = {"name": name, **_filled(self.numbers)}
        if self.path == SECRETS:
            body = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata}
            return self.http.patch(f"{self.path}/{name}", params={"fieldManager": "w", "force": "true"}, json=body, headers=APPLY)
        if self.known[name] is None:
            kind = (
                {"apiVersion": "conformance.example.dev/v1alpha1", "kind": "Widget", "spec": {"colour": "red"}}
                if self.path == WIDGETS
                else {}
            )
            return self.http.post(self.path, json={**kind, "metadata": metadata})
        if self.path == WIDGETS:
            return self.http.patch(f"{self.path}/{name}/status", json={"status": self._status()}, headers=MERGE)
        return self.http.patch(f"{self.path}/{name}", json={"metadata": metadata}, headers=MERGE)

    def _status(self) -> Object:
        times = {"lastTransitionTime": "2026-01-01T00:00:00Z"}
        return {"conditions": [{"type": "Ready", "status": "True", "reason": "Written", "message": str(self.numbers), **times}]}

    def _delete(self, name: str) -> httpx.Response:
        return self.http.delete(f"{self.path}/{name}")


@dataclass
class Watch(Worker):
    """Follows a kind from `version` on, and goes on from the last event after every break."""

    version: int = 0
    events: list[Object] = field(default_factory=list)

    def step(self) -> None:
        parameters = {"watch": "1", "resourceVersion": str(self.version), "allowWatchBookmarks": "true", "timeoutSeconds": "600"}
        with self.http.stream("GET", self.path, params=parameters, timeout=60) as response:
            for line in response.iter_lines():
                self._heard(_parsed(line))
                if self.is_done():
                    return

    def is_done(self) -> bool:
        return bool(self.events) and self.events[-1]["object"]["metadata"]["name"] == LAST

    def _heard(self, event: Object) -> None:
        assert event["type"] in ("ADDED", "MODIFIED", "DELETED", "BOOKMARK"), event
        version = int(event["object"]["metadata"]["resourceVersion"])
        assert version > self.version
        self.version = version
        if event["type"] != "BOOKMARK":
            self.events.append(event)

    def replayed(self) -> dict[str, Object]:
        """What is there by the events alone: each must fit what those before it left."""
        state: dict[str, Object] = {}
        for event in self.events:
            name = event["object"]["metadata"]["name"]
            assert (name in state) == (event["type"] != "ADDED"), (event["type"], name)
            if event["type"] == "DELETED":
                del state[name]
            else:
                state[name] = event["object"]
        return state


def _parsed(line: str) -> Object:
    """Raises TransportError for a line that was cut off."""
    try:
        return httpx.Response(200, content=line).json()
    except ValueError as cut:
        raise httpx.ReadError("a line was cut off") from cut


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_kills_in_the_middle_of_writes(launch, tmp_path: Path) -> None:
    plane, rng = Plane(lambda: launch(tmp_path)), random.Random(KILLS)
    http = plane.server.client()
    define(http, HERE / "conformance" / "files" / "crd.yaml")
    paths = (CONFIGMAPS, SECRETS, WIDGETS)
    watches = [Watch(plane, path, plane.server.client(), version=_version(http, path)) for path in paths]
    writers = [Writer(plane, path, plane.server.client(), seed=seed) for seed, path in enumerate((*paths, WIDGETS))]
    for worker in (*watches, *writers):
        worker.thread.start()
    for _ in range(KILLS):
        plane.kill_after(rng.randint(1, 150))
    plane.is_over.set()
    for writer in writers:
        writer.join()
        for name in list(writer.doubtful):
            writer.look(name)
    _end(watches, http)
    for watch in watches:
        _check(watch, [writer for writer in writers if writer.path == watch.path], http)


def _version(http: httpx.Client, path: str) -> int:
    return int(http.get(path).json()["metadata"]["resourceVersion"])


def _end(watches: list[Watch], http: httpx.Client) -> None:
    """One more write for each, the last that it hears of."""
    for watch in watches:
        kind = (
            {"apiVersion": "conformance.example.dev/v1alpha1", "kind": "Widget", "spec": {"colour": "red"}} if watch.path == WIDGETS else {}
        )
        assert http.post(watch.path, json={**kind, "metadata": {"name": LAST}}).status_code == 201
        watch.join()


def _check(watch: Watch, writers: list[Writer], http: httpx.Client) -> None:
    listed = {item["metadata"]["name"]: item for item in http.get(watch.path).json()["items"]}
    listed = {name: obj for name, obj in listed.items() if name == LAST or name.startswith("w")}
    assert watch.replayed() == listed
    known = {name: number for writer in writers for name, number in writer.known.items() if number is not None}
    assert {name: _number(obj) for name, obj in listed.items() if name != LAST} == known
    heard = {int(event["object"]["metadata"]["resourceVersion"]) for event in watch.events}
    for writer in writers:
        assert set(writer.acknowledged) <= heard
        assert writer.acknowledged == sorted(set(writer.acknowledged))
