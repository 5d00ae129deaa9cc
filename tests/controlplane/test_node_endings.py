"""Pods as processes of this machine: how they end, their output, and their deletion."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.controlplane.conftest import Server
from tests.controlplane.machine import NODE, Machine, alive, condition, container, ended, is_true, machine, phase, python, secret, waiting

Object = dict[str, Any]


@pytest.fixture(scope="module")
def here(server: Server) -> Iterator[Machine]:
    with machine(server) as running:
        yield running


# -- ends


@pytest.mark.parametrize(
    ("script", "result", "told"),
    [
        ("print(1)", "Succeeded", {"exitCode": 0, "reason": "Completed"}),
        ("raise SystemExit(3)", "Failed", {"exitCode": 3, "reason": "Error"}),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "Failed", {"exitCode": 139, "signal": 11, "reason": "Error"}),
    ],
)
def test_how_it_ended(here, script, result, told) -> None:
    pod = here.wait(here.pod(script), phase("Succeeded", "Failed"))
    assert pod["status"]["phase"] == result
    found = ended(pod)
    assert {name: found[name] for name in ("exitCode", "signal", "reason") if name in found} == told
    why = "PodCompleted" if result == "Succeeded" else "PodFailed"
    assert (condition(pod, "Ready")["status"], condition(pod, "Ready")["reason"]) == ("False", why)


@pytest.mark.parametrize(
    ("made", "told"),
    [
        ({"command": ["no-such-program"]}, 'exec: "no-such-program": executable file not found in $PATH'),
        ({"command": ["/no/such"]}, 'exec: "/no/such": no such file or directory'),
        ({"command": ["/etc/passwd"]}, 'exec: "/etc/passwd": permission denied'),
        ({"workingDir": "/no/such"}, "workingDir '/no/such': no such file or directory"),
        ({"env": [{"name": "BIG", "value": "x" * 1_000_000}]}, "argument list too long"),
    ],
)
def test_what_cannot_be_started(here, made, told) -> None:
    pod = here.wait(here.pod("", **{"args": ["-c", "print(1)"], **made}), phase("Failed"))
    found = ended(pod)
    assert (found["exitCode"], found["reason"]) == (128, "StartError")
    assert told in found["message"]


def test_last_words(here) -> None:
    write = "import os; open(os.environ['TERMINATION_MESSAGE_PATH'], 'w').write({!r} * 5000)"
    pod = here.wait(here.pod(write.format("x")), phase("Succeeded"))
    assert ended(pod)["message"] == "x" * 4096
    lines = "[print(n) for n in range(1000)]; raise SystemExit(1)"
    pod = here.wait(here.pod(lines, terminationMessagePolicy="FallbackToLogsOnError"), phase("Failed"))
    assert ended(pod)["message"] == "".join(f"{number}\n" for number in range(920, 1000))
    pod = here.wait(here.pod(lines), phase("Failed"))
    assert "message" not in ended(pod)


def test_containers_together_and_one_after_the_other(here) -> None:
    order = "print('{1}'); open('{0}', 'a').write('{1}\\n')"
    trail = here.server.folder / f"{uuid.uuid4().hex}.txt"
    initial = [python(order.format(trail, name), name=name) for name in ("one", "two")]
    meet = "import os, time\nopen('{0}.{1}', 'w')\nwhile not os.path.exists('{0}.{2}'): time.sleep(0.01)"
    both = [python(meet.format(trail, "a", "b"), name="a"), python(meet.format(trail, "b", "a"), name="b")]
    name = here.create("Pod", {"restartPolicy": "Never", "initContainers": initial, "containers": both})
    pod = here.wait(name, phase("Succeeded"))
    assert trail.read_text() == "one\ntwo\n"
    assert [one["ready"] for one in pod["status"]["initContainerStatuses"]] == [True, True]
    assert here.log(name, container="one", follow="true") == "one\n"


def test_an_init_container_that_fails_fails_the_pod(here) -> None:
    spec = {"restartPolicy": "Never", "initContainers": [python("raise SystemExit(1)", name="first")], "containers": [python("print(1)")]}
    name = here.create("Pod", spec)
    pod = here.wait(name, phase("Failed"))
    assert container(pod)["state"]["waiting"]["reason"] == "PodInitializing"
    assert condition(pod, "Initialized")["message"] == "containers with incomplete status: [first]"


def test_a_container_that_fails_is_started_again_later_and_later(here) -> None:
    count = here.server.folder / f"{uuid.uuid4().hex}.txt"
    script = f"f = open({str(count)!r}, 'a+'); f.seek(0); n = len(f.read()); f.write('x'); print('start', n); raise SystemExit(n < 3)"
    name = here.pod(script, policy="OnFailure")
    pod = here.wait(name, waiting("CrashLoopBackOff"))
    assert container(pod)["state"]["waiting"]["message"].startswith("back-off 0.1s restarting failed container=main pod=")
    assert container(pod)["lastState"]["terminated"]["exitCode"] == 1
    pod = here.wait(name, phase("Succeeded"))
    assert (container(pod)["restartCount"], container(pod)["lastState"]["terminated"]["exitCode"]) == (3, 1)
    assert (here.log(name), here.log(name, previous="true")) == ("start 3\n", "start 2\n")


def test_always_means_always(here) -> None:
    name = here.pod("print('once')", policy="Always")
    pod = here.wait(name, lambda pod: container(pod).get("restartCount", 0) >= 2)
    assert pod["status"]["phase"] == "Running"
    here.delete(name)
    here.wait_gone(name)


def test_a_deadline(here) -> None:
    name = here.pod("import time; time.sleep(60)", pod={"activeDeadlineSeconds": 1, "terminationGracePeriodSeconds": 5})
    pod = here.wait(name, phase("Failed"))
    assert (pod["status"]["reason"], pod["status"]["message"]) == (
        "DeadlineExceeded",
        "Pod was active on the node longer than the specified deadline",
    )
    assert ended(pod)["exitCode"] == 143


# -- output


def test_output_is_shown_as_it_was_written(here) -> None:
    script = "import sys; sys.stdout.buffer.write(b'\\x00\\xff\\xfe bin\\n' + b'y' * 200_000 + b'\\nlast'); sys.stdout.flush(); print('error', file=sys.stderr)"
    name = here.pod(script)
    here.wait(name, phase("Succeeded"))
    got = here.http.get(f"{here.path('Pod', name)}/log").content
    assert b"\x00\xff\xfe bin\n" + b"y" * 200_000 + b"\nlast\n" in got.replace(b"error\n", b"")


def test_a_flood_neither_fills_the_disk_nor_stops_the_node(here) -> None:
    name = here.pod("import sys\nline = 'x' * 99 + '\\n'\nfor _ in range(600): sys.stdout.write(line * 1000)\nprint('end')")
    other = here.wait(here.pod("print(1)"), phase("Succeeded"))
    pod = here.wait(name, phase("Succeeded"), seconds=30)
    assert here.log(name, tailLines="1") == "end\n"
    folder = here.server.folder / "pods" / f"default_{name}_{pod['metadata']['uid']}"
    assert sum(path.stat().st_size for path in folder.rglob("*.log*")) <= 21 * 1024 * 1024
    assert other["status"]["phase"] == "Succeeded"


def test_kubectl_follows_until_the_end(here, kubectl) -> None:
    name = here.pod("import time\nfor n in range(3): print(n, flush=True); time.sleep(0.1)")
    here.wait(name, lambda pod: container(pod))
    assert kubectl("logs", "-f", name).stdout == "0\n1\n2\n"
    assert "Completed" in kubectl("get", "pod", name).stdout
    described = kubectl("describe", "pod", name).stdout
    assert f"Successfully assigned default/{name} to {NODE}" in described


# -- deletion


def test_a_deleted_pod_is_asked_to_end(here, tmp_path) -> None:
    script = f"""
import signal, time, sys
def ended(*_):
    open({str(tmp_path / "told")!r}, "w").write("TERM")
    sys.exit(0)
signal.signal(signal.SIGTERM, ended)
print("ready", flush=True)
time.sleep(60)
"""
    name = here.pod(script)
    here.wait_log(name, "ready")
    uid = here.get(name)["metadata"]["uid"]
    here.delete(name)
    here.wait_gone(name)
    assert (tmp_path / "told").read_text() == "TERM"
    assert here.wait_event(name, "Killing") == "Stopping container main"
    here.wait_tidy(uid)


def test_one_that_does_not_listen_is_killed_with_all_that_it_started(here, tmp_path) -> None:
    script = f"""
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    open({str(tmp_path / "child")!r}, "w").write(str(os.getpid()))
    time.sleep(60)
while not os.path.exists({str(tmp_path / "child")!r}): time.sleep(0.01)
print("ready", flush=True)
time.sleep(60)
"""
    name = here.pod(script, pod={"terminationGracePeriodSeconds": 30})
    here.wait_log(name, "ready")
    assert alive(tmp_path / "child")
    here.delete(name)
    here.delete(name, gracePeriodSeconds=1)
    here.wait_gone(name, seconds=10)
    assert not alive(tmp_path / "child")


def test_what_a_container_started_ends_with_it(here, tmp_path) -> None:
    script = f"""
import os, time
if os.fork() == 0:
    os.setsid()
    open({str(tmp_path / "child")!r}, "w").write(str(os.getpid()))
    time.sleep(60)
while not os.path.exists({str(tmp_path / "child")!r}): time.sleep(0.01)
"""
    here.wait(here.pod(script), phase("Succeeded"))
    assert not alive(tmp_path / "child")


def test_a_pod_that_goes_by_force_takes_its_processes_along(here, tmp_path) -> None:
    name = here.pod(
        f"import os, time; open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); print('ready', flush=True); time.sleep(60)"
    )
    here.wait_log(name, "ready")
    here.delete(name, gracePeriodSeconds=0)
    again = here.pod("print('second')", metadata={"name": name})
    here.wait(again, phase("Succeeded"))
    assert here.log(again) == "second\n"
    here.wait(here.pod("print(1)"), phase("Succeeded"))
    assert not alive(tmp_path / "pid")


def test_a_pod_that_never_started_is_deleted(here) -> None:
    name = here.pod("print(1)", env=[{"name": "A", "valueFrom": {"secretKeyRef": {"name": "never", "key": "k"}}}])
    here.wait(name, waiting("CreateContainerConfigError"))
    here.delete(name)
    here.wait_gone(name)


def test_a_secret_is_in_no_command_line(here) -> None:
    keys = secret(here, {"k": "h0rse-battery"})
    script = "import glob; print(any(b'h0rse-' + b'battery' in open(p, 'rb').read() for p in glob.glob('/proc/[0-9]*/cmdline')))"
    name = here.pod(script, env=[{"name": "A", "valueFrom": {"secretKeyRef": {"name": keys, "key": "k"}}}])
    here.wait(name, phase("Succeeded"))
    assert here.log(name) == "False\n"
    assert is_true("PodScheduled")(here.get(name))
