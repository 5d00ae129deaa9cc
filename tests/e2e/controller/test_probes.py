"""What the operator answers to probes, and a definition that comes late or again."""

from __future__ import annotations

import getpass
import logging
import socket
from collections.abc import AsyncIterator

import httpx
import pytest

from syncsource.controller.health import NOT_SERVED, Health, serving
from syncsource.resource.crd import crd
from tests.e2e.controller.heard import heard
from tests.e2e.controller.plane import ScriptedRunner, Stage, reason, source

DEFINITION, CRDS = "syncsources.syncsource.dev", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
EVERY = {"every": "1h"}


@pytest.fixture
async def health() -> Health:
    return Health()


@pytest.fixture
async def probes(health: Health) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(health, "127.0.0.1", 0) as port, httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        yield client


async def told(probes: httpx.AsyncClient) -> list[tuple[int, str]]:
    answers = [await probes.get(path) for path in ("/healthz", "/readyz")]
    return [(answer.status_code, answer.text) for answer in answers]


async def test_it_lives_before_it_is_ready(
    stage: Stage, health: Health, probes: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "syncsource")
    assert await told(probes) == [(200, "ok\n"), (503, "waiting for the control plane\n")]
    await stage.client.create(source("a", schedule=EVERY))
    with heard() as log:
        async with stage.operator(ScriptedRunner(), health=health):
            await log.line("ready", whole=True)
            assert await told(probes) == [(200, "ok\n"), (200, "ok\n")]
            await stage.client.until("a", lambda held: reason(held, "Ready") == "Succeeded")
    assert await told(probes) == [(200, "ok\n"), (503, "waiting for nothing: it is stopping\n")]


async def test_its_user_needs_no_name(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 65532")

    monkeypatch.setattr(getpass, "getuser", nobody)
    await stage.client.create(source("a", schedule=EVERY))
    async with stage.operator(ScriptedRunner()):
        await stage.client.until("a", lambda held: reason(held, "Ready") == "Succeeded")


async def test_probes_ask_for_nothing_else(probes: httpx.AsyncClient) -> None:
    answers = [await probes.get("/metrics"), await probes.post("/readyz"), await probes.get("/readyz", headers={"X": "x" * 100_000})]
    assert [answer.status_code for answer in answers] == [404, 405, 400]


async def test_a_port_that_is_taken_is_an_error(health: Health) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="address already in use"):
        async with serving(health, "127.0.0.1", taken.getsockname()[1]):
            raise AssertionError("it should not be served")


async def test_a_definition_may_come_late_and_again(stage: Stage, health: Health, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "syncsource")
    await stage.client.delete(DEFINITION, CRDS)
    with heard() as log:
        async with stage.operator(ScriptedRunner(), health=health):
            await log.line(NOT_SERVED)
            for name in ("late", "again"):
                await stage.client.create(crd(), CRDS)
                await stage.client.create(source(name, schedule=EVERY))
                await stage.client.until(name, lambda held: reason(held, "Ready") == "Succeeded")
                await stage.client.delete(DEFINITION, CRDS)
