"""The node, or its API server, is killed in mid-run: nothing runs twice, nothing runs on, and what is told is true."""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncsource.localplane.node import __main__ as node
from syncsource.localplane.node.images import parse_images
from tests.controlplane.conftest import Server, start_server
from tests.controlplane.machine import NODE, Machine, alive, condition, container, ended, is_true, machine, phase

RECORD = """
import os, time
open({0!r}, 'a').write(str(os.getpid()) + '\\n')
open({0!r} + '.pid', 'w').write(str(os.getpid()))
print('on', flush=True)
while not os.path.exists({0!r} + '.end'): time.sleep(0.01)
print('over')
"""


@pytest.fixture
def here(server: Server) -> Iterator[Machine]:
    with machine(server) as running:
        yield running


@pytest.fixture
def trail(tmp_path: Path) -> Path:
    return tmp_path / "trail"


def starts(trail: Path) -> int:
    return len(trail.read_text().split())


def pid(trail: Path) -> Path:
    return trail.with_name(trail.name + ".pid")


def finish(trail: Path) -> None:
    trail.with_name(trail.name + ".end").touch()


def wait_dead(path: Path) -> None:
    """Until the process whose id is in the file is no more."""
    number, ends = int(path.read_text()), time.monotonic() + 10
    try:
        opened = os.pidfd_open(number)
    except ProcessLookupError:
        return
    with os.fdopen(opened):
        assert select.select([opened], [], [], max(ends - time.monotonic(), 0))[0], "it outlived its node"


def test_processes_end_with_their_node_and_one_that_may_run_once_has_failed(here, trail) -> None:
    name = here.pod(RECORD.format(str(trail)))
    here.wait_log(name, "on")
    here.stop(signal.SIGKILL)
    wait_dead(pid(trail))
    assert here.get(name)["status"]["phase"] == "Running"
    here.start()
    pod = here.wait(name, phase("Failed"))
    assert ended(pod)["exitCode"] in (137, 255)
    assert (starts(trail), container(pod)["restartCount"]) == (1, 0)
    assert here.log(name) == "on\n"


def test_one_that_may_be_started_again_is(here, trail) -> None:
    name = here.pod(RECORD.format(str(trail)), policy="OnFailure")
    here.wait_log(name, "on")
    here.stop(signal.SIGKILL)
    here.start()
    here.wait(name, lambda pod: container(pod).get("restartCount") == 1 and container(pod)["ready"])
    finish(trail)
    pod = here.wait(name, phase("Succeeded"))
    assert (starts(trail), container(pod)["lastState"]["terminated"]["exitCode"] in (137, 255)) == (2, True)
    assert here.log(name, previous="true") == "on\n"


def test_an_end_that_nobody_could_tell_is_told_later(here, trail) -> None:
    """The server is stopped, not killed: the node can't write; then the node dies, and the next one knows what happened."""
    name = here.pod(RECORD.format(str(trail)))
    here.wait_log(name, "on")
    uid = here.get(name)["metadata"]["uid"]
    os.kill(here.server.process.pid, signal.SIGSTOP)
    try:
        finish(trail)
        wait_dead(pid(trail))
        wait_for(here.server.folder / "node" / uid / "main" / "0.json")
        here.stop(signal.SIGKILL)
    finally:
        os.kill(here.server.process.pid, signal.SIGCONT)
    here.start()
    pod = here.wait(name, phase("Succeeded", "Failed"))
    assert (pod["status"]["phase"], ended(pod)["exitCode"], starts(trail)) == ("Succeeded", 0, 1)


def wait_for(path: Path) -> None:
    ends = time.monotonic() + 10
    while not path.exists():
        assert time.monotonic() < ends, f"{path} never came"
        time.sleep(0.01)


def test_the_counts_of_a_job_are_right_after_both_died(launch, tmp_path, trail) -> None:
    server = launch(tmp_path / "plane")
    with machine(server) as here:
        name = here.job(f"open({str(trail)!r}, 'a').write('x\\n')", completions=8, parallelism=2)
        here.wait(name, lambda job: job.get("status", {}).get("succeeded", 0) >= 2, kind="Job")
        here.stop(signal.SIGKILL)
        server.stop(signal.SIGKILL)
        again = start_server(tmp_path / "plane")
        try:
            here.server, here.http = again, again.client()
            here.start()
            job = here.wait(name, is_true("Complete"), kind="Job", seconds=30)
            pods = here.pods(name)
            by_phase = [pod["status"]["phase"] for pod in pods]
            assert job["status"]["succeeded"] == by_phase.count("Succeeded") == 8
            assert job["status"].get("failed", 0) == by_phase.count("Failed")
            assert starts(trail) <= len(pods)
            here.stop()
        finally:
            again.stop()


def test_a_run_goes_on_while_the_server_is_away(launch, tmp_path, trail) -> None:
    server = launch(tmp_path / "plane")
    with machine(server) as here:
        name = here.job(RECORD.format(str(trail)))
        here.wait(name, lambda job: job.get("status", {}).get("ready") == 1, kind="Job")
        server.stop(signal.SIGKILL)
        assert alive(pid(trail))
        finish(trail)
        wait_dead(pid(trail))
        again = start_server(tmp_path / "plane", "--port", server.url.rpartition(":")[2])
        try:
            here.server, here.http = again, again.client()
            job = here.wait(name, is_true("Complete"), kind="Job", seconds=30)
            [pod] = here.pods(name)
            assert (job["status"]["succeeded"], job["status"].get("failed", 0), starts(trail)) == (1, 0, 1)
            assert here.log(pod["metadata"]["name"]) == "on\nover\n"
            here.stop()
        finally:
            again.stop()


def test_a_pod_deleted_while_the_node_was_down_goes_when_it_is_back(here, trail) -> None:
    name = here.pod(RECORD.format(str(trail)))
    here.wait_log(name, "on")
    here.stop(signal.SIGKILL)
    here.delete(name)
    assert here.get(name)["metadata"]["deletionGracePeriodSeconds"] == 30
    here.start()
    here.wait_gone(name)


def test_a_node_that_is_stopped_ends_its_containers_and_says_how(here, trail) -> None:
    name = here.pod(RECORD.format(str(trail)))
    here.wait_log(name, "on")
    here.stop()
    wait_dead(pid(trail))
    pod = here.get(name)
    assert (pod["status"]["phase"], ended(pod)["exitCode"]) == ("Failed", 143)
    assert condition(here.http.get(f"/api/v1/nodes/{NODE}").json(), "Ready")["status"] == "True"


def test_two_nodes_of_one_folder_are_one_too_many(here, monkeypatch, capsys) -> None:
    monkeypatch.setattr(node, "LOCKED_WITHIN", 0.0)
    monkeypatch.setattr(sys, "argv", ["node", "--kubeconfig", str(here.server.kubeconfig), "--state", str(here.server.folder)])
    assert node.main() == 1
    assert capsys.readouterr().err == f"error: another node runs with {here.server.folder}, or a container of it can't be ended\n"


@pytest.mark.parametrize("text", ["tool", "=x", "tool= "])
def test_an_image_without_a_command_is_refused(text) -> None:
    with pytest.raises(ValueError, match="is not NAME=COMMAND"):
        parse_images([text])


@pytest.mark.parametrize("text", ["", "[]", "a: b", "contexts: []\ncurrent-context: x", "\0"])
def test_what_is_no_kubeconfig_is_refused(tmp_path, monkeypatch, capsys, text) -> None:
    config = tmp_path / "config"
    config.write_text(text)
    monkeypatch.setattr(sys, "argv", ["node", "--kubeconfig", str(config), "--state", str(tmp_path / "state")])
    assert node.main() == 1
    assert capsys.readouterr().err.startswith(f"error: {config} is no kubeconfig with a current context")
