"""The operator against a real control plane: what people do, and what they see."""

from __future__ import annotations

import asyncio

import pytest

from tests.e2e.controller.plane import SECRETS, SOURCES, ScriptedRunner, Stage, condition, reason, secret, source, status, timed_out

EVERY = {"every": "1h"}


async def test_a_new_source_runs_and_tells_what_happened(stage: Stage) -> None:
    runner = ScriptedRunner()
    async with stage.operator(runner):
        await stage.client.create(source("a", schedule=EVERY))
        held = await stage.client.until("a", lambda held: reason(held, "Ready") == "Succeeded")
        plan = runner.plans[0]
        system = await stage.client.get("kube-system", "/api/v1/namespaces")
        assert plan.identity == f"{system['metadata']['uid']}/default/a"
        assert plan.secrets == {"db": {"url": "sqlite:///rows.db"}}
        assert plan.spec == held["spec"]
        assert condition(held, "Ready")["message"] == "3 read, 1 inserted, 0 updated, 2 unchanged in 100ms"
        assert condition(held, "Ready")["observedGeneration"] == held["metadata"]["generation"]
        assert status(held).effective_schedule == "every 1h"
    assert [(event["reason"], event["type"]) for event in await stage.client.events("a")] == [("Succeeded", "Normal")]
    assert "finalizers" not in held["metadata"]


async def test_a_run_is_two_status_writes_and_rest_is_none(stage: Stage) -> None:
    runner = ScriptedRunner(held=True)
    async with stage.operator(runner):
        await stage.client.create(source("a"))
        created = await stage.client.until("a", lambda held: reason(held, "Syncing") == "Manual")
        versions = {created["metadata"]["resourceVersion"]}

        async def collect() -> None:
            async for held in stage.client.watch("a"):
                versions.add(held["metadata"]["resourceVersion"])

        collecting = asyncio.create_task(collect())
        await stage.client.annotate("a", requestedAt="1")
        runner.end(await runner.started(1))
        ended = await stage.client.until("a", lambda held: reason(held, "Ready") == "Succeeded")
        await stage.client.create(source("b", schedule=EVERY))
        runner.end(await runner.started(2))
        await stage.client.until("b", lambda held: reason(held, "Ready") == "Succeeded")
        collecting.cancel()
    assert len(versions) == 4  # as it was, the annotation, the start, the end
    assert (await stage.client.get("a"))["metadata"]["resourceVersion"] == ended["metadata"]["resourceVersion"]


async def test_a_request_is_handled_at_the_start_and_one_more_follows(stage: Stage) -> None:
    runner = ScriptedRunner(held=True)
    async with stage.operator(runner):
        await stage.client.create(source("a"))
        await stage.client.until("a", lambda held: reason(held, "Syncing") == "Manual")
        await stage.client.annotate("a", requestedAt="1", fullRefreshAt="1")
        first = await runner.started(1)
        assert (first.trigger, first.full) == ("Request", True)
        assert status(await stage.client.get("a")).last_handled_request_at == "1"
        for value in ("2", "3"):
            await stage.client.annotate("a", requestedAt=value)
        runner.end(first)
        second = await runner.started(2)
        runner.end(second)
        held = await stage.client.until("a", lambda held: len(status(held).history) == 2)
    assert status(held).last_handled_request_at == "3"
    assert len(runner.plans) == 2


async def test_a_suspended_source_refuses_requests_for_all_to_see(stage: Stage) -> None:
    runner = ScriptedRunner()
    async with stage.operator(runner):
        await stage.client.create(source("a", suspend=True, suspendReason="moving house"))
        await stage.client.until("a", lambda held: condition(held, "Suspended").get("status") == "True")
        await stage.client.annotate("a", requestedAt="1")
        held = await stage.client.until("a", lambda held: status(held).last_handled_request_at == "1")
        assert status(held).history[0].result == "Refused"
        await stage.client.patch("a", {"spec": {"suspend": False}})
        await stage.client.until("a", lambda held: not condition(held, "Suspended"))
    assert runner.plans == []
    (event,) = await stage.client.events("a")
    assert event["message"] == "The request was refused and will not run later: Suspended: moving house."


async def test_a_missing_secret_stalls_until_it_is_there(stage: Stage) -> None:
    runner = ScriptedRunner()
    await stage.client.delete("db", SECRETS)
    async with stage.operator(runner):
        await stage.client.create(source("a", schedule=EVERY))
        held = await stage.client.until("a", lambda held: condition(held, "Stalled"))
        assert (
            condition(held, "Stalled")["message"]
            == "Secret db, which spec.destination.sql.urlFrom names, is not in namespace default: create it"
        )
        await stage.client.create(secret(other="x"), SECRETS)
        held = await stage.client.until("a", lambda held: "key" in condition(held, "Stalled").get("message", ""))
        assert condition(held, "Stalled")["message"] == "Secret db has no key url, which spec.destination.sql.urlFrom needs: add it"
        await stage.client.patch("db", {"stringData": {"url": "sqlite://"}}, SECRETS)
        held = await stage.client.until("a", lambda held: reason(held, "Ready") == "Succeeded")
        assert not condition(held, "Stalled")
    assert [plan.secrets["db"]["url"] for plan in runner.plans] == ["sqlite://"]


async def test_a_changed_secret_ends_the_backoff(stage: Stage) -> None:
    runner = ScriptedRunner(held=True)
    async with stage.operator(runner):
        await stage.client.create(source("a", schedule=EVERY, retry={"backoff": "1h", "maxBackoff": "1h"}))
        runner.end(await runner.started(1), **timed_out())
        await stage.client.until("a", lambda held: reason(held, "Syncing") == "BackingOff")
        await stage.client.patch("db", {"stringData": {"url": "sqlite:///mended.db"}}, SECRETS)
        second = await runner.started(2)
        assert second.trigger == "Retry"
        assert second.secrets["db"]["url"] == "sqlite:///mended.db"
        runner.end(second)
        await stage.client.until("a", lambda held: reason(held, "Ready") == "Succeeded")


async def test_an_invalid_cron_is_told_and_never_runs(stage: Stage) -> None:
    runner = ScriptedRunner()
    async with stage.operator(runner):
        await stage.client.create(source("a", schedule={"cron": "61 * * * *"}))
        held = await stage.client.until("a", lambda held: reason(held, "Stalled") == "InvalidSpec")
        assert "61 * * * *" in condition(held, "Ready")["message"]
        await stage.client.patch("a", {"spec": {"schedule": {"cron": "0 0 1 1 *"}}})
        await stage.client.until("a", lambda held: not condition(held, "Stalled"))
    assert runner.plans == []
    assert [event["reason"] for event in await stage.client.events("a")] == ["Stalled"]


async def test_a_new_spec_cancels_the_run_and_runs_at_once(stage: Stage) -> None:
    runner = ScriptedRunner(held=True)
    async with stage.operator(runner):
        await stage.client.create(source("a", schedule=EVERY))
        first = await runner.started(1)
        await stage.client.patch("a", {"spec": {"fields": [{"name": "id", "type": "text"}]}})
        second = await runner.started(2)
        assert runner.cancelled == [first.run]
        assert (first.generation, second.generation, second.trigger) == (1, 2, "SpecChange")
        runner.end(second)
        held = await stage.client.until("a", lambda held: reason(held, "Ready") == "Succeeded")
        assert [entry.reason for entry in status(held).history] == ["Succeeded", "SpecChanged"]


async def test_a_deleted_source_stops_its_run_and_may_come_again(stage: Stage) -> None:
    runner = ScriptedRunner(held=True)
    async with stage.operator(runner):
        await stage.client.create(source("a", schedule=EVERY))
        first = await runner.started(1)
        await stage.client.delete("a")
        await stage.client.create(source("a", schedule=EVERY))
        second = await runner.started(2)
        assert first.run in runner.cancelled
        runner.end(second)
        held = await stage.client.until("a", lambda held: reason(held, "Ready") == "Succeeded")
        assert [entry.id for entry in status(held).history] == [second.run]


async def test_a_source_goes_at_once_though_no_operator_is_there(stage: Stage) -> None:
    runner = ScriptedRunner()
    async with stage.operator(runner):
        await stage.client.create(source("a", schedule=EVERY))
        await stage.client.until("a", lambda held: reason(held, "Ready") == "Succeeded")
    await stage.client.delete("a")
    assert (await stage.client.http.get(f"{SOURCES}/a")).status_code == 404


async def test_a_control_plane_that_restarts_in_mid_run_loses_nothing(stage: Stage) -> None:
    runner = ScriptedRunner(held=True)
    async with stage.operator(runner):
        await stage.client.create(source("a", schedule=EVERY))
        first = await runner.started(1)
        await stage.plane.stop()
        runner.end(first)
        await stage.restart_plane()
        held = await stage.client.until("a", lambda held: reason(held, "Ready") == "Succeeded")
        assert [entry.id for entry in status(held).history] == [first.run]
        await stage.client.annotate("a", requestedAt="after")
        runner.end(await runner.started(2))
        await stage.client.until("a", lambda held: len(status(held).history) == 2)


async def test_an_operator_that_stops_leaves_an_interrupted_run_that_the_next_one_repeats(stage: Stage) -> None:
    first_runner = ScriptedRunner(held=True)
    async with stage.operator(first_runner):
        await stage.client.create(source("a", schedule=EVERY, retry={"backoff": "1s"}))
        await first_runner.started(1)
    held = await stage.client.get("a")
    assert (status(held).history[0].result, status(held).history[0].reason) == ("Interrupted", "OperatorStopped")
    assert "currentRun" not in held["status"]
    second_runner = ScriptedRunner()
    async with stage.operator(second_runner):
        plan = await second_runner.started(1)
        assert plan.trigger == "Retry"
        await stage.client.until("a", lambda held: reason(held, "Ready") == "Succeeded")


async def test_a_run_left_by_a_dead_operator_is_taken_down(stage: Stage) -> None:
    await stage.client.create(source("a", schedule=EVERY, retry={"backoff": "1s"}))
    left = {"id": "0left", "trigger": "Schedule", "generation": 1, "full": True, "startedAt": "2026-01-01T00:00:00Z", "read": 7}
    await stage.client.patch("a", {"status": {"currentRun": left, "lastAttemptTime": "2026-01-01T00:00:00Z"}}, sub="/status")
    runner = ScriptedRunner()
    async with stage.operator(runner):
        plan = await runner.started(1)
        held = await stage.client.until("a", lambda held: reason(held, "Ready") == "Succeeded")
    assert (plan.trigger, plan.full) == ("Retry", True)
    assert [(entry.id, entry.result) for entry in status(held).history][1] == ("0left", "Interrupted")
    assert "Interrupted" in [event["reason"] for event in await stage.client.events("a")]


async def test_writes_of_others_in_between_are_no_obstacle(stage: Stage) -> None:
    runner = ScriptedRunner(held=True)
    async with stage.operator(runner):
        await stage.client.create(source("a", schedule=EVERY))
        plan = await runner.started(1)
        for number in range(5):
            await stage.client.patch("a", {"metadata": {"labels": {"touched": str(number)}}})
            if number == 2:
                runner.end(plan)
        held = await stage.client.until("a", lambda held: reason(held, "Ready") == "Succeeded")
        assert len(status(held).history) == 1


async def test_two_operators_write_no_war(stage: Stage) -> None:
    runners = ScriptedRunner(), ScriptedRunner()
    async with stage.operator(runners[0]), stage.operator(runners[1]):
        await stage.client.create(source("a"))
        await stage.client.until("a", lambda held: reason(held, "Syncing") == "Manual")
        await stage.client.annotate("a", requestedAt="1")
        await stage.client.until("a", lambda held: reason(held, "Ready") == "Succeeded")
    plans = runners[0].plans + runners[1].plans
    assert len(plans) == 1


@pytest.mark.parametrize("namespaces", [["default"], ["default", "kube-public"]])
async def test_named_namespaces_only(stage: Stage, namespaces: list[str]) -> None:
    runner = ScriptedRunner()
    async with stage.operator(runner, namespaces=namespaces):
        await stage.client.create(source("a", schedule=EVERY))
        await stage.client.until("a", lambda held: reason(held, "Ready") == "Succeeded")


async def test_slots_are_kept_to_and_all_get_their_turn(stage: Stage) -> None:
    runner = ScriptedRunner(slots=3)
    for number in range(30):
        await stage.client.create(source(f"s{number}", schedule=EVERY))
    async with stage.operator(runner):
        for number in range(30):
            await stage.client.until(f"s{number}", lambda held: reason(held, "Ready") == "Succeeded")
    assert len(runner.plans) == 30
    assert runner.most_at_once <= 3
