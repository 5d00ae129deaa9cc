"""An operator has no more connections to a database than it is given, whatever its runs would like: the server itself counts them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import make_url

from syncsource.engine.plan import RunPlan
from syncsource.runner.pool import WorkerPool
from tests.database.conftest import Place
from tests.e2e.runner.test_pool import Upstream, ignored, upstream

__all__ = ["upstream"]

RUNS, PARTITIONS, GIVEN = 6, 8, 4
ALLOWED = 8
"""By the server, which counts a connection for a moment longer than who closed it."""


@pytest.fixture(params=["postgresql", "mariadb"])
def limited(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a user who may have few connections, and is refused another."""
    place: Place = request.getfixturevalue(request.param)
    user = "few_" + os.urandom(4).hex()
    if place.kind == "postgresql":
        [(schema,)] = place.sql("SELECT current_schema()")
        place.sql(f"CREATE ROLE {user} LOGIN CONNECTION LIMIT {ALLOWED}; GRANT ALL ON SCHEMA {schema} TO {user}")
        yield make_url(place.url).set(username=user).render_as_string(hide_password=False)
        place.sql(f"DROP OWNED BY {user} CASCADE")
        place.sql(f"DROP ROLE {user}")
    else:
        place.sql(f"CREATE USER {user}@localhost WITH MAX_USER_CONNECTIONS {ALLOWED}")
        place.sql(f"GRANT ALL ON *.* TO {user}@localhost")
        yield make_url(place.url).set(username=user).render_as_string(hide_password=False)
        place.sql(f"DROP USER {user}@localhost")


def _plan(upstream: Upstream, url: str, number: int) -> RunPlan:
    spec: dict[str, Any] = {
        "source": {"http": {"baseURL": upstream.url, "request": {"query": {"of": "{{ partition }}"}}}},
        "partitions": {"values": [f"p{one}" for one in range(PARTITIONS)], "parallelism": 4},
        "fields": [{"name": "id", "type": "integer"}],
        "keys": [{"fields": ["id"]}],
        "safety": {"backup": {"mode": "Table"}},
        "destination": {"sql": {"urlFrom": {"secretKeyRef": {"name": "db", "key": "url"}}, "table": f"t{number}", "createTable": True}},
    }
    return RunPlan(run=uuid4().hex, identity=f"test/ns/{number}", trigger="Request", spec=spec, secrets={"db": {"url": url}})


async def test_no_more_than_are_given_and_every_run_ends(limited: str, upstream: Upstream) -> None:
    pool = WorkerPool(workers=2, connections=GIVEN)
    await pool.start()
    try:
        runs = [pool.run(_plan(upstream, limited, number), ignored) for number in range(RUNS)]
        outcomes = await asyncio.wait_for(asyncio.gather(*runs), 60)
    finally:
        await pool.stop(5)
    assert [(outcome.result, outcome.message) for outcome in outcomes] == [
        ("Succeeded", f"{PARTITIONS}/{PARTITIONS} partitions, 1 new, {PARTITIONS - 1} unchanged, 0 errors")
    ] * RUNS


async def test_a_run_that_waits_is_called_off(postgresql: Place, upstream: Upstream, tmp_path: Path) -> None:
    upstream.hold = True
    pool = WorkerPool(workers=1, connections=GIVEN)
    await pool.start()
    try:
        first = asyncio.create_task(pool.run(_plan(upstream, postgresql.url, 1), ignored))
        assert await asyncio.to_thread(upstream.asked.wait, 20)
        waits = _plan(upstream, postgresql.url, 2)
        second = asyncio.create_task(pool.run(waits, ignored))
        await asyncio.sleep(0)
        pool.cancel(waits.run)
        outcome = await asyncio.wait_for(second, 10)
        assert (outcome.result, outcome.reason) == ("Interrupted", "Cancelled")
        upstream.released.set()
        assert (await asyncio.wait_for(first, 30)).result == "Succeeded"
    finally:
        await pool.stop(5)
