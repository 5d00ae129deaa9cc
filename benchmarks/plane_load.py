"""The load on a control plane: SyncSources created, listed, patched and watched over several connections, from outside of its process."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import ssl
import statistics
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import yaml

from benchmarks.fleet import CRDS, source
from syncsource.resource.api import API_VERSION, PLURAL
from syncsource.resource.crd import crd

SOURCES = f"/apis/{API_VERSION}/namespaces/default/{PLURAL}"
TABLE = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
MERGE = {"Content-Type": "application/merge-patch+json"}
SHARDS = 100
_NUMBER = re.compile(rb'"consecutiveFailures":(\d+)')
_VERSION = re.compile(rb'"resourceVersion":"(\d+)"')
_CREATORS = 8
_IN_FLIGHT = 64


@dataclass
class Latencies:
    """Seconds."""

    seconds: list[float] = field(default_factory=list)

    def ms(self, quantile: float) -> float:
        """In milliseconds; not a number where there is none."""
        ordered = sorted(self.seconds)
        return ordered[min(int(len(ordered) * quantile), len(ordered) - 1)] * 1000 if ordered else float("nan")


@dataclass
class Patched:
    """What came of the patches: how many a second, how long each took from when it was due, and its event from when it was sent."""

    rate: float
    patches: Latencies
    events: Latencies


@asynccontextmanager
async def connected(kubeconfig: str) -> AsyncIterator[aiohttp.ClientSession]:
    """A session with the credentials of a kubeconfig, given as its text."""
    config = yaml.safe_load(kubeconfig)
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    trust = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
    connector = aiohttp.TCPConnector(ssl=trust, limit=_IN_FLIGHT + 100)
    headers = {"Authorization": f"Bearer {user['token']}", "Accept-Encoding": "identity"}
    async with aiohttp.ClientSession(cluster["server"], connector=connector, headers=headers) as session:
        yield session


async def create(session: aiohttp.ClientSession, count: int) -> float:
    """The definition and so many SyncSources; SyncSources per second."""
    async with session.post(CRDS, json=_without_empty_defaults(crd())) as response:
        assert response.status == 201, await response.text()
    await _served(session)
    began = time.perf_counter()
    numbers = iter(range(count))
    await asyncio.gather(*(_create_some(session, numbers) for _ in range(_CREATORS)))
    return count / (time.perf_counter() - began)


def _without_empty_defaults(value: Any) -> Any:
    """Older versions of kube-apiserver take an empty text for none."""
    if isinstance(value, dict):
        return {name: _without_empty_defaults(below) for name, below in value.items() if (name, below) != ("default", "")}
    return [_without_empty_defaults(item) for item in value] if isinstance(value, list) else value


async def _served(session: aiohttp.ClientSession) -> None:
    """kube-apiserver takes a moment from a definition to its first object."""
    for _ in range(300):
        async with session.get(SOURCES) as response:
            if response.status == 200:
                return
        await asyncio.sleep(0.1)
    raise SystemExit("the definition was not served within 30 s")


async def _create_some(session: aiohttp.ClientSession, numbers: Iterator[int]) -> None:
    for number in numbers:
        obj = source(f"s{number:05}", "http://127.0.0.1/records")
        obj["metadata"]["labels"] = {"shard": str(number % SHARDS)}
        async with session.post(SOURCES, json=obj) as response:
            assert response.status == 201, await response.text()


async def listed(session: aiohttp.ClientSession, count: int, *, times: int = 3, headers: Any = None, **query: str) -> float:
    """Milliseconds, the median of some times; there must be so many."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        async with session.get(SOURCES, params=query, headers=headers) as response:
            body = await response.read()
        taken.append(time.perf_counter() - began)
        found = json.loads(body)
        assert len(found.get("items") or found.get("rows") or ()) == count, body[:300]
    return statistics.median(taken) * 1000


async def patch(session: aiohttp.ClientSession, count: int, rate: int, seconds: float, watches: int) -> Patched:
    """Status patches at a steady rate, all of which so many watches hear of."""
    sent: dict[int, float] = {}
    events, patches = Latencies(), Latencies()
    async with session.get(SOURCES, params={"limit": "1"}) as response:
        version = (await response.json())["metadata"]["resourceVersion"]
    total, heard = int(rate * seconds), [0] * watches
    following = [asyncio.create_task(_follow(session, version, sent, events, heard, number)) for number in range(watches)]
    began = time.perf_counter()
    free = asyncio.Semaphore(_IN_FLIGHT)

    async def one(number: int) -> None:
        await asyncio.sleep(max(began + number / rate - time.perf_counter(), 0))
        async with free:
            sent[number] = time.perf_counter()
            body = json.dumps({"status": _status(number)})
            async with session.patch(f"{SOURCES}/s{number % count:05}/status", data=body, headers=MERGE) as response:
                assert response.status == 200, await response.text()
        patches.seconds.append(time.perf_counter() - began - number / rate)

    await asyncio.gather(*map(one, range(total)))
    achieved = total / (time.perf_counter() - began)
    await _until(lambda: min(heard) >= total)
    for task in following:
        task.cancel()
    await asyncio.gather(*following, return_exceptions=True)
    return Patched(achieved, patches, events)


async def _follow(
    session: aiohttp.ClientSession, version: str, sent: dict[int, float], events: Latencies, heard: list[int], place: int
) -> None:
    """Count the events of one watch, which goes on where it ended; the first watch says how long they took."""
    while True:
        query, rest = {"watch": "1", "resourceVersion": version}, b""
        async with session.get(SOURCES, params=query, timeout=aiohttp.ClientTimeout(None)) as response:
            async for chunk in response.content.iter_any():
                *lines, rest = (rest + chunk).split(b"\n")
                heard[place] += len(lines)
                if lines:
                    version = _VERSION.findall(lines[-1])[-1].decode()
                if place == 0:
                    now = time.perf_counter()
                    events.seconds += [now - sent[int(number)] for line in lines for number in _NUMBER.findall(line)]


async def _until(condition: Callable[[], bool], within: float = 60.0) -> None:
    ends = time.monotonic() + within
    while not condition():
        if time.monotonic() > ends:
            raise SystemExit("some watches did not hear of every patch")
        await asyncio.sleep(0.05)


def _status(number: int) -> dict[str, Any]:
    """About what the operator writes after a run."""
    instant = "2026-01-01T00:00:00Z"
    ready = {"type": "Ready", "status": "True", "reason": "Succeeded", "message": "12 inserted", "lastTransitionTime": instant}
    return {
        "observedGeneration": 1,
        "consecutiveFailures": number,
        "lastAttemptTime": instant,
        "lastSuccessTime": instant,
        "conditions": [{**ready, "observedGeneration": 1}],
    }
