"""Jobs: how many Pods they make, what they count, and how they end."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from syncsource.localplane.node import indexes
from tests.controlplane.conftest import Server
from tests.controlplane.machine import Machine, condition, is_true, machine, phase, python

Object = dict[str, Any]
TERMINAL = ("Complete", "Failed")


@pytest.fixture(scope="module")
def here(server: Server) -> Iterator[Machine]:
    with machine(server) as running:
        yield running


def over(here: Machine, job: str, *, seconds: float = 15) -> Object:
    """The Job once it is Complete or Failed."""
    return here.wait(job, lambda job: any(is_true(kind)(job) for kind in TERMINAL), kind="Job", seconds=seconds)


def counts(job: Object) -> tuple[int, int, int]:
    """Active, succeeded, failed."""
    return tuple(job["status"].get(name, 0) for name in ("active", "succeeded", "failed"))  # type: ignore[return-value]


def told(job: Object) -> list[tuple[str, str, str]]:
    """Its true conditions, with reason and message."""
    return [(one["type"], one["reason"], one["message"]) for one in job["status"]["conditions"] if one["status"] == "True"]


def test_a_job_completes(here) -> None:
    name = here.job("print('done')")
    job = over(here, name)
    reached = ("CompletionsReached", "Reached expected number of succeeded pods")
    assert told(job) == [("SuccessCriteriaMet", *reached), ("Complete", *reached)]
    assert counts(job) == (0, 1, 0)
    assert job["status"]["startTime"] <= job["status"]["completionTime"]
    assert "uncountedTerminatedPods" not in job["status"]
    [pod] = here.pods(name)
    labels = pod["metadata"]["labels"]
    uid = job["metadata"]["uid"]
    assert {labels[key] for key in ("job-name", "batch.kubernetes.io/job-name")} == {name}
    assert {labels[key] for key in ("controller-uid", "batch.kubernetes.io/controller-uid")} == {uid}
    [owner] = pod["metadata"]["ownerReferences"]
    assert owner == {"apiVersion": "batch/v1", "kind": "Job", "name": name, "uid": uid, "controller": True, "blockOwnerDeletion": True}
    assert pod["metadata"]["name"].startswith(f"{name}-")
    assert here.wait_event(name, "SuccessfulCreate") == f"Created pod: {pod['metadata']['name']}"
    assert here.wait_event(name, "Completed") == "Job completed"


def test_completions_and_parallelism(here) -> None:
    name = here.job("print(1)", completions=5, parallelism=2)
    most = 0

    def seen(job: Object) -> bool:
        nonlocal most
        most = max(most, job.get("status", {}).get("active", 0))
        return is_true("Complete")(job)

    job = here.wait(name, seen, kind="Job", seconds=25)
    assert (counts(job), len(here.pods(name))) == ((0, 5, 0), 5)
    assert most == 2


def test_failures_are_counted_up_to_the_limit(here) -> None:
    name = here.job("raise SystemExit(1)", backoffLimit=2)
    job = over(here, name)
    limit = ("BackoffLimitExceeded", "Job has reached the specified backoff limit")
    assert told(job) == [("FailureTarget", *limit), ("Failed", *limit)]
    assert (counts(job), len(here.pods(name))) == ((0, 0, 3), 3)
    assert "completionTime" not in job["status"]
    assert here.wait_event(name, "BackoffLimitExceeded") == limit[1]


def test_a_failure_and_then_a_success(here) -> None:
    trail = here.server.folder / f"{uuid.uuid4().hex}.txt"
    name = here.job(f"import os\nif not os.path.exists({str(trail)!r}): open({str(trail)!r}, 'w'); raise SystemExit(1)")
    job = over(here, name)
    assert (counts(job), [one["status"]["phase"] for one in here.pods(name)]) == ((0, 1, 1), ["Failed", "Succeeded"])


def test_restarts_of_one_pod_count_too(here) -> None:
    name = here.job("raise SystemExit(1)", policy="OnFailure", backoffLimit=2)
    job = over(here, name)
    assert told(job)[-1][:2] == ("Failed", "BackoffLimitExceeded")
    assert len(here.pods(name)) <= 1


def test_a_deadline_ends_what_runs(here) -> None:
    name = here.job("import time; time.sleep(60)", activeDeadlineSeconds=1, pod={"terminationGracePeriodSeconds": 5})
    job = over(here, name)
    assert told(job)[-1] == ("Failed", "DeadlineExceeded", "Job was active longer than specified deadline")
    assert counts(job) == (0, 0, 1)
    assert not [pod for pod in here.pods(name) if phase("Running", "Pending")(pod)]


def test_a_suspended_job_does_not_run_and_a_resumed_one_does(here) -> None:
    trail = here.server.folder / f"{uuid.uuid4().hex}.txt"
    wait = f"import os, time\nprint('on', flush=True)\nwhile not os.path.exists({str(trail)!r}): time.sleep(0.01)"
    name = here.job(wait, suspend=True, pod={"terminationGracePeriodSeconds": 5})
    job = here.wait(name, is_true("Suspended"), kind="Job")
    assert (told(job), here.pods(name)) == ([("Suspended", "JobSuspended", "Job suspended")], [])
    here.patch(name, {"spec": {"suspend": False}}, "Job")
    here.wait(name, lambda job: job["status"].get("ready") == 1, kind="Job")
    assert condition(here.get(name, "Job"), "Suspended")["reason"] == "JobResumed"
    [first] = here.pods(name)
    here.patch(name, {"spec": {"suspend": True}}, "Job")
    here.wait_gone(first["metadata"]["name"])
    job = here.wait(name, lambda job: is_true("Suspended")(job) and not job["status"].get("terminating"), kind="Job")
    assert (counts(job), "startTime" in job["status"]) == ((0, 0, 0), False)
    trail.touch()
    here.patch(name, {"spec": {"suspend": False}}, "Job")
    assert counts(over(here, name)) == (0, 1, 0)


def test_indexed_pods_know_their_index(here) -> None:
    script = "import os; print(os.environ['JOB_COMPLETION_INDEX'], os.environ['HOSTNAME'])"
    name = here.job(script, completions=3, parallelism=2, completionMode="Indexed")
    job = over(here, name)
    assert (job["status"]["completedIndexes"], counts(job)) == ("0-2", (0, 3, 0))
    pods = {pod["metadata"]["annotations"]["batch.kubernetes.io/job-completion-index"]: pod for pod in here.pods(name)}
    assert {index: here.log(pod["metadata"]["name"]) for index, pod in pods.items()} == {
        str(index): f"{index} {name}-{index}\n" for index in range(3)
    }
    assert all(pod["metadata"]["name"].startswith(f"{name}-{index}-") for index, pod in pods.items())


@pytest.mark.parametrize(("text", "numbers"), [("", set()), ("0", {0}), ("0-2,5", {0, 1, 2, 5}), ("7,9-10", {7, 9, 10})])
def test_indexes_are_read_as_they_are_written(text, numbers) -> None:
    assert (indexes.parse(text), indexes.written(numbers)) == (numbers, text)


@pytest.mark.parametrize("text", ["x", "-1", "1-", "a-b", ",,"])
def test_what_is_no_list_of_indexes_is_none(text) -> None:
    assert indexes.parse(text) <= {1}


def test_what_the_controller_does_not_know_fails_and_says_so(here) -> None:
    rules = {"rules": [{"action": "FailJob", "onExitCodes": {"operator": "In", "values": [3]}}]}
    name = here.job("print(1)", podFailurePolicy=rules)
    job = over(here, name)
    message = "spec.podFailurePolicy is not supported by the Job controller of this node; leave it away"
    assert told(job)[-1] == ("Failed", "NotSupported", message)
    assert here.pods(name) == []


def test_the_time_after_the_end(here) -> None:
    name = here.job("print(1)", ttlSecondsAfterFinished=1)
    over(here, name)
    [pod] = here.pods(name)
    here.wait_gone(name, kind="Job")
    here.wait_gone(pod["metadata"]["name"])


def test_an_image_that_is_unknown_keeps_the_job_active(here) -> None:
    name = here.create("Job", {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "nginx"}]}}})
    job = here.wait(name, lambda job: job.get("status", {}).get("active") == 1, kind="Job")
    [pod] = here.pods(name)
    here.wait(pod["metadata"]["name"], lambda pod: condition(pod, "PodScheduled").get("reason") == "Unschedulable")
    assert job["status"].get("ready") == 0
    here.delete(name, "Job", propagationPolicy="Background")
    here.wait_gone(pod["metadata"]["name"])


def test_a_pod_that_somebody_deletes_is_a_failure(here) -> None:
    trail = here.server.folder / f"{uuid.uuid4().hex}.txt"
    script = f"import os, time\nif os.path.exists({str(trail)!r}): raise SystemExit\nprint('on', flush=True); time.sleep(60)"
    name = here.job(script)
    here.wait(name, lambda job: job.get("status", {}).get("ready") == 1, kind="Job")
    [pod] = here.pods(name)
    here.wait_log(pod["metadata"]["name"], "on")
    trail.touch()
    here.delete(pod["metadata"]["name"], gracePeriodSeconds=0)
    assert counts(over(here, name)) == (0, 1, 1)


def test_a_job_takes_its_pods_along_unless_it_is_told_not_to(here, kubectl) -> None:
    names = [here.job("print('on', flush=True); import time; time.sleep(60)", pod={"terminationGracePeriodSeconds": 5}) for _ in range(2)]
    pods = []
    for name in names:
        here.wait(name, lambda job: job.get("status", {}).get("ready") == 1, kind="Job")
        pods += [pod["metadata"]["name"] for pod in here.pods(name)]
    assert kubectl("delete", "job", names[0]).returncode == 0
    here.wait_gone(pods[0])
    assert kubectl("delete", "job", names[1], "--cascade=orphan").returncode == 0
    here.wait_gone(names[1], kind="Job")
    left = here.wait(pods[1], lambda pod: not pod["metadata"].get("ownerReferences"))
    assert left["status"]["phase"] == "Running"
    here.delete(pods[1])
    here.wait_gone(pods[1])


def test_kubectl_sees_a_job_as_in_a_cluster(here, kubectl) -> None:
    manifest = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "seen"}}
    template = {"spec": {"restartPolicy": "Never", "containers": [python("print('hello')")]}}
    assert kubectl("apply", "-f", "-", stdin=json.dumps({**manifest, "spec": {"template": template}})).returncode == 0
    assert kubectl("wait", "--for=condition=Complete", "job/seen", "--timeout=20s").stdout == "job.batch/seen condition met\n"
    assert kubectl("logs", "-f", "job/seen").stdout == "hello\n"
    shown = kubectl("get", "job", "seen", "--no-headers").stdout.split()
    assert shown[:3] == ["seen", "Complete", "1/1"]
    assert "0 Active (0 Ready) / 1 Succeeded / 0 Failed" in kubectl("describe", "job", "seen").stdout
    assert kubectl("delete", "job", "seen").returncode == 0
