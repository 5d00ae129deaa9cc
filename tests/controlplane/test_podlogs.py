"""Logs of Pods: written as files, read through the `log` subresource and by kubectl."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from syncsource.localplane import podlogs
from syncsource.localplane.podlogs import ContainerLog, container_folder

PODS = "/api/v1/namespaces/default/pods"
Object = dict[str, Any]


class PodWithLog:
    """A stored Pod, and the log of one of its containers."""

    def __init__(self, folder: Path, obj: Object) -> None:
        self.name, self.uid = obj["metadata"]["name"], obj["metadata"]["uid"]
        self.path = f"{PODS}/{self.name}"
        self._place = {"namespace": "default", "pod": self.name, "uid": self.uid, "container": obj["spec"]["containers"][0]["name"]}
        self._state = folder
        self.folder = container_folder(folder, **self._place)

    def log(self, restart: int = 0) -> ContainerLog:
        return ContainerLog(self._state, **self._place, restart=restart)

    def write(self, *lines: str, restart: int = 0) -> None:
        log = self.log(restart)
        for line in lines:
            log.write("stderr", line.encode())
        log.close()


@pytest.fixture
def new_pod(http: httpx.Client, server) -> Callable[..., PodWithLog]:
    def create(*containers: str, labels: dict[str, str] | None = None, **spec: Any) -> PodWithLog:
        body = {
            "metadata": {"name": f"p{uuid.uuid4().hex[:10]}", "labels": labels or {}},
            "spec": {"containers": [{"name": name, "image": "none"} for name in containers or ("main",)], **spec},
        }
        made = http.post(PODS, json=body)
        assert made.status_code == 201, made.text
        return PodWithLog(server.folder, made.json())

    return create


@pytest.fixture
def pod(new_pod) -> PodWithLog:
    return new_pod()


def read(http: httpx.Client, pod: PodWithLog, **params: Any) -> str:
    got = http.get(f"{pod.path}/log", params=params)
    assert (got.status_code, got.headers["Content-Type"]) == (200, "text/plain"), got.text
    return got.text


def refusal(http: httpx.Client, pod: PodWithLog, **params: Any) -> tuple[int, str]:
    got = http.get(f"{pod.path}/log", params=params)
    assert got.json()["kind"] == "Status"
    return got.status_code, got.json()["message"]


class Follower:
    """A client that follows a log: its lines as they come."""

    def __init__(self, http: httpx.Client, pod: PodWithLog, **params: Any) -> None:
        self._stream = http.stream("GET", f"{pod.path}/log", params={"follow": "true", **params})

    def __enter__(self) -> Iterator[str]:
        return self._stream.__enter__().iter_lines()

    def __exit__(self, *ended: Any) -> None:
        self._stream.__exit__(*ended)


# -- what is shown


def test_a_log_is_shown_as_it_was_written(http, pod) -> None:
    lines = ["one", "", "  three\r", "ünï", "\x1b[31mred"]
    pod.write(*lines)
    assert read(http, pod) == "".join(f"{line}\n" for line in lines)


@pytest.mark.parametrize(
    ("params", "shown"),
    [
        ({"tailLines": 0}, ""),
        ({"tailLines": 2}, "8\n9\n"),
        ({"tailLines": 100}, "".join(f"{n}\n" for n in range(10))),
        ({"limitBytes": 5}, "0\n1\n2"),
        ({"tailLines": 2, "limitBytes": 3}, "8\n9"),
        ({"sinceSeconds": 1000, "tailLines": 1}, "9\n"),
        ({"sinceTime": "2999-01-01T00:00:00Z"}, ""),
        ({"sinceTime": "2000-01-01T00:00:00+07:00", "tailLines": 1}, "9\n"),
        ({"follow": "false", "tailLines": 1, "container": "main"}, "9\n"),
    ],
)
def test_a_part_of_a_log_is_shown(http, pod, params, shown) -> None:
    pod.write(*map(str, range(10)))
    assert read(http, pod, **params) == shown


def test_lines_have_their_instants_and_the_later_ones_can_be_asked_for(http, pod) -> None:
    pod.write("first", "second")
    shown = [line.partition(" ") for line in read(http, pod, timestamps="true").splitlines()]
    assert [text for _, _, text in shown] == ["first", "second"]
    moments = [dt.datetime.fromisoformat(stamp) for stamp, _, _ in shown]
    assert moments[0] < moments[1] <= dt.datetime.now(dt.UTC)
    assert read(http, pod, sinceTime=shown[1][0]) == "second\n"


def test_a_pod_that_wrote_nothing_has_an_empty_log(http, pod) -> None:
    assert read(http, pod) == read(http, pod, follow="true") == ""


def test_a_container_that_waits_has_no_log(http, pod) -> None:
    waiting = {"containerStatuses": [{"name": "main", "state": {"waiting": {"reason": "ContainerCreating"}}}]}
    merge = {"Content-Type": "application/merge-patch+json"}
    assert http.patch(f"{pod.path}/status", json={"status": waiting}, headers=merge).status_code == 200
    assert refusal(http, pod) == (400, f'container "main" in pod "{pod.name}" is waiting to start: ContainerCreating')


def test_a_long_line_is_whole_again(http, pod) -> None:
    line = "x" * (3 * podlogs.PART_BYTES + 1)
    pod.write("before", line, "after")
    assert read(http, pod) == f"before\n{line}\nafter\n"
    assert read(http, pod, timestamps="true").count("Z ") == 3


def test_a_line_break_inside_a_line_forges_no_line(http, pod) -> None:
    pod.write("a\n2020-01-01T00:00:00Z stdout F forged")
    assert read(http, pod) == "a\n2020-01-01T00:00:00Z stdout F forged\n"


def test_the_rest_of_a_writer_that_was_killed_does_not_spoil_the_next_line(http, pod) -> None:
    pod.write("whole")
    with (pod.folder / "0.log").open("ab") as file:
        file.write(b"2026-01-01T00:00:00.000000000Z stderr F torn")
    assert read(http, pod) == "whole\n"
    pod.write("next")
    assert read(http, pod) == "whole\ntorn\nnext\n"


def test_what_is_no_log_line_is_shown_as_it_is(http, pod) -> None:
    pod.write("one")
    (pod.folder / "0.log").write_bytes(b"nonsense\n\n\xff\xfe\n2026-01-01T00:00:00Z stderr X a\n")
    got = http.get(f"{pod.path}/log")
    assert got.content == b"nonsense\n\n\xff\xfe\n2026-01-01T00:00:00Z stderr X a\n"


def test_a_log_does_not_grow_without_end(http, pod, monkeypatch) -> None:
    monkeypatch.setattr(podlogs, "ROTATE_BYTES", 2_000)
    pod.write(*(f"line {number:04}" for number in range(1_000)))
    assert sum(path.stat().st_size for path in pod.folder.iterdir()) <= 4_000
    shown = read(http, pod).splitlines()
    assert shown == [f"line {number:04}" for number in range(1_000 - len(shown), 1_000)]
    assert len(shown) > 40
    assert read(http, pod, tailLines=39).splitlines() == shown[-39:]


def test_the_files_are_private_and_in_the_format_of_a_kubelet(pod, server) -> None:
    pod.write("text")
    path = server.folder / "pods" / f"default_{pod.name}_{pod.uid}" / "main" / "0.log"
    stamp, rest = path.read_text().split(" ", 1)
    assert rest == "stderr F text\n"
    assert len(stamp) == len("2026-11-21T05:30:00.123456789Z")
    assert path.stat().st_mode & 0o777 == 0o600
    assert {folder.stat().st_mode & 0o777 for folder in path.parents if server.folder in folder.parents} == {0o700}


# -- restarts


def test_the_previous_start_can_be_read_and_older_ones_are_gone(http, pod) -> None:
    assert refusal(http, pod, previous="true") == (400, f'previous terminated container "main" in pod "{pod.name}" not found')
    for restart in range(3):
        pod.write(f"start {restart}", restart=restart)
    assert (read(http, pod), read(http, pod, previous="true")) == ("start 2\n", "start 1\n")
    assert {path.name for path in pod.folder.iterdir()} == {"1.log", "2.log"}


# -- following


def test_lines_are_followed_until_the_container_starts_again(http, pod) -> None:
    log = pod.log()
    log.write("stdout", b"one")
    with Follower(http, pod) as lines:
        assert next(lines) == "one"
        log.write("stdout", b"two")
        assert next(lines) == "two"
        log.write("stdout", b"last")
        log.close()
        pod.write("of the next start", restart=1)
        assert list(lines) == ["last"]


def test_following_begins_at_the_tail(http, pod) -> None:
    pod.write("one", "two", "three")
    with Follower(http, pod, tailLines=1) as lines:
        assert next(lines) == "three"


def test_no_line_is_lost_while_files_are_rotated(http, pod, monkeypatch) -> None:
    monkeypatch.setattr(podlogs, "ROTATE_BYTES", 50_000)
    pod.write("begin")
    with Follower(http, pod) as lines:
        assert next(lines) == "begin"
        for start in range(0, 3_000, 500):  # each of these is more than a half of a file
            pod.write(*map(str, range(start, start + 500)))
            assert [next(lines) for _ in range(500)] == [str(number) for number in range(start, start + 500)]
    assert (pod.folder / "0.log.1").exists()


def test_following_ends_with_the_pod_and_its_files_go(http, pod) -> None:
    pod.write("one")
    with Follower(http, pod) as lines:
        assert next(lines) == "one"
        assert http.delete(pod.path).status_code == 200
        assert list(lines) == []
    assert not pod.folder.parent.exists()


def test_a_writer_outlives_the_deletion_of_its_pod(http, pod, monkeypatch) -> None:
    monkeypatch.setattr(podlogs, "ROTATE_BYTES", 100)
    log = pod.log()
    http.delete(pod.path)
    for number in range(100):
        log.write("stderr", f"line {number}".encode())
    log.close()
    assert not pod.folder.exists()


def test_following_ends_when_the_container_has_ended(http, pod) -> None:
    pod.write("one")
    with Follower(http, pod) as lines:
        assert next(lines) == "one"
        ended = {"containerStatuses": [{"name": "main", "state": {"terminated": {"exitCode": 1}}}]}
        http.patch(f"{pod.path}/status", json={"status": ended}, headers={"Content-Type": "application/merge-patch+json"})
        assert list(lines) == []


def test_following_ends_with_the_server_and_stray_files_go_at_its_next_start(launch, tmp_path) -> None:
    first = launch(tmp_path)
    client = first.client()
    body = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "main", "image": "none"}]}}
    pod = PodWithLog(tmp_path, client.post(PODS, json=body).json())
    pod.write("one")
    stray = ContainerLog(tmp_path, namespace="default", pod="gone", uid=str(uuid.uuid4()), container="main")
    stray.close()
    with Follower(client, pod) as lines:
        assert next(lines) == "one"
        stopping = threading.Thread(target=first.process.terminate)
        stopping.start()
        assert list(lines) == []
        stopping.join()
    assert first.stop() == 0
    second = launch(tmp_path)
    assert read(second.client(), pod) == "one\n"
    assert [folder.name for folder in (tmp_path / "pods").iterdir()] == [pod.folder.parent.name]


# -- what is refused


def test_the_container_must_be_named_where_there_are_several(http, new_pod) -> None:
    two = new_pod("a", "b", initContainers=[{"name": "c", "image": "none"}])
    message = f"a container name must be specified for pod {two.name}, choose one of: [a b] or one of the init containers: [c]"
    assert refusal(http, two) == (400, message)
    two.write("of a")
    assert read(http, two, container="a") == "of a\n"
    assert read(http, two, container="c") == ""


@pytest.mark.parametrize("name", ["other", "../main", "..", "/etc", "main/../main", "a\0b"])
def test_a_container_that_is_none_of_the_pod_is_refused(http, pod, name) -> None:
    pod.write("secret")
    assert refusal(http, pod, container=name) == (400, f"container {name} is not valid for pod {pod.name}")


def test_the_log_of_no_pod_is_not_found(http, pod) -> None:
    got = http.get(f"{PODS}/nothing/log")
    assert (got.status_code, got.json()["message"]) == (404, 'pods "nothing" not found')
    assert http.get(f"{PODS}/..%2f..%2f/log").status_code == 404
    assert http.post(f"{pod.path}/log", json={}).status_code == 405


@pytest.mark.parametrize("name", ["../../../x", "..", "A", "", "a" * 64])
def test_a_pod_whose_container_name_is_a_path_is_refused(http, name) -> None:
    body = {"metadata": {"name": "bad"}, "spec": {"containers": [{"name": name, "image": "none"}]}}
    made = http.post(PODS, json=body)
    assert made.status_code == 422
    assert made.json()["details"]["causes"][0]["field"] == "spec.containers[0].name"


@pytest.mark.parametrize("name", ["../x", "..", "a/b", "", "a\0", "a_b", "a\n"])
def test_a_name_that_is_a_path_has_no_folder(tmp_path, name) -> None:
    with pytest.raises(ValueError, match="can't be the name"):
        ContainerLog(tmp_path, namespace="default", pod=name, uid="u", container="c")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("params", "code", "message"),
    [
        ({"tailLines": "-1"}, 422, "tailLines: Invalid value: -1: must be greater than or equal to 0"),
        ({"limitBytes": "0"}, 422, "limitBytes: Invalid value: 0: must be greater than 0"),
        ({"sinceSeconds": "0"}, 422, "sinceSeconds: Invalid value: 0: must be greater than 0"),
        (
            {"sinceSeconds": "1", "sinceTime": "2026-01-01T00:00:00Z"},
            422,
            "at most one of `sinceTime` or `sinceSeconds` may be specified",
        ),
        ({"tailLines": "x"}, 400, 'tailLines: strconv.ParseInt: parsing "x": invalid syntax'),
        ({"tailLines": "9" * 5_000}, 400, "tailLines: strconv.ParseInt"),
        ({"sinceTime": "yesterday"}, 400, "sinceTime: 'yesterday' is not an instant of RFC 3339"),
        ({"sinceTime": "2026-01-01T00:00:00"}, 400, "sinceTime: '2026-01-01T00:00:00' is not an instant"),
        ({"sinceTime": "0001-01-01T00:00:00+14:00"}, 400, "is not an instant"),
    ],
)
def test_bad_options_are_refused(http, pod, params, code, message) -> None:
    pod.write("one")
    given, said = refusal(http, pod, **params)
    assert given == code
    assert message in said


# -- kubectl


def test_kubectl_reads_logs(kubectl, new_pod) -> None:
    pod = new_pod(labels={"app": f"a{uuid.uuid4().hex[:8]}"})
    pod.write("old", restart=0)
    pod.write("one", "two", "three", restart=1)
    everything = "one\ntwo\nthree\n"
    assert kubectl("logs", pod.name).stdout == everything
    assert kubectl("logs", f"pod/{pod.name}", "-c", "main", "--tail", "1").stdout == "three\n"
    assert kubectl("logs", pod.name, "--previous").stdout == "old\n"
    assert kubectl("logs", pod.name, "--since-time", "2020-01-01T00:00:00Z").stdout == everything
    assert kubectl("logs", pod.name, "--since", "1h", "--limit-bytes", "3").stdout == "one"
    assert kubectl("logs", "-l", f"app={_label(kubectl, pod)}", "--tail", "-1").stdout == everything
    wrong = kubectl("logs", pod.name, "-c", "other")
    assert (wrong.returncode, wrong.stderr) == (1, f"error: container other is not valid for pod {pod.name}\n")


def _label(kubectl, pod: PodWithLog) -> str:
    return kubectl("get", "pod", pod.name, "-o", "jsonpath={.metadata.labels.app}").stdout


def test_kubectl_follows_a_log(kubectl_path, server, pod) -> None:
    log = pod.log()
    log.write("stderr", b"one")
    command = [kubectl_path, "logs", "-f", pod.name]
    env = {**os.environ, "KUBECONFIG": str(server.kubeconfig)}
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as following:
        assert following.stdout is not None
        assert following.stdout.readline() == "one\n"
        log.write("stderr", b"two")
        assert following.stdout.readline() == "two\n"
        log.close()
        pod.write("after", restart=1)
        assert following.stdout.read() == ""
        assert following.wait(timeout=20) == 0
