"""A control plane, an operator and a scripted runner in one loop, and a client that waits by watching."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import yaml

from syncsource.controller import operate
from syncsource.engine.plan import Counts, Next, Outcome, Progress, RunPlan
from syncsource.localplane import LocalPlane
from syncsource.resource.crd import crds
from syncsource.resource.status import SyncSourceStatus
from syncsource.resource.syncrun import SyncRunSpec
from tests.unit.controller.world import spec

Object = dict[str, Any]
PATIENCE = 30.0
"""Seconds that a test waits for what must happen."""
SOURCES = "/apis/syncsource.dev/v1alpha1/namespaces/default/syncsources"
RUNS = "/apis/syncsource.dev/v1alpha1/namespaces/default/syncruns"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
SECRETS = "/api/v1/namespaces/default/secrets"
EVENTS = "/api/v1/namespaces/default/events"


class ScriptedRunner:
    """Runs end as told: at once with success, or when the test ends them."""

    def __init__(self, slots: int = 4, *, held: bool = False) -> None:
        self.slots = slots
        self.held = held
        self.plans: list[RunPlan] = []
        self.cancelled: list[str] = []
        self.most_at_once = 0
        self._under_way: dict[str, tuple[asyncio.Future[Outcome], Callable[[Progress], None]]] = {}
        self._started = asyncio.Condition()

    async def start(self) -> None:
        pass

    async def run(self, plan: RunPlan, progress: Callable[[Progress], None]) -> Outcome:
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._under_way[plan.run] = future, progress
        self.most_at_once = max(self.most_at_once, len(self._under_way))
        self.plans.append(plan)
        if not self.held:
            future.set_result(success(plan.run))
        async with self._started:
            self._started.notify_all()
        try:
            return await future
        finally:
            del self._under_way[plan.run]

    async def verify(self, plan: RunPlan) -> Outcome:
        """What is scripted here are runs: those that verify have a product of their own."""
        raise AssertionError("nothing was to be verified")

    async def act(self, plan: RunPlan, asked: SyncRunSpec) -> Outcome:
        """Actions end as runs do."""
        return await self.run(plan, lambda progress: None)

    async def settle(self, plan: RunPlan) -> Outcome:
        """What became of a run that another operator left: it had not committed."""
        return Outcome(run=plan.run, result="Interrupted", next=Next.RETRY, reason="Interrupted", message="left behind")

    def cancel(self, run: str) -> None:
        self.cancelled.append(run)
        if run in self._under_way and not self._under_way[run][0].done():
            self._under_way[run][0].set_result(Outcome(run=run, result="Interrupted", reason="Cancelled", message="stopped at a batch"))

    async def stop(self, grace: float) -> None:
        for run in list(self._under_way):
            self.cancel(run)

    def end(self, plan: RunPlan, **outcome: Any) -> None:
        """The run ends so; by default with success."""
        ended = Outcome(run=plan.run, **outcome) if outcome else success(plan.run)
        self._under_way[plan.run][0].set_result(ended)

    async def ended(self, plan: RunPlan) -> None:
        """Return when the run has ended."""
        await self._under_way[plan.run][0]

    async def started(self, number: int) -> RunPlan:
        """The plan of that run, the first being 1, once it has started."""
        async with asyncio.timeout(PATIENCE), self._started:
            await self._started.wait_for(lambda: len(self.plans) >= number)
        return self.plans[number - 1]


def success(run: str, **counts: int) -> Outcome:
    return Outcome(run=run, result="Succeeded", counts=Counts(**(counts or {"read": 3, "inserted": 1, "unchanged": 2})), seconds=0.1)


def timed_out() -> dict[str, Any]:
    return {"result": "Failed", "next": Next.RETRY, "reason": "Timeout", "message": "no answer in 30s"}


def source(name: str, annotations: dict[str, str] | None = None, **changes: Any) -> Object:
    """A SyncSource manifest."""
    metadata = {"name": name, "namespace": "default", "annotations": annotations or {}}
    return {"apiVersion": "syncsource.dev/v1alpha1", "kind": "SyncSource", "metadata": metadata, "spec": spec(**changes)}


def syncrun(name: str, action: str, source: str = "a", **spec: Any) -> Object:
    """A SyncRun manifest."""
    metadata, whole = {"name": name, "namespace": "default"}, {"source": source, "action": action, **spec}
    return {"apiVersion": "syncsource.dev/v1alpha1", "kind": "SyncRun", "metadata": metadata, "spec": whole}


def secret(name: str = "db", **values: str) -> Object:
    """A Secret manifest."""
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": "default"}, "stringData": values}


def condition(held: Object, type_: str) -> Object:
    """One of the object's conditions; empty: it has none of that type."""
    found = [line for line in held.get("status", {}).get("conditions", ()) if line["type"] == type_]
    return found[0] if found else {}


def reason(held: Object, type_: str) -> str:
    return str(condition(held, type_).get("reason", ""))


def status(held: Object) -> SyncSourceStatus:
    return SyncSourceStatus.model_validate(held.get("status") or {})


class Client:
    """What people do with kubectl."""

    def __init__(self, kubeconfig: Path) -> None:
        config = yaml.safe_load(kubeconfig.read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        trust = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
        headers = {"Authorization": f"Bearer {user['token']}"}
        self.http = httpx.AsyncClient(base_url=cluster["server"], verify=trust, headers=headers, timeout=30, trust_env=False)

    async def create(self, manifest: Object, path: str = SOURCES) -> Object:
        held: Object = self._taken(await self.http.post(path, json=manifest))
        return held

    async def get(self, name: str, path: str = SOURCES) -> Object:
        held: Object = self._taken(await self.http.get(f"{path}/{name}"))
        return held

    async def patch(self, name: str, change: Object, path: str = SOURCES, sub: str = "") -> Object:
        headers = {"Content-Type": "application/merge-patch+json"}
        held: Object = self._taken(await self.http.patch(f"{path}/{name}{sub}", content=json.dumps(change), headers=headers))
        return held

    async def annotate(self, name: str, **annotations: str) -> Object:
        return await self.patch(name, {"metadata": {"annotations": {f"syncsource.dev/{key}": value for key, value in annotations.items()}}})

    async def delete(self, name: str, path: str = SOURCES) -> None:
        self._taken(await self.http.delete(f"{path}/{name}"))

    async def events(self, name: str) -> list[Object]:
        """The object's Events, as ``kubectl events --for`` finds them."""
        selector = f"involvedObject.name={name},involvedObject.kind=SyncSource"
        items: list[Object] = self._taken(await self.http.get(EVENTS, params={"fieldSelector": selector}))["items"]
        return items

    async def until(self, name: str, wanted: Callable[[Object], Any], path: str = SOURCES) -> Object:
        """The object once it is as wanted."""
        async with asyncio.timeout(PATIENCE):
            async for held in self.watch(name, path):
                if wanted(held):
                    return held
        raise AssertionError("the watch ended")

    async def watch(self, name: str, path: str = SOURCES) -> AsyncIterator[Object]:
        """The object and its every change."""
        params = {"watch": "true", "fieldSelector": f"metadata.name={name}"} if name else {"watch": "true"}
        async with self.http.stream("GET", path, params=params, timeout=None) as response:
            async for line in response.aiter_lines():
                yield json.loads(line)["object"]

    @staticmethod
    def _taken(response: httpx.Response) -> Any:
        assert response.is_success, response.text
        return response.json()


async def define(client: Client) -> None:
    """The CRDs, once they are served."""
    for definition in crds():
        await client.create(definition, CRDS)
        await client.until(definition["metadata"]["name"], lambda held: condition(held, "Established").get("status") == "True", CRDS)


class Stage:
    """A control plane with the CRDs and the Secret ``db``; operators come and go."""

    def __init__(self, folder: Path) -> None:
        self.plane = LocalPlane(folder)
        self.folder = folder

    async def open(self) -> None:
        await self.plane.start()
        self.client = Client(self.plane.kubeconfig)
        await define(self.client)
        await self.client.create(secret(url="sqlite:///rows.db"), SECRETS)

    async def close(self) -> None:
        await self.client.http.aclose()
        await self.plane.stop()

    async def restart_plane(self) -> None:
        """The API server ends and starts again, on the same port."""
        await self.plane.stop()
        self.plane = LocalPlane(self.folder, port=self.plane.port)
        await self.plane.start()

    @asynccontextmanager
    async def operator(self, runner: ScriptedRunner, **options: Any) -> AsyncIterator[None]:
        """An operator at work."""
        stop = asyncio.Event()
        settings = {"namespaces": None, "kubeconfig": str(self.plane.kubeconfig), "context": None, "grace": 5.0, **options}
        task = asyncio.create_task(operate(runner=runner, stop=stop, **settings))
        try:
            yield
        finally:
            stop.set()
            await asyncio.wait_for(task, PATIENCE)
