"""What Prometheus reads off the operator, by the client library's own parser."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse

from syncsource.controller.metrics import Metrics, serving_metrics
from syncsource.engine.plan import Counts
from tests.e2e.controller.plane import ScriptedRunner, Stage, condition, source, timed_out

EVERY = {"every": "1h"}


@pytest.fixture
async def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
async def scrape(metrics: Metrics) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        serving_metrics(metrics, "127.0.0.1", 0) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client,
    ):
        yield client


async def told(scrape: httpx.AsyncClient, name: str) -> dict[str, float]:
    """Samples of one SyncSource, by name and what else labels them."""
    answer = await scrape.get("/metrics")
    samples = [sample for family in parse(answer.text) for sample in family.samples if sample.labels.get("name") == name]
    assert {sample.labels["namespace"] for sample in samples} <= {"default"}
    return {
        "/".join(
            [sample.name.removeprefix("syncsource_"), *(sample.labels[one] for one in ("result", "change") if one in sample.labels)]
        ): value
        for sample in samples
        if (value := sample.value)
    }


async def test_an_operator_without_syncsources_tells_of_itself(scrape: httpx.AsyncClient) -> None:
    answer = await scrape.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    families = {family.name: family for family in parse(answer.text)}
    assert families["process_resident_memory_bytes"].samples[0].value > 1e6
    assert families["syncsource_ready"].samples == []


async def test_runs_are_counted_and_the_status_is_told(stage: Stage, metrics: Metrics, scrape: httpx.AsyncClient) -> None:
    runner = ScriptedRunner(held=True)
    await stage.client.create(source("a", schedule=EVERY, retry={"limit": 0}))
    async with stage.operator(runner, metrics=metrics):
        runner.end(await runner.started(1), **timed_out(), seconds=3.0)
        failed = await stage.client.until("a", lambda held: condition(held, "Ready").get("status") == "False")
        found = await told(scrape, "a")
        assert {key: found[key] for key in ("runs_total/Failed", "consecutive_failures")} == {
            "runs_total/Failed": 1,
            "consecutive_failures": 1,
        }
        assert "ready" not in found
        await stage.client.annotate("a", requestedAt="now")
        plan = await runner.started(2)
        assert (await told(scrape, "a"))["running"] == 1
        runner.end(plan, result="Succeeded", counts=Counts(read=5, inserted=3, updated=1, quarantined=1), seconds=0.1)
        await stage.client.until("a", lambda held: condition(held, "Ready").get("status") == "True")
        found = await told(scrape, "a")
    assert {key: value for key, value in found.items() if "timestamp" not in key} == {
        "ready": 1,
        "runs_total/Failed": 1,
        "runs_total/Succeeded": 1,
        "records_read_total": 5,
        "rows_total/inserted": 3,
        "rows_total/updated": 1,
        "rows_total/quarantined": 1,
    }
    assert found["last_success_timestamp_seconds"] >= found["last_attempt_timestamp_seconds"] > 0
    assert found["next_run_timestamp_seconds"] > found["last_success_timestamp_seconds"]
    assert failed["status"]["consecutiveFailures"] == 1


async def test_durations_are_those_of_all(stage: Stage, metrics: Metrics, scrape: httpx.AsyncClient) -> None:
    for name in ("a", "b"):
        await stage.client.create(source(name, schedule=EVERY))
    async with stage.operator(ScriptedRunner(), metrics=metrics):
        for name in ("a", "b"):
            await stage.client.until(name, lambda held: condition(held, "Ready").get("status") == "True")
        answer = await scrape.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    families = {family.name: family for family in parse_openmetrics(answer.text)}
    durations = {sample.name: sample.value for sample in families["syncsource_run_duration_seconds"].samples if "le" not in sample.labels}
    assert durations["syncsource_run_duration_seconds_count"] == 2
    assert durations["syncsource_run_duration_seconds_sum"] == pytest.approx(0.2)


async def test_series_end_with_their_syncsource(stage: Stage, metrics: Metrics, scrape: httpx.AsyncClient) -> None:
    runner = ScriptedRunner(held=True)
    await stage.client.create(source("a", schedule=EVERY))
    async with stage.operator(runner, metrics=metrics):
        runner.end(await runner.started(1))
        await stage.client.until("a", lambda held: condition(held, "Ready").get("status") == "True")
        await stage.client.annotate("a", requestedAt="now")
        plan = await runner.started(2)
        await stage.client.delete("a")
        await runner.ended(plan)  # it is told to stop once the object is gone
        assert await told(scrape, "a") == {}
        await stage.client.create(source("a", schedule=EVERY))
        runner.end(await runner.started(3))
        await stage.client.until("a", lambda held: condition(held, "Ready").get("status") == "True")
        assert (await told(scrape, "a"))["runs_total/Succeeded"] == 1
