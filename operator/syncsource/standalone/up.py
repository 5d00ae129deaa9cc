"""``syncsource up``: control plane, operator and demo, from start to stop."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from syncsource.client.api import Api
from syncsource.client.requests import apply
from syncsource.resource import api as names
from syncsource.resource.crd import crd
from syncsource.standalone.demo import bringing
from syncsource.standalone.pod import operator_pod
from syncsource.standalone.processes import Child, kept

OPERATOR_PATIENCE = 30.0
"""Seconds that the operator has to end, as a Pod's: runs stop at their next batch, and statuses are written."""


@dataclass(frozen=True, slots=True)
class Up:
    """What runs now. ``api`` speaks to it; ``kubeconfig`` is its file."""

    api: Api
    kubeconfig: str
    databases: bringing.Databases | None
    """Where the demo's rows are, if it is the demo."""


@asynccontextmanager
async def brought_up(
    folder: Path, *, port: int | None, operator: Sequence[str] | None, demo: bool, show: Callable[[bytes], None]
) -> AsyncIterator[Up]:
    """Everything started and the CRD installed; stopped in the reverse order when the block is left. ``folder`` exists.

    What dies is started again. ``operator``: the operator's command, None for no operator; ``show`` gets each line of its log.
    Raises ChildFailed, ApiFailed.
    """
    async with AsyncExitStack() as stack:
        plane = Child("the control plane", "syncsource.localplane", ("--dir", str(folder), *_port(port)))
        kubeconfig = (await stack.enter_async_context(kept(plane))).told["kubeconfig"]
        api = Api.connect(kubeconfig)
        await asyncio.to_thread(apply, api, crd(), f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{names.PLURAL}.{names.GROUP}")
        databases = await _demo(stack, folder / "demo", api) if demo else None
        if operator is not None:
            pod = await stack.enter_async_context(operator_pod(api, folder, show))
            arguments = (*operator, "--kubeconfig", kubeconfig, "--log-format", "json")
            await stack.enter_async_context(kept(Child("the operator", "syncsource", arguments, pod, OPERATOR_PATIENCE)))
        yield Up(api, kubeconfig, databases)


async def _demo(stack: AsyncExitStack, folder: Path, api: Api) -> bringing.Databases:
    credentials = bringing.credentials(folder)
    arguments = ("--credentials", str(credentials), "--state", str(folder / "shop.json"))
    upstream = Child("the demo's upstream", "syncsource.standalone.demo.upstream", arguments)
    told = (await stack.enter_async_context(kept(upstream))).told
    databases = stack.enter_context(bringing.databases(folder))
    for manifest in bringing.manifests(told["url"], json.loads(credentials.read_text()), databases):
        await asyncio.to_thread(apply, api, manifest, _path(api, manifest))
    return databases


def _path(api: Api, manifest: dict[str, Any]) -> str:
    name = manifest["metadata"]["name"]
    return api.sources(name) if manifest["kind"] == names.KIND else f"/api/v1/namespaces/{api.namespace}/secrets/{name}"


def _port(port: int | None) -> tuple[str, ...]:
    return () if port is None else ("--port", str(port))
