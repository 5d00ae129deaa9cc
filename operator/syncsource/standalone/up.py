"""``syncsource up``: control plane, operator and demo, from start to stop."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from syncsource.client.api import Api
from syncsource.client.requests import apply
from syncsource.controller.operating import operate
from syncsource.resource import api as names
from syncsource.resource.crd import crd
from syncsource.runner.pool import WorkerPool
from syncsource.standalone.demo import bringing
from syncsource.standalone.processes import ChildFailed, child


@dataclass(frozen=True, slots=True)
class Up:
    """What runs now. ``api`` speaks to it; ``kubeconfig`` is its file."""

    api: Api
    kubeconfig: str
    databases: bringing.Databases | None
    """Where the demo's rows are, if it is the demo."""


@asynccontextmanager
async def brought_up(folder: Path, *, port: int | None, operator: bool, demo: bool, workers: int) -> AsyncIterator[Up]:
    """Everything started and the CRD installed; stopped in the reverse order when the block is left. ``folder`` exists.

    Raises ChildFailed, ApiFailed.
    """
    async with AsyncExitStack() as stack:
        process, told = await stack.enter_async_context(child("syncsource.localplane", "--dir", str(folder), *_port(port)))
        api = Api.connect(told["kubeconfig"])
        await asyncio.to_thread(apply, api, crd(), f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{names.PLURAL}.{names.GROUP}")
        databases = await _demo(stack, folder / "demo", api) if demo else None
        if operator:
            await stack.enter_async_context(_operator(told["kubeconfig"], workers))
        await stack.enter_async_context(_watched(process))
        yield Up(api, told["kubeconfig"], databases)


@asynccontextmanager
async def _operator(kubeconfig: str, workers: int) -> AsyncIterator[None]:
    """The operator as a task of this process; its end before its time is an error of the block."""
    stop = asyncio.Event()
    work = operate(runner=WorkerPool(workers), namespaces=None, kubeconfig=kubeconfig, context=None, stop=stop)
    async with asyncio.TaskGroup() as group:
        group.create_task(work)
        try:
            yield
        finally:
            stop.set()


@asynccontextmanager
async def _watched(process: asyncio.subprocess.Process) -> AsyncIterator[None]:
    """The block ends with ChildFailed where the control plane does."""

    async def watch() -> None:
        raise ChildFailed(f"the control plane ended with exit code {await process.wait()}")

    async with asyncio.TaskGroup() as group:
        watching = group.create_task(watch())
        yield
        watching.cancel()


async def _demo(stack: AsyncExitStack, folder: Path, api: Api) -> bringing.Databases:
    credentials = bringing.credentials(folder)
    arguments = ("--credentials", str(credentials), "--state", str(folder / "shop.json"))
    _, told = await stack.enter_async_context(child("syncsource.standalone.demo.upstream", *arguments))
    databases = stack.enter_context(bringing.databases(folder))
    for manifest in bringing.manifests(told["url"], json.loads(credentials.read_text()), databases):
        await asyncio.to_thread(apply, api, manifest, _path(api, manifest))
    return databases


def _path(api: Api, manifest: dict[str, Any]) -> str:
    name = manifest["metadata"]["name"]
    return api.sources(name) if manifest["kind"] == names.KIND else f"/api/v1/namespaces/{api.namespace}/secrets/{name}"


def _port(port: int | None) -> tuple[str, ...]:
    return () if port is None else ("--port", str(port))
