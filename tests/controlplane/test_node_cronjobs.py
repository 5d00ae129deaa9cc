"""CronJobs: when they are due, and the Jobs that they make and keep."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest

from syncsource.localplane.node import clock, schedules
from syncsource.localplane.node.schedules import Due, NoSchedule
from tests.controlplane.conftest import Server
from tests.controlplane.machine import Machine, is_true, machine, python

Object = dict[str, Any]
NEVER = "0 0 29 2 *"
"""A schedule that no test meets."""


@pytest.fixture(scope="module")
def here(server: Server) -> Iterator[Machine]:
    with machine(server) as running:
        yield running


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("schedule", "zone", "last", "following"),
    [
        ("*/5 * * * *", None, "2026-03-01T11:55+00:00", "2026-03-01T12:00+00:00"),
        ("58 * * * *", None, "2026-03-01T11:58+00:00", "2026-03-01T12:58+00:00"),
        ("@hourly", None, "2026-03-01T11:00+00:00", "2026-03-01T12:00+00:00"),
        ("30 18 * * *", "Asia/Jakarta", "2026-03-01T18:30+07:00", "2026-03-02T18:30+07:00"),
        ("0 0 ? * mon", None, None, "2026-03-02T00:00+00:00"),
        ("59 10 1 3 *", None, None, "2027-03-01T10:59+00:00"),
    ],
)
def test_when_it_is_due(schedule, zone, last, following) -> None:
    found = schedules.due(schedule, zone, at("2026-03-01T10:59:30+00:00"), at("2026-03-01T11:58:00+00:00"))
    assert found == Due(at(last) if last else None, at(following))


@pytest.mark.parametrize(
    ("schedule", "zone"), [("x", None), ("* * * *", None), ("61 * * * *", None), ("* * * * *", "Nowhere/City"), ("* * * * *", "../etc")]
)
def test_what_is_no_schedule(schedule, zone) -> None:
    with pytest.raises(NoSchedule):
        schedules.due(schedule, zone, clock.now(), clock.now())


def cron(here: Machine, script: str = "print('tick')", schedule: str = "* * * * *", **spec: Any) -> str:
    """A CronJob."""
    template = {"spec": {"restartPolicy": "Never", "terminationGracePeriodSeconds": 5, "containers": [python(script)]}}
    return here.create("CronJob", {"schedule": schedule, "suspend": True, "jobTemplate": {"spec": {"template": template}}, **spec})


def missed(here: Machine, name: str, ago: dt.timedelta = dt.timedelta(minutes=5)) -> None:
    """As if it had last been started so long ago."""
    merge = {"Content-Type": "application/merge-patch+json"}
    status = {"status": {"lastScheduleTime": clock.stamp(clock.now() - ago)}}
    assert here.http.patch(f"{here.path('CronJob', name)}/status", json=status, headers=merge).status_code == 200
    here.patch(name, {"spec": {"suspend": False}}, "CronJob")


def jobs(here: Machine, name: str) -> list[Object]:
    """Its Jobs, the oldest first."""
    listed = here.http.get(here.path("Job")).json()["items"]
    owned = [job for job in listed if any(one["name"] == name for one in job["metadata"].get("ownerReferences") or ())]
    return sorted(owned, key=lambda job: int(job["metadata"]["resourceVersion"]))


def active(count: int) -> Any:
    return lambda found: len(found.get("status", {}).get("active") or []) == count


def test_a_job_that_is_due_is_made_once(here) -> None:
    name = cron(here)
    missed(here, name)
    found = here.wait(name, lambda found: found["status"].get("lastSuccessfulTime"), kind="CronJob")
    [job, *_] = jobs(here, name)
    scheduled = at(job["metadata"]["annotations"]["batch.kubernetes.io/cronjob-scheduled-timestamp"])
    assert job["metadata"]["name"] == f"{name}-{int(scheduled.timestamp()) // 60}"
    assert is_true("Complete")(job)
    assert at(found["status"]["lastScheduleTime"]) >= scheduled
    assert here.wait_event(name, "SuccessfulCreate") == f"Created job {job['metadata']['name']}"
    assert here.wait_event(name, "SawCompletedJob") == f"Saw completed job: {job['metadata']['name']}, condition: Complete"


@pytest.mark.parametrize(("policy", "kept"), [("Forbid", True), ("Replace", False)])
def test_one_after_the_other(here, policy, kept) -> None:
    name = cron(here, "import time; time.sleep(60)", concurrencyPolicy=policy)
    missed(here, name)
    here.wait(name, active(1), kind="CronJob")
    [first] = jobs(here, name)
    here.patch(name, {"spec": {"suspend": True}}, "CronJob")
    earlier = {"status": {"lastScheduleTime": clock.stamp(clock.now() - dt.timedelta(minutes=9))}}
    here.http.patch(f"{here.path('CronJob', name)}/status", json=earlier, headers={"Content-Type": "application/merge-patch+json"})
    here.patch(name, {"spec": {"suspend": False}}, "CronJob")
    if kept:
        told = "Not starting job because prior execution is running and concurrency policy is Forbid"
        assert here.wait_event(name, "JobAlreadyActive") == told
        assert [job["metadata"]["uid"] for job in jobs(here, name)] == [first["metadata"]["uid"]]
    else:
        assert here.wait_event(name, "SuccessfulDelete") == f"Deleted job {first['metadata']['name']}"
    here.delete(name, "CronJob", propagationPolicy="Background")
    for job in jobs(here, name):
        here.wait_gone(job["metadata"]["name"], kind="Job")


def test_one_that_comes_too_late_is_not_made(here) -> None:
    name = cron(here, schedule="0 0 1 1 *", startingDeadlineSeconds=10)
    missed(here, name, dt.timedelta(days=400))
    assert here.wait_event(name, "MissSchedule").startswith("Missed scheduled time to start a job: ")
    assert jobs(here, name) == []


def test_only_the_last_jobs_are_kept(here, kubectl) -> None:
    name = cron(here, schedule=NEVER, successfulJobsHistoryLimit=1)
    for index in range(3):
        assert kubectl("create", "job", f"{name}-m{index}", f"--from=cronjob/{name}").returncode == 0
        job = f"{name}-m{index}"
        here.wait(job, is_true("Complete"), kind="Job")
        if index:
            here.wait_gone(f"{name}-m{index - 1}", kind="Job")
    assert [job["metadata"]["name"] for job in jobs(here, name)] == [f"{name}-m2"]


def test_a_suspended_one_makes_none(here) -> None:
    name = cron(here)
    other = cron(here)
    missed(here, other)
    here.wait(other, lambda found: found["status"].get("lastSuccessfulTime"), kind="CronJob")
    assert jobs(here, name) == []
