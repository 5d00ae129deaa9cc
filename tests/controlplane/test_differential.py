"""Whatever is written in whatever order, the promises of the API hold; and where a real server is at hand, it answers alike."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.controlplane.conftest import Server, start_kubernetes
from tests.controlplane.sequences import CRDS, DEFINITION, Object, Side, Write, applied_fields, comparable, sequences
from tests.requiring import unavailable

EXAMPLES = 400 if os.environ.get("SYNCSOURCE_TEST_SOAK") else 40
STEPS = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
OLDEST = (1, 29)
END = "zz-the-end"


def _side(client: httpx.Client, until_served: Callable[[httpx.Client], None]) -> Side:
    assert client.post(CRDS, json=DEFINITION).status_code in (201, 409)
    until_served(client)
    return Side(client)


def _until_served(client: httpx.Client) -> None:
    """A real server serves a definition a moment after it took it: its condition says when."""
    path = f"{CRDS}/{DEFINITION['metadata']['name']}"
    while not any(found["type"] == "Established" and found["status"] == "True" for found in _conditions(client.get(path).json())):
        version = client.get(path).json()["metadata"]["resourceVersion"]
        params = {
            "watch": "1",
            "resourceVersion": version,
            "timeoutSeconds": 5,
            "fieldSelector": f"metadata.name={path.rpartition('/')[2]}",
        }
        with client.stream("GET", CRDS, params=params) as response:
            next(response.iter_lines(), "")


def _conditions(definition: Object) -> list[Object]:
    return (definition.get("status") or {}).get("conditions") or []


@pytest.fixture(scope="module")
def ours(http: httpx.Client) -> Side:
    return _side(http, _until_served)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Side]:
    cluster = os.environ.get("SYNCSOURCE_TEST_KUBECONFIG")
    with _proxied(cluster) if cluster else _started(tmp_path_factory.mktemp("real")) as client:
        version = client.get("/version").json()
        if tuple(int(re.sub("[^0-9]", "", version[name])) for name in ("major", "minor")) < OLDEST:
            unavailable("kubernetes-1.29", f"{version['gitVersion']} owns defaults in another way; compare with 1.29 or newer")
        yield _side(client, _until_served)


@contextlib.contextmanager
def _proxied(kubeconfig: str) -> Iterator[httpx.Client]:
    """kubectl's proxy knows every way to authenticate."""
    command = ["kubectl", "proxy", "--port=0", "--reject-methods=^$", f"--kubeconfig={kubeconfig}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().split()[-1]
        with httpx.Client(base_url=f"http://{address}", trust_env=False, timeout=20) as client:
            yield client
        process.terminate()


@contextlib.contextmanager
def _started(folder: Path) -> Iterator[httpx.Client]:
    server: Server = start_kubernetes(folder)
    yield server.client()
    server.stop()


class Promises:
    """What has been seen of each object, and the states to which watches go back."""

    def __init__(self, side: Side) -> None:
        self.side = side
        self.state, version = side.list()
        self.states = [(version, self.state)]
        self.born: dict[str, tuple[str, str]] = {}

    def hold(self, write: Write, answer: httpx.Response) -> None:
        before, (after, version) = self.state, self.side.list()
        assert answer.status_code < 500, answer.text
        assert int(version) >= int(self.states[-1][0])
        if write.dry or answer.status_code >= 400:
            assert after == before
        for name, obj in after.items():
            self._object(before.get(name), obj)
            assert self.side.get(name) == obj
        if answer.status_code < 400 and not write.dry:
            self._effect(write, before, after)
        self.state = after
        self.states.append((version, after))

    def _object(self, old: Object | None, obj: Object) -> None:
        metadata = obj["metadata"]
        identity = self.born.setdefault(metadata["uid"], (metadata["name"], metadata["creationTimestamp"]))
        assert identity == (metadata["name"], metadata["creationTimestamp"])
        if old is None or old["metadata"]["uid"] != metadata["uid"]:
            assert metadata["generation"] == 1
            return
        was = old["metadata"]
        assert (int(metadata["resourceVersion"]) > int(was["resourceVersion"])) is (obj != old)
        moved = (obj.get("spec") != old.get("spec")) + ("deletionTimestamp" in metadata and "deletionTimestamp" not in was)
        assert metadata["generation"] - was["generation"] == moved

    def _effect(self, write: Write, before: dict[str, Object], after: dict[str, Object]) -> None:
        gone = before.keys() - after.keys()
        assert not any(before[name]["metadata"].get("finalizers") for name in gone) or write.verb == "release"
        if write.verb == "delete":
            kept = after.get(write.name)
            assert kept is None or (kept["metadata"]["finalizers"] and kept["metadata"]["deletionTimestamp"])
        if write.verb == "apply":
            self._applied(write, after[write.name])

    def _applied(self, write: Write, obj: Object) -> None:
        mine = [
            entry
            for entry in obj["metadata"].get("managedFields", [])
            if (entry["manager"], entry["operation"]) == (write.manager, "Apply")
        ]
        fields = applied_fields(write.spec)
        expected: Any = {"f:spec": fields} if fields or not write.spec else {}
        assert [entry["fieldsV1"] for entry in mine] == ([expected] if expected else [])

    def replay(self, since: int) -> None:
        """A watch from an earlier version comes to the state of now."""
        made = self.side.client.post(self.side.path, json={**_marker(), "metadata": {"name": END}})
        assert made.status_code == 201, made.text
        version, state = self.states[min(since, len(self.states) - 1)]
        assert self.side.replayed(version, state, END) == self.state


def _marker() -> Object:
    return {"apiVersion": DEFINITION["spec"]["group"] + "/v1", "kind": "Thing", "spec": {}}


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_the_promises_hold_whatever_is_written(ours: Side) -> None:
    @STEPS
    @given(sequences, st.integers(0, 12))
    def run(sequence: list[Write], since: int) -> None:
        ours.begin()
        promises = Promises(ours)
        for write in sequence:
            promises.hold(write, ours.send(write))
        promises.replay(since)

    run()


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_a_real_server_answers_alike(ours: Side, real: Side) -> None:
    @STEPS
    @given(sequences)
    def run(sequence: list[Write]) -> None:
        ours.begin()
        real.begin()
        for write in sequence:
            assert comparable(ours.send(write)) == comparable(real.send(write)), write

    run()
