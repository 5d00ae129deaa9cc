"""What the runs of all workers share about upstreams: tokens, circuit breakers, and whether link-local addresses may be asked."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from uuid import uuid4

from syncsource.engine.plan import Next, Outcome, RunPlan
from syncsource.runner.pool import WorkerPool
from tests.upstream import Asked, Reply, serving


def plan(url: str, database: Path, **http: Any) -> RunPlan:
    """Reads a URL into a table of the file."""
    spec = {
        "source": {"http": {"baseURL": url, **http}},
        "fields": [{"name": "id", "type": "integer"}],
        "keys": [{"fields": ["id"]}],
        "destination": {"sql": {"urlFrom": {"secretKeyRef": {"name": "db", "key": "url"}}, "table": "t", "createTable": True}},
    }
    secrets = {"db": {"url": f"sqlite:///{database}"}, "api": {"clientID": "me", "clientSecret": "s3cret"}}
    return RunPlan(run=uuid4().hex, identity=f"test/ns/{database.stem}", trigger="Request", spec=spec, secrets=secrets)


async def run(pool: WorkerPool, *plans: RunPlan) -> list[Outcome]:
    """All at once, then the pool ends."""
    await pool.start()
    outcomes = await asyncio.gather(*(pool.run(one, lambda _: None) for one in plans))
    await pool.stop(5)
    return outcomes


async def test_a_token_is_fetched_once_and_link_local_addresses_are_asked_where_the_pool_allows_it(tmp_path: Path) -> None:
    """The latter by a proxy of this machine, so that nothing goes there."""

    def api(asked: Asked) -> Reply:
        if asked.path == "/token":
            return Reply({"access_token": "t-1", "expires_in": 3600})
        return Reply([{"id": 1}]) if asked.headers["authorization"] == "Bearer t-1" else Reply(status=401)

    with serving(api) as server, serving(lambda _: Reply([{"id": 1}])) as proxy:
        auth = {"oauth2": {"secretRef": {"name": "api"}, "tokenURL": f"{server.url}/token"}}
        plans = [plan(server.url, tmp_path / f"{number}.db", auth=auth) for number in range(6)]
        local = plan("http://169.254.169.254", tmp_path / "local.db", proxy={"url": proxy.url})
        outcomes = await run(WorkerPool(workers=2, link_local=True), *plans, local)
    assert [(outcome.result, outcome.counts.inserted) for outcome in outcomes] == [("Succeeded", 1)] * 7
    assert [asked.path for asked in server.asked].count("/token") == 1
    assert len(proxy.asked) == 1


async def test_a_host_that_fails_is_left_alone_and_the_outcome_says_so(tmp_path: Path) -> None:
    retry = {"attempts": 10, "backoff": "0s"}
    with serving(lambda _: Reply(status=500)) as server:
        pool = WorkerPool(workers=1)
        await pool.start()
        plans = [plan(server.url, tmp_path / f"{number}.db", retry=retry) for number in range(4)]
        first = await pool.run(plans[0], lambda _: None)
        rest = await asyncio.gather(*(pool.run(one, lambda _: None) for one in plans[1:]))
        await pool.stop(5)
    assert (first.reason, len(server.asked)) == ("UpstreamUnavailable", 10)
    assert {(outcome.result, outcome.reason, outcome.next) for outcome in rest} == {("Failed", "CircuitOpen", Next.RETRY)}
    assert all(0 < (outcome.retry_after or 0) <= 5 for outcome in rest)
    assert rest[0].message.startswith(f"127.0.0.1:{server.port} failed 10 times in a row, the last time of UpstreamUnavailable")
