"""What was acknowledged stays: over a restart, over kill -9 at any moment, and at the same address."""

from __future__ import annotations

import contextlib
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.requiring import unavailable

CONFIGMAPS = "/api/v1/namespaces/default/configmaps"


def _configmap(name: str, value: str = "1") -> dict:
    return {"metadata": {"name": name}, "data": {"value": value}}


def test_a_restart_keeps_everything(launch, tmp_path: Path) -> None:
    first = launch(tmp_path)
    http = first.client()
    made = http.post(CONFIGMAPS, json=_configmap("kept")).json()
    cluster = http.get("/api/v1/namespaces/kube-system").json()["metadata"]["uid"]
    assert first.stop() == 0
    second = launch(tmp_path)
    again = second.client()
    assert second.url == first.url
    assert again.get(f"{CONFIGMAPS}/kept").json() == made
    assert again.get("/api/v1/namespaces/kube-system").json()["metadata"]["uid"] == cluster
    later = again.post(CONFIGMAPS, json=_configmap("later")).json()
    assert int(later["metadata"]["resourceVersion"]) > int(made["metadata"]["resourceVersion"])


def test_versions_never_go_back_even_after_deletions(launch, tmp_path: Path) -> None:
    first = launch(tmp_path)
    http = first.client()
    http.post(CONFIGMAPS, json=_configmap("gone"))
    http.delete(f"{CONFIGMAPS}/gone")
    last = int(http.get(CONFIGMAPS).json()["metadata"]["resourceVersion"])
    first.stop()
    assert int(launch(tmp_path).client().get(CONFIGMAPS).json()["metadata"]["resourceVersion"]) >= last


def test_a_watch_resumes_over_a_kill(launch, tmp_path: Path, watch_lines) -> None:
    first = launch(tmp_path)
    http = first.client()
    old = http.get(CONFIGMAPS).json()["metadata"]["resourceVersion"]
    http.post(CONFIGMAPS, json=_configmap("a"))
    http.patch(f"{CONFIGMAPS}/a", json={"data": {"value": "2"}}, headers={"Content-Type": "application/merge-patch+json"})
    http.delete(f"{CONFIGMAPS}/a")
    first.stop(signal.SIGKILL)
    http = launch(tmp_path).client()
    with watch_lines(http, CONFIGMAPS, resourceVersion=old) as events:
        http.post(CONFIGMAPS, json=_configmap("b"))
        seen = [next(events) for _ in range(4)]
    assert [(event["type"], event["object"]["metadata"]["name"]) for event in seen] == [
        ("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a"), ("ADDED", "b"),
    ]  # fmt: skip
    assert seen[2]["object"]["data"] == {"value": "2"}
    versions = [int(event["object"]["metadata"]["resourceVersion"]) for event in seen]
    assert versions == sorted(set(versions))


@pytest.mark.parametrize("writes", [5, 60])
def test_a_kill_loses_no_acknowledged_write(launch, tmp_path: Path, writes: int) -> None:
    server = launch(tmp_path)
    acknowledged: dict[str, str] = {}
    enough = threading.Event()

    def write() -> None:
        client = server.client()
        try:
            for number in range(100_000):
                name = f"w{number}"
                made = client.post(CONFIGMAPS, json=_configmap(name))
                acknowledged[name] = made.json()["metadata"]["resourceVersion"]
                if number >= writes:
                    enough.set()
        except httpx.HTTPError:
            return

    writer = threading.Thread(target=write)
    writer.start()
    assert enough.wait(30)
    server.process.kill()
    with server.process:
        server.process.wait(10)
    writer.join(30)
    assert not writer.is_alive()
    stored = {
        item["metadata"]["name"]: item["metadata"]["resourceVersion"] for item in launch(tmp_path).client().get(CONFIGMAPS).json()["items"]
    }
    assert acknowledged.items() <= stored.items()
    assert len(stored) <= len(acknowledged) + 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_at_once_with_watches_open(launch, tmp_path: Path, watch_lines, number) -> None:
    server = launch(tmp_path)
    client = server.client()
    streaming = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan", "allowWatchBookmarks": "true"}
    with watch_lines(client, CONFIGMAPS, timeoutSeconds=60, **streaming) as events:
        assert next(events)["type"] == "BOOKMARK"
        began = time.monotonic()
        server.process.send_signal(number)
        assert list(events) == []
        with server.process:
            assert server.process.wait(3) == 0
    assert time.monotonic() - began < 3


@contextlib.contextmanager
def _small_disk(folder: Path) -> Iterator[Path]:
    """A disk of 2 MB."""
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m,mode=0700", "tmpfs", str(folder)], capture_output=True, text=True)
    if mounted.returncode != 0:
        unavailable("tmpfs", f"no right to mount one: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_refuses_writes_until_there_is_room(launch, tmp_path: Path, watch_lines) -> None:
    with _small_disk(tmp_path) as disk:
        filler = disk / "filler"
        filler.write_bytes(bytes(2**20))
        server = launch(disk)
        http = server.client()
        start = http.get(CONFIGMAPS).json()["metadata"]["resourceVersion"]
        kept, refused = [], None
        while refused is None:
            made = http.post(CONFIGMAPS, json=_configmap(f"w{len(kept)}", "x" * 50_000))
            if made.status_code == 201:
                kept.append(made.json())
            else:
                refused = made
        status = refused.json()
        assert (refused.status_code, status["reason"]) == (500, "InternalError")
        assert status["message"] == "Internal error occurred: cannot write to objects.db: database or disk is full"
        assert http.get(CONFIGMAPS).json()["items"] == kept
        filler.unlink()
        kept.append(http.post(CONFIGMAPS, json=_configmap("there-is-room", "x" * 50_000)).json())
        assert http.get(f"{CONFIGMAPS}/there-is-room").json() == kept[-1]
        with watch_lines(http, CONFIGMAPS, resourceVersion=start) as events:
            assert [next(events)["object"] for _ in kept] == kept
        server.stop(signal.SIGKILL)
        again = launch(disk)
        assert {item["metadata"]["uid"] for item in again.client().get(CONFIGMAPS).json()["items"]} == {
            item["metadata"]["uid"] for item in kept
        }
        again.stop()


def _garbled(database: Path) -> None:
    database.write_bytes(b"no database at all" * 500)


def _emptied(database: Path) -> None:
    database.write_bytes(b"")


def _newer(database: Path) -> None:
    with contextlib.closing(sqlite3.connect(database)) as file:
        file.execute("PRAGMA user_version=99")


@pytest.mark.parametrize(
    ("damage", "why"),
    [(_garbled, "is damaged (file is not a database)"), (_emptied, "is empty, though there were objects in it"), (_newer, "has schema version 99")],
)  # fmt: skip
def test_a_file_that_cannot_be_served_is_refused_in_one_line(launch, tmp_path: Path, damage, why) -> None:
    launch(tmp_path).stop()
    damage(tmp_path / "objects.db")
    ended = subprocess.run(
        [sys.executable, "-m", "syncsource.localplane", "--dir", str(tmp_path)], capture_output=True, text=True, timeout=20
    )
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"error: {tmp_path / 'objects.db'} {why}")


def test_a_taken_port_is_not_insisted_on(launch, tmp_path: Path) -> None:
    first = launch(tmp_path / "one")
    port = first.url.rpartition(":")[2]
    second = launch(tmp_path / "two", "--port", "0")
    assert second.url != first.url
    second.stop()
    (tmp_path / "two" / "port").write_text(port)
    assert launch(tmp_path / "two").url not in {first.url, second.url}
