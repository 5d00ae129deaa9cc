"""21 partitions behind 100 ms of latency, beside the ideal parallel time. ``python -m benchmarks.partitions [--pages N] [--rounds N]``.

The ideal is latency alone: each partition's pages come one after the other, and so many partitions at a time.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
from pathlib import Path
from uuid import uuid4

from aiohttp import web

from benchmarks.__main__ import Databases, upstream
from benchmarks.manifest import orders
from benchmarks.upstream import listening, order
from syncsource.engine.plan import RunPlan
from syncsource.engine.stopping import Stop
from syncsource.runner.here import run_here

PARTITIONS, LATENCY, PAGE = 21, 0.1, 100


def ideal(parallelism: int, pages: int) -> float:
    """Seconds."""
    return -(-PARTITIONS // parallelism) * pages * LATENCY


def run(url: str, database: str, parallelism: int, pages: int) -> float:
    """Seconds of one run into an empty table, as the engine counts them."""
    spec = orders(url)
    spec["source"]["http"] |= {
        "request": {"path": "/orders", "query": {"store": "{{ partition }}"}},
        "pagination": {"page": {}, "stop": {"totalPages": {"header": "X-WP-TotalPages"}}},
    }
    spec["partitions"] = {"values": list(map(str, range(PARTITIONS))), "parallelism": parallelism}
    plan = RunPlan(run=uuid4().hex, identity=f"bench/{parallelism}", trigger="Request", spec=spec, secrets={"db": {"url": database}})
    outcome = run_here(plan, Stop(), lambda progress: None)
    if outcome.counts.inserted != PARTITIONS * pages * PAGE:
        raise SystemExit(f"{outcome.result}: {outcome.message}")
    return outcome.seconds


async def serve(pages: int) -> None:
    """Until standard input ends: so many pages of each store."""

    async def page(request: web.Request) -> web.Response:
        begun = asyncio.get_running_loop().time()
        first = (int(request.query["store"]) * pages + int(request.query["page"]) - 1) * PAGE
        body = ",".join(map(order, range(first, first + PAGE)))
        await asyncio.sleep(begun + LATENCY - asyncio.get_running_loop().time())
        return web.Response(text=f'{{"data":[{body}]}}', content_type="application/json", headers={"X-WP-TotalPages": str(pages)})

    await listening(page)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    print(f"\n{PARTITIONS} partitions of {options.pages} pages, {LATENCY * 1000:.0f} ms each")
    print(f"{'at a time':20}{'seconds':>9}{'ideal':>9}{'of ideal':>10}")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name, upstream(options.pages, "benchmarks.partitions") as url:
        databases = Databases("postgresql", Path(name))
        for parallelism in (3, 7, 21):
            seconds = statistics.median(run(url, databases.fresh(), parallelism, options.pages) for _ in range(options.rounds))
            best = ideal(parallelism, options.pages)
            print(f"{parallelism:<20}{seconds:>9.2f}{best:>9.2f}{best / seconds:>10.2f}", flush=True)
        databases.close()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]))) if sys.argv[1:2] and sys.argv[1].isdigit() else main()
