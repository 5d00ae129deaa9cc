"""kube-apiserver and etcd in the embedded control plane's place: how they start, die and end, and what is said where they can't start."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psutil
import pytest

from tests.controlplane.conftest import Server, start_kubernetes
from tests.e2e.product import run

PATIENCE = 60


@pytest.fixture
def assets(tmp_path: Path) -> Path:
    """A folder as envtest's, whose programs know their flags and end at once."""
    folder = tmp_path / "assets"
    folder.mkdir()
    for name in ("etcd", "kube-apiserver"):
        program = folder / name
        program.write_text(f'#!/bin/sh\n[ "$1" = --help ] && exit 0\necho "{name}: no space %s left"; exit 7\n')
        program.chmod(0o755)
    return folder


def up(assets: Path) -> subprocess.CompletedProcess[str]:
    return run("up", "--no-operator", "--dir", str(assets.parent / "state"), env={"KUBEBUILDER_ASSETS": str(assets)})


def test_a_program_that_is_missing_is_named(assets: Path) -> None:
    (assets / "kube-apiserver").unlink()
    done = up(assets)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"error: KUBEBUILDER_ASSETS is {assets}, but {assets}/kube-apiserver is missing; name a folder with kube-apiserver and etcd in it, "
        "or unset KUBEBUILDER_ASSETS for the embedded control plane\n"
        "error: the control plane ended with exit code 1\n"
    )


def test_a_program_that_is_not_executable_is_named(assets: Path) -> None:
    (assets / "etcd").chmod(0o644)
    done = up(assets)
    assert done.returncode == 1
    assert f"but {assets}/etcd is not executable; " in done.stderr


@pytest.mark.parametrize("name", ["etcd", "kube-apiserver"])
def test_a_program_for_another_processor_is_named(assets: Path, name: str) -> None:
    (assets / name).write_bytes(b"\x7fELF\x02\x01\x01" + bytes(57))
    done = up(assets)
    assert done.returncode == 1
    assert f"{assets}/{name} can't be run: " in done.stderr
    assert "it must be one for this system and processor" in done.stderr


def test_the_last_words_of_one_that_dies_are_shown(assets: Path) -> None:
    done = up(assets)
    assert done.returncode == 1
    assert done.stderr.startswith(
        f"error: etcd ended with exit code 7; the last lines of {assets.parent}/state/assets/etcd.log:\n  etcd: no space %s left\n"
    )


def test_a_port_that_is_taken_is_said(assets: Path, server: Server) -> None:
    port = server.url.rpartition(":")[2]
    arguments = ("--dir", str(assets.parent / "state"), "--assets", str(assets), "--port", port)
    done = subprocess.run([sys.executable, "-m", "syncsource.standalone.assets", *arguments], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    assert "Address already in use" in done.stderr


def test_they_are_kept_running_and_end_with_whom_started_them(tmp_path: Path) -> None:
    server = start_kubernetes(tmp_path / "state")
    below = psutil.Process(server.process.pid).children(recursive=True)
    assert sorted(process.name() for process in below) == ["etcd", "kube-apiserver"]
    assert all(server.user["token"] not in " ".join(process.cmdline()) for process in below)
    http = server.client()
    assert http.post("/api/v1/namespaces/default/configmaps", json={"metadata": {"name": "kept"}}).status_code == 201
    for process in below:
        process.kill()
    psutil.wait_procs(below, timeout=PATIENCE)
    assert eventually(http, "/api/v1/namespaces/default/configmaps/kept")
    again = psutil.Process(server.process.pid).children(recursive=True)
    server.process.kill()
    server.process.communicate()
    _, left = psutil.wait_procs(again, timeout=PATIENCE)
    assert left == []


def test_a_second_start_finds_everything_and_the_same_port(tmp_path: Path) -> None:
    first = start_kubernetes(tmp_path)
    assert first.client().post("/api/v1/namespaces", json={"metadata": {"name": "stays"}}).status_code == 201
    assert first.client(headers={"Authorization": "Bearer wrong"}).get("/api/v1/namespaces").status_code == 401
    running = psutil.Process(first.process.pid).children(recursive=True)
    assert first.stop() == 0
    assert not any(process.is_running() for process in running)
    second = start_kubernetes(tmp_path)
    assert (second.url, second.user) == (first.url, first.user)
    assert second.client().get("/api/v1/namespaces/stays").status_code == 200
    assert second.stop(signal.SIGINT) == 0


def eventually(http: httpx.Client, path: str) -> bool:
    """Whether it is there as soon as the server, which is down for a moment, is ready."""
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        with contextlib.suppress(httpx.TransportError):
            if http.get("/readyz").is_success:
                return http.get(path).is_success
        time.sleep(0.1)
    return False
